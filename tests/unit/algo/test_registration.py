"""Shifts between images: found to a hundredth of a pixel, agreed on by windows, and refused where there are none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.algo.registration import LEAST_RATIO, Tie, agreed, correlated, refined

Floats = NDArray[np.float64]


def ground(size: int, seed: int) -> Floats:
    """Fields and noise of many sizes, without a period."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(random.normal(size=(size, size)))
    radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    return np.asarray(np.fft.irfft2(spectrum / (radius + 0.01), s=(size, size)))


def moved(image: Floats, down: float, right: float) -> Floats:
    turns = np.fft.fftfreq(image.shape[0])[:, None] * down + np.fft.rfftfreq(image.shape[1])[None, :] * right
    return np.asarray(np.fft.irfft2(np.fft.rfft2(image) * np.exp(-2j * np.pi * turns), s=image.shape))


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (0.05, -0.05), (-1.5, 2.25), (7.5, -7.5), (3.02, -6.9)])
def test_a_shift_is_found_to_a_hundredth(down: float, right: float) -> None:
    wide, side = ground(256, seed=2), 128
    image = moved(wide, down, right) * 3.0 + 40.0
    image += np.random.default_rng(1).normal(0.0, 0.02 * image.std(), image.shape)
    reference, inner = wide[60 : 60 + side, 50 : 50 + side], image[60 : 60 + side, 50 : 50 + side]
    rows, columns, ratio = correlated(inner, reference, most_px=8)
    assert ratio >= LEAST_RATIO
    top, left = 60 + int(rows), 50 + int(columns)
    fine = refined(image[top : top + side, left : left + side], reference)
    assert fine is not None
    assert (rows + fine[0], columns + fine[1]) == pytest.approx((down, right), abs=0.02)


def test_windows_of_other_ground_have_no_peak() -> None:
    peaks = [correlated(ground(128, seed=n), ground(128, seed=n + 50), most_px=8)[2] for n in range(8)]
    assert sum(ratio >= LEAST_RATIO for ratio in peaks) <= 2
    assert correlated(np.zeros((64, 64)), ground(64, seed=1), most_px=8) == (0.0, 0.0, 0.0)
    assert refined(np.zeros((64, 64)), ground(64, seed=1)) is None


def ties(count: int, *, good: float, slope: float = 0.0) -> list[Tie]:
    """Windows of which a share says (1.2, -3.4), more to the south where there is a slope, and the others anything."""
    random = np.random.default_rng(3)
    found = []
    for n in range(count):
        row, col = random.uniform(0, 5000, 2)
        down, right = 1.2 + slope * (row - 2500), -3.4
        if n >= good * count:
            down, right = random.uniform(-8, 8, 2)
        off = random.normal(0.0, 0.02, 2)
        found.append(Tie(row=float(row), col=float(col), down=down + off[0], right=right + off[1], ratio=2.0))
    return found


def test_the_shift_is_that_on_which_most_windows_agree() -> None:
    found = agreed(ties(49, good=0.4), affine=False)
    assert found is not None
    assert found.offset == pytest.approx((1.2, -3.4), abs=0.02)
    assert 18 <= found.used <= 21
    assert (found.of, found.slope) == (49, ((0.0, 0.0), (0.0, 0.0)))
    assert agreed(ties(49, good=0.0), affine=False) is None
    assert agreed(ties(2, good=1.0), affine=False) is None
    weak = [Tie(row=0.0, col=0.0, down=1.0, right=1.0, ratio=1.1)] * 20
    assert agreed(weak, affine=False) is None


def test_an_affine_is_found_where_shifts_change() -> None:
    found = agreed(ties(49, good=0.8, slope=4e-5), affine=True)
    assert found is not None
    (rr, rc), (cr, cc) = found.slope
    assert rr == pytest.approx(4e-5, abs=5e-6)
    assert max(abs(rc), abs(cr), abs(cc)) < 5e-6
    assert found.rms < 0.05
