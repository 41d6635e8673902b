"""An output in order: quarantine is driven again, products are made again, ledger and files and catalogue agree."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from swath.cli.ledger import retry
from swath.errors import ConfigError
from swath.report.summary import RunSummary
from swath.sinks.delta import Tables
from swath.spark.janitor import Retention, clean
from swath.spark.mend import LOST, mend
from swath.spark.provenance import provenance_of, split_item
from swath.spark.reconcile import Comparison, compare
from swath.spark.reproduce import reproduce
from swath.spark.request import Limits
from swath.spark.schemas import PRODUCTS, QUARANTINE
from swath.spark.status import output_status
from swath.stores.local import LocalStore, local_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A run takes seconds on a machine of its own, minutes on one that is busy.
pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]
RunJob = Callable[..., RunSummary]


class Silent:
    def wave(self, number: int, waves: int, products: int) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None: ...


class Output:
    """An output and its tables."""

    def __init__(self, spark: "SparkSession", folder: Path) -> None:
        self.folder = folder
        self.spark = spark
        self.store: LocalStore = local_store(folder)
        self.tables = Tables(spark, self.store)

    def compare(self) -> Comparison:
        return compare(self.tables, self.store)

    def kinds(self) -> set[str]:
        return {f.kind for f in self.compare().findings}

    def item(self) -> Path:
        (path,) = (self.folder / "products").rglob("*.json")
        return path

    def files(self, pattern: str = "*") -> dict[str, bytes]:
        found = (p for p in (self.folder / "products").rglob(pattern) if p.is_file())
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in found}

    def retry(self, *errors: str) -> list[RunSummary]:
        return retry(self.spark, self.store, errors=errors, run_id=f"retry-{datetime.now(UTC):%H%M%S%f}", told=Silent())


@pytest.fixture
def output(spark: "SparkSession", tmp_path: Path) -> Output:
    return Output(spark, tmp_path / "out")


def damaged(path: Path) -> bytes:
    """Take the end of a file away; what it was."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return whole


def test_quarantine_is_driven_again_until_it_is_made(run_job: RunJob, scene: Path, output: Output) -> None:
    band = next(scene.glob("*_B4.TIF"))
    whole = damaged(band)
    first = run_job("toa", scene, output=output.folder)
    (entry,) = first.quarantine
    assert output.retry("no-such-class") == []
    (again,) = output.retry(entry.error)
    assert (again.scenes.quarantined, again.quarantine[0].error) == (1, entry.error)
    rows = output.tables.read("quarantine", QUARANTINE).orderBy("at").collect()
    assert [r["attempts"] for r in rows] == [1, 2]
    stands = output_status(output.tables).quarantine
    assert stands == {("toa", entry.error): 1}
    band.write_bytes(whole)
    (third,) = output.retry()
    assert (third.scenes.made, third.quarantine) == (1, ())
    told = output_status(output.tables)
    assert (told.quarantine, told.products) == ({}, {"toa": 1})
    assert [r.sums["made"] for r in told.runs] == [1, 0, 0]
    assert json.loads(json.dumps(told.plain()))["runs"][0]["run_id"] == third.run_id
    assert output.retry() == []


def test_a_product_is_reproduced_byte_for_byte_or_the_difference_is_told(
    run_job: RunJob, scene: Path, output: Output, tmp_path: Path
) -> None:
    run_job("toa", scene, output=output.folder)
    root, path = split_item(str(output.item()))
    assert Path(root) == output.folder
    found = provenance_of(output.tables, output.store, item=path)
    done = reproduce(output.spark, found, into=local_store(tmp_path / "fresh"), limits=Limits())
    assert done.same
    assert len(done.assets) == len(output.files("*.tif"))
    records = json.loads(found.product["records"])
    records[0]["digest"] = "0" * 64
    told = {**found.product.asDict(), "records": json.dumps(records)}
    other = reproduce(
        output.spark,
        type(found)(product=type(found.product)(**told), scene=found.scene, href=found.href, spec=found.spec),
        into=local_store(tmp_path / "fresher"),
        limits=Limits(),
    )
    assert [a.name for a in other.assets if a.verdict == "differs"] == [records[0]["name"]]
    damaged(next(scene.glob("*_MTL.txt")))
    with pytest.raises(ConfigError, match=r"is not the scene that .* was made of|cannot be read any more"):
        reproduce(output.spark, found, into=local_store(tmp_path / "never"), limits=Limits())


def test_paths_that_are_no_items_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected an item of an output"):
        split_item("/somewhere/products/toa/item.json")


def test_what_does_not_fit_is_found_and_mended(run_job: RunJob, scene: Path, output: Output) -> None:
    run_job("toa", scene, output=output.folder)
    assert output.compare().findings == []
    whole = output.files()
    red = next((output.folder / "products").rglob("*.red.*.tif"))
    damaged(red)
    next((output.folder / "products").rglob("*.blue.*.tif")).unlink()
    foreign = red.parent / "notes.txt"
    foreign.write_text("mine", encoding="utf-8")
    found = output.compare()
    assert sorted(f.kind for f in found.findings) == ["missing-file", "orphan-file", "wrong-size"]
    done = mend(output.spark, output.tables, output.store, found=found, run_id="mend-1")
    assert done.sent_back == (output.item().parent.name,)
    assert output.tables.read("products", PRODUCTS).count() == 0
    (made,) = output.retry(LOST)
    assert (made.scenes.made, made.assets.made, made.assets.skipped) == (1, 2, made.assets.taken_in - 2)
    assert output.files("*.tif") == {n: b for n, b in whole.items() if n.endswith(".tif")}
    assert output.kinds() == {"orphan-file"}
    assert foreign.read_text(encoding="utf-8") == "mine"


def test_an_item_that_the_ledger_lost_is_recorded_again(run_job: RunJob, scene: Path, output: Output) -> None:
    from pyspark.sql import functions as F  # noqa: PLC0415

    first = run_job("toa", scene, output=output.folder)
    before = output.tables.read("products", PRODUCTS).collect()[0]
    output.tables.delete("products", F.lit(True))
    (output.folder / "catalog.json").unlink()
    day = next((output.folder / "collections").rglob("20*/*/*/catalog.json"))
    day.unlink()
    assert output.kinds() == {"unrecorded-item"}
    done = mend(output.spark, output.tables, output.store, found=output.compare(), run_id="mend-2")
    assert done.adopted == (before["product_id"],)
    after = output.tables.read("products", PRODUCTS).collect()[0]
    same = ("product_key", "scene_digest", "pipeline", "item", "assets", "records", "pictures", "models", "acquired", "bbox")
    assert {n: after[n] for n in same} == {n: before[n] for n in same}
    assert output.compare().findings == []
    assert day.is_file()
    again = run_job("toa", scene, output=output.folder)
    assert (again.scenes.skipped, again.assets.taken_in) == (1, first.assets.taken_in)


def test_the_janitor_removes_what_nobody_names_and_nothing_else(run_job: RunJob, scene: Path, output: Output) -> None:
    run_job("toa", scene, output=output.folder)
    before = output.files()
    product = output.item().parent
    orphan = product / f"{product.name}.red.0123456789ab.tif"
    unfinished = product / f".{orphan.name}.{'0' * 32}"
    foreign = [product / "notes.txt", product / "red.tif", output.folder / "products" / "readme.md", output.folder / "mine.tif"]
    scratch = output.folder / ".scratch" / "a-killed-run" / "0" / "part"
    scratch.parent.mkdir(parents=True)
    beside = [output.folder / folder / f".catalog.json.{'0' * 32}" for folder in (".", "collections")]
    made = (orphan, unfinished, *foreign, scratch, *beside)
    for path in made:
        path.write_bytes(b"x")
    nothing = clean(output.tables, output.store, retention=Retention(), dry=True)
    assert (nothing.scratch, nothing.unnamed) == ([], [])
    old = (datetime.now(UTC) - timedelta(days=30)).timestamp()
    for path in made:
        os.utime(path, (old, old))
    done = clean(output.tables, output.store, retention=Retention())
    assert done.unnamed == sorted(p.relative_to(output.folder).as_posix() for p in (unfinished, orphan))
    assert set(done.scratch) == {p.relative_to(output.folder).as_posix() for p in (scratch, *beside)}
    assert set(done.tables) == {"scenes", "products", "tiles", "quarantine", "runs"}
    assert all(p.is_file() for p in foreign)
    assert not any(p.exists() for p in (orphan, unfinished, scratch, *beside))
    kept = {n: b for n, b in output.files().items() if n in before}
    assert kept == before
    assert run_job("toa", scene, output=output.folder).scenes.skipped == 1


def test_small_files_of_tables_are_joined_and_no_row_is_lost(run_job: RunJob, scene: Path, output: Output) -> None:
    for _ in range(3):
        run_job("toa", scene, output=output.folder)
    before = {r["run_id"] for r in output.tables.read("runs", PRODUCTS).collect()}
    clean(output.tables, output.store, retention=Retention())
    table = output.tables.read("runs", PRODUCTS)
    assert {r["run_id"] for r in table.collect()} == before
    assert len(table.inputFiles()) == 1


def test_a_run_whose_first_commits_are_gone_still_finds_its_tables(output: Output, run_job: RunJob, scene: Path) -> None:
    run_job("toa", scene, output=output.folder)
    assert output.tables.exists("products")
    log = output.folder / "tables" / "products" / "_delta_log"
    (log / f"{0:020d}.json").rename(log / f"{7:020d}.json")
    assert output.tables.exists("products")
    assert not Tables(output.spark, local_store(output.folder / "elsewhere")).exists("products")
