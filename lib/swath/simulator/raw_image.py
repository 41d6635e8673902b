"""A raw image with rational polynomial coefficients over simulated hills: pixels, model, elevation, and known ground points.

The hills are a raster of heights, bilinear between its posts. Each pixel shows the ground where its line of sight, by the model
of the image, meets them. Bright marks on the ground are at known places of the map: where an orthoimage shows them says how far
it is off. There is no air: counts are reflectance of the ground.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from rasterio.rpc import RPC
from rasterio.warp import transform

from swath.algo.rpc import Rpc
from swath.grid import Grid
from swath.simulator.bilinear import bilinear
from swath.simulator.ground_points import GroundPoint, marked, spread_points
from swath.simulator.landscape import Landscape
from swath.simulator.noise import F64, fractal
from swath.simulator.overpass import sun_over
from swath.simulator.rasters import PLAIN_LAYOUT, RasterSet, RasterSpec
from swath.simulator.sentinel2_bands import BANDS, MsiBand

MAP: Final = "EPSG:32633"
SCENE_ID: Final = "simulated-raw-20240607"
PLATFORM: Final = "simulated-1"
#: Earlier than the other scenes of the demo: its map begins with the newest of them.
ACQUIRED: Final = datetime(2024, 6, 7, 10, 12, 4, tzinfo=UTC)
#: Centre of the image on the map [m]: fields and the edge of a town, beside the scenes of the demo.
CENTRE_M: Final = (404_250.0, 5_990_600.0)
SIDE: Final = 448
PIXEL_M: Final = 2.0
#: Heights above the ellipsoid [m] for which the model is made: middle and reach.
HEIGHT_M: Final = (260.0, 240.0)
#: Metres that the ground moves in the image for each metre of height: the tangent of 24 degrees.
LEAN: Final = 0.445
#: Posts of the elevation [m], and half of its side: beside the image, lines of sight and lattices look for heights.
POST_M: Final = 5.0
REACH_M: Final = 1000.0
#: Half of the side of the ground that the image can show [m].
SHOWN_M: Final = 640.0
SCALE: Final = 1e-4
_BANDS: Final = ("blue", "green", "red", "nir")
#: Steps of a line of sight towards the ground; slopes are below one in two, so each leaves less than a quarter of the last.
_STEPS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RawScene:
    """A simulated raw image as it is delivered, and what is known of it.

    Args:
        scene_id: Id of its item.
        item: STAC item; the GeoTIFFs with the model in their tags are beside it.
        rasters: Files by band.
        dem: Raster of the heights above the ellipsoid.
        rpc: Model of the image.
        points: Marks on the ground.
    """

    scene_id: str
    item: Path
    rasters: Mapping[str, Path]
    dem: Path
    rpc: Rpc
    points: tuple[GroundPoint, ...]


def simulate_raw(folder: Path, *, seed: int) -> RawScene:
    """Write a raw image to ``folder/raw`` and its elevation to ``folder/dem``; the same seed writes the same pixels.

    Args:
        folder: Created when missing.
        seed: Seed of the place.
    """
    sun_zenith, sun_azimuth = sun_over(ACQUIRED)
    around, fine = _square(POST_M, REACH_M), _square(PIXEL_M, SHOWN_M)
    heights = _hills(around, seed=seed)
    points = spread_points(CENTRE_M, side_m=0.7 * SIDE * PIXEL_M, heights=heights, grid=around)
    rpc = _model()
    x, y = _seen(rpc, heights=heights, grid=around)
    landscape = Landscape(seed=seed, sun_azimuth_deg=sun_azimuth).ground(*_centres(fine))
    delivery = folder / "raw" / SCENE_ID
    delivery.mkdir(parents=True, exist_ok=True)
    bands = [b for b in BANDS if b.name in _BANDS]
    files = {b.name: delivery / f"{SCENE_ID}_{b.name}.tif" for b in bands}
    across, down = np.meshgrid(*_centres(fine))
    light = bilinear(_light(heights, sun=(sun_zenith, sun_azimuth)), *around.pixels_of(across, down))
    for band in bands:
        ground = marked(landscape.reflectance(centre_um=band.centre_um) * light, points=points, grid=fine)
        shown = bilinear(ground, *fine.pixels_of(x, y))
        _write(files[band.name], np.clip(np.rint(shown / SCALE), 1, 65535).astype(np.uint16), rpc=rpc)
    dem = folder / "dem" / "hills.tif"
    with RasterSet({"dem": RasterSpec(path=dem, grid=around, dtype="float32", layout=PLAIN_LAYOUT)}) as rasters:
        rasters.write("dem", heights.astype(np.float32), row=0)
    item = delivery / f"{SCENE_ID}.json"
    record = _item(bands, files=files, sun=(sun_zenith, sun_azimuth))
    item.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return RawScene(scene_id=SCENE_ID, item=item, rasters=files, dem=dem, rpc=rpc, points=points)


def flat_off_m(rpc: Rpc, point: GroundPoint) -> float:
    """How far from its place a mark is [m] when the ground it is on is taken to be at the model's middle height."""
    (lon,), (lat,) = transform(MAP, "EPSG:4326", [point.x_m], [point.y_m])[:2]
    sample, line = rpc.image_of(np.array([lon]), np.array([lat]), np.array([point.height_m]))
    flat = rpc.ground_of(sample, line, np.array([rpc.height_off]))
    (x,), (y,) = transform("EPSG:4326", MAP, *flat)[:2]
    return float(np.hypot(x - point.x_m, y - point.y_m))


def _square(pixel_m: float, reach_m: float) -> Grid:
    """The map as far as ``reach_m`` from the centre of the image."""
    side = round(2 * reach_m / pixel_m)
    left, top = CENTRE_M[0] - reach_m, CENTRE_M[1] + reach_m
    return Grid(crs=MAP, left=left, top=top, dx=pixel_m, dy=pixel_m, width=side, height=side)


def _centres(grid: Grid) -> tuple[F64, F64]:
    x: F64 = grid.left + (np.arange(grid.width, dtype=np.float64) + 0.5) * grid.dx
    y: F64 = grid.top - (np.arange(grid.height, dtype=np.float64) + 0.5) * grid.dy
    return x, y


def _hills(grid: Grid, *, seed: int) -> F64:
    """Heights above the ellipsoid [m], (y, x), as the raster keeps them."""
    rough = fractal(*_centres(grid), wavelength_m=450.0, octaves=3, seed=seed + 301)
    return (np.float32(HEIGHT_M[0]) + np.float32(45.0) * np.clip(rough, -2.5, 2.5)).astype(np.float32).astype(np.float64)


def _light(heights: F64, *, sun: tuple[float, float]) -> F64:
    """Light on slopes beside that on flat ground, (y, x): the cosine of the sun's angle to the slope (Lambert)."""
    zenith, azimuth = np.radians(sun)
    south, east = np.gradient(heights, POST_M)
    facing = np.cos(zenith) + np.sin(zenith) * (-east * np.sin(azimuth) + south * np.cos(azimuth))
    return np.asarray(np.clip(facing / np.sqrt(1.0 + east**2 + south**2) / np.cos(zenith), 0.55, 1.35))


def _model() -> Rpc:
    """An image whose lines run a little off west to east, and that looks down 24 degrees off nadir."""
    (lon,), (lat,) = transform(MAP, "EPSG:4326", [CENTRE_M[0]], [CENTRE_M[1]])[:2]
    half_m, half = SIDE * PIXEL_M / 2.0, SIDE / 2.0
    north = half_m / 111_195.0
    east = north / float(np.cos(np.radians(lat)))
    line, samp, den = [0.0] * 20, [0.0] * 20, [0.0] * 20
    line[1], line[2], line[3], line[4] = 0.06, -1.0, 0.01, 0.0005
    samp[1], samp[2], samp[3], samp[7] = 1.0, 0.05, -LEAN * HEIGHT_M[1] / half_m, 0.001
    den[0], den[1], den[3] = 1.0, 0.0005, -0.0003
    return Rpc(
        line_off=half - 0.5, samp_off=half - 0.5, lat_off=round(lat, 6), long_off=round(lon, 6), height_off=HEIGHT_M[0],
        line_scale=half, samp_scale=half, lat_scale=north, long_scale=east, height_scale=HEIGHT_M[1], line_num=tuple(line),
        line_den=tuple(den), samp_num=tuple(samp), samp_den=tuple(den),
    )  # fmt: skip


def _seen(rpc: Rpc, *, heights: F64, grid: Grid) -> tuple[F64, F64]:
    """The place on the map [m] that each pixel shows, (line, sample).

    A line of sight is a quadratic in height through three places of the model; it ends where its height is that of the hills.
    """
    lines, samples = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    middle, reach = HEIGHT_M
    places: list[F64] = []
    for z in (-1.0, 0.0, 1.0):
        lon, lat = rpc.ground_of(samples, lines, np.full(samples.shape, middle + z * reach))
        x, y = transform("EPSG:4326", MAP, lon.ravel(), lat.ravel())[:2]
        places.append(np.stack([x, y]).reshape(2, SIDE, SIDE))
    low, mean, high = places
    found = mean
    for _ in range(_STEPS):
        up = (bilinear(heights, *grid.pixels_of(found[0], found[1])) - middle) / reach
        found = mean + up * (high - low) / 2.0 + up * up * ((high + low) / 2.0 - mean)
    return found[0], found[1]


def _write(path: Path, values: np.ndarray[Any, np.dtype[np.uint16]], *, rpc: Rpc) -> None:
    tags = RPC(
        height_off=rpc.height_off, height_scale=rpc.height_scale, lat_off=rpc.lat_off, lat_scale=rpc.lat_scale,
        long_off=rpc.long_off, long_scale=rpc.long_scale, line_off=rpc.line_off, line_scale=rpc.line_scale,
        samp_off=rpc.samp_off, samp_scale=rpc.samp_scale, line_num_coeff=list(rpc.line_num), line_den_coeff=list(rpc.line_den),
        samp_num_coeff=list(rpc.samp_num), samp_den_coeff=list(rpc.samp_den), err_bias=None, err_rand=None,
    )  # fmt: skip
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype="uint16", nodata=0, rpcs=tags, **PLAIN_LAYOUT
    ) as target:
        target.write(values, 1)


def _item(bands: list[MsiBand], *, files: Mapping[str, Path], sun: tuple[float, float]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": SCENE_ID,
        "geometry": None,
        "properties": {
            "datetime": ACQUIRED.isoformat().replace("+00:00", "Z"),
            "platform": PLATFORM,
            "instruments": ["camera"],
            "gsd": PIXEL_M,
            "processing:level": "L1",
            "view:sun_elevation": round(90.0 - sun[0], 4),
            "view:sun_azimuth": round(sun[1], 4),
            "view:off_nadir": 24.0,
            "view:incidence_angle": 24.0,
            "view:azimuth": 90.0,
        },
        "links": [],
        "assets": {
            b.name: {
                "href": f"./{files[b.name].name}",
                "type": "image/tiff; application=geotiff",
                "roles": ["data", "reflectance"],
                "data_type": "uint16",
                "nodata": 0,
                "raster:scale": SCALE,
                "raster:offset": 0.0,
                "bands": [{"name": b.name, "eo:common_name": b.name, "eo:center_wavelength": b.centre_um}],
            }
            for b in bands
        },
    }
