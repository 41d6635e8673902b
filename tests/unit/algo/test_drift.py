"""Drift by hand and by a second implementation; counts by NumPy's own histogram."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.algo.drift import outside_share, share_change, stability_index
from swath.algo.feature_counts import bins_of_table, count_codes, count_values

EDGES = np.array([0.1, 0.2, 0.2, 0.7])
COUNTS = st.lists(st.integers(1, 1000), min_size=5, max_size=5)


def test_the_index_worked_by_hand() -> None:
    # (.6 - .5) ln(.6 / .5) + (.4 - .5) ln(.4 / .5)
    assert stability_index([50, 50], [60, 40]) == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8))
    assert stability_index([1, 2, 3], [10, 20, 30]) == pytest.approx(0.0)


@given(one=COUNTS, other=COUNTS)
def test_the_index_is_the_symmetric_divergence_and_never_negative(one: list[int], other: list[int]) -> None:
    p, q = (np.array(c) / sum(c) for c in (one, other))
    expected = np.sum(p * np.log(p / q)) + np.sum(q * np.log(q / p))
    assert stability_index(one, other) == pytest.approx(expected, abs=1e-9)
    assert stability_index(one, other) == pytest.approx(stability_index(other, one))


def test_an_empty_bin_is_far_but_not_infinitely_far() -> None:
    assert 1.0 < stability_index([50, 50], [100, 0]) < 10.0
    with pytest.raises(ValueError, match="two histograms over the same bins are needed, got 2 and 3 bins"):
        stability_index([1, 1], [1, 1, 1])


def test_what_is_beyond_the_training_data_is_in_the_two_outer_bins() -> None:
    assert outside_share([1, 5, 2, 2]) == pytest.approx(0.3)
    assert share_change([10, 90], [30, 70]) == pytest.approx(0.2)


def test_values_are_counted_as_searchsorted_places_them() -> None:
    values = np.random.default_rng(4).uniform(0.0, 1.0, (60, 70))
    values[:3], values[5, :4] = np.nan, EDGES
    finite = values[np.isfinite(values)]
    expected = np.bincount(np.searchsorted(EDGES, finite, side="left"), minlength=5)
    assert count_values(values, EDGES).tolist() == expected.tolist()
    assert count_values(values[:, ::2], EDGES).sum() == np.isfinite(values[:, ::2]).sum()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_codes_are_counted_as_their_values(dtype: str) -> None:
    random = np.random.default_rng(5)
    table = random.uniform(0.0, 1.0, 1 << 8 * np.dtype(dtype).itemsize)
    table[::7] = np.nan
    codes = random.integers(0, table.size, (50, 40)).astype(dtype)
    found = count_codes(codes, bins_of_table(table, EDGES), size=5)
    assert found.tolist() == count_values(table[codes], EDGES).tolist()
