"""Files and keys of every shipped pipeline over the real scenes, against digests that were written down.

Whoever changes pixels, bytes or keys on purpose raises a version or the engine's number, and writes new digests with

    SWATH_WRITE_GOLDEN=1 pytest tests/real/test_golden_products.py
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swath.config import load_pipeline, prepare, with_settings
from swath.engine.product_plan import ProductPlan, plan_product
from swath.engine.strip import StripJob, run_strip
from swath.engine.supplies import Supplies
from swath.errors import SceneError
from swath.inference.loader import load_predictor
from swath.inference.registry import Registry
from swath.product import LayerName
from swath.readers.angles import angle_field
from swath.readers.discover import discover
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene
from swath.shipped import conf_folder
from swath.sinks.cog.assemble import CogTarget, assemble
from swath.stores.local import LocalStore

pytestmark = [pytest.mark.real, pytest.mark.slow]
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "products.json"
#: Pipelines whose output is the scene's own grid; each scene is looked at through all of them.
PIPELINES = ("ard", "clouds", "landcover", "surface-reflectance", "toa")
INPUTS = (
    "sat_image/image_test/lc8_image",
    "sat_image/image_test/le7_image",
    "sat_image/image_test/lt5_image",
    "rio_tiler_pds",
    "eodatasets",
    "rstoolbox/inst/external/landsat",
    "satellite_r/inst/extdata",
)
#: Digits of a digest that are kept: as many as nobody meets by chance.
DIGITS = 16
#: Two classes by one threshold in each of the six bands: a model without training, the same bytes everywhere.
MANIFEST = {
    "name": "golden", "kind": "forest", "weights": "forest.npz", "of": "sr", "licence": "Apache-2.0",
    "bands": ["blue", "green", "red", "nir08", "swir16", "swir22"],
    "classes": [
        {"value": 1, "name": "dark", "title": "Dark", "rgb": [0, 0, 90]},
        {"value": 2, "name": "bright", "title": "Bright", "rgb": [250, 250, 180]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden") / "model"
    folder.mkdir()
    trees = 6
    arrays: dict[str, Any] = {
        "child": np.tile([1, 1, 2], trees).astype(np.uint16),
        "feature": np.repeat(range(trees), 3).astype(np.uint8),
        "threshold": np.tile([0, 255, 255], trees).astype(np.uint8),
        "value": np.tile([0.0, -0.3, 0.4], trees),
        "tree_offset": np.arange(0, 3 * trees + 1, 3),
        "cut": np.linspace(0.08, 0.28, trees, dtype=np.float32),
        "cut_offset": np.arange(trees + 1),
        "outputs": np.array(1),
        "sigmoid": np.array(1.0),
    }
    # Stored, not compressed: the model's digest must not depend on a library's compression.
    np.savez(folder / "forest.npz", allow_pickle=False, **arrays)
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, "format": 1}), encoding="utf-8")
    (folder / "card.md").write_text("# Two classes by thresholds\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def read(scenes: Path) -> dict[str, Scene]:
    """The scenes that are Level 1, by id."""
    found = {}
    for href in discover([str(scenes / i) for i in INPUTS]):
        try:
            scene = read_scene(href)
        except SceneError:
            continue
        found[scene.scene_id] = scene
    return found


@pytest.fixture(scope="module")
def made(read: dict[str, Scene], model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Keys by product and asset, files by key."""
    registry = Registry.beside(tmp_path_factory.mktemp("golden-registry"))
    keys: dict[str, dict[str, str]] = {}
    files: dict[str, str] = {}
    for name in PIPELINES:
        file = load_pipeline(name)
        asked = [f"landcover.model={model}"] if any("landcover" in s for s in file.steps) else []
        ready = prepare(with_settings(file, asked), registry=registry)
        models = {n: load_predictor(m["path"], m["digest"]) for n, m in ready.models.items()}
        for scene in read.values():
            try:
                plan = plan_product(scene.to_json(), json.dumps(ready.plain))
            except SceneError as error:
                keys[f"{scene.scene_id}.{name}"] = {"refused": error.error_class}
                continue
            keys[plan.product_id] = {asset: key[:DIGITS] for asset, key in plan.keys.items()}
            new = frozenset(a for a, k in plan.keys.items() if k[:DIGITS] not in files)
            for asset, digest in _files(plan, new=new, models=models, folder=tmp_path_factory.mktemp("golden")):
                files[plan.keys[asset][:DIGITS]] = digest[:DIGITS]
    return {"keys": keys, "files": files}


def _files(plan: ProductPlan, *, new: frozenset[str], models: Any, folder: Path) -> Iterator[tuple[LayerName, str]]:
    """Name and sha256 of each asset among ``new``."""
    scene, store = plan.graph.scene, LocalStore(folder)
    supplies = Supplies(angles=angle_field(scene) if scene.angles_href else None, models=models)
    job = StripJob(
        graph=plan.graph, cut=plan.cut(rows=None, split=True), number=0, previews=(), folder="parts",
        skip=frozenset(plan.graph.outputs) - new,
    )  # fmt: skip
    with ExitStack() as stack:
        reader = stack.enter_context(BandReader())
        results = [
            run_strip(replace(job, number=n), store=store, supplies=supplies, reader=reader)
            for n in range(job.cut.strips if new else 0)
        ]
    for name in sorted(new):
        spec = plan.graph.outputs[name]
        tags = {"SWATH_ASSET_KEY": plan.keys[name], "SWATH_LAYER": spec.layer}
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description=spec.title, tags=tags)
        parts = [p for r in results for p in r.parts if p.asset == name]
        written = assemble(parts, target, open_part=lambda p: store.open(p.href), output=folder / f"{name}.tif")
        assert written.digest == hashlib.sha256((folder / f"{name}.tif").read_bytes()).hexdigest()
        yield name, written.digest


def simd() -> list[str]:
    """What NumPy's formulas run on: in the last bit they depend on it."""
    told: Any = np.show_config(mode="dicts")
    return sorted(told["SIMD Extensions"].get("found", []))


@pytest.fixture(scope="module")
def golden(made: dict[str, Any]) -> dict[str, Any]:
    if os.environ.get("SWATH_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps({**made, "simd": [simd()]}, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    loaded: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return loaded


def test_every_shipped_pipeline_is_looked_at() -> None:
    assert {p.stem for p in (conf_folder() / "pipelines").glob("*.yaml")} == {
        *PIPELINES,
        "ortho",
    }  # raw scenes have a test of their own


def test_asset_keys_are_those_written_down(made: dict[str, Any], golden: dict[str, Any]) -> None:
    assert len(made["keys"]) == len(PIPELINES) * 11
    assert made["keys"] == golden["keys"]


def test_files_are_those_written_down(made: dict[str, Any], golden: dict[str, Any]) -> None:
    if simd() not in golden["simd"]:
        pytest.skip(f"the digests were seen on processors with {golden['simd']}; this is another one: {simd()}")
    assert made["files"] == golden["files"]
