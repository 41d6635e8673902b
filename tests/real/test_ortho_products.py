"""Orthoimages of the real Pleiades pair as products: pixels are GDAL's, and the item says what they were made from."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import reproject
from tests.real.test_ortho import crop, gdals

from swath.config import load_pipeline, prepare, with_settings
from swath.engine.child.tasks import do
from swath.engine.messages import MakeProduct, ProductMade
from swath.engine.product_plan import ProductPlan, plan_product
from swath.engine.subject import Cutting, Subject
from swath.errors import MissingInputError
from swath.inference.registry import Registry
from swath.inputs import RasterSource
from swath.readers.registry import read_scene
from swath.scene import Scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
Make = Callable[..., tuple[ProductPlan, dict[str, Any], Path]]


@pytest.fixture
def folder(scenes: Path) -> Path:
    return scenes / "shareloc"


@pytest.fixture
def write(folder: Path, tmp_path: Path) -> Callable[[str], str]:
    """A view of the pair as its owner would describe it: a GeoTIFF with RPC in its tags, and an item."""

    def written(side: str) -> str:
        raw, home = crop(folder, side), tmp_path / side
        home.mkdir()
        profile: dict[str, Any] = {"driver": "GTiff", "count": 1, "dtype": "uint16", "nodata": 0, "rpcs": gdals(raw.rpc)}
        height, width = raw.values.shape
        with rasterio.open(home / "pan.tif", "w", width=width, height=height, **profile) as target:
            target.write(raw.values, 1)
        band = {"name": "pan", "eo:common_name": "pan", "unit": "counts", "nodata": 0}
        properties = {"datetime": "2013-08-05T10:42:19Z", "platform": "pleiades-1b", "view:sun_elevation": 58.0}
        properties |= {"view:sun_azimuth": 150.0, "swath:level": "L1"}
        item: dict[str, Any] = {
            "type": "Feature", "stac_version": "1.1.0", "id": f"ventoux-{side}", "geometry": None, "links": [],
            "properties": properties, "assets": {"pan": {"href": "pan.tif", "roles": ["data"], "bands": [band]}},
        }  # fmt: skip
        (home / "item.json").write_text(json.dumps(item), encoding="utf-8")
        return str(home / "item.json")

    return written


def pipeline_json(tmp_path: Path, **rasters: RasterSource) -> str:
    asked = with_settings(load_pipeline("ortho"), ["grid.resolution_m=0.5"])
    return json.dumps(prepare(asked, registry=Registry.beside(tmp_path / "registry"), rasters=rasters).plain)


@pytest.fixture
def make(tmp_path: Path, folder: Path) -> Make:
    """Make the orthoimage of a scene: its plan, its item and the output."""

    def made(scene: Scene, **changes: Any) -> tuple[ProductPlan, dict[str, Any], Path]:
        dem = RasterSource(path=str(folder / "dtm" / "N44E005.hgt"), datum="ellipsoid")
        text = pipeline_json(tmp_path, dem=replace(dem, **changes))
        output = tmp_path / "out"
        output.mkdir(exist_ok=True)
        subject = Subject(scene=scene.to_json(), scene_id=scene.scene_id, pipeline=text, output=str(output))
        cut = Cutting(split=False, strip_rows=None, folder=".scratch/x")
        done = do(MakeProduct(product=subject, cut=cut, attempt="a"))
        assert isinstance(done, ProductMade)
        return plan_product(subject.scene, text), json.loads((output / done.published.item).read_text(encoding="utf-8")), output

    return made


def test_an_orthoimage_has_gdals_pixels(write: Callable[[str], str], make: Make, folder: Path) -> None:
    scene = read_scene(write("right"))
    plan, item, output = make(scene)
    with rasterio.open(output / plan.folder / plan.href("counts_pan")) as source:
        ours, transform, crs = source.read(1), source.transform, source.crs
    raw = crop(folder, "right")
    theirs = np.zeros_like(ours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        reproject(
            raw.values, theirs, rpcs=gdals(raw.rpc), src_crs="EPSG:4326", dst_crs=crs, dst_transform=transform, src_nodata=0,
            dst_nodata=0, resampling=Resampling.bilinear, RPC_DEM=str(folder / "dtm" / "N44E005.hgt"),
            RPC_DEMINTERPOLATION="bilinear",
        )  # fmt: skip
    both = (ours > 0) & (theirs > 0)
    assert both.mean() > 0.85
    assert (np.abs(ours[both].astype(int) - theirs[both]) <= 1).mean() >= 0.999
    assert ((ours > 0) != (theirs > 0)).mean() < 0.002
    # The footprint is the image on the terrain, not the box of the product.
    ring = np.array(item["geometry"]["coordinates"][0])
    assert (ring[:, 0] > 5.19).all()
    assert (ring[:, 0] < 5.20).all()
    assert len(ring) > 60
    assert item["properties"]["proj:code"] == "EPSG:32631"
    assert {"toa"} == plan.graph.left_out.keys()


def test_the_elevation_is_part_of_the_key_and_its_absence_is_refused(
    write: Callable[[str], str], make: Make, folder: Path, tmp_path: Path
) -> None:
    scene = read_scene(write("left"))
    plan, _, _ = make(scene)
    above, _, _ = make(scene, datum="egm96", geoid=str(folder / "dtm" / "egm96_15.gtx"))
    assert plan.keys != above.keys
    with pytest.raises(MissingInputError, match=r"ventoux-left: the image is raw .* and the site has no elevation.*--dem PATH"):
        plan_product(scene.to_json(), pipeline_json(tmp_path))
