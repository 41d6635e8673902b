"""A run that is killed goes on under its own name, and nothing is there twice."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import functions as F

from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import BEGAN, TABLES
from swath.runs.catalogue_days import rebuild_days
from swath.runs.status import output_status
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.stores.registry import open_store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.slow]
SCENES, FEW = 5, 3


class Killed(BaseException):  # it plays a signal: nothing catches it
    """As if somebody had killed the driver."""

    def __init__(self) -> None:
        super().__init__("killed in a test")


class KilledAt:
    """Hears of progress, and dies at the beginning of a wave."""

    def __init__(self, wave: int) -> None:
        self._wave = wave
        self.waves = 0

    def wave(self, number: int, waves: int, products: int) -> None:
        self.waves = waves
        if number == self._wave:
            raise Killed

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


class Hides(KilledAt):
    """Takes a file away when the wave begins: the plan is made, the scene is lost on its way."""

    def __init__(self, file: Path) -> None:
        super().__init__(0)
        self._file = file

    def wave(self, number: int, waves: int, products: int) -> None:
        self._file.rename(self._file.with_suffix(".hidden"))

    def show(self) -> None:
        self._file.with_suffix(".hidden").rename(self._file)


@pytest.fixture(scope="module")
def scenes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("resume")
    one = simulate(kind="landsat9", folder=home, size=96, truth=False)
    for number in range(1, SCENES):
        copied(one, folder=home / "scenes", rename={"193022_2024": f"19{number}999_2024"})
    return home / "scenes"


@pytest.fixture(scope="module")
def three_scenes(scenes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of them, for what happens within one wave."""
    folder = tmp_path_factory.mktemp("three") / "scenes"
    for scene in sorted(scenes_folder.iterdir())[:FEW]:
        shutil.copytree(scene, folder / scene.name)
    return folder


def table(spark: "SparkSession", output: Path, *, name: str) -> "DataFrame":
    return DeltaTables(spark, open_store(str(output))).read(name, TABLES[name])


def files(spark: "SparkSession", output: Path) -> "DataFrame":
    rows = table(spark, output, name="products").select("product_id", "product_key", F.explode("assets").alias("a"))
    return rows.select("product_id", "product_key", "a.name", "a.digest", "a.bytes")


@pytest.fixture(scope="module")
def straight(run_job: Any, scenes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody kills."""
    output = tmp_path_factory.mktemp("straight")
    summary: RunSummary = run_job("toa", scenes_folder, output=output, run_id="r", wave_products=2)
    assert (summary.scenes.made, summary.balanced) == (SCENES, True)
    return output


def waves(spark: "SparkSession", output: Path) -> list[int]:
    return sorted(r["wave"] for r in table(spark, output, name="runs").collect())


def whole_and_once(spark: "SparkSession", output: Path, *, straight: Path) -> None:
    """The ledger of a resumed run is that of the run that nobody killed."""
    assert_df_equality(files(spark, output), files(spark, straight), ignore_row_order=True)
    for name in ("scenes", "quarantine"):
        assert table(spark, output, name=name).count() == table(spark, straight, name=name).count(), name
    # Each execution has a row of its own beside those of the waves.
    assert [w for w in waves(spark, output) if w >= 0] == [w for w in waves(spark, straight) if w >= 0]
    # The wave behind the one that was committed was published already: adopted products have no strips.
    tiles, every = table(spark, output, name="tiles"), table(spark, straight, name="tiles").select("product_id", "asset", "strip")
    assert tiles.select("product_id", "asset", "strip").subtract(every).count() == 0
    assert tiles.select("product_id", "asset", "strip").distinct().count() == tiles.count()


def test_a_run_killed_after_its_first_wave_goes_on_where_it_was(
    spark: "SparkSession", run_job: Any, scenes_folder: Path, straight: Path, tmp_path: Path
) -> None:
    given = {"output": tmp_path, "run_id": "r", "wave_products": 2}
    killed = KilledAt(2)
    with pytest.raises(Killed, match="killed in a test"):
        run_job("toa", scenes_folder, told=killed, **given)
    assert killed.waves >= 3
    committed = table(spark, tmp_path, name="products").count()
    assert 0 < committed < SCENES
    assert waves(spark, tmp_path) == [BEGAN, 0]
    again: RunSummary = run_job("toa", scenes_folder, **given)
    assert (again.scenes.taken_in, again.scenes.made, again.balanced) == (SCENES, SCENES, True)
    assert again.edges is None, "a source of a product each, as of the scenes"
    assert len({p.product_id for p in again.products}) == SCENES
    whole_and_once(spark, tmp_path, straight=straight)


def test_the_catalogue_is_the_same_in_portions_of_days(
    spark: "SparkSession", straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swath.ledger.delta.SMALL_BYTES", 0)  # as of a large ledger
    rows = table(spark, straight, name="products").select("collection", F.to_date("acquired").alias("day")).distinct().collect()
    days = [(r["collection"], r["day"] - timedelta(days=n)) for r in rows for n in (0, 1)]  # and those without products
    found = []
    for most in (1, 1000):
        monkeypatch.setattr("swath.runs.catalogue_days._AT_ONCE", most)
        output = tmp_path / str(most)
        shutil.copytree(straight, output)
        shutil.rmtree(output / "collections")
        store = open_store(str(output))
        assert rebuild_days(DeltaTables(spark, store), store, touched=days)
        found.append({p.relative_to(output): p.read_bytes() for p in output.rglob("*.json") if "_delta_log" not in p.parts})
    assert found[0] == found[1]
    assert len([p for p in found[0] if p.parts[0] == "collections"]) > 4


@pytest.mark.parametrize("dies_at", ["quarantine", "products", "runs"])
def test_a_wave_that_was_half_committed_is_committed_once(
    spark: "SparkSession",
    run_job: Any,
    three_scenes: Path,
    straight: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: str,
) -> None:
    given = {"output": tmp_path, "run_id": "r", "wave_products": 100}
    append = DeltaTables.append

    def dying(self: DeltaTables, name: str, *rest: Any, **options: Any) -> Any:
        if name == dies_at and "+began" not in options["run_id"]:
            raise Killed
        return append(self, name, *rest, **options)

    with monkeypatch.context() as patched:
        patched.setattr(DeltaTables, "append", dying)
        with pytest.raises(Killed, match="killed in a test"):
            run_job("toa", three_scenes, **given)
    assert waves(spark, tmp_path) == [BEGAN]
    (run,) = output_status(DeltaTables(spark, open_store(str(tmp_path)))).runs
    assert (run.run_id, run.waves, run.sums["scenes_in"], run.balanced) == ("r", 0, 0, True)
    again: RunSummary = run_job("toa", three_scenes, **given)
    assert (again.scenes.taken_in, again.scenes.made, again.balanced) == (FEW, FEW, True)
    made = [p.product_id for p in again.products]
    expected = files(spark, straight).filter(F.col("product_id").isin(made))
    assert expected.select("product_id").distinct().count() == FEW
    assert_df_equality(files(spark, tmp_path), expected, ignore_row_order=True)
    tiles = table(spark, tmp_path, name="tiles")
    assert tiles.select("product_id", "asset", "strip").distinct().count() == tiles.count()
    assert waves(spark, tmp_path) == [BEGAN, BEGAN, 0]


def test_what_a_half_committed_wave_refused_stays_refused_and_nothing_is_made_and_refused(
    spark: "SparkSession", run_job: Any, scenes_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reds = sorted(scenes_folder.rglob("*_B4.TIF"))
    output, first, second = tmp_path / "out", Hides(reds[0]), Hides(reds[1])
    given = {"output": output, "run_id": "r", "wave_products": 100}
    append = DeltaTables.append

    def dying(self: DeltaTables, name: str, *rest: Any, **options: Any) -> Any:
        if name == "products":
            raise Killed
        return append(self, name, *rest, **options)

    with monkeypatch.context() as patched:
        patched.setattr(DeltaTables, "append", dying)
        with pytest.raises(Killed, match="killed in a test"):
            run_job("toa", scenes_folder, told=first, **given)
    first.show()
    # What was published is gone too: the second execution has to make it, and loses another scene.
    shutil.rmtree(output / "products")
    again: RunSummary = run_job("toa", scenes_folder, told=second, **given)
    second.show()
    assert (again.scenes.taken_in, again.scenes.made, again.scenes.quarantined) == (SCENES, SCENES - 2, 2)
    refused = [r["scene_id"] for r in table(spark, output, name="quarantine").collect()]
    made = [r["scene_id"] for r in table(spark, output, name="products").collect()]
    assert sorted(refused) == [p.parent.name for p in reds[:2]]
    assert sorted(refused + made) == sorted(p.parent.name for p in reds)
    retried: RunSummary = run_job("toa", scenes_folder, output=output, run_id="r2")
    assert (retried.scenes.made, retried.scenes.skipped) == (2, SCENES - 2)
