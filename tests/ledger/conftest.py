"""A small scene, two models that differ, and a pipeline that uses one of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.tiny_model import RECIPE, samples

from swath.report.summary import RunSummary
from swath.simulator.simulate import simulate
from swath.training.train import judge, write_model

pytestmark = pytest.mark.spark
PIPELINE = {
    "name": "maps",
    "title": "Reflectance and a map",
    "version": 1,
    "assets": {"required": ["toa", "landcover"], "optional": ["landcover_probability"]},
}


def _model(folder: Path, *, seed: int) -> Path:
    levels = (0.1, 0.4) if seed == 1 else (0.4, 0.1)
    drawn = samples({"low": levels[0], "high": levels[1]}, seed=seed, polygons=4, pixels=20)
    judgement = judge(drawn, recipe=RECIPE)
    manifest = RECIPE.manifest(metrics=judgement.flat(), training={})
    write_model(folder, drawn, recipe=RECIPE, manifest=manifest, judgement=judgement)
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


@pytest.fixture(scope="session")
def made_once(
    run_job: Callable[..., RunSummary], delivery: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunSummary]:
    """The output of one run of ``toa``, which nobody may change, and what the run told."""
    output = tmp_path_factory.mktemp("made-once") / "out"
    return output, run_job("toa", delivery, output=output)


@pytest.fixture
def made(made_once: tuple[Path, RunSummary], tmp_path: Path) -> Path:
    """A copy of that output, which a test may harm."""
    return Path(shutil.copytree(made_once[0], tmp_path / "made"))


@pytest.fixture
def scene(delivery: Path, tmp_path: Path) -> Path:
    """A copy of its own, which a test may harm."""
    return Path(shutil.copytree(delivery, tmp_path / "scenes" / delivery.name))


@pytest.fixture(scope="session")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Writes the pipeline with a model into a file; gives its path."""
    folder = tmp_path_factory.mktemp("maps")

    def write(model: Path) -> str:
        path = folder / f"maps-{model.name}.yaml"
        steps = ["toa", {"landcover": {"model": str(model)}}]
        path.write_text(yaml.safe_dump({**PIPELINE, "steps": steps}), encoding="utf-8")
        return str(path)

    return write
