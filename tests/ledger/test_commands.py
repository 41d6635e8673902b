"""The commands around the ledger: what they print, and their exit codes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.cli import ledger, maintain, upkeep
from swath.cli.main import main
from swath.report.summary import RunSummary

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]
Command = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def command(spark: "SparkSession", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Call a command in the shared session: its exit code and its JSON."""

    @contextmanager
    def shared(*_: Any, **__: Any) -> "Iterator[SparkSession]":
        yield spark

    for module in (ledger, maintain, upkeep):
        monkeypatch.setattr(module, "session", shared)

    def call(*words: str) -> tuple[int, dict[str, Any]]:
        with pytest.raises(SystemExit, match=r"^[0-5]$") as ended:
            main([*words, "--json"])
        out = capsys.readouterr().out.strip()
        return int(ended.value.code or 0), json.loads(out.splitlines()[-1]) if out else {}

    return call


def test_an_output_from_its_first_run_to_its_last_mending(
    made_once: tuple[Path, RunSummary], made: Path, command: Command
) -> None:
    output, run = made, made_once[1]
    code, told = command("status", str(output))
    assert (code, [r["run_id"] for r in told["runs"]], told["products"]) == (0, [run.run_id], {"toa": 1})
    assert command("reconcile", str(output)) == (0, {"products": 1, "files": 14, "findings": [], "left": 0})
    (item,) = (output / "products").rglob("*.json")
    code, told = command("reproduce", str(item))
    assert (code, told["same"], len(told["assets"])) == (0, True, 12)
    next(item.parent.glob("*.red.*.tif")).unlink()
    code, told = command("reconcile", str(output))
    assert (code, [f["kind"] for f in told["findings"]]) == (4, ["missing-file"])
    code, told = command("reconcile", str(output), "--fix")
    assert (code, told["left"]) == (0, 0)
    code, told = command("status", str(output))
    assert told["quarantine"] == [{"pipeline": "toa", "error": "lost", "scenes": 1}]
    code, told = command("retry", str(output), "--error", "lost")
    assert (code, [r["made"] for r in told["runs"]], told["runs"][0]["assets"]["made"]) == (0, [1], 1)
    assert command("reconcile", str(output))[1]["findings"] == []
    assert command("retry", str(output)) == (0, {"runs": []})
    code, told = command("maintain", str(output), "--dry-run")
    assert (code, told["scratch"], told["unnamed"], told["tables"]) == (0, [], [], [])


def test_what_is_no_output_is_refused(tmp_path: Path, command: Command) -> None:
    for word in ("status", "retry", "reconcile", "maintain"):
        assert command(word, str(tmp_path)) == (2, {})
    assert command("reproduce", str(tmp_path / "item.json")) == (2, {})
