"""Reducers of a stack of dates against NumPy, geomad's numbers, and what they mean."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.conftest import SHARED

from swath.algo.chosen import NONE, best, latest, medoid, nearest, taken
from swath.algo.geomedian import deviations, geomedian
from swath.algo.reducers import count, mean, median, percentiles

Stack = NDArray[np.float32]
_REFERENCE = SHARED / "science" / "geomedian_synthetic.npz"


@pytest.fixture(scope="module")
def reference() -> dict[str, NDArray[np.float32]]:
    if not _REFERENCE.is_file():
        pytest.skip("the reference numbers (../shared/science) are not beside this checkout")
    with np.load(_REFERENCE) as found:
        return {name: found[name] for name in found.files}


@pytest.fixture(scope="module")
def stack() -> Stack:
    """11 dates of 3 bands, a third of the pixels cloudy, some with one date or none."""
    random = np.random.default_rng(7)
    values = random.gamma(2.0, 0.1, (11, 3, 20, 30)).astype(np.float32)
    cloudy = random.random((11, 20, 30)) < 0.35
    cloudy[:, 0, 0], cloudy[1:, 0, 1], cloudy[2:, 0, 2] = True, True, True
    cloudy[0, 0, 1], cloudy[:2, 0, 2] = False, False
    values[np.broadcast_to(cloudy[:, np.newaxis], values.shape)] = np.nan
    return values


def test_the_geometric_median_and_its_deviations_are_those_of_geomad(reference: dict[str, Stack]) -> None:
    values = np.ascontiguousarray(reference["x"].transpose(3, 2, 0, 1))
    centre = geomedian(values)
    assert np.array_equal(count(values), reference["count"])
    np.testing.assert_allclose(centre, reference["geomedian"].transpose(2, 0, 1), rtol=0, atol=2e-5)
    found = deviations(values, centre)
    np.testing.assert_allclose(found.cosine, reference["smad"], rtol=0, atol=2e-5)
    np.testing.assert_allclose(found.bray_curtis, reference["bcmad"], rtol=0, atol=2e-5)
    np.testing.assert_allclose(found.euclidean, reference["emad"], rtol=0, atol=2e-5)
    ours = np.ascontiguousarray(reference["geomedian"].transpose(2, 0, 1))
    np.testing.assert_allclose(deviations(values, ours).euclidean, reference["emad"], rtol=0, atol=1e-6)


def test_nothing_is_nearer_to_all_dates_than_the_geometric_median(stack: Stack) -> None:
    centre = geomedian(stack)

    def total(point: Stack) -> NDArray[np.float64]:
        far = ((stack - point[np.newaxis]).astype(np.float64) ** 2).sum(axis=1)
        sums: NDArray[np.float64] = np.nansum(np.sqrt(far), axis=0)
        return sums

    least = total(centre)
    others = [mean(stack), median(stack), *stack, centre + np.float32(1e-3), centre - np.float32(1e-3)]
    for other in others:
        there = np.isfinite(other).all(axis=0)
        assert (least[there] <= total(other)[there] + 1e-6).all()


def test_pixels_with_few_dates_follow_the_stated_rule() -> None:
    values = np.full((4, 2, 1, 4), np.nan, dtype=np.float32)
    values[1, :, 0, 1] = (0.2, 0.3)
    values[:2, :, 0, 2] = [(0.2, 0.3), (0.4, 0.7)]
    values[:3, :, 0, 3] = [(0.2, 0.3), (0.2, 0.3), (0.9, 0.1)]
    centre = geomedian(values)
    assert np.isnan(centre[:, 0, 0]).all()
    np.testing.assert_allclose(centre[:, 0, 1:].T, [(0.2, 0.3), (0.3, 0.5), (0.2, 0.3)], atol=1e-6)
    found = deviations(values, centre)
    assert np.isnan(found.euclidean[0, 0])
    np.testing.assert_allclose(found.euclidean[0, 1:], [0.0, np.hypot(0.1, 0.2), 0.0], atol=1e-6)


def test_medians_percentiles_and_means_are_those_of_numpy(stack: Stack) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without a date
        np.testing.assert_array_equal(median(stack), np.nanmedian(stack, axis=0))
        expected = np.nanpercentile(stack.astype(np.float64), [0, 10, 25, 90, 100], axis=0)
        np.testing.assert_allclose(percentiles(stack, (0, 10, 25, 90, 100)), expected, rtol=0, atol=1e-7)
        np.testing.assert_allclose(mean(stack), np.nanmean(stack.astype(np.float64), axis=0), rtol=0, atol=1e-7)


@pytest.mark.parametrize("dates", [1, 2, 3, 7, 16, 33, 70])
def test_the_median_of_any_number_of_dates_is_numpys(dates: int) -> None:
    random = np.random.default_rng(dates)
    # Whole numbers of few values: many are equal.
    values = random.integers(-9, 9, (dates, 2, 3, 700)).astype(np.float32)
    values[random.random(values.shape) < 0.3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without a date
        np.testing.assert_array_equal(median(values), np.nanmedian(values, axis=0))


def test_the_medoid_is_the_date_that_is_nearest_to_the_others(stack: Stack) -> None:
    far = np.sqrt(((stack[:, np.newaxis].astype(np.float64) - stack[np.newaxis]) ** 2).sum(axis=2))
    sums = np.where(np.isfinite(stack).all(axis=1), np.nansum(far, axis=1), np.inf)
    expected = np.where(np.isfinite(sums).any(axis=0), sums.argmin(axis=0), NONE)
    chosen = medoid(stack)
    assert np.array_equal(chosen, expected)
    assert np.array_equal(taken(stack, chosen)[:, 5, 5], stack[chosen[5, 5], :, 5, 5])
    assert np.isnan(taken(stack, chosen)[:, 0, 0]).all()


def test_the_latest_date_and_the_best_score_are_taken(stack: Stack) -> None:
    usable = np.asarray(np.isfinite(stack).all(axis=1))
    scores = np.random.default_rng(1).random(usable.shape).astype(np.float32)
    for y, x in ((0, 0), (0, 1), (3, 4), (19, 29)):
        dates = np.flatnonzero(usable[:, y, x])
        assert latest(stack)[y, x] == (dates[-1] if dates.size else NONE)
        expected = dates[scores[dates, y, x].argmax()] if dates.size else NONE
        assert best(stack, scores)[y, x] == expected


def test_of_equal_dates_the_first_is_taken() -> None:
    values = np.full((3, 2, 1, 1), 0.25, dtype=np.float32)
    values[0] = np.nan
    assert medoid(values)[0, 0] == 1
    assert best(values, np.ones((3, 1, 1), dtype=np.float32))[0, 0] == 1
    assert nearest(values, geomedian(values))[0, 0] == 1


def test_a_date_counts_where_all_its_bands_do() -> None:
    values = np.full((2, 2, 1, 1), 0.25, dtype=np.float32)
    values[0, 1] = np.nan
    assert count(values)[0, 0] == 1
    assert latest(values[:1])[0, 0] == NONE
    assert geomedian(values)[:, 0, 0] == pytest.approx([0.25, 0.25])


def test_a_pixel_does_not_depend_on_its_neighbours(stack: Stack) -> None:
    for reduce in (median, mean, geomedian):
        parts = [reduce(stack[..., a:b]) for a, b in ((0, 7), (7, 8), (8, 30))]
        assert np.array_equal(np.concatenate(parts, axis=2), reduce(stack), equal_nan=True)
