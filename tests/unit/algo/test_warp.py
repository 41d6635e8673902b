"""Warping against GDAL's exact warper, and what no cut may change."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

from swath.algo.position_lattice import EXACT, PositionLattice, error_px
from swath.algo.warp import MARGIN_PX, Image, Warped, pooled, sampled
from swath.grid import Grid, Window
from swath.mapping import ProjectedMapping

SOURCE = Grid(crs="EPSG:32632", left=600_000.0, top=5_300_000.0, dx=30.0, dy=30.0, width=420, height=360)
#: The neighbouring zone: turned by about 5 degrees.
TARGET = Grid(crs="EPSG:32633", left=150_000.0, top=5_312_000.0, dx=30.0, dy=30.0, width=500, height=470)
Kernel = Literal["nearest", "bilinear", "cubic", "average", "mode"]


def textured(*, height: int, width: int, seed: int = 3) -> NDArray[np.float64]:
    """Counts with detail at every scale."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = 900.0 * np.sin(rows / 9.0) * np.cos(columns / 13.0) + 400.0 * np.sin(columns / 3.1)
    noise: NDArray[np.float64] = np.rint(4000.0 + waves + random.normal(0.0, 250.0, (height, width)))
    return noise


def holed(*, height: int, width: int) -> NDArray[np.bool_]:
    """A wedge and single pixels without data."""
    rows, columns = np.mgrid[:height, :width]
    valid: NDArray[np.bool_] = (columns > rows * 0.2) & ((rows % 37 != 5) | (columns % 29 != 7))
    return valid


def warped(
    values: NDArray[Any], kernel: Kernel, *, valid: NDArray[np.bool_] | None, source: Grid = SOURCE, target: Grid = TARGET,
    window: Window | None = None, lattice: PositionLattice | None = None,
) -> Warped:  # fmt: skip
    made = lattice or PositionLattice.of(ProjectedMapping(crs=target.crs, source=source), grid=target)
    wanted = window or target.window
    part = made.source_window(wanted, margin_px=MARGIN_PX[kernel])
    crop = source.window.slices_of(part)
    image = Image(
        values=values[crop], window=part, size=(source.height, source.width), valid=None if valid is None else valid[crop]
    )
    if kernel in ("average", "mode"):
        columns, rows = made.corners(wanted)
        return pooled(image, columns=columns, rows=rows, kernel=kernel)
    columns, rows = made.centres(wanted, exact_at_edges=kernel == "nearest")
    return sampled(image, columns=columns, rows=rows, kernel=kernel)  # type: ignore[arg-type]


def by_gdal(
    values: NDArray[Any], kernel: Kernel, *, valid: NDArray[np.bool_] | None, source: Grid = SOURCE, target: Grid = TARGET,
    dtype: str = "float64",
) -> NDArray[Any]:  # fmt: skip
    """-9999 where GDAL finds nothing. Its approximate transformer is asked for a tolerance that makes it exact."""
    given = values if valid is None else np.where(valid, values, -9999)
    profile = {"driver": "GTiff", "height": source.height, "width": source.width, "count": 1, "dtype": dtype, "nodata": -9999}
    with MemoryFile() as file:
        with file.open(**profile, crs=source.crs, transform=rasterio.Affine(*source.transform)) as opened:
            opened.write(given.astype(dtype), 1)
        with (
            file.open() as opened,
            WarpedVRT(
                opened, crs=target.crs, transform=rasterio.Affine(*target.transform), height=target.height, width=target.width,
                resampling=Resampling[kernel], tolerance=1e-9, nodata=-9999,
            ) as vrt,
        ):  # fmt: skip
            found: NDArray[Any] = vrt.read(1)
    return found


@pytest.mark.parametrize("holes", [False, True])
def test_nearest_is_gdals_to_the_bit(*, holes: bool) -> None:
    values = textured(height=360, width=420)
    valid = holed(height=360, width=420) if holes else None
    ours, theirs = warped(values.astype(np.int16), "nearest", valid=valid), by_gdal(values, "nearest", valid=valid, dtype="int16")
    assert ours.values.dtype == np.int16
    np.testing.assert_array_equal(ours.valid, theirs != -9999)
    np.testing.assert_array_equal(ours.values[ours.valid], theirs[ours.valid])
    assert 0.3 < ours.valid.mean() < 0.9


@pytest.mark.parametrize("kernel", ["bilinear", "cubic"])
@pytest.mark.parametrize("holes", [False, True])
def test_interpolation_is_gdals(kernel: Kernel, *, holes: bool) -> None:
    values = textured(height=360, width=420)
    valid = holed(height=360, width=420) if holes else None
    ours, theirs = warped(values, kernel, valid=valid), by_gdal(values, kernel, valid=valid)
    np.testing.assert_array_equal(ours.valid, theirs != -9999)
    apart = np.abs(ours.values - theirs)[ours.valid]
    assert np.mean(apart <= 1.0) >= 0.9999
    assert np.median(apart) < 0.05


@pytest.mark.parametrize("kernel", ["average", "mode"])
def test_coarser_grids_are_gdals_where_all_is_valid(kernel: Kernel) -> None:
    """GDAL takes whole source pixels on one side; ours are weighed by area: aligned grids are where both agree."""
    target = replace(SOURCE, dx=90.0, dy=90.0, width=140, height=120)
    values = textured(height=360, width=420)
    if kernel == "mode":
        values = np.rint(values / 1000.0)
    ours, theirs = warped(values, kernel, valid=None, target=target), by_gdal(values, kernel, valid=None, target=target)
    assert ours.valid.all()
    if kernel == "average":
        np.testing.assert_allclose(ours.values, theirs, atol=1e-9)
    else:
        blocks = values.reshape(120, 3, 140, 3).transpose(0, 2, 1, 3).reshape(120, 140, 9)
        counts = np.stack([(blocks == v).sum(axis=2) for v in range(10)])
        np.testing.assert_array_equal(ours.values, counts.argmax(axis=0))


def test_average_over_a_turned_grid_keeps_the_mean() -> None:
    """The mean of many target pixels is the mean of what they cover, whatever the angle between the grids."""
    target = replace(TARGET, dx=95.0, dy=95.0, width=150, height=140)
    valid = holed(height=360, width=420)
    found = warped(textured(height=360, width=420), "average", valid=valid, target=target)
    inside = warped(np.ones((360, 420)), "average", valid=None, target=target).valid & found.valid
    assert inside.sum() > 5000
    fine = warped(
        textured(height=360, width=420), "bilinear", valid=valid, target=replace(target, dx=19.0, dy=19.0, width=750, height=700)
    )
    both = np.where(fine.valid, fine.values, np.nan).reshape(140, 5, 150, 5)
    expected = np.nanmean(np.where(inside[:, None, :, None], both, np.nan))
    assert found.values[inside].mean() == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "cubic", "average", "mode"])
def test_the_same_bits_in_every_window(kernel: Kernel) -> None:
    values, valid = textured(height=360, width=420), holed(height=360, width=420)
    whole = warped(values, kernel, valid=valid)
    lattice = PositionLattice.of(ProjectedMapping(crs=TARGET.crs, source=SOURCE), grid=TARGET)
    for window in (Window(0, 0, 1, 500), Window(101, 77, 130, 61), Window(200, 300, 270, 200), Window(469, 499, 1, 1)):
        part = warped(values, kernel, valid=valid, window=window, lattice=lattice)
        np.testing.assert_array_equal(part.values, whole.values[TARGET.window.slices_of(window)])
        np.testing.assert_array_equal(part.valid, whole.valid[TARGET.window.slices_of(window)])


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "cubic", "average", "mode"])
def test_nodata_never_bleeds(kernel: Kernel) -> None:
    """A constant stays that constant beside pixels without data, whatever number they hold."""
    valid = holed(height=360, width=420)
    found = warped(np.where(valid, 0.3, 1e30), kernel, valid=valid)
    np.testing.assert_allclose(found.values[found.valid], 0.3, rtol=1e-12)
    assert not found.values[~found.valid].any()


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "cubic"])
def test_the_same_grid_gives_the_same_pixels(kernel: Kernel) -> None:
    values, valid = textured(height=360, width=420), holed(height=360, width=420)
    found = warped(values, kernel, valid=valid, target=SOURCE)
    np.testing.assert_array_equal(found.valid, valid)
    np.testing.assert_array_equal(found.values[valid], values[valid])


def test_a_south_up_and_a_turned_raster_come_out_upright() -> None:
    values = textured(height=360, width=420)
    flipped = Grid(crs=SOURCE.crs, left=SOURCE.left, top=SOURCE.bounds[1], dx=30.0, dy=-30.0, width=420, height=360)
    assert not flipped.upright
    found = warped(values[::-1], "bilinear", valid=None, source=flipped, target=SOURCE)
    np.testing.assert_allclose(found.values, values, atol=1e-9)
    turned = replace(SOURCE, dx=26.0, dy=26.0, rx=15.0, ry=15.0)
    ours, theirs = warped(values, "bilinear", valid=None, source=turned), by_gdal(values, "bilinear", valid=None, source=turned)
    both = ours.valid & (theirs != -9999)
    # At the image's edge a ten-thousandth of a pixel decides.
    assert np.mean(ours.valid != (theirs != -9999)) < 1e-4
    assert both.sum() > 50_000
    assert np.mean(np.abs(ours.values - theirs)[both] <= 1.0) >= 0.999


def test_what_is_not_in_memory_is_our_own_error() -> None:
    image = Image(values=np.zeros((4, 4)), window=Window(10, 10, 4, 4), size=(100, 100))
    places = np.full((1, 1), 30.5)
    with pytest.raises(ValueError, match="1 target pixels need pixels of the image that are not in memory"):
        sampled(image, columns=places, rows=places, kernel="nearest")
    with pytest.raises(ValueError, match="do not fill the window"):
        Image(values=np.zeros((4, 4)), window=Window(0, 0, 4, 5), size=(100, 100))


def test_the_lattice_is_as_fine_as_it_says() -> None:
    mapping = ProjectedMapping(crs=TARGET.crs, source=SOURCE)
    made = PositionLattice.of(mapping, grid=TARGET)
    assert made.spacing > 2
    exact = replace(made, spacing=EXACT)
    for ours, theirs in zip(made.centres(TARGET.window), exact.centres(TARGET.window), strict=True):
        assert np.abs(ours - theirs).max() <= 1e-3
    assert error_px(mapping, grid=TARGET, spacing=made.spacing, over=TARGET.window) <= 1e-3


def test_a_crooked_mapping_is_evaluated_everywhere() -> None:
    class Crooked:
        crs = TARGET.crs
        size = (360, 420)

        def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            return 200.0 + 50.0 * np.sin(x / 20.0), 200.0 + 50.0 * np.sin(y / 20.0)

    assert PositionLattice.of(Crooked(), grid=TARGET).spacing == EXACT
