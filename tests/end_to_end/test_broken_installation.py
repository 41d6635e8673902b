"""A run whose scenes all end by an error that is no scene's stops, with what it is, before it quarantines them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.faults.driven import Driven

from swath.engine.blame import internal_error
from swath.engine.child.parent import Limits
from swath.errors import BrokenInstallationError
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.spark.breaker import Breaker
from swath.spark.stage import run_stage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow]

#: A library that does not load, and another one that fails in its own way for each scene; a step that always fails.
PLUGIN = """
from dataclasses import dataclass
from pathlib import Path
from swath.steps.ndvi import Ndvi


class Broken:
    def recognises(self, href):
        return href.endswith(".broken")

    def read_scene(self, href):
        with open(Path(href).parent.parent / "read.txt", "a") as log:
            log.write(Path(href).name + "\\n")
        raise ImportError(f"libGL.so.1: cannot open shared object file, for {Path(href).name}")


reader = Broken()


@dataclass(frozen=True, kw_only=True)
class Failing(Ndvi):
    name = "failing"

    def run(self, recipe, layers, *, window, scene, inputs):
        raise ZeroDivisionError(f"of {scene.scene_id}")
"""
PIPELINE = """
name: failing
title: A step that fails
version: 1
steps: [toa, failing]
assets: {promised: [ndvi]}
"""


@pytest.fixture(scope="module")
def driver(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    folder = tmp_path_factory.mktemp("plugin")
    record = folder / "broken-1.0.dist-info"
    record.mkdir()
    (folder / "broken_plugin.py").write_text(PLUGIN, encoding="utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n", encoding="utf-8")
    points = "[swath.readers]\nbroken = broken_plugin:reader\n[swath.steps]\nfailing = broken_plugin:Failing\n"
    (record / "entry_points.txt").write_text(points, encoding="utf-8")
    made = Driven("local[2,4]", log=folder / "log.txt", plug_ins=(folder,))
    yield made
    made.close()


def broken(folder: Path, *, count: int) -> Path:
    (folder / "scenes").mkdir()
    for number in range(count):
        (folder / "scenes" / f"s{number}.broken").touch()
    return folder / "scenes"


def asked(scenes: Path, *, pipeline: str = "toa", **options: Any) -> dict[str, Any]:
    return {"pipeline": pipeline, "inputs": [str(scenes)], "output": str(scenes.parent / "out"), "run_id": "r1", **options}


def test_a_reader_that_always_fails_stops_the_run_and_what_it_may_do_is_a_parameter(driver: Driven, tmp_path: Path) -> None:
    scenes = broken(tmp_path, count=70)
    stopped = driver.done(asked(scenes), seconds=120)
    assert stopped["exit"] == 2
    assert "scenes ended by the same unexpected error: ImportError at " in stopped["why"]
    assert "(read_scene)" in stopped["why"]
    assert "--internal-limit" in stopped["why"]
    assert "--run-id r1" in stopped["why"]
    assert not list((tmp_path / "out").rglob("quarantine/*.parquet"))
    assert len(set((tmp_path / "read.txt").read_text().split())) < 70
    # The same command goes on when it may: nothing of the first is in the way.
    done = driver.done(asked(scenes, internal_limit=0, limit=22), seconds=120)
    assert (done["exit"], done["summary"]["scenes_in"], done["summary"]["quarantined"]) == (3, 22, 22)
    assert {q["error"] for q in done["summary"]["quarantine"]} == {"internal"}
    assert done["summary"]["balanced"]


def test_a_run_of_many_scenes_stops_early_too(driver: Driven, tmp_path: Path) -> None:
    scenes = broken(tmp_path, count=1100)
    stopped = driver.done(asked(scenes), seconds=200)
    assert stopped["exit"] == 2
    assert "ImportError at " in stopped["why"]
    assert len(set((tmp_path / "read.txt").read_text().split())) < 200
    assert not list((tmp_path / "out").rglob("quarantine/*.parquet"))


def test_a_step_that_always_fails_stops_the_run(driver: Driven, tmp_path: Path) -> None:
    scene = simulate(kind="landsat9", folder=tmp_path / "one", size=96, truth=False)
    for number in range(3):
        copied(scene, folder=tmp_path / "scenes", rename={"193022_20240805": f"19{number}022_20240805"})
    pipeline = tmp_path / "failing.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    stopped = driver.done(asked(tmp_path / "scenes", pipeline=str(pipeline), internal_limit=3), seconds=120)
    assert (stopped["exit"], "ZeroDivisionError" in stopped["why"]) == (2, True), stopped
    done = driver.done(asked(tmp_path / "scenes", pipeline=str(pipeline), internal_limit=4), seconds=120)
    assert (done["exit"], done["summary"]["quarantined"], done["summary"]["balanced"]) == (3, 3, True)


@dataclass(frozen=True)
class Asked:
    """A request of any kind, known or not."""

    op: str
    scene_id: str

    def to_plain(self) -> dict[str, Any]:
        return {"op": self.op, "scene_id": self.scene_id, "href": "/nowhere"}

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> Any:
        return plain


def ask(spark: "SparkSession", *ops: str, limit: int, scenes: int | None = None) -> list[Any]:
    """Requests that a child does not know are errors that nobody foresaw, an empty one of an ingest is the scene's own."""
    requests = [Asked(op, f"s{n % (scenes or len(ops))}") for n, op in enumerate(ops)]
    return run_stage(spark, requests, limits=Limits(), name="asked", tasks=2, breaker=Breaker(spark, limit=limit))


def test_different_errors_stop_a_step_only_as_its_first_outcomes(spark: "SparkSession") -> None:
    with pytest.raises(BrokenInstallationError, match=r"3 scenes ended by the same unexpected error: KeyError at "):
        ask(spark, "no", "no", "no", limit=3)
    assert len(ask(spark, "no", "no", "no", limit=4)) == 3
    # Many strips of one scene are one scene.
    assert len(ask(spark, "no", "no", "no", limit=3, scenes=2)) == 3
    breaker = Breaker(spark, limit=2)
    answers = [{"refused": {"class": "internal", "message": str(internal_error(kind("y")))}} for kind in (TypeError, ValueError)]
    for scene, answer in enumerate(answers):
        breaker.note({"op": "strip", "scene_id": f"s{scene}"}, answer)
    with pytest.raises(BrokenInstallationError, match=r"all of the first 2 scenes ended, at strip, .*TypeError"):
        breaker.check()
    breaker.note({"op": "strip", "scene_id": "s3"}, {})
    breaker.check()
