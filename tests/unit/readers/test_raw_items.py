"""Items of raw images: their model in a file of its own, control points, and an elevation that does not fit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from tests.unit.algo.test_control_points import points
from tests.unit.algo.test_rpc import simple
from tests.unit.readers.test_rpc_model import text_of

from swath.algo.raw_image import model_of
from swath.algo.rpc import Rpc
from swath.engine.pipeline_json import pipeline_of
from swath.engine.product_plan import ProductPlan, plan_product
from swath.engine.terrain import mapping_to
from swath.errors import GeometryError, MetadataError, SceneError
from swath.inputs import RasterSource
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
PIPELINE: dict[str, Any] = {"name": "ortho", "steps": [{"name": "counts"}], "assets": [{"layers": "counts", "required": True}]}
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """An image of 2000 x 3000 pixels with its model and, where there are some, control points."""

    def written(*, control: Any = None, rpc: Rpc | None = None, name: str = "pan.tif", **properties: Any) -> str:
        shape: dict[str, Any] = {"height": 2000, "width": 3000, "count": 1, "dtype": "uint8"}
        kinds: dict[str, dict[str, Any]] = {"tif": {"driver": "GTiff", "compress": "deflate"}, "ntf": {"driver": "NITF"}}
        kind = kinds.get(name[-3:], {"driver": "JP2OpenJPEG"})
        with rasterio.open(tmp_path / name, "w", **kind, **shape) as target:
            target.write(np.ones((1, 2000, 3000), dtype=np.uint8))
        (tmp_path / "pan_RPC.TXT").write_text(text_of(rpc or simple()), encoding="utf-8")
        band = {"name": "pan", "eo:common_name": "pan", "unit": "counts", "nodata": 0}
        assets: dict[str, Any] = {"pan": {"href": name, "roles": ["data"], "bands": [band]}}
        assets["model"] = {"href": "pan_RPC.TXT", "type": "text/plain", "roles": ["rpc"]}
        if control is not None:
            (tmp_path / "gcps.geojson").write_text(json.dumps(control), encoding="utf-8")
            assets["points"] = {"href": "gcps.geojson", "type": "application/geo+json", "roles": ["gcps"]}
        told = {"datetime": "2024-06-01T10:00:00Z", "platform": "own-1", "view:sun_elevation": 50.0, "view:sun_azimuth": 150.0}
        item: dict[str, Any] = {
            "type": "Feature", "stac_version": "1.1.0", "id": "raw", "geometry": None, "links": [], "assets": assets,
            "properties": {**told, "swath:level": "L1", **properties},
        }  # fmt: skip
        (tmp_path / "item.json").write_text(json.dumps(item), encoding="utf-8")
        return str(tmp_path / "item.json")

    return written


def dem(folder: Path, *, west: float = 4.9, north: float = 44.1, height_m: float = 500.0, void: bool = False) -> RasterSource:
    heights = np.full((200, 200), height_m, dtype=np.float32)
    if void:
        heights[:] = -9999.0
    path = folder / "dem.tif"
    profile: dict[str, Any] = {"height": 200, "width": 200, "count": 1, "dtype": "float32", "nodata": -9999.0}
    with rasterio.open(
        path, "w", driver="GTiff", crs="EPSG:4326", transform=from_origin(west, north, 1e-3, 1e-3), **profile
    ) as target:
        target.write(heights, 1)
    return RasterSource(path=str(path), datum="ellipsoid")


def plan(href: str, source: RasterSource, **more: Any) -> ProductPlan:
    return plan_product(read_scene(href).to_json(), json.dumps(PIPELINE | {"rasters": {"dem": source.to_plain()}} | more))


def centre_of(href: str, source: RasterSource) -> Any:
    """Where the middle of the image's ground is in it, once its product is planned."""
    ready = plan(href, source)
    return mapping_to(ready.graph.scene.reference, crs="EPSG:4326", dem=source).locate(np.array([5.0]), np.array([44.0]))


def collection() -> dict[str, Any]:
    of = points(shift=(3.25, -1.5))
    rows = zip(of.columns, of.rows, of.lon, of.lat, of.heights_m, strict=True)
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [x, y, z]}, "properties": {"column": c, "row": r}}
            for c, r, x, y, z in rows
        ],
    }


def test_control_points_of_an_item_refine_its_model_and_the_product_says_so(write: Write, tmp_path: Path) -> None:
    plain, refined = read_scene(write()), read_scene(write(control=collection()))
    assert model_of(refined.reference.crs).refinement.columns[0] == pytest.approx(3.25, abs=1e-6)
    assert refined.properties["swath:control_points"] == 12
    assert float(refined.properties["swath:control_rms_px"]) < 1e-4
    assert refined.properties["swath:control_rms_before_px"] == pytest.approx(3.579, abs=1e-3)
    place = np.array([5.0]), np.array([44.0])
    before, after = (mapping_to(s.reference, crs="EPSG:4326", dem=dem(tmp_path)).locate(*place) for s in (plain, refined))
    assert after[0] - before[0] == pytest.approx(3.25)
    assert after[1] - before[1] == pytest.approx(-1.5)
    with pytest.raises(MetadataError, match="the control points cannot be read: expected a GeoJSON"):
        read_scene(write(control={"features": [{}]}))
    with pytest.raises(
        MetadataError, match="the control model is unknown: expected swath:control_model shift or affine; got cubic"
    ):
        read_scene(write(control=collection(), **{"swath:control_model": "cubic"}))


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"west": 15.0}, GeometryError, "the elevation lacks the tile N4[34]E00[45]"),
        ({"north": -43.9}, GeometryError, "the elevation lacks the tile N4[34]E00[45]"),
        ({"height_m": 4000.0}, MetadataError, r"the elevation is outside its range of heights: expected -50 to 1050 m"),
    ],
)
def test_an_elevation_that_does_not_fit_is_refused(
    write: Write, tmp_path: Path, changes: dict[str, Any], error: type[SceneError], told: str
) -> None:
    source, href = dem(tmp_path, **changes), write()
    with pytest.raises(error, match=told):
        centre_of(href, source)


def test_voids_have_no_place_and_the_product_keeps_its_extent(write: Write, tmp_path: Path) -> None:
    source = dem(tmp_path, void=True)
    ready = plan(write(), source)
    assert ready.graph.reference.width > 1000
    columns, _ = mapping_to(ready.graph.scene.reference, crs="EPSG:4326", dem=source).locate(np.array([5.0]), np.array([44.0]))
    assert np.isnan(columns).all()


def test_a_zone_far_from_the_scene_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="the map of the product's grid distorts the scene"):
        plan(write(), dem(tmp_path), grid={"crs": "EPSG:32636"})
    assert pipeline_of(PIPELINE).grid is None


def test_a_missing_tile_may_be_sea_where_the_user_says_so(write: Write, tmp_path: Path) -> None:
    source = dem(tmp_path, west=15.0)
    sea = RasterSource(path=source.path, datum="ellipsoid", sea_level=True)
    assert plan(write(), sea).graph.reference.crs == "EPSG:32631"


def test_a_jpeg_2000_with_its_model_beside_it_is_a_raw_image(write: Write) -> None:
    scene = read_scene(write(name="pan.jp2"))
    assert (scene.reference.raw, scene.reference.width, scene.reference.height) == (True, 3000, 2000)
    assert model_of(scene.reference.crs).rpc.scalars == pytest.approx(simple().scalars)


def test_a_raw_scene_on_the_antimeridian_comes_onto_a_utm_zone_and_not_onto_a_world_map(write: Write, tmp_path: Path) -> None:
    href, source = write(rpc=simple(long_off=180.0)), dem(tmp_path, west=179.9)
    # The tile goes on beyond 180 degrees east, as rasters of one place do.
    grid = plan(href, source).graph.reference
    assert grid.crs in {"EPSG:32660", "EPSG:32601"}
    assert grid.width * grid.dx < 10_000.0
    with pytest.raises(GeometryError, match="the map of the product's grid has no one place for the scene"):
        plan(href, source, grid={"crs": "EPSG:3857"})


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_raw_scene_over_a_pole_is_refused(write: Write, tmp_path: Path, side: float) -> None:
    sea = RasterSource(path=dem(tmp_path, west=15.0).path, datum="ellipsoid", sea_level=True)
    href = write(rpc=simple(lat_off=side * 89.995, long_off=0.0, long_scale=60.0))
    with pytest.raises(GeometryError, match="the image goes over a pole"):
        plan(href, sea, grid={"crs": "EPSG:3413" if side > 0 else "EPSG:3031"})


def test_the_pixels_of_a_nitf_are_read(write: Write, tmp_path: Path) -> None:
    href = write(name="pan.ntf")
    values = (np.arange(2000 * 3000) % 251 + 1).astype(np.uint8).reshape(1, 2000, 3000)
    (tmp_path / "pan.ntf").unlink()
    with rasterio.open(tmp_path / "pan.ntf", "w", driver="NITF", height=2000, width=3000, count=1, dtype="uint8") as target:
        target.write(values)
    scene = read_scene(href)
    assert scene.reference.raw
    with BandReader() as reader:
        np.testing.assert_array_equal(reader.read(scene, "pan", scene.reference.window).values, values[0])
