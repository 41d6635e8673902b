"""A small scene, two models that differ, and a pipeline that uses one of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from swath.simulator.simulate import simulate
from swath.training.recipe import TrainingRecipe
from swath.training.train import judge, write_model

pytestmark = pytest.mark.spark
BANDS = ["red", "nir08"]
RECIPE = TrainingRecipe.of(
    {
        "name": "tiny",
        "title": "Tiny",
        "licence": "Apache-2.0",
        "features": {"of": "toa", "bands": BANDS},
        "forest": {"trees": 3, "leaves": 4},
        "splits": 2,
        "classes": [
            {"value": 1, "name": "low", "title": "Low", "rgb": [0, 0, 200]},
            {"value": 2, "name": "high", "title": "High", "rgb": [0, 200, 0]},
        ],
    }
)
PIPELINE = {
    "name": "maps",
    "title": "Reflectance and a map",
    "version": 1,
    "assets": {"required": ["toa", "landcover"], "optional": ["landcover_probability"]},
}


def _model(folder: Path, *, seed: int) -> Path:
    random = np.random.default_rng(seed)
    rows = [
        {"scene_id": "S", "polygon_id": f"{label}{n}", "label": label, "row": n, "col": i}
        | dict(zip(BANDS, (level + random.normal(0.0, 0.03, 2)).tolist(), strict=True))
        for label, level in (("low", 0.1 if seed == 1 else 0.4), ("high", 0.4 if seed == 1 else 0.1))
        for n in range(4)
        for i in range(20)
    ]
    samples = pd.DataFrame(rows).astype(dict.fromkeys(BANDS, "float32"))
    judgement = judge(samples, recipe=RECIPE)
    manifest = RECIPE.manifest(metrics=judgement.flat(), training={})
    write_model(folder, samples, recipe=RECIPE, manifest=manifest, judgement=judgement)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models of the same kind and different weights."""
    home = tmp_path_factory.mktemp("tiny-models")
    return _model(home / "one", seed=1), _model(home / "two", seed=2)


@pytest.fixture(scope="session")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Landsat 9 scene of 128 x 128 pixels."""
    return Path(simulate(kind="landsat9", folder=tmp_path_factory.mktemp("delivery"), size=128, seed=3, truth=False).delivery)


@pytest.fixture
def scene(delivery: Path, tmp_path: Path) -> Path:
    """A copy of its own, which a test may harm."""
    return Path(shutil.copytree(delivery, tmp_path / "scenes" / delivery.name))


@pytest.fixture
def maps(tmp_path: Path) -> Callable[[Path], str]:
    """Writes the pipeline with a model into a file; gives its path."""

    def write(model: Path) -> str:
        path = tmp_path / f"maps-{model.name}.yaml"
        steps = ["toa", {"landcover": {"model": str(model)}}]
        path.write_text(yaml.safe_dump({**PIPELINE, "steps": steps}), encoding="utf-8")
        return str(path)

    return write
