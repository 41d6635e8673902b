"""Landsat 9 scenes as the USGS delivers them: Collection 2, Level 1."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid, Window
from swath.simulator.exposure import Exposure
from swath.simulator.forward import (
    CLOUD,
    SHADOW,
    TRUTH_NODATA,
    UNSEEN,
    Look,
    averaged,
    band_terms,
    brightness_temperature,
    centres,
    cloud_state,
    majority,
    neighbours,
    pooled,
    toa_reflectance,
    truth_counts,
)
from swath.simulator.landcover import CODE_OF
from swath.simulator.landsat9_metadata import SimulatedDelivery, write_metadata
from swath.simulator.noise import F32, F64, hashed
from swath.simulator.overpass import Geometry, Overpass, Slope, edges_of, make_overpass, sun_over
from swath.simulator.rasters import LANDSAT_LAYOUT, RasterSet, RasterSpec, cuts
from swath.simulator.request import SceneRequest
from swath.simulator.scene_files import SimulatedScene, plan_truth, truth_rasters, write_record

PLATFORM: Final = "landsat-9"
#: Centre of the upper left 30 m pixel of the default scene [map coordinates, m].
UPPER_LEFT_M: Final = (393_960.0, 6_006_000.0)
#: The swath within the grid: heading south-west, so the picture is a leaning rectangle.
SWATH_CORNERS: Final = ((0.035, 0.0), (1.0, 0.025), (0.965, 1.0), (0.0, 0.975))
#: Common name and native number, centre [um] of the bands at 30 m that measure reflectance.
REFLECTIVE: Final[Mapping[str, tuple[int, float]]] = {
    "coastal": (1, 0.443),
    "blue": (2, 0.482),
    "green": (3, 0.561),
    "red": (4, 0.654),
    "nir08": (5, 0.865),
    "swir16": (6, 1.609),
    "swir22": (7, 2.201),
    "cirrus": (9, 1.373),
}
PAN: Final = ("pan", 8, 0.590)
THERMAL: Final[Mapping[str, int]] = {"lwir11": 10, "lwir12": 11}
#: ``rho = 2e-5 DN - 0.1`` before the sun's elevation is divided out, for every reflective band.
GAIN, OFFSET = 2.0e-5, -0.1
#: ``L = gain DN + 0.1`` and the two constants of Planck's law, as TIRS-2 products carry them.
THERMAL_NUMBERS: Final[Mapping[int, tuple[float, float, float]]] = {
    10: (3.8e-4, 799.0284, 1329.2405),
    11: (3.49e-4, 475.6581, 1198.3494),
}
SATURATED: Final = 65535
#: One in this many built-up pixels glints and saturates the visible bands.
GLINT_ONE_IN: Final = 1500
GLINTING: Final = ("blue", "green", "red")
STRIP_ROWS: Final = 256
PIECE_ROWS: Final = 32


def simulate_landsat9(folder: Path, request: SceneRequest) -> SimulatedScene:
    """Write a scene of ``request.size`` pixels a side at 30 m below ``folder``; see ``simulate``."""
    upper_left_m = request.upper_left_m or UPPER_LEFT_M
    grid = Grid(
        crs="EPSG:32633", left=upper_left_m[0] - 15.0, top=upper_left_m[1] + 15.0, dx=30.0, dy=30.0,
        width=request.size, height=request.size,
    )  # fmt: skip
    overpass, acquired = _overpass(grid, request), request.acquired
    processed = acquired + timedelta(days=1)
    scene_id = f"LC09_L1TP_193022_{acquired:%Y%m%d}_{processed:%Y%m%d}_02_T1"
    delivery = folder / "scenes" / scene_id
    grids = _grids(grid)
    truth = plan_truth(folder / "truth" / scene_id, bands=grids, thermal=frozenset(THERMAL)) if request.truth else None
    files = _files(delivery, scene_id=scene_id, grids=grids)
    specs = dict(files)
    if truth is not None:
        specs |= truth_rasters(truth, grids=grids, grid=grid)
    with RasterSet(specs) as rasters:
        job = Exposure(grid=grid, overpass=overpass, rasters=rasters)
        _expose(job)
    described = SimulatedDelivery(
        scene_id=scene_id, acquired=acquired, processed=processed, grid=grid, pan=grids["pan"],
        sun_elevation_deg=90.0 - overpass.geometry.sun_zenith.centre,
        sun_azimuth_deg=overpass.geometry.sun_azimuth.centre, cloud_cover_percent=round(100.0 * job.cloud_share, 2),
        thermal=THERMAL_NUMBERS, gain=GAIN, offset=OFFSET, saturated=frozenset({2, 3, 4}),
    )  # fmt: skip
    metadata = write_metadata(delivery, described)
    if truth is not None:
        write_record(truth, scene_id=scene_id, platform=PLATFORM, overpass=overpass, cloud_share=job.cloud_share)
    return SimulatedScene(
        scene_id=scene_id, delivery=delivery, metadata=metadata, truth=truth, grid=grid,
        rasters={name: spec.path for name, spec in files.items()},
    )  # fmt: skip


def _overpass(grid: Grid, request: SceneRequest) -> Overpass:
    sun_zenith, sun_azimuth = sun_over(request.acquired)
    left, bottom, right, top = grid.bounds
    geometry = Geometry(
        origin_m=((left + right) / 2, (bottom + top) / 2),
        # As rounded in the metadata, so that the forward model and a reader use the same number.
        sun_zenith=Slope(centre=90.0 - round(90.0 - sun_zenith, 8)),
        sun_azimuth=Slope(centre=round(sun_azimuth, 8)),
    )
    return make_overpass(request, platform=PLATFORM, grid=grid, geometry=geometry, edges=edges_of(grid, corners=SWATH_CORNERS))


def _grids(grid: Grid) -> dict[str, Grid]:
    """The pan band's pixel centres fall on those of the 30 m grid, so it starts half of its own pixel further in."""
    pan = Grid(
        crs=grid.crs, left=grid.left + 7.5, top=grid.top - 7.5, dx=15.0, dy=15.0,
        width=2 * grid.width - 1, height=2 * grid.height - 1,
    )  # fmt: skip
    return {**dict.fromkeys((*REFLECTIVE, *THERMAL), grid), "pan": pan}


def _files(delivery: Path, *, scene_id: str, grids: Mapping[str, Grid]) -> dict[str, RasterSpec]:
    numbers = {**{b: n for b, (n, _) in REFLECTIVE.items()}, PAN[0]: PAN[1], **THERMAL}
    files = {
        b: RasterSpec(path=delivery / f"{scene_id}_B{numbers[b]}.TIF", grid=g, dtype="uint16", layout=LANDSAT_LAYOUT)
        for b, g in grids.items()
    }
    for name in ("qa_pixel", "qa_radsat"):
        path = delivery / f"{scene_id}_{name.upper()}.TIF"
        files[name] = RasterSpec(path=path, grid=grids["red"], dtype="uint16", layout=LANDSAT_LAYOUT)
    return files


def _expose(job: Exposure) -> None:
    """Fill all rasters, in strips of whole block rows, each made in smaller pieces."""
    for start, stop in cuts(job.grid.height, STRIP_ROWS):
        pieces = [_piece(job, rows=(start + a, start + b)) for a, b in cuts(stop - start, PIECE_ROWS)]
        for name in pieces[0]:
            strip = np.concatenate([piece[name] for piece in pieces])
            job.rasters.write(name, strip, row=2 * start if name in ("pan", "sr:pan") else start)


def _piece(job: Exposure, *, rows: tuple[int, int]) -> dict[str, NDArray[np.generic]]:
    """Everything for some rows of the 30 m grid, by raster name."""
    grid, window = job.grid, Window(rows[0], 0, rows[1] - rows[0], job.grid.width)
    x, y = centres(grid, window)
    # Four looks to a pixel; one more column and row, because pan pixels straddle them.
    fine = Grid(crs=grid.crs, left=grid.left, top=grid.top, dx=15.0, dy=15.0, width=2 * grid.width + 1,
                height=2 * grid.height + 1)  # fmt: skip
    look = Look.at(*centres(fine, Window(2 * rows[0], 0, 2 * window.height + 1, fine.width)), overpass=job.overpass)
    clouds = averaged(look.clouds, _at_30m)
    seen = job.overpass.seen(x, y)
    code = majority(look.ground.code[:-1, :-1])
    state = cloud_state(clouds, seen=seen)
    glint = _glints(x, y, code=code, seen=seen)
    job.tally[...] += np.bincount(state.ravel(), minlength=256)
    made: dict[str, NDArray[np.generic]] = {}
    for band, (_, centre_um) in REFLECTIVE.items():
        counts = truth_counts(_at_30m(look.ground.reflectance(centre_um=centre_um)))
        terms = band_terms(band, platform=PLATFORM, overpass=job.overpass, x_m=x, y_m=y, cell=1)
        toa = toa_reflectance(counts, clouds=clouds, terms=terms, centre_um=centre_um, cell=1)
        dn = _reflective_dn(toa, overpass=job.overpass)
        if band in GLINTING:
            dn[glint], counts[glint] = SATURATED, TRUTH_NODATA
        made[band], made[f"sr:{band}"] = np.where(seen, dn, np.uint16(0)), np.where(seen, counts, TRUTH_NODATA)
    ground_k = _at_30m(look.ground.temperature_k())
    for band, number in THERMAL.items():
        kelvin = brightness_temperature(ground_k, clouds=clouds)
        made[band] = np.where(seen, _thermal_dn(kelvin, number=number), np.uint16(0))
        made[f"bt:{band}"] = np.where(seen, np.rint(ground_k * np.float32(100.0)), 0.0)
    made |= _pan(job, look, rows=rows)
    made |= {"qa_pixel": qa_pixel(state, clouds_opacity=clouds.opacity, code=code)}
    made |= {"qa_radsat": np.where(glint, np.uint16(0b1110), np.uint16(0))}
    made |= {"landcover": np.where(seen, code, np.uint8(255)), "clouds": state}
    return _as_written(made, names=job.rasters.names)


def _as_written(made: Mapping[str, NDArray[np.generic]], *, names: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    kinds = {"sr": np.int16, "bt": np.uint16}
    return {n: made[n].astype(kinds.get(n.partition(":")[0], made[n].dtype.type)) for n in names}


def _at_30m(values: F32) -> F32:
    return pooled(values[:-1, :-1], 2)


def _pan(job: Exposure, look: Look, *, rows: tuple[int, int]) -> dict[str, NDArray[np.generic]]:
    name, _, centre_um = PAN
    pan = _grids(job.grid)[name]
    height = min(2 * rows[1], pan.height) - 2 * rows[0]
    x, y = centres(pan, Window(2 * rows[0], 0, height, pan.width))

    def cut(values: F32) -> F32:
        return neighbours(values)[:height, : pan.width]

    counts = truth_counts(cut(look.ground.reflectance(centre_um=centre_um)))
    terms = band_terms(name, platform=PLATFORM, overpass=job.overpass, x_m=x, y_m=y, cell=1)
    toa = toa_reflectance(counts, clouds=averaged(look.clouds, cut), terms=terms, centre_um=centre_um, cell=1)
    seen = job.overpass.seen(x, y)
    dn = _reflective_dn(toa, overpass=job.overpass)
    return {name: np.where(seen, dn, np.uint16(0)), f"sr:{name}": np.where(seen, counts, TRUTH_NODATA)}


def _reflective_dn(toa: F64, *, overpass: Overpass) -> NDArray[np.uint16]:
    """Digital numbers; the product's reflectance is not yet divided by the sine of the sun's elevation."""
    delivered = toa * np.cos(np.deg2rad(overpass.geometry.sun_zenith.centre))
    dn = np.rint((delivered - OFFSET) / GAIN)
    return np.asarray(np.clip(dn, 1, SATURATED - 1), dtype=np.uint16)


def _thermal_dn(kelvin: F32, *, number: int) -> NDArray[np.uint16]:
    gain, k1, k2 = THERMAL_NUMBERS[number]
    radiance = k1 / (np.exp(k2 / kelvin.astype(np.float64)) - 1.0)
    return np.clip(np.rint((radiance - 0.1) / gain), 1, SATURATED - 1).astype(np.uint16)


def _glints(x_m: F64, y_m: F64, *, code: NDArray[np.uint8], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    draws = hashed(x_m[None, :], y_m[:, None], seed=977)
    drawn: NDArray[np.bool_] = draws % np.uint32(GLINT_ONE_IN) == 0
    return np.asarray(drawn & (code == CODE_OF["urban"]) & seen, dtype=np.bool_)


def qa_pixel(state: NDArray[np.uint8], *, clouds_opacity: F32, code: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """QA_PIXEL of Collection 2, uint16, (y, x).

    Bits as in LSDS-1619 (Landsat 8-9 Collection 2 Level 1 Data Format Control Book), table 6-3: fill, dilated cloud,
    cirrus, cloud, shadow, snow, clear, water, then confidences of cloud, shadow, snow and cirrus in pairs.
    """
    low = (1 << 8) | (1 << 10) | (1 << 12) | (1 << 14)
    qa = np.full(state.shape, low, np.uint16)
    water = (code == CODE_OF["water"]) & (state != CLOUD)
    qa[water] |= np.uint16(1 << 7)
    dilated = (clouds_opacity > 0.01) & (state != CLOUD)
    qa[dilated] |= np.uint16(1 << 1)
    qa[state == CLOUD] |= np.uint16((1 << 3) | (0b11 << 8))
    qa[state == SHADOW] |= np.uint16((1 << 4) | (0b11 << 10))
    qa[(state != CLOUD) & ~dilated] |= np.uint16(1 << 6)
    qa[state == UNSEEN] = 1
    return qa
