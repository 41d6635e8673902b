"""The drill: a ledger is lost, made again from what it described, and nothing is made twice afterwards."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.errors import ConfigError
from swath.ledger.delta import DeltaTables
from swath.ledger.provenance import provenance_of, split_item
from swath.ledger.schemas import PRODUCTS, RUNS
from swath.report.summary import RunSummary
from swath.runs.reproduce import reproduce
from swath.runs.request import Limits
from swath.stores.local import local_store
from swath.upkeep.rebuild import rebuild, refuse_what_is_there
from swath.upkeep.reconcile import compare

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]
#: What a rebuilt row cannot know, or says anew: when it was written, of which wave, and what was learnt on the way.
_NEW = {"made", "wave", "facts"}


def _product(spark: "SparkSession", output: Path) -> dict[str, Any]:
    (row,) = DeltaTables(spark, local_store(output)).read("products", PRODUCTS).collect()
    return {name: value for name, value in row.asDict(recursive=True).items() if name not in _NEW}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_lost_ledger_is_made_again_and_nothing_is_made_twice(
    spark: "SparkSession",
    made: Path,
    made_once: tuple[Path, RunSummary],
    delivery: Path,
    run_job: Callable[..., RunSummary],
    tmp_path: Path,
) -> None:
    run = made_once[1]
    before, products, catalogue = _product(spark, made), _files(made / "products"), _files(made / "collections")
    shutil.rmtree(made / "tables")
    shutil.rmtree(made / "collections")
    (made / "reports" / "cut-short.json").write_text('{"run_id": "cut-sh', encoding="utf-8")
    store = local_store(made)
    refuse_what_is_there(store, ledger=False)
    tables = DeltaTables(spark, store)
    done = rebuild(spark, tables, store, run_id="rebuild-1", site="laptop")
    assert (done.runs, len(done.mended.adopted), done.mended.left) == ((run.run_id,), 1, ())
    assert [line.split(":")[0] for line in done.unread] == ["reports/cut-short.json"]
    after = _product(spark, made)
    for records in (before, after):
        records["records"] = json.loads(records["records"])
    assert after == before
    assert _files(made / "collections") == catalogue
    assert compare(tables, store).findings == []
    rows = {r["run_id"]: r for r in tables.read("runs", RUNS).collect()}
    assert set(rows) == {run.run_id, "rebuild-1"}
    told = rows[run.run_id]
    assert (told["scenes_in"], told["made"], told["balanced"], told["pipeline"]) == (1, 1, True, "toa")
    # scenes come back with the next run, which makes nothing
    again = run_job("toa", delivery, output=made)
    assert (again.scenes.made, again.scenes.skipped) == (0, 1)
    assert _files(made / "products") == products
    (item,) = (made / "products").rglob("*.json")
    _, path = split_item(str(item))
    found = provenance_of(tables, store, item=path)
    assert found.product["run_id"] == run.run_id
    assert reproduce(spark, found, into=local_store(tmp_path / "anew"), limits=Limits()).same


def test_a_product_whose_file_is_not_what_its_item_says_has_no_row(spark: "SparkSession", made: Path) -> None:
    shutil.rmtree(made / "tables")
    file = next((made / "products").rglob("*.red.*.tif"))
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    store = local_store(made)
    done = rebuild(spark, DeltaTables(spark, store), store, run_id="rebuild-1", site="laptop")
    assert done.mended.adopted == ()
    assert [f.kind for f in done.mended.left] == ["unrecorded-item"]


def test_where_there_is_a_ledger_or_no_product_nothing_is_rebuilt(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has a ledger: swath reconcile --fix repairs it"):
        refuse_what_is_there(local_store(made), ledger=True)
    with pytest.raises(ConfigError, match="has no product below products/"):
        refuse_what_is_there(local_store(tmp_path / "empty"), ledger=False)
