"""How a plan is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from swath.cli import plan
from swath.cli.main import main
from swath.cli.run_request import RunOptions, request_of
from swath.errors import ConfigError
from swath.simulator.simulate import simulate
from swath.spark.start.processors import processors
from swath.spark.start.settings import cores_of


def test_a_refused_scene_is_named_once_and_the_terminal_obeys_no_stranger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = [{"scene_id": "night", "message": "night: the sun\x1b[2J is not above the horizon"}]
    found = {
        "status": {"refused": 1},
        "tasks": 0,
        "assets": 0,
        "bytes_at_most": 0,
        "peak_mb_per_worker": 0,
        "waves": 1,
        "wave_products": 32,
    }
    monkeypatch.setattr(plan, "_planned", lambda *_, **__: found | {"wall_s": 1, "cpu_s": 1, "refused": refused})
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["plan", "toa", "--input", "in", "--output", "out"])
    assert capsys.readouterr().out.splitlines()[-1] == "would be quarantined: night: the sun [2J is not above the horizon"


def test_few_scenes_are_planned_where_there_is_no_java(tmp_path: Path) -> None:
    scene = simulate(kind="stac", folder=tmp_path / "scene", size=64, truth=False).delivery
    command = [sys.executable, "-m", "swath.cli", "plan", "toa", "--input", str(scene), "--output", str(tmp_path / "out")]
    environment = {**os.environ, "JAVA_HOME": "/nowhere", "SWATH_JAVA": "/nowhere", "PATH": "/nowhere", "HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "--json", "--master", "local[2]"], check=True, capture_output=True, env=environment, text=True
    )
    found = json.loads(done.stdout)
    assert (found["status"], found["tasks"], found["assets"]) == ({"make": 1}, 1, 5)
    assert "1 inputs read" in done.stderr
    assert "Spark" not in done.stderr
    assert not (tmp_path / "out" / "tables").exists()


@pytest.mark.parametrize(
    ("master", "cores"),
    [("local", 1), ("local[3]", 3), ("local[*,4]", 8), ("local[2, 4]", 2), ("local-cluster[2,1,512]", None), ("yarn", None)],
)
def test_cores_of_a_master(master: str, cores: int | None) -> None:
    assert cores_of(master, machine=8) == cores


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", None), ("150000 100000", 2), ("20000 100000", 1), (None, None)])
def test_cores_within_a_quota(tmp_path: Path, quota: str | None, cores: int | None) -> None:
    if quota is not None:
        (tmp_path / "cpu.max").write_text(f"{quota}\n", encoding="ascii")
    own = len(os.sched_getaffinity(0))
    assert processors(tmp_path / "cpu.max") == min(cores or own, own)


def test_a_question_makes_no_output_and_refuses_one_that_is_a_file(tmp_path: Path) -> None:
    item: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "a",
        "geometry": None,
        "properties": {},
        "links": [],
        "assets": {},
    }
    (tmp_path / "a.json").write_text(json.dumps(item))
    asked = RunOptions(pipeline="toa", inputs=(str(tmp_path / "a.json"),), output=str(tmp_path / "out"))
    assert request_of(asked, create=False).output == str(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match=r"the output .*out cannot be written"):
        request_of(asked, create=False)
