import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.algo.filters import mean_of_valid

RNG = np.random.default_rng(3)


def slow_mean(values: NDArray[np.float64], *, size: int) -> NDArray[np.float64]:
    """The definition, pixel by pixel."""
    halo = size // 2
    height, width = values.shape[0] - 2 * halo, values.shape[1] - 2 * halo
    out = np.full((height, width), np.nan)
    for r in range(height):
        for c in range(width):
            if not np.isnan(values[r + halo, c + halo]):
                out[r, c] = np.nanmean(values[r : r + size, c : c + size])
    return out


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_it_is_the_mean_of_the_valid_neighbours(size: int, holes: float) -> None:
    values = RNG.uniform(-1.0, 1.0, (20, 23))
    values[RNG.uniform(size=values.shape) < holes] = np.nan
    found = mean_of_valid(values, size=size)
    np.testing.assert_allclose(found, slow_mean(values, size=size), rtol=0, atol=1e-14)


@given(st.data())
def test_any_window_gives_the_same_bits(data: st.DataObject) -> None:
    values = np.random.default_rng(5).uniform(-1.0, 1.0, (120, 90))
    values[40:44, 10:30] = np.nan
    row, col = data.draw(st.integers(0, 100)), data.draw(st.integers(0, 80))
    height, width = data.draw(st.integers(1, 116 - row)), data.draw(st.integers(1, 86 - col))
    whole = mean_of_valid(values, size=5)
    part = mean_of_valid(values[row : row + height + 4, col : col + width + 4], size=5)
    np.testing.assert_array_equal(part, whole[row : row + height, col : col + width])


def test_batches_of_rows_leave_no_seam() -> None:
    values = RNG.uniform(0.0, 1.0, (3000, 24))
    seamless = mean_of_valid(values[1300:1500], size=5)
    np.testing.assert_array_equal(mean_of_valid(values, size=5)[1300:1496], seamless)
