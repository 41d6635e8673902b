"""What all tests share: where the real scenes are, or the reason why a test that needs them is skipped; and one JVM."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from swath.errors import ConfigError
from swath.spark.start.jars import delta_class_path, s3a_class_path
from swath.spark.start.java import HOW_TO_GET, find_java
from swath.spark.start.prepare import fetch_s3a
from swath.spark.start.s3a_jars import S3A_MEGABYTES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

#: How long one example takes says how busy the machine is: the halves of the tests run side by side.
settings.register_profile("swath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("swath")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
#: ``run_job(pipeline, *inputs, output=..., **options)``: a run as the command line makes it, in the shared session.
RunJob = Callable[..., "RunSummary"]


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """What a command of a site sets for its process does not reach the next test."""
    before = set(os.environ)
    yield
    for name in set(os.environ) - before:
        if name.startswith("SWATH_"):
            del os.environ[name]


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
def s3a_jars(java: None) -> tuple[Path, ...]:
    """The jars that let Spark open ``s3a://``: those of set-up, fetched in CI, otherwise a skip that says how to get them."""
    found = s3a_class_path()
    if found is None:
        if not os.environ.get("CI"):
            pytest.skip(f"no S3A jars ({S3A_MEGABYTES} MB): python -m swath.spark.prepare --s3a")
        fetch_s3a()
        found = s3a_class_path()
    return found or ()


@pytest.fixture(scope="session")
def spark(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """The session that all Spark tests share: two cores, four attempts, as small as it gets."""
    from swath.spark.start.session import build_session, stop_session  # noqa: PLC0415 (importing pyspark takes a second)

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
    from swath.cli.run import execute  # noqa: PLC0415
    from swath.cli.run_request import RunOptions  # noqa: PLC0415

    def run(pipeline: str, *inputs: Path, output: Path, told: Any = None, **options: Any) -> "RunSummary":
        asked = RunOptions(pipeline=pipeline, inputs=tuple(map(str, inputs)), output=str(output), **options)
        return execute(asked, told=told or Silent(), spark=spark)

    return run


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 server over HTTP: moto's."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


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


@pytest.fixture(scope="session")
def tall_scene(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``tall_scene(kind, side=..., copies=...)``: a narrow scene of copies below each other, high enough for several strips."""
    from swath.simulator.simulate import simulate  # noqa: PLC0415

    def made(kind: Any, *, side: int, copies: int) -> Path:
        scene = simulate(kind=kind, folder=tmp_path_factory.mktemp(kind), size=side, truth=False)
        _make_tall(scene.delivery, copies=copies)
        return scene.delivery

    return made


def _make_tall(folder: Path, *, copies: int) -> None:
    """Rewrite every raster of a delivery as so many copies of itself, one below the other."""
    import numpy as np  # noqa: PLC0415
    import rasterio  # noqa: PLC0415
    from rasterio.shutil import copy as copy_raster  # noqa: PLC0415

    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".tif", ".jp2"}):
        with rasterio.open(path) as source:
            once, profile = source.read(1), source.profile
        # The pan has one row less than twice the others, however many those are.
        rows = copies * (len(once) + 1) - 1 if path.stem.endswith("_B8") else copies * len(once)
        values = once[np.arange(rows) % len(once)]
        for key in ("blockxsize", "blockysize", "tiled"):
            profile.pop(key)
        station = path.with_name("station.tif")
        with rasterio.open(station, "w", **{**profile, "driver": "GTiff", "height": rows, "compress": None}) as target:
            target.write(values, 1)
        path.unlink()
        if profile["driver"] == "JP2OpenJPEG":
            lossless = {"QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO", "BLOCKXSIZE": "256", "BLOCKYSIZE": "256"}
            copy_raster(station, path, driver="JP2OpenJPEG", **lossless)
            station.unlink()
        else:
            station.rename(path)
