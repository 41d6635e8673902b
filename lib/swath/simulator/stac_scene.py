"""A scene of any size as GeoTIFFs with a STAC item: what a user's own sensor looks like, and what benchmarks read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform

from swath.grid import Grid, Window
from swath.simulator.forward import (
    TRUTH_NODATA,
    Look,
    band_terms,
    centres,
    cloud_state,
    toa_reflectance,
    truth_counts,
)
from swath.simulator.overpass import Geometry, Overpass, Slope, edges_of, make_overpass, sun_over
from swath.simulator.rasters import PLAIN_LAYOUT, RasterSet, RasterSpec, cuts
from swath.simulator.request import SceneRequest
from swath.simulator.scene_files import SimulatedScene, plan_truth, truth_rasters, write_record
from swath.simulator.sentinel2_bands import BANDS, MsiBand

PLATFORM: Final = "sentinel-2a"
DEFAULT_BANDS: Final = ("blue", "green", "red", "nir")
UPPER_LEFT_M: Final = (399_960.0, 6_000_000.0)
SWATH_CORNERS: Final = ((-0.5, -0.5), (1.22, -0.5), (0.86, 1.5), (-0.5, 1.5))
#: ``rho = SCALE DN + OFFSET``; DN 0 is nodata.
SCALE: Final = 1e-4
OFFSET: Final = -0.1
VIEW_ZENITH_DEG: Final = 6.1
VIEW_AZIMUTH_DEG: Final = 286.0
STRIP_ROWS: Final = 512
_EXTENSIONS: Final = ("eo/v2.0.0", "view/v1.0.0", "processing/v1.2.0", "projection/v2.0.0", "raster/v2.0.0")
#: Small enough for a core's cache, whatever the width.
PIECE_PIXELS: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One scene being made."""

    grid: Grid
    overpass: Overpass
    rasters: RasterSet
    bands: tuple[MsiBand, ...]


def simulate_stac(folder: Path, request: SceneRequest, *, bands: tuple[str, ...] = DEFAULT_BANDS) -> SimulatedScene:
    """Write a scene of ``request.size`` pixels a side at 10 m below ``folder``, all bands at 10 m; see ``simulate``."""
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
    scene_id = f"simulated-{acquired:%Y%m%dT%H%M%S}-{request.size}"
    delivery = folder / "scenes" / scene_id
    chosen = tuple(b for b in BANDS if b.name in bands)
    grids = {b.name: grid for b in chosen}
    truth = plan_truth(folder / "truth" / scene_id, bands=grids) if request.truth else None
    files = {b.name: delivery / f"{scene_id}_{b.name}.tif" for b in chosen}
    specs = {n: RasterSpec(path=p, grid=grid, dtype="uint16", nodata=0, layout=PLAIN_LAYOUT) for n, p in files.items()}
    if truth is not None:
        specs |= truth_rasters(truth, grids=grids, grid=grid)
    with RasterSet(specs) as rasters:
        _expose(_Job(grid=grid, overpass=overpass, rasters=rasters, bands=chosen))
    item = delivery / f"{scene_id}.json"
    record = _item(scene_id, overpass=overpass, grid=grid, files=files, bands=chosen, clouds=request.clouds)
    item.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if truth is not None:
        write_record(truth, scene_id=scene_id, platform=PLATFORM, overpass=overpass, cloud_share=request.clouds)
    return SimulatedScene(scene_id=scene_id, delivery=delivery, metadata=item, rasters=files, truth=truth, grid=grid)


def _geometry(grid: Grid, *, acquired: datetime) -> Geometry:
    """The same angles all over, rounded as the item gives them."""
    sun_zenith, sun_azimuth = sun_over(acquired)
    left, bottom, right, top = grid.bounds
    return Geometry(
        origin_m=((left + right) / 2, (bottom + top) / 2),
        sun_zenith=Slope(centre=90.0 - round(90.0 - sun_zenith, 4)),
        sun_azimuth=Slope(centre=round(sun_azimuth, 4)),
        view_zenith=Slope(centre=VIEW_ZENITH_DEG),
        view_azimuth=Slope(centre=VIEW_AZIMUTH_DEG),
    )


def _expose(job: _Job) -> None:
    """Fill all rasters in strips of whole block rows, each made in smaller pieces."""
    rows_a_piece = max(1, PIECE_PIXELS // job.grid.width)
    for start, stop in cuts(job.grid.height, STRIP_ROWS):
        strips = {n: np.empty((stop - start, job.grid.width), _dtype(n)) for n in job.rasters.names}
        for first, last in cuts(stop - start, rows_a_piece):
            for name, values in _piece(job, rows=(start + first, start + last)).items():
                strips[name][first:last] = values
        for name, strip in strips.items():
            job.rasters.write(name, strip, row=start)


def _dtype(name: str) -> type[np.generic]:
    if name.startswith("sr:"):
        return np.int16
    return np.uint8 if name in ("landcover", "clouds") else np.uint16


def _piece(job: _Job, *, rows: tuple[int, int]) -> dict[str, NDArray[np.generic]]:
    x, y = centres(job.grid, Window(rows[0], 0, rows[1] - rows[0], job.grid.width))
    look = Look.at(x, y, overpass=job.overpass)
    seen = job.overpass.seen(x, y)
    made: dict[str, NDArray[np.generic]] = {}
    for band in job.bands:
        counts = truth_counts(look.ground.reflectance(centre_um=band.centre_um))
        terms = band_terms(band.name, platform=PLATFORM, overpass=job.overpass, x_m=x, y_m=y, cell=1)
        toa = toa_reflectance(counts, clouds=look.clouds, terms=terms, centre_um=band.centre_um, cell=1)
        dn = np.clip(np.rint((toa - OFFSET) / SCALE), 1, 65535)
        made[band.name] = np.where(seen, dn, 0.0)
        if f"sr:{band.name}" in job.rasters.names:
            made[f"sr:{band.name}"] = np.where(seen, counts, np.int16(TRUTH_NODATA))
    if "landcover" in job.rasters.names:
        made["landcover"] = np.where(seen, look.ground.code, np.uint8(255))
        made["clouds"] = cloud_state(look.clouds, seen=seen)
    return made


def _item(
    scene_id: str,
    *,
    overpass: Overpass,
    grid: Grid,
    files: Mapping[str, Path],
    bands: tuple[MsiBand, ...],
    clouds: float,
) -> dict[str, Any]:
    left, bottom, right, top = grid.bounds
    longitudes, latitudes = transform(grid.crs, "EPSG:4326", [left, right, right, left], [bottom, bottom, top, top])[:2]
    ring = [[round(lon, 7), round(lat, 7)] for lon, lat in zip(longitudes, latitudes, strict=True)]
    geometry, air = overpass.geometry, overpass.atmosphere
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [f"https://stac-extensions.github.io/{name}/schema.json" for name in _EXTENSIONS],
        "id": scene_id,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "bbox": [min(p[0] for p in ring), min(p[1] for p in ring), max(p[0] for p in ring), max(p[1] for p in ring)],
        "properties": {
            "datetime": overpass.acquired.isoformat().replace("+00:00", "Z"),
            "platform": PLATFORM,
            "instruments": ["msi"],
            "gsd": 10,
            "processing:level": "L1",
            "eo:cloud_cover": round(100.0 * clouds, 2),
            "view:sun_elevation": round(90.0 - geometry.sun_zenith.centre, 4),
            "view:sun_azimuth": geometry.sun_azimuth.centre,
            "view:off_nadir": geometry.view_zenith.centre,
            "view:incidence_angle": geometry.view_zenith.centre,
            "view:azimuth": geometry.view_azimuth.centre,
            "swath:aot550": air.aot550,
            "swath:ozone_atm_cm": air.ozone_atm_cm,
            "swath:water_vapour_g_cm2": air.water_vapour_g_cm2,
            "swath:pressure_hpa": air.pressure_hpa,
            "proj:code": grid.crs,
            "proj:shape": [grid.height, grid.width],
            "proj:transform": list(grid.transform),
        },
        "links": [],
        "assets": {b.name: _asset(b, href=files[b.name].name) for b in bands},
    }


def _asset(band: MsiBand, *, href: str) -> dict[str, Any]:
    return {
        "href": f"./{href}",
        "type": "image/tiff; application=geotiff",
        "title": f"{band.name}, top-of-atmosphere reflectance",
        "roles": ["data", "reflectance"],
        "data_type": "uint16",
        "nodata": 0,
        "raster:scale": SCALE,
        "raster:offset": OFFSET,
        "raster:spatial_resolution": 10,
        "bands": [
            {
                "name": band.native_id,
                "eo:common_name": band.name,
                "eo:center_wavelength": band.centre_um,
                "eo:full_width_half_max": round((band.range_nm[1] - band.range_nm[0]) / 1000.0, 4),
            }
        ],
    }
