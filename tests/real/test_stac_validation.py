"""Everything that swath publishes as STAC is valid under the published schemas, extensions included."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape
from tests.records import item_path, records_of
from tests.tiny_model import RECIPE

from swath.grid import Grid
from swath.inference.manifest import Manifest
from swath.inference.network import Network, Normalise
from swath.product import (
    REFLECTANCE,
    AppliedStep,
    Category,
    Encoding,
    LayerSpec,
    ModelRef,
    Product,
    Statistics,
    bit_field,
    class_map,
)
from swath.readers.sentinel2.layout import find_delivery
from swath.readers.sentinel2.metadata import read_sentinel2_metadata
from swath.runs.model_items import MLM, model_item
from swath.scene import Angles, Asset, Band, Reflectance, Scene
from swath.sinks.stac.assets import PictureRecord
from swath.sinks.stac.catalog import CatalogRow, rebuild
from swath.sinks.stac.footprint import footprint_of
from swath.sinks.stac.item import EXTENSIONS, encode, item_of
from swath.sinks.stac.renders import RENDER_EXTENSION
from swath.sinks.stac.validate import StacValidator

SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "stac-schemas"
GRIDS = {
    "utm": Grid(crs="EPSG:32631", left=600_000.0, top=5_700_000.0, dx=10.0, dy=10.0, width=1098, height=1098),
    "antimeridian": Grid(crs="EPSG:32660", left=790_000.0, top=2e6, dx=30.0, dy=30.0, width=3000, height=3000),
    "degrees": Grid(crs="EPSG:4326", left=5.0, top=50.0, dx=0.001, dy=0.001, width=100, height=80),
}
COUNTS = Statistics(count=10, valid=9, minimum=0, maximum=3, total=12, squares=20, histogram={0: 3, 1: 6})


@pytest.fixture(scope="module")
def validator() -> StacValidator:
    """With the extensions' schemas, or a skip."""
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of the STAC extensions (../shared/stac-schemas) are not beside this checkout")
    return StacValidator(SCHEMAS)


def product_on(grid: Grid) -> Product:
    """A Sentinel-2 product with each kind of asset."""
    band = Band(name="blue", native_id="B02", resolution_m=10.0, centre_um=0.4924, fwhm_um=0.066)
    legend = (Category(value=0, name="water", title="Water"), Category(value=1, name="forest", title="Forest"))
    kinds: dict[str, tuple[str, Encoding, Band | None]] = {
        "blue": ("sr:blue", REFLECTANCE, band),
        "landcover": ("landcover", class_map(legend), None),
        "qa": ("qa", bit_field((Category(value=2, name="cloud", title="Cloud"),)), None),
    }
    model = ModelRef(name="m", version="1", digest="ab" * 32)
    layers = {
        asset: LayerSpec(name=name, asset=asset, title=asset, grid=grid, encoding=encoding, band=shown)
        for asset, (name, encoding, shown) in kinds.items()
    }
    return Product(
        product_id="S2A_X.ard",
        pipeline="ard",
        pipeline_version=1,
        collection="ard-sentinel-2-msi",
        scene=scene_on(grid, band=band),
        grid=grid,
        layers=layers,
        assets=records_of(layers, statistics=COUNTS, models={"landcover": model}, prefix="p."),
        left_out={"pan": "this sensor has none"},
        steps=(AppliedStep(name="smac", version=1, parameters={"aot550": 0.14}),),
        code="0.1.0",
    )


def scene_on(grid: Grid, *, band: Band) -> Scene:
    """The scene behind it."""
    asset = Asset(
        band=band,
        href="B02.jp2",
        grid=grid,
        dtype="uint16",
        nodata=0,
        saturated=65535,
        calibration=Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True),
        digest="11" * 32,
    )
    return Scene(
        scene_id="S2A_X",
        platform="sentinel-2a",
        instrument="msi",
        family="sentinel-2-msi",
        acquired=dt.datetime(2024, 2, 29, 23, 59, 59, tzinfo=dt.UTC),
        assets={"blue": asset},
        angles=Angles(sun_elevation_deg=30.0, sun_azimuth_deg=160.0, view_zenith_deg=4.0, view_azimuth_deg=105.0),
        reader="sentinel2",
        source_href="/vsizip/S2A_X.zip",
        metadata_href="MTD.xml",
        digest="cd" * 32,
        properties={"grid:code": "MGRS-31UFS"},
    )


@pytest.mark.real
@pytest.mark.parametrize("where", GRIDS)
def test_items_are_valid_with_all_their_extensions(validator: StacValidator, where: str) -> None:
    picture = PictureRecord(href="p.png", bytes=3, digest="aa" * 32)
    found = validator.validate(item_of(product_on(GRIDS[where]), pictures=(picture,), model_hrefs={"ab" * 32: "m"}))
    assert found.findings == ()
    assert found.unchecked == (RENDER_EXTENSION,)  # its schema is not beside this checkout; pystac reads it in a unit test
    assert set(EXTENSIONS.values()) <= set(found.checked)


@pytest.mark.real
def test_the_whole_catalogue_is_valid(validator: StacValidator) -> None:
    product = product_on(GRIDS["utm"])
    item, files = item_of(product), Files()
    files[item_path(product)] = encode(item)
    row = CatalogRow(
        collection=product.collection,
        acquired=product.scene.acquired,
        product_id=product.product_id,
        href=item_path(product),
        bbox=tuple(item["bbox"]),
    )
    rebuild([row], store=files)
    found = {path: validator.validate(json.loads(data)) for path, data in files.items()}
    assert len(found) == 6
    assert {path: v.findings for path, v in found.items() if not v.valid} == {}
    collection = found["collections/ard-sentinel-2-msi/collection.json"]
    assert collection.unchecked == ()
    assert EXTENSIONS["eo"] in collection.checked


class Files(dict[str, bytes]):
    """Files in memory."""

    def read(self, path: str) -> bytes | None:
        return self.get(path)

    def write(self, path: str, data: bytes) -> None:
        self[path] = data


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "view": lambda i: i["properties"].update({"view:azimuth": 400.0}),
    "proj": lambda i: i["properties"].update({"proj:shape": [1]}),
    "eo": lambda i: i["assets"]["blue"]["bands"][0].update({"eo:common_name": "bluish"}),
    "raster": lambda i: i["assets"]["blue"].update({"raster:scale": "1e-4"}),
    "file": lambda i: i["assets"]["blue"].update({"file:checksum": "XYZ"}),
    "classification": lambda i: i["assets"]["landcover"]["classification:classes"][0].pop("description"),
    "processing": lambda i: i["properties"].update({"processing:software": "swath"}),
}


@pytest.mark.real
@pytest.mark.parametrize("prefix", sorted(BROKEN))
def test_the_schemas_are_really_applied(validator: StacValidator, prefix: str) -> None:
    item = item_of(product_on(GRIDS["utm"]))
    BROKEN[prefix](item)
    assert EXTENSIONS[prefix] in {f.schema for f in validator.validate(item).findings}


@pytest.mark.real
def test_boxes_of_sentinel2_products_are_those_expected(scenes: Path) -> None:
    seen = 0
    for path in sorted((scenes / "stactools_sentinel2" / "data-files").glob("*/expected_output.json")):
        metadata = read_sentinel2_metadata(find_delivery(str(path.parent)).metadata)
        if metadata.tile is None:
            continue
        grid = metadata.grids[min(metadata.grids)]
        expected = json.loads(path.read_text(encoding="utf-8"))
        found = footprint_of(grid, told=metadata.footprint)
        assert found.bbox == pytest.approx(tuple(expected["bbox"]), abs=1e-5), path.parent.name
        assert shape(found.geometry).symmetric_difference(shape(expected["geometry"])).area < 1e-3  # theirs is simplified
        seen += 1
    assert seen == 7


def _manifests() -> list[Manifest]:
    forest = RECIPE.manifest(metrics={"accuracy": 0.9}, training={"code": "swath"})
    network = Network(
        reach="patch",
        patch_px=64,
        align_px=32,
        anchor_px=-16,
        activation="softmax",
        normalise=Normalise(mean=(0.1, 0.2), std=(1.0, 2.0)),
    )
    single = replace(forest, kind="onnx", weights="m.onnx")
    return [forest, single, replace(single, network=network, name="p", licence="ours alone")]


@pytest.mark.real
@pytest.mark.parametrize("number", range(3))
def test_models_are_valid_items_of_the_mlm_extension(validator: StacValidator, number: int) -> None:
    manifest = _manifests()[number]
    item = model_item(manifest, digest="ab" * 32, href="./m.onnx")
    found = validator.validate(item)
    assert (found.findings, found.unchecked) == ((), ())
    assert MLM in found.checked
    told = item["properties"]["mlm:input"][0]
    assert told["bands"] == [b["name"] for b in item["assets"]["weights"]["eo:bands"]] == list(manifest.bands)
    broken = {**item, "properties": {**item["properties"], "mlm:tasks": ["guessing"]}}
    assert validator.validate(broken).findings != ()
