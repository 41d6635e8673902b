"""Real Pleiades images orthorectified over SRTM: places and pixels are GDAL's."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.rpc import RPC
from rasterio.transform import RPCTransformer
from rasterio.warp import reproject

from swath.algo.position_lattice import EXACT
from swath.algo.rpc import Rpc
from swath.algo.warp import Image, sampled
from swath.engine.raw_lattice import RawLattice
from swath.errors import ConfigError, GeometryError
from swath.grid import Grid, Window
from swath.mapping import project
from swath.readers.elevation.model import open_elevation
from swath.readers.rpc.ground import ground_on
from swath.readers.rpc.mapping import RpcMapping
from swath.readers.rpc.model import read_rpc

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
_LEFT = "RPC_PHR1B_P_201308051042194_SEN_690908101-001.XML"
_UTM31 = "EPSG:32631"


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A crop of a raw image, with the model of its own pixels."""

    values: NDArray[np.uint16]
    rpc: Rpc


@pytest.fixture(scope="module")
def folder(scenes: Path) -> Path:
    return scenes / "shareloc"


@pytest.fixture(scope="module")
def dem(folder: Path) -> str:
    return str(folder / "dtm" / "N44E005.hgt")


def gdals(rpc: Rpc) -> RPC:
    lists = {f"{n}_coeff": list(getattr(rpc, n)) for n in ("line_num", "line_den", "samp_num", "samp_den")}
    names = ("height_off", "height_scale", "lat_off", "lat_scale", "line_off", "line_scale", "long_off", "long_scale")
    return RPC(**{n: getattr(rpc, n) for n in (*names, "samp_off", "samp_scale")}, **lists)


def geom(path: Path) -> Rpc:
    """The model of an OSSIM geometry file, which counts as DIMAP of Pleiades does not: from (0, 0)."""
    found = dict(line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines() if ":" in line)

    def number(name: str) -> float:
        return float(found[name])

    def several(name: str) -> tuple[float, ...]:
        return tuple(number(f"{name}_{i:02d}") for i in range(20))

    return Rpc(
        line_off=number("line_off"), samp_off=number("samp_off"), lat_off=number("lat_off"), long_off=number("long_off"),
        height_off=number("height_off"), line_scale=number("line_scale"), samp_scale=number("samp_scale"),
        lat_scale=number("lat_scale"), long_scale=number("long_scale"), height_scale=number("height_scale"),
        line_num=several("line_num_coeff"), line_den=several("line_den_coeff"), samp_num=several("samp_num_coeff"),
        samp_den=several("samp_den_coeff"),
    )  # fmt: skip


def crop(folder: Path, side: str) -> Raw:
    images = folder / "image" / "phr_ventoux"
    rpc = geom(folder / "rpc" / "phr_ventoux" / f"{side}_image.geom")
    with rasterio.open(images / f"{side}_image.tif") as source:
        transform = source.transform
        shifted = replace(rpc, line_off=rpc.line_off - transform.f, samp_off=rpc.samp_off - transform.c)
        return Raw(values=source.read(1), rpc=shifted)


def target(raw: Raw, *, dem: str, size: int = 400) -> Grid:
    """Half a metre a pixel, around the middle of a crop."""
    middle = np.array(raw.values.shape)[::-1] / 2.0
    elevation = open_elevation(dem, datum="ellipsoid")
    lon, lat, heights = ground_on(raw.rpc, elevation, samples=middle[:1], lines=middle[1:])
    back = raw.rpc.image_of(lon, lat, elevation.heights_m(lon, lat))
    assert max(abs(back[0] - middle[0])[0], abs(back[1] - middle[1])[0]) < 0.01
    assert heights == pytest.approx(elevation.heights_m(lon, lat), abs=1e-2)
    (x,), (y,) = project(lon, lat, source="EPSG:4326", target=_UTM31)
    left, top = round(x * 2) / 2 - size / 4, round(y * 2) / 2 + size / 4
    return Grid(crs=_UTM31, left=left, top=top, dx=0.5, dy=0.5, width=size, height=size)


def ortho(raw: Raw, *, grid: Grid, dem: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    elevation = open_elevation(dem, datum="ellipsoid")
    height, width = raw.values.shape
    mapping = RpcMapping(crs=grid.crs, rpc=raw.rpc, size=(height, width), elevation=elevation)
    columns, rows = RawLattice.of(mapping, grid=grid, over=grid.window).centres(grid.window)
    image = Image(values=raw.values.astype(np.float64), window=Window(0, 0, height, width), size=(height, width))
    made = sampled(image, columns=columns, rows=rows, kernel="bilinear")
    return made.values, made.valid


@pytest.mark.parametrize("document", ["dimap", "left", "right"])
def test_places_are_gdals_at_10000_points(folder: Path, dem: str, document: str) -> None:
    models = folder / "rpc" / "phr_ventoux"
    rpc = read_rpc(str(models / _LEFT)) if document == "dimap" else geom(models / f"{document}_image.geom")
    random = np.random.default_rng(1)
    lon = rpc.long_off + random.uniform(-0.9, 0.9, 10_000) * rpc.long_scale
    lat = rpc.lat_off + random.uniform(-0.9, 0.9, 10_000) * rpc.lat_scale
    elevation = open_elevation(dem, datum="ellipsoid")
    columns, rows = RpcMapping(crs="EPSG:4326", rpc=rpc, size=(40_000, 40_000), elevation=elevation).locate(lon, lat)
    with RPCTransformer(gdals(rpc), RPC_DEM=dem, RPC_DEM_INTERPOLATION="bilinear") as transformer:
        their_rows, their_columns = transformer.rowcol(lon, lat, op=lambda value: value)
    assert np.abs(columns - np.array(their_columns)).max() < 1e-6
    assert np.abs(rows - np.array(their_rows)).max() < 1e-6


def test_pixels_are_gdals(folder: Path, dem: str) -> None:
    raw = crop(folder, "right")
    grid = target(raw, dem=dem)
    ours, valid = ortho(raw, grid=grid, dem=dem)
    theirs = np.zeros(ours.shape, dtype=np.uint16)
    # rasterio gives GDAL's transformer an eighth of a pixel; along rows as even as those of the right image it is exact.
    reproject(
        raw.values, theirs, rpcs=gdals(raw.rpc), src_crs="EPSG:4326", dst_crs=_UTM31, resampling=Resampling.bilinear,
        dst_transform=rasterio.Affine(*grid.transform), RPC_DEM=dem, RPC_DEMINTERPOLATION="bilinear", src_nodata=0, dst_nodata=0,
    )  # fmt: skip
    both = valid & (theirs > 0)
    assert both.mean() > 0.5
    assert (np.abs(np.rint(ours[both]) - theirs[both]) <= 1).mean() >= 0.999


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_between_nodes_are_those_of_the_model(folder: Path, dem: str, side: str) -> None:
    raw = crop(folder, side)
    grid = target(raw, dem=dem)
    elevation = open_elevation(dem, datum="egm96", geoid=str(folder / "dtm" / "egm96_15.gtx"))
    mapping = RpcMapping(crs=grid.crs, rpc=raw.rpc, size=raw.values.shape, elevation=elevation)
    lattice = RawLattice.of(mapping, grid=grid, over=grid.window)
    assert lattice.spacing == 64
    for found, true in zip(lattice.centres(grid.window), replace(lattice, spacing=EXACT).centres(grid.window), strict=True):
        assert np.abs(found - true).max() < 2e-4


def test_a_missing_tile_and_a_missing_geoid_are_named(folder: Path, dem: str) -> None:
    elevation = open_elevation(dem, datum="ellipsoid")
    with pytest.raises(GeometryError, match="the elevation lacks the tile N43E007"):
        elevation.heights_m(np.array([7.2]), np.array([43.7]))
    assert replace(elevation, sea_level=True).heights_m(np.array([7.2]), np.array([43.7]))[0] == 0.0
    with pytest.raises(ConfigError, match=r"above egm96, and no geoid is named: give dem.geoid the file us_nga_egm96_15.tif"):
        open_elevation(dem, datum="egm96")


def test_heights_above_the_geoid_become_heights_above_the_ellipsoid(folder: Path, dem: str) -> None:
    place = np.array([5.3]), np.array([44.2])
    plain = open_elevation(dem, datum="ellipsoid").heights_m(*place)
    geoid = str(folder / "dtm" / "egm96_15.gtx")
    above = open_elevation(dem, datum="egm96", geoid=geoid).heights_m(*place)
    # EGM96 is 50 to 51 m above the ellipsoid there.
    assert 49.0 < (above - plain)[0] < 52.0


def test_the_digest_is_of_the_tiles_that_are_read(dem: str) -> None:
    elevation = open_elevation(dem, datum="ellipsoid")
    inside, outside = (np.array([5.5]), np.array([44.5])), (np.array([8.0]), np.array([44.5]))
    assert elevation.digest(*inside) != elevation.digest(*outside)
    assert elevation.touching(*outside) == ()
