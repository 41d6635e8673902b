"""The drill of an output whose ledger is in Delta: each loss comes back, and a loss that cannot is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.cli import drill as drilled
from swath.cli.main import main as command
from swath.report.summary import RunSummary
from swath.stores.local import local_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]
Drill = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def drill(spark: "SparkSession", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Drill:
    """The command in the session of the tests; its exit code and its JSON."""

    @contextmanager
    def shared(*_: Any, **__: Any) -> Iterator["SparkSession"]:
        yield spark

    monkeypatch.setattr(drilled, "session", shared)

    def run(output: Path, to: Path) -> tuple[int, dict[str, Any]]:
        with pytest.raises(SystemExit, match=r"^\d$") as ended:
            command(["drill", str(output), "--copy", str(to), "--json"])
        said = capsys.readouterr().out.strip()
        return int(ended.value.code or 0), json.loads(said.splitlines()[-1]) if said else {}

    return run


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_each_loss_comes_back_and_the_output_is_only_read(
    drill: Drill, made: Path, delivery: Path, run_job: Callable[..., RunSummary], tmp_path: Path
) -> None:
    run_job("toa", delivery, output=made, run_id="again")
    before = _tree(made)
    code, told = drill(made, tmp_path / "copy")
    assert [(loss["kind"], loss["products"], loss["differences"]) for loss in told["losses"]] == [
        ("ledger", 1, []), ("collections", 1, []), ("yesterday's ledger", 1, [])
    ]  # fmt: skip
    assert (code, all(loss["seconds"] > 0 for loss in told["losses"])) == (0, True)
    assert _tree(made) == before
    # a second drill needs a place of its own, and none in the output
    assert drill(made, tmp_path / "copy")[0] == 2
    assert drill(made, made / "copy")[0] == 2


def test_what_does_not_come_back_is_told(drill: Drill, made: Path, tmp_path: Path) -> None:
    store = local_store(made)
    red = next(p for p in store.list("products") if ".red." in p)
    data = store.read(red) or b""
    store.write(red, data[:-1] + bytes([data[-1] ^ 1]))
    code, told = drill(made, tmp_path / "copy")
    assert code == 4
    assert any("did not come back" in line for line in told["losses"][0]["differences"])
