"""What is left of executors after a run: the last lines of those whose tasks failed, and the core seconds that are paid for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from swath.runs.prices import Prices, Spent

pytestmark = [pytest.mark.long, pytest.mark.spark, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of a run whose tasks failed, and one of whose executors was killed."""
    folder = tmp_path_factory.mktemp("executors")
    command = [sys.executable, "-m", "tests.deploy.executors_of_a_run", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "told.json").write_text(done.stdout.splitlines()[-1], encoding="utf-8")
    return folder


def test_the_last_lines_of_executors_whose_tasks_failed_are_kept_without_secrets(output: Path) -> None:
    told = json.loads((output / "told.json").read_text(encoding="utf-8"))["told"]
    assert any(line.endswith("the last lines of each are in reports/r/executor-*.log") for line in told), told
    logs = {p.name: p.read_text(encoding="utf-8") for p in (output / "reports" / "r").glob("executor-*.log")}
    # What the task wrote; swath's own settings of log4j leave its traceback to the driver's message.
    words = [text for text in logs.values() if "asking s3://bucket" in text]
    assert words, logs
    for text in logs.values():
        assert len(text.splitlines()) <= 201
        assert "hunter2" not in text
        assert "abcdef" not in text
    assert any("password=..." in text for text in words)
    # The one that was killed had its lines, and Spark's word for its end.
    assert any("; it ended: " in text.splitlines()[0] for text in logs.values()), logs


def test_the_cost_is_within_a_tenth_of_the_executors_own_times(output: Path) -> None:
    told = json.loads((output / "told.json").read_text(encoding="utf-8"))
    since, core_s = dict[str, tuple[float, int]](), 0.0
    for event in _events(output / "events"):
        if event["Event"] == "SparkListenerExecutorAdded":
            since[event["Executor ID"]] = event["Timestamp"] / 1000, event["Executor Info"]["Total Cores"]
        elif event["Event"] == "SparkListenerExecutorRemoved" and event["Timestamp"] / 1000 < told["ended"]:
            added, cores = since.pop(event["Executor ID"])
            core_s += cores * (event["Timestamp"] / 1000 - added)
    core_s += sum(cores * (told["ended"] - added) for added, cores in since.values())
    prices = Prices(currency="EUR", core_hour=0.06)
    paid = prices.cost(Spent(core_s=told["core_s"]))
    assert paid.core_hours > 0
    assert paid.amount == pytest.approx(0.06 * core_s / 3600.0, rel=0.1)


def _events(folder: Path) -> list[dict[str, Any]]:
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(("appstatus", "."))]
    return [json.loads(line) for p in files for line in p.read_text(encoding="utf-8").splitlines()]
