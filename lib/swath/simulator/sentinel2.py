"""Sentinel-2 Level-1C scenes as ESA delivers them: a SAFE folder with JPEG 2000."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from swath.grid import Grid, Window
from swath.simulator.exposure import Exposure
from swath.simulator.forward import (
    TRUTH_NODATA,
    Look,
    averaged,
    band_terms,
    centres,
    cloud_state,
    pooled,
    toa_reflectance,
    truth_counts,
)
from swath.simulator.landcover import CODE_OF
from swath.simulator.noise import F32, hashed
from swath.simulator.overpass import Geometry, Slope, edges_of, make_overpass, sun_over
from swath.simulator.rasters import STATION_LAYOUT, RasterSet, RasterSpec, cuts, to_jpeg2000
from swath.simulator.request import SceneRequest
from swath.simulator.safe import SafeNames, write_safe_metadata
from swath.simulator.scene_files import SimulatedScene, plan_truth, truth_rasters, write_record
from swath.simulator.sentinel2_bands import BANDS, OFFSET, QUANTIFICATION, MsiBand, view_offset_deg

PLATFORM: Final = "sentinel-2a"
#: At scene centre: the eastern side of the orbit.
VIEW_ZENITH_DEG, VIEW_AZIMUTH_DEG = 6.1, 286.0
TILE: Final = "33UVV"
#: Upper left corner of the tile [map coordinates, m].
UPPER_LEFT_M: Final = (399_960.0, 6_000_000.0)
#: The edge of the orbit cuts the tile's lower right corner off.
SWATH_CORNERS: Final = ((-0.5, -0.5), (1.22, -0.5), (0.86, 1.5), (-0.5, 1.5))
#: Codestream tiles by resolution, as in ESA's files [px].
CODESTREAM_TILE: Final[Mapping[int, int]] = {10: 1024, 20: 640, 60: 192}
SATURATED: Final = 65535
GLINT_ONE_IN: Final = 4000
GLINTING: Final = ("blue", "green", "red")
#: Rows at 10 m; whole 60 m pixels.
PIECE_ROWS: Final = 60


def simulate_sentinel2(folder: Path, request: SceneRequest) -> SimulatedScene:
    """Write a scene of ``request.size`` pixels a side at 10 m (a multiple of 6) below ``folder``; see ``simulate``."""
    left, top = request.upper_left_m or UPPER_LEFT_M
    grid = Grid(crs="EPSG:32633", left=left, top=top, dx=10.0, dy=10.0, width=request.size, height=request.size)
    acquired = request.acquired
    overpass = make_overpass(
        request,
        platform=PLATFORM,
        grid=grid,
        geometry=_geometry(grid, acquired=acquired),
        edges=edges_of(grid, corners=SWATH_CORNERS),
    )
    names = SafeNames(acquired=acquired, tile=TILE)
    delivery = folder / "scenes" / names.safe
    grids = {b.name: _coarser(grid, b.resolution_m) for b in BANDS}
    truth = plan_truth(folder / "truth" / names.product, bands=grids) if request.truth else None
    files = {b.name: delivery / names.band_path(b.native_id) for b in BANDS}
    specs = {
        b.name: RasterSpec(path=files[b.name].with_suffix(".part"), grid=grids[b.name], dtype="uint16",
                           layout=STATION_LAYOUT)
        for b in BANDS
    }  # fmt: skip
    if truth is not None:
        specs |= truth_rasters(truth, grids=grids, grid=grid)
    with RasterSet(specs) as rasters:
        job = Exposure(grid=grid, overpass=overpass, rasters=rasters)
        for rows in cuts(request.size, PIECE_ROWS):
            _expose(job, rows=rows)
    for band in BANDS:
        to_jpeg2000(specs[band.name].path, files[band.name], tile=CODESTREAM_TILE[band.resolution_m])
    metadata = write_safe_metadata(delivery, names, grid=grid, geometry=overpass.geometry, cloud_percent=100.0 * job.cloud_share)
    if truth is not None:
        write_record(truth, scene_id=names.product, platform=PLATFORM, overpass=overpass, cloud_share=job.cloud_share)
    return SimulatedScene(scene_id=names.product, delivery=delivery, metadata=metadata, rasters=files, truth=truth, grid=grid)


def _geometry(grid: Grid, *, acquired: datetime) -> Geometry:
    """Angles that change evenly over the tile, about as much as over a real one on the eastern side of its orbit."""
    sun_zenith, sun_azimuth = sun_over(acquired)
    left, bottom, right, top = grid.bounds
    return Geometry(
        origin_m=((left + right) / 2, (bottom + top) / 2),
        sun_zenith=Slope(centre=sun_zenith, east=-5.0e-6, north=8.0e-6),
        sun_azimuth=Slope(centre=sun_azimuth, east=1.8e-5, north=-6.0e-6),
        view_zenith=Slope(centre=VIEW_ZENITH_DEG, east=6.4e-5, north=-1.4e-5),
        view_azimuth=Slope(centre=VIEW_AZIMUTH_DEG, east=-2.0e-5, north=1.0e-5),
    )


def _coarser(grid: Grid, resolution_m: int) -> Grid:
    side = grid.width * 10 // resolution_m
    return Grid(
        crs=grid.crs, left=grid.left, top=grid.top, dx=float(resolution_m), dy=float(resolution_m), width=side,
        height=side,
    )  # fmt: skip


def _expose(job: Exposure, *, rows: tuple[int, int]) -> None:
    """Fill some rows of the 10 m grid, and what they are at 20 and 60 m, in all rasters."""
    window = Window(rows[0], 0, rows[1] - rows[0], job.grid.width)
    look = Look.at(*centres(job.grid, window), overpass=job.overpass)
    for band in BANDS:
        _expose_band(job, band, look=look, rows=rows)
    x, y = centres(job.grid, window)
    seen = job.overpass.seen(x, y)
    state = cloud_state(look.clouds, seen=seen)
    job.tally[...] += np.bincount(state.ravel(), minlength=256)
    if "landcover" in job.rasters.names:
        job.rasters.write("landcover", np.where(seen, look.ground.code, np.uint8(255)), row=rows[0])
        job.rasters.write("clouds", state, row=rows[0])


def _expose_band(job: Exposure, band: MsiBand, *, look: Look, rows: tuple[int, int]) -> None:
    factor = band.resolution_m // 10
    grid = _coarser(job.grid, band.resolution_m)
    window = Window(rows[0] // factor, 0, (rows[1] - rows[0]) // factor, grid.width)
    x, y = centres(grid, window)

    def average(values: F32) -> F32:
        return pooled(values, factor)

    counts = truth_counts(average(look.ground.reflectance(centre_um=band.centre_um)))
    cell = 60 // band.resolution_m
    terms = band_terms(
        band.name, platform=PLATFORM, overpass=job.overpass, x_m=x, y_m=y, cell=cell,
        view_offset_deg=view_offset_deg(band),
    )  # fmt: skip
    toa = toa_reflectance(counts, clouds=averaged(look.clouds, average), terms=terms, centre_um=band.centre_um, cell=cell)
    dn = np.clip(np.rint(toa * QUANTIFICATION) - OFFSET, 1, SATURATED - 1).astype(np.uint16)
    seen = job.overpass.seen(x, y)
    if band.name in GLINTING:
        draws = hashed(x[None, :], y[:, None], seed=977)
        glint = (draws % np.uint32(GLINT_ONE_IN) == 0) & (look.ground.code == CODE_OF["urban"])
        dn[glint], counts[glint] = SATURATED, TRUTH_NODATA
    job.rasters.write(band.name, np.where(seen, dn, np.uint16(0)), row=window.row)
    if f"sr:{band.name}" in job.rasters.names:
        stored = np.where(seen, counts, np.int16(TRUTH_NODATA))
        job.rasters.write(f"sr:{band.name}", stored, row=window.row)
