"""A product from strips to item, by the tasks that workers do: on S3 it is what it is in a folder, byte for byte."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.engine.child.stages import store_of
from swath.engine.child.tasks import perform
from swath.engine.cut import cut
from swath.engine.frame import Frame
from swath.engine.product_plan import plan_product
from swath.engine.shared_uploads import uploads_wanted
from swath.errors import ReadError
from swath.grid import Grid
from swath.runs.uploads import OpenUploads, open_uploads
from swath.scene import Angles, Asset, Band, Reflectance, Scene

pytestmark = pytest.mark.slow
#: Two strips of 28 MB of pixels each, whose blocks are over S3's least part.
HEIGHT, WIDTH = 6144, 4608
PIPELINE = json.dumps(
    {"name": "toa", "steps": [{"name": "toa"}], "assets": [{"layers": "toa:red", "required": True}, {"layers": "toa:nir"}]}
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A large red band, and a small near-infrared one that is a single PUT."""
    folder = tmp_path_factory.mktemp("scene")
    red = Grid(crs="EPSG:32633", left=3e5, top=5e6, dx=10.0, dy=10.0, width=WIDTH, height=HEIGHT)
    nir = Grid(crs="EPSG:32633", left=3e5, top=5e6, dx=60.0, dy=60.0, width=WIDTH // 6, height=HEIGHT // 6)
    assets = {}
    for name, grid in {"red": red, "nir": nir}.items():
        rng = np.random.default_rng(1)
        dn = rng.integers(1000, 4000, (grid.height, grid.width), dtype=np.uint16)
        dn[: grid.height // 9, : grid.width // 2] = 0
        href = str(folder / f"{name}.tif")
        profile = {"height": grid.height, "width": grid.width, "count": 1, "dtype": "uint16", "nodata": 0, "crs": grid.crs}
        with rasterio.open(href, "w", driver="GTiff", transform=rasterio.Affine(*grid.transform), **profile) as dataset:
            dataset.write(dn, 1)
        assets[name] = Asset(
            band=Band(name=name, native_id=name, resolution_m=grid.dx), href=href, grid=grid, dtype="uint16", nodata=0,
            saturated=65535, calibration=Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True),
            digest=sha256(name.encode()).hexdigest(),
        )  # fmt: skip
    return Scene(
        scene_id="S1", platform="test-1", instrument="t", family="test", acquired=datetime(2024, 5, 6, tzinfo=UTC), assets=assets,
        angles=Angles(sun_elevation_deg=45.0, sun_azimuth_deg=150.0), reader="test", source_href="", metadata_href="", digest="d",
    )  # fmt: skip


def _asked(scene: Scene, output: str, **more: Any) -> dict[str, Any]:
    cut_so = {"strip_rows": None, "split": True, "folder": ".scratch/r/0"}
    return {"scene": scene.to_json(), "scene_id": "S1", "pipeline": PIPELINE, "output": output, **cut_so, **more}


def _strips(scene: Scene, output: str, *, uploads: Mapping[str, str]) -> list[dict[str, Any]]:
    return [perform(_asked(scene, output, op="strip", strip=n, uploads=uploads)) for n in range(2)]


def _finished(scene: Scene, output: str, *, strips: list[dict[str, Any]], uploads: Mapping[str, str]) -> dict[str, Any]:
    records = []
    for asset in ("toa_red", "red", "toa_nir", "nir"):
        parts = [p for s in strips for p in s["parts"] if p["asset"] == asset]
        if parts:
            more = {"asset": asset, "parts": parts, "attempt": "a", "upload": uploads.get(asset, "")}
            records.append(perform(_asked(scene, output, op="asset", **more))["record"])
    previews = [s["preview"] for s in strips if s["preview"]]
    place = {k: v for k, v in _asked(scene, output).items() if k not in {"strip_rows", "split", "folder"}}
    published = perform({**place, "op": "publish", "records": records, "previews": previews})
    return {"records": records, "item": published["item"]}


def test_a_product_on_s3_is_the_product_in_a_folder(scene: Scene, bucket: Any, tmp_path: Path) -> None:
    store_of.cache_clear()  # type: ignore[attr-defined]
    local = _finished(scene, str(tmp_path), strips=_strips(scene, str(tmp_path), uploads={}), uploads={})
    output = f"s3://{bucket.name}/out"
    opened = perform(_asked(scene, output, op="prepare"))
    assert list(opened["uploads"]) == ["red"]
    bucket.asked()
    strips = _strips(scene, output, uploads=opened["uploads"])
    # red: one part a strip and the rest of it; nir: its part files; no pictures of two bands
    assert bucket.asked() == {"UploadPart": 2, "PutObject": 4}
    there = _finished(scene, output, strips=strips, uploads=opened["uploads"])
    asked = bucket.asked()
    assert there == local
    assert asked["UploadPart"] == asked["CompleteMultipartUpload"] == asked["ListParts"] == 1
    store = bucket.store()
    for path in (there["item"], *(f"{Path(there['item']).parent}/{r['href']}" for r in there["records"])):
        assert store.read(path) == (tmp_path / path).read_bytes()
    item = json.loads(store.read(there["item"]))
    assert item["assets"]["red"]["file:checksum"] == f"1220{sha256(store.read(_path(there))).hexdigest()}"
    assert bucket.uploads() == []


def _path(made: Mapping[str, Any]) -> str:
    return f"{Path(made['item']).parent}/{made['records'][0]['href']}"


def test_a_product_that_fails_leaves_no_upload(scene: Scene, bucket: Any) -> None:
    store_of.cache_clear()  # type: ignore[attr-defined]
    output, store = f"s3://{bucket.name}/out", bucket.store()
    with pytest.raises(ReadError, match=r"S1: .*cannot be read"), open_uploads(store) as uploads:  # noqa: PT012  the block is the test
        opened = perform(_asked(scene, output, op="prepare"))
        mine = uploads.opened(opened["uploads"], paths=opened["paths"])
        perform(_asked(scene, output, op="strip", strip=0, uploads=mine))
        assert bucket.uploads() != []
        gone = Scene.from_json(scene.to_json().replace("/red.tif", "/gone.tif"))
        perform(_asked(gone, output, op="strip", strip=1, uploads=mine))
    assert bucket.uploads() == []


def test_an_upload_that_was_completed_is_not_aborted(bucket: Any) -> None:
    store = bucket.store()
    uploads = OpenUploads(store)
    first, second = store.upload("a").upload_id, store.upload("b").upload_id
    assert uploads.opened({"red": first, "nir": second}, paths={"red": "a", "nir": "b"}) == {"red": first, "nir": second}
    uploads.completed(first)
    uploads.completed("")
    uploads.abort()
    assert bucket.uploads() == ["out/a"]


def test_small_and_well_compressed_assets_are_no_uploads(scene: Scene) -> None:
    plan = plan_product(scene.to_json(), PIPELINE)
    assert uploads_wanted(plan, plan.cut(rows=None, split=True)) == ("red",)
    assert uploads_wanted(plan, plan.cut(rows=None, split=False)) == ("red",)
    assert uploads_wanted(plan, plan.cut(rows=None, split=True), skip=frozenset({"red"})) == ()
    small = cut(Frame.around(scene.reference, grids=[scene.assets["red"].grid]), rows=512)
    assert uploads_wanted(plan, small) == ()
