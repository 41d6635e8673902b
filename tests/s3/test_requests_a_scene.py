"""How often S3 is asked for a small product: its parts stay on the worker's disk."""

import json
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.engine.child.stages import store_of
from swath.engine.child.tasks import do
from swath.engine.messages import MakeProduct, ProductMade
from swath.engine.subject import Cutting, Subject
from swath.grid import Grid
from swath.scene import Angles, Asset, Band, Reflectance, Scene
from swath.stores.local import local_store

pytestmark = pytest.mark.slow
BANDS = ("blue", "green", "red", "nir08", "swir16")
PIPELINE = json.dumps({"name": "toa", "steps": [{"name": "toa"}], "assets": [{"layers": "toa", "required": True}]})
#: Commits are some 20 requests a wave of at least 32 scenes: they fit into what is left.
MOST, OF_COMMITS = 11, 1
FOLDER = uuid.uuid4().hex


def _scene(folder: Path, *, number: int) -> Scene:
    grid = Grid(crs="EPSG:32633", left=3e5, top=5e6, dx=30.0, dy=30.0, width=64, height=64)
    assets = {}
    for at, name in enumerate(BANDS):
        dn = np.random.default_rng([number, at]).integers(1000, 4000, (64, 64), dtype=np.uint16)
        href = str(folder / f"{number}.{name}.tif")
        profile = {"height": 64, "width": 64, "count": 1, "dtype": "uint16", "nodata": 0, "crs": grid.crs}
        with rasterio.open(href, "w", driver="GTiff", transform=rasterio.Affine(*grid.transform), **profile) as dataset:
            dataset.write(dn, 1)
        assets[name] = Asset(
            band=Band(name=name, native_id=name, resolution_m=30.0), href=href, grid=grid, dtype="uint16", nodata=0,
            saturated=65535, calibration=Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True),
            digest=sha256(dn.tobytes()).hexdigest(),
        )  # fmt: skip
    return Scene(
        scene_id=f"S{number}", platform="test-1", instrument="t", family="test", acquired=datetime(2024, 5, 6, tzinfo=UTC),
        assets=assets, angles=Angles(sun_elevation_deg=45.0, sun_azimuth_deg=150.0), reader="test", source_href="",
        metadata_href="", digest="d",
    )  # fmt: skip


def _made(scene: Scene, output: str) -> ProductMade:
    product = Subject(scene=scene.to_json(), scene_id=scene.scene_id, pipeline=PIPELINE, output=output)
    cut = Cutting(split=False, strip_rows=None, folder=f".scratch/{FOLDER}/0")
    made = do(MakeProduct(product=product, cut=cut, attempt="a"))
    assert isinstance(made, ProductMade), made
    return made


def test_a_small_product_of_five_assets_asks_s3_few_times(bucket: Any, tmp_path: Path) -> None:
    store_of.cache_clear()  # type: ignore[attr-defined]
    (tmp_path / "scenes").mkdir()
    scenes = [_scene(tmp_path / "scenes", number=n) for n in range(3)]
    output, local = f"s3://{bucket.name}/out", local_store(tmp_path / "out")
    bucket.asked()
    made = [_made(scene, output) for scene in scenes]
    asked = bucket.asked()
    assert sum(asked.values()) <= (MOST - OF_COMMITS) * len(scenes), asked
    assert asked["PutObject"] == 7 * len(scenes)  # five files, a picture, the item
    store = bucket.store()
    assert not [p for p in store.list("") if p.startswith(".scratch")]
    # No part is left on the worker's disk either.
    assert not list(store.scratch().glob(f"*/.scratch/{FOLDER}"))
    # The product is the one that a folder gets.
    there = _made(scenes[0], local.root)
    assert there.ledger == made[0].ledger
    assert local.read(there.published.item) == store.read(made[0].published.item)
