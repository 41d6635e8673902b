"""Resampling against GDAL's warper, and against itself window by window."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject

from swath.algo.resample import kernel_for, nearest, resample, source_window
from swath.errors import GeometryError
from swath.grid import Grid, Window

F64 = NDArray[np.float64]
UTM = "EPSG:32633"


def _grid(size: int, *, pixel: float, left: float = 300_000.0, top: float = 5_000_000.0) -> Grid:
    return Grid(crs=UTM, left=left, top=top, dx=pixel, dy=pixel, width=size, height=size)


TEN = _grid(240, pixel=10.0)
TWENTY = _grid(120, pixel=20.0)
SIXTY = _grid(40, pixel=60.0)
LANDSAT = _grid(80, pixel=30.0)
#: Landsat's pan starts and ends half of its pixels inside the 30 m grid.
PAN = _grid(159, pixel=15.0, left=300_007.5, top=4_999_992.5)
DECIMATED = _grid(21, pixel=2400 / 21)
COARSER = [(TEN, TWENTY), (TEN, SIXTY), (TWENTY, SIXTY), (PAN, LANDSAT), (TEN, DECIMATED)]
FINER = [(TWENTY, TEN), (SIXTY, TEN), (LANDSAT, PAN), (SIXTY, TWENTY), (DECIMATED, TEN)]


def _values(grid: Grid, *, holes: bool = False, seed: int = 1) -> F64:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: grid.height, : grid.width]
    values: F64 = 0.2 + 0.1 * np.sin(x / 5) * np.cos(y / 7) + rng.normal(0, 0.02, (grid.height, grid.width))
    if holes:
        values[rng.random(values.shape) < 0.1] = np.nan
    return values


def _gdal(values: F64 | NDArray[Any], source: Grid, target: Grid, kernel: Resampling) -> NDArray[Any]:
    out = np.full((target.height, target.width), np.nan if values.dtype.kind == "f" else 0, dtype=values.dtype)
    extra = {"src_nodata": np.nan, "dst_nodata": np.nan} if values.dtype.kind == "f" else {}
    reproject(
        values, out, src_transform=Affine(*source.transform), dst_transform=Affine(*target.transform),
        src_crs=source.crs, dst_crs=target.crs, resampling=kernel, tolerance=0.0, num_threads=1, **extra,
    )  # fmt: skip
    return out


def _ours(values: F64, source: Grid, target: Grid, window: Window | None = None) -> F64:
    window = window or target.window
    have = source_window(source, target=target, window=window)
    return resample(values[source.window.slices_of(have)], have, source=source, target=target, window=window)


@pytest.mark.parametrize(("source", "target"), COARSER)
def test_the_average_equals_gdals(source: Grid, target: Grid) -> None:
    values = _values(source)
    assert kernel_for(source, target) == "average"
    # GDAL weighs in float32: values around 0.3 agree to some 1e-7, and a count of ours is 1e-4.
    ours, theirs = _ours(values, source, target), _gdal(values, source, target, Resampling.average)
    # Where the target reaches out of the source (Landsat's pan), GDAL weighs the outermost pixels otherwise.
    inner = slice(1, -1) if source is PAN else slice(None)
    np.testing.assert_allclose(ours[inner, inner], theirs[inner, inner], atol=5e-7)


@pytest.mark.parametrize(("source", "target"), FINER)
def test_bilinear_equals_gdals_away_from_the_edge(source: Grid, target: Grid) -> None:
    values = _values(source)
    assert kernel_for(source, target) == "bilinear"
    ours, theirs = _ours(values, source, target), _gdal(values, source, target, Resampling.bilinear)
    # Beyond the outermost pixel centres GDAL renormalises and we repeat the edge: both give the edge's value there, but
    # GDAL leaves pixels outside of the source empty.
    there = np.isfinite(theirs)
    assert there.mean() > 0.95
    np.testing.assert_allclose(ours[there], theirs[there], atol=5e-7)


@pytest.mark.parametrize(("source", "target"), [*COARSER, *FINER])
def test_nearest_picks_the_pixel_under_the_centre_as_gdal_does(source: Grid, target: Grid) -> None:
    values = np.random.default_rng(3).integers(1, 60_000, (source.height, source.width)).astype(np.uint16)
    have = source_window(source, target=target, window=target.window)
    ours = nearest(values[source.window.slices_of(have)], have, source=source, target=target, window=target.window)
    theirs = _gdal(values, source, target, Resampling.nearest)
    centres = (np.arange(target.width) + 0.5) * target.dx + target.left - source.left
    on_edge = np.abs(centres / source.dx - np.rint(centres / source.dx)) < 1e-6
    clear = ~(on_edge[None, :] | on_edge[:, None]) & (theirs != 0)
    # A centre on an edge has two nearest pixels; the pairs whose pixel sizes are odd multiples have none such.
    np.testing.assert_array_equal(ours[clear], theirs[clear])
    if (source, target) in {(TWENTY, TEN), (TWENTY, SIXTY), (SIXTY, TEN)}:
        assert clear.all()


def test_a_centre_between_two_pixels_takes_the_right_and_lower_one() -> None:
    values = np.arange(16).reshape(4, 4)
    source, target = _grid(4, pixel=10.0), _grid(2, pixel=20.0)
    picked = nearest(values, source.window, source=source, target=target, window=target.window)
    assert picked.tolist() == [[5, 7], [13, 15]]


@settings(max_examples=80, deadline=None)
@given(
    pair=st.sampled_from([*COARSER, *FINER]), holes=st.booleans(), row=st.floats(0, 1), col=st.floats(0, 1), tall=st.floats(0, 1),
    wide=st.floats(0, 1),
)  # fmt: skip
def test_a_pixel_has_the_same_bits_in_every_window(
    pair: tuple[Grid, Grid],
    *,
    holes: bool,
    row: float,
    col: float,
    tall: float,
    wide: float,
) -> None:
    source, target = pair
    values = _values(source, holes=holes)
    top, left = int(row * (target.height - 1)), int(col * (target.width - 1))
    window = Window(top, left, 1 + int(tall * (target.height - top - 1)), 1 + int(wide * (target.width - left - 1)))
    whole = _ours(values, source, target)[target.window.slices_of(window)]
    assert _ours(values, source, target, window).tobytes() == whole.tobytes()


@pytest.mark.parametrize(("source", "target"), [*COARSER, *FINER])
def test_a_constant_stays_constant_and_holes_do_not_darken(source: Grid, target: Grid) -> None:
    values = np.where(np.isnan(_values(source, holes=True)), np.nan, 0.25)
    moved = _ours(values, source, target)
    there = np.isfinite(moved)
    assert there.mean() > 0.7
    np.testing.assert_allclose(moved[there], 0.25, rtol=1e-15)


def test_a_pixel_is_valid_when_half_of_its_weight_is() -> None:
    source, target = _grid(4, pixel=10.0), _grid(2, pixel=20.0)
    n = np.nan
    values = np.array([[1, 3, n, n], [n, n, n, 5], [n, n, 1, 2], [n, n, 3, 6]])
    moved = resample(values, source.window, source=source, target=target, window=target.window)
    np.testing.assert_array_equal(moved, [[2.0, n], [n, 3.0]])


def test_the_same_grid_keeps_the_values() -> None:
    values = _values(TEN, holes=True)
    np.testing.assert_array_equal(_ours(values, TEN, TEN), values)


def test_rounding_noise_of_a_transform_moves_nothing() -> None:
    noisy = _grid(120, pixel=20.0, left=300_000.0 + 1e-8, top=5_000_000.0 - 1e-8)
    values = _values(TEN)
    assert _ours(values, TEN, noisy).tobytes() == _ours(values, TEN, TWENTY).tobytes()


def test_bands_of_another_system_are_refused() -> None:
    other = Grid(crs="EPSG:32634", left=0.0, top=0.0, dx=10.0, dy=10.0, width=5, height=5)
    with pytest.raises(GeometryError, match="different coordinate systems: expected EPSG:32634; got EPSG:32633"):
        source_window(TEN, target=other, window=other.window)


def _by_hand(values: F64, source: Grid, target: Grid) -> F64:
    """Another way to the same end: pixel by pixel, on the source with its edge repeated, then cut by the centres."""
    out = np.full((target.height, target.width), np.nan)
    kernel = kernel_for(source, target)
    for row in range(target.height):
        for col in range(target.width):
            left = (target.left + col * target.dx - source.left) / source.dx
            top = (source.top - target.top + row * target.dy) / source.dy
            size = target.dx / source.dx
            y, x = top + size / 2, left + size / 2
            down = source.top - target.top + (row + 0.5) * target.dy
            across = target.left - source.left + (col + 0.5) * target.dx
            if not (0 <= down < source.height * source.dy and 0 <= across < source.width * source.dx):
                continue
            if kernel == "average":
                ys = [max(min(top + size, k + 1) - max(top, k), 0.0) for k in range(source.height)]
                xs = [max(min(left + size, k + 1) - max(left, k), 0.0) for k in range(source.width)]
            else:
                ys, xs = _hats(y - 0.5, source.height), _hats(x - 0.5, source.width)
            weight = np.outer(ys, xs)
            out[row, col] = (weight * values).sum() / weight.sum()
    return out


def _hats(centre: float, size: int) -> list[float]:
    weights = [0.0] * size
    first = int(np.floor(centre))
    for index, share in ((first, 1 - (centre - first)), (first + 1, centre - first)):
        weights[min(max(index, 0), size - 1)] += share
    return weights


@settings(max_examples=120, deadline=None)
@given(
    pixel=st.sampled_from([10.0, 15.0, 30.0, 60.0]), shift=st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
    size=st.tuples(st.integers(1, 24), st.integers(1, 24)), holes=st.booleans(),
)  # fmt: skip
def test_no_pixel_is_invented_outside_the_source(
    pixel: float, shift: tuple[int, int], size: tuple[int, int], *, holes: bool
) -> None:
    source = _grid(12, pixel=30.0)
    target = Grid(
        crs=UTM, left=source.left + 7.5 * shift[0], top=source.top + 7.5 * shift[1], dx=pixel, dy=pixel,
        height=size[0], width=size[1],
    )  # fmt: skip
    right, bottom = target.left + size[1] * pixel, target.top - size[0] * pixel
    if right <= source.left or bottom >= source.top:
        with pytest.raises(GeometryError, match="does not cover"):
            source_window(source, target=target, window=target.window)
        return
    values = _values(source, holes=holes)
    moved = _ours(values, source, target)
    if not holes:
        np.testing.assert_allclose(moved, _by_hand(values, source, target), atol=1e-12)
    have = source_window(source, target=target, window=target.window)
    part = np.ones(have.shape, dtype=np.bool_)
    covered = nearest(part, have, source=source, target=target, window=target.window)
    rows = source.top - target.top + (np.arange(size[0]) + 0.5) * pixel
    cols = target.left - source.left + (np.arange(size[1]) + 0.5) * pixel
    inside = ((rows >= 0) & (rows < 360))[:, None] & ((cols >= 0) & (cols < 360))[None, :]
    np.testing.assert_array_equal(covered, inside)
    assert not np.isfinite(moved[~inside]).any()


def test_a_target_beyond_every_side_is_valid_on_the_source_alone() -> None:
    source = _grid(4, pixel=30.0)
    wide = Grid(crs=UTM, left=source.left - 300, top=source.top + 300, dx=30.0, dy=30.0, width=24, height=24)
    moved = _ours(_values(source), source, wide)
    assert np.isfinite(moved).sum() == 16
    assert np.isfinite(moved[10:14, 10:14]).all()
