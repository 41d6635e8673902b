"""An update in the middle of an output's life: what the earlier version left is continued, replayed and reconciled by this one.

And the earlier version goes on with what this one left.

Nothing is released yet: the earlier version is a wheel of a commit of this repository, built here.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.spark.start.jars import cache_folder

ROOT = Path(__file__).resolve().parents[2]
#: The last commit whose `runs` has no `submitted_by`, and whose ledger knows no `tombstones`.
EARLIER = "76ce68ef817a929663aa7e6e4771393f7ea7b6c4"
pytestmark = [pytest.mark.tools, pytest.mark.spark, pytest.mark.timeout(1500)]
Swath = Callable[..., tuple[int, Any, str]]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier version's wheel, unpacked; a skip where its commit is not in the history."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git history here: the earlier version is a commit of it")
    folder = tmp_path_factory.mktemp("earlier")
    tree = subprocess.run(["git", "-C", str(ROOT), "archive", EARLIER], capture_output=True, check=False)  # noqa: S607
    if tree.returncode:
        pytest.skip(f"commit {EARLIER} is not in this clone's history (a shallow one?): git fetch --unshallow")
    (folder / "source").mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder / "source")], input=tree.stdout, check=True)  # noqa: S607
    uv = Path(sys.executable).with_name("uv")
    words = [str(uv), "build", "-q", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable]
    done = subprocess.run([*words, "-o", str(folder)], cwd=folder / "source", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "lib")
    return folder / "lib"


@pytest.fixture
def swath(java: None, earlier: Path, tmp_path: Path) -> Swath:
    """A command of one of the versions in a process of its own: its exit code, its JSON, and what it said."""
    libraries = {"earlier": earlier, "now": ROOT / "lib"}

    def run(version: str, *words: str) -> tuple[int, Any, str]:
        variables = {
            **os.environ, "PYTHONPATH": str(libraries[version]), "SWATH_CACHE": str(cache_folder()),
            "SWATH_CONF": str(ROOT / "conf"),
        }  # fmt: skip
        command = [sys.executable, "-m", "swath.cli", *words]
        done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        return done.returncode, json.loads(lines[-1]) if lines else None, done.stderr[-3000:]

    return run


def _ledger(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "postgresql":
        monkeypatch.setenv("SWATH_LEDGER", "postgresql")
        monkeypatch.setenv("SWATH_POSTGRESQL_DSN", request.getfixturevalue("empty_database"))


@pytest.mark.parametrize("kind", ["delta", "postgresql"])
def test_each_version_continues_what_the_other_left(
    kind: str, swath: Swath, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _ledger(kind, request, monkeypatch)
    out, one = str(tmp_path / "out"), simulate(kind="landsat9", folder=tmp_path, size=96, truth=False)
    others = [copied(one, folder=tmp_path / "others", rename={"193022_2024": f"19{n}999_2024"}).delivery for n in (1, 2)]
    deliveries = [one.delivery, *others]
    broken = next(deliveries[1].glob("*_MTL.txt"))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:100])

    def made(version: str, *inputs: Path, run_id: str) -> tuple[int, int, int]:
        words = [word for path in inputs for word in ("--input", str(path))]
        code, told, said = swath(version, "run", "toa", *words, "--output", out, "--run-id", run_id, "--quarantine-ok", "--json")
        assert code == 0, said
        return told["made"], told["skipped"], told["quarantined"]

    assert made("earlier", *deliveries[:2], run_id="one") == (1, 0, 1)
    code, told, said = swath("now", "status", out, "--json")
    assert code == 0, said
    assert [(r["run_id"], r["submitted_by"], r["attempt"]) for r in told["runs"]] == [("one", None, None)]
    # continued under its own name, replayed, reconciled
    assert made("now", *deliveries[:2], run_id="one") == (1, 0, 1)
    broken.write_bytes(whole)
    code, told, said = swath("now", "retry", out, "--run-id", "two", "--json")
    assert (code, [r["made"] for r in told["runs"]]) == (0, [1]), said
    assert swath("now", "reconcile", out, "--json")[1]["findings"] == []
    (item, *_) = sorted((tmp_path / "out" / "products").rglob("*.json"))
    assert swath("now", "reproduce", str(item), "--json")[0] == 0
    # and the other way round
    code, told, said = swath("earlier", "status", out, "--json")
    assert code == 0, said
    assert {r["run_id"] for r in told["runs"]} == {"one", "two"}
    # The engine's number was raised since: the earlier version makes its own bytes of the product that the retry made.
    assert made("earlier", *deliveries, run_id="three") == (2, 1, 0)
    # Files of the version that no item names any more wait for `maintain`; nothing else is wrong.
    found = [swath(version, "reconcile", out, "--json")[1]["findings"] for version in ("earlier", "now")]
    assert [{f["kind"] for f in findings} for findings in found] == [{"orphan-file"}, {"orphan-file"}]
    code, told, said = swath("now", "status", out, "--json")
    runs = {r["run_id"]: r for r in told["runs"]}
    assert (runs["three"]["attempt"], runs["two"]["attempt"], runs["one"]["attempt"]) == (None, 1, 2), said
    assert told["products"] == {"toa": 3}
