"""What all tests share: where the real scenes are, or the reason why a test that needs them is skipped; and one JVM."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.errors import ConfigError
from swath.spark.jars import delta_class_path
from swath.spark.java import HOW_TO_GET, find_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
#: ``run_job(pipeline, *inputs, output=..., **options)``: a run as the command line makes it, in the shared session.
RunJob = Callable[..., "RunSummary"]


@pytest.fixture(scope="session")
def scenes() -> Path:
    """The folder of real scenes, or a skip."""
    folder = SHARED / "scenes"
    if not folder.is_dir():
        pytest.skip("the real scenes (../shared/scenes) are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def oracles(scenes: Path) -> dict[str, Any]:
    """Reference numbers that other people computed."""
    loaded: dict[str, Any] = json.loads((scenes / "oracles.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="session")
def java() -> None:
    """A skip, with the reason, on a machine where no JVM can start."""
    if find_java() is None:
        pytest.skip(HOW_TO_GET)
    try:
        delta_class_path()
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def spark(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """The session that all Spark tests share: two cores, four attempts, as small as it gets."""
    from swath.spark.session import build_session, stop_session  # noqa: PLC0415 (importing pyspark takes a second)

    folder = tmp_path_factory.mktemp("spark")
    conf = {"spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder / "warehouse")}
    session = build_session(app="swath-tests", master="local[2,4]", conf=conf)
    yield session
    stop_session(session)


class Silent:
    """Hears of a run's progress and says nothing."""

    def wave(self, number: int, waves: int, products: int) -> None:
        """Nothing."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


@pytest.fixture(scope="session")
def run_job(spark: "SparkSession") -> RunJob:
    """Run a job in the shared session."""
    from swath.cli.run import RunOptions, execute  # noqa: PLC0415

    def run(pipeline: str, *inputs: Path, output: Path, told: Any = None, **options: Any) -> "RunSummary":
        asked = RunOptions(pipeline=pipeline, inputs=tuple(map(str, inputs)), output=str(output), **options)
        return execute(asked, told=told or Silent(), spark=spark)

    return run


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forest of the shipped recipe that tells made-up spectra apart: a folder that a pipeline can name."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from swath.training.recipe import TrainingRecipe  # noqa: PLC0415
    from swath.training.train import judge, write_model  # noqa: PLC0415

    recipe = TrainingRecipe.read(ROOT / "models" / "landcover" / "recipe.yaml")
    random = np.random.default_rng(1)
    frames = []
    for number, category in enumerate(recipe.classes):
        features = random.normal(0.05 + 0.05 * number, 0.02, (60, len(recipe.features.bands))).astype(np.float32)
        frame = pd.DataFrame(features, columns=list(recipe.features.bands))
        frames.append(frame.assign(label=category.name, scene_id="s", polygon_id=[f"{number}-{i // 15}" for i in range(60)]))
    samples = pd.concat(frames, ignore_index=True).assign(row=0, col=0)
    judgement = judge(samples, recipe=recipe)
    directory = tmp_path_factory.mktemp("models") / "small"
    write_model(
        directory, samples, recipe=recipe, manifest=recipe.manifest(metrics=judgement.flat(), training={}), judgement=judgement
    )
    return directory
