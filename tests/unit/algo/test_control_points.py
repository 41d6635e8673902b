"""Ground control finds what was put in, without the points that are wrong."""

from typing import Any

import numpy as np
import pytest
from tests.unit.algo.test_rpc import simple

from swath.algo.control_points import ControlPoints, fit
from swath.errors import MetadataError


def points(*, count: int = 12, shift: tuple[float, float] = (3.25, -1.5), tilt: float = 0.0) -> ControlPoints:
    """Points whose places in the image are off by a shift, and by a share of their column."""
    rpc, random = simple(), np.random.default_rng(4)
    lon = rpc.long_off + random.uniform(-0.9, 0.9, count) * rpc.long_scale
    lat = rpc.lat_off + random.uniform(-0.9, 0.9, count) * rpc.lat_scale
    heights = random.uniform(100.0, 900.0, count)
    samples, lines = rpc.image_of(lon, lat, heights)
    return ControlPoints(
        columns=samples + 0.5 + shift[0] + tilt * (samples + 0.5),
        rows=lines + 0.5 + shift[1],
        lon=lon,
        lat=lat,
        heights_m=heights,
    )


def moved(of: ControlPoints, index: int, *, columns: float) -> ControlPoints:
    changed = of.columns.copy()
    changed[index] += columns
    return ControlPoints(columns=changed, rows=of.rows, lon=of.lon, lat=of.lat, heights_m=of.heights_m)


def test_a_shift_is_found_and_an_outlier_is_reported() -> None:
    found = fit(moved(points(), 4, columns=40.0), rpc=simple())
    assert found.refinement.columns == pytest.approx((3.25, 0.0, 0.0), abs=1e-9)
    assert found.refinement.rows == pytest.approx((-1.5, 0.0, 0.0), abs=1e-9)
    assert np.flatnonzero(~found.used).tolist() == [4]
    assert found.facts["swath:control_outliers"] == "5 (40.00 px)"
    assert found.rms_px < 1e-9
    assert found.before_px == pytest.approx(np.hypot(3.25, 1.5))


def test_an_affine_is_found_where_a_shift_leaves_residuals() -> None:
    tilted = points(tilt=2e-3)
    assert fit(tilted, rpc=simple(), model="affine").refinement.columns == pytest.approx((3.25, 2e-3, 0.0), abs=1e-8)
    assert fit(tilted, rpc=simple(), model="affine").rms_px < 1e-6


@pytest.mark.parametrize(("count", "model"), [(0, "shift"), (3, "affine")])
def test_too_few_points_are_refused(count: int, model: Any) -> None:
    with pytest.raises(MetadataError, match=rf"the control points do not refine .* for {model}.*got {count} of {count} points"):
        fit(points(count=count), rpc=simple(), model=model)


def test_points_that_contradict_each_other_are_refused() -> None:
    scattered = points(count=8)
    for index in range(8):
        scattered = moved(scattered, index, columns=100.0 * index * index)
    with pytest.raises(MetadataError, match="the control points do not refine the image's model"):
        fit(scattered, rpc=simple())
