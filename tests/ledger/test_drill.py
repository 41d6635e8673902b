"""The drill of an output whose ledger is in Delta: each loss comes back, and a loss that cannot is told."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.cli import drill as drilled
from swath.cli.main import main as command
from swath.ledger.delta import DeltaTables
from swath.report.summary import RunSummary
from swath.retention import KeepRule
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.stores.local import local_store
from swath.upkeep.holds import hold
from swath.upkeep.rebuild import rebuild
from swath.upkeep.reconcile import compare
from swath.upkeep.removal import remove_expired

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


def test_what_retention_removed_stays_removed_when_the_ledger_is_lost(
    drill: Drill, spark: "SparkSession", made: Path, delivery: Path, run_job: Callable[..., RunSummary], tmp_path: Path
) -> None:
    one = simulate(kind="landsat9", folder=tmp_path / "one", size=64, truth=False)
    second = copied(one, folder=tmp_path / "two", rename={"193022_2024": "191999_2024"}).delivery
    (kept,) = run_job("toa", second, output=made, run_id="second").products
    store, later = local_store(made), datetime.now(UTC) + timedelta(days=40)
    hold(store, kept.product_id, reason="case 12", by="t")
    rules = {"toa-landsat-oli": KeepRule(days=30)}
    gone = remove_expired(DeltaTables(spark, store), store, rules=rules, run_id="m", now=later)
    assert (len(gone.products), len(gone.kept)) == (1, 1)
    code, told = drill(made, tmp_path / "copy")
    assert (code, [(loss["products"], loss["differences"]) for loss in told["losses"]]) == (0, [(1, [])] * 3)
    shutil.rmtree(made / "tables")
    tables = DeltaTables(spark, store)
    done = rebuild(spark, tables, store, run_id="rebuild-1", site="laptop")
    assert (done.removed, done.mended.adopted) == (1, (kept.product_id,))
    assert compare(tables, store).findings == []
    again = run_job("toa", delivery, output=made, run_id="again")
    assert (again.scenes.made, again.scenes.skipped) == (0, 1)
    # the files are what knows it
    shutil.rmtree(made / "removed")
    code, told = drill(made, tmp_path / "other")
    assert code == 4
    (first, *_) = told["losses"]
    assert first["differences"] == [f"product {gone.products[0]} is not known as removed any more"]
