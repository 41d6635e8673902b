"""An output in order: quarantine is driven again, products are made again, ledger and files and catalogue agree."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from swath.cli.ledger import retry
from swath.errors import ConfigError
from swath.ledger import delta
from swath.ledger.delta import DeltaTables
from swath.ledger.provenance import provenance_of, split_item
from swath.ledger.schemas import PRODUCTS, QUARANTINE, RUNS
from swath.report.summary import RunSummary
from swath.runs.reproduce import reproduce
from swath.runs.request import Limits
from swath.runs.status import output_status
from swath.stores.local import LocalStore, local_store
from swath.upkeep.janitor import Retention, clean
from swath.upkeep.mend import LOST, mend
from swath.upkeep.reconcile import OutputComparison, compare

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
        self.tables = DeltaTables(spark, self.store)

    def compare(self) -> OutputComparison:
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
    """Nothing yet."""
    return Output(spark, tmp_path / "out")


@pytest.fixture
def full(spark: "SparkSession", made: Path) -> Output:
    """The product of ``delivery``."""
    return Output(spark, made)


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


def test_a_product_is_reproduced_byte_for_byte_and_a_difference_is_told(full: Output, delivery: Path, tmp_path: Path) -> None:
    root, path = split_item(str(full.item()))
    assert Path(root) == full.folder
    found = provenance_of(full.tables, full.store, item=path)
    records = json.loads(found.product["records"])
    records[0]["digest"] = "0" * 64
    told = {**found.product.asDict(), "records": json.dumps(records)}
    changed = type(found)(product=type(found.product)(**told), scene=found.scene, href=found.href, spec=found.spec)
    done = reproduce(full.spark, changed, into=local_store(tmp_path / "fresh"), limits=Limits())
    assert {a.name: a.verdict for a in done.assets} == {r["name"]: "differs" if r is records[0] else "same" for r in records}
    assert (done.same, len(done.assets)) == (False, len(full.files("*.tif")))
    again = {p.name: p.read_bytes() for p in (tmp_path / "fresh").rglob("*.tif")}
    assert again == {Path(n).name: data for n, data in full.files("*.tif").items()}
    metadata = next(delivery.glob("*_MTL.txt"))
    whole = damaged(metadata)
    try:
        with pytest.raises(ConfigError, match=r"is not the scene that .* was made of|cannot be read any more"):
            reproduce(full.spark, found, into=local_store(tmp_path / "never"), limits=Limits())
    finally:
        metadata.write_bytes(whole)


def test_paths_that_are_no_items_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected an item of an output"):
        split_item("/somewhere/products/toa/item.json")


def test_what_does_not_fit_is_found_and_mended(full: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    assert full.compare().findings == []
    whole = full.files()
    red = next((full.folder / "products").rglob("*.red.*.tif"))
    damaged(red)
    next((full.folder / "products").rglob("*.blue.*.tif")).unlink()
    foreign = red.parent / "notes.txt"
    foreign.write_text("mine", encoding="utf-8")
    found = full.compare()
    assert sorted(f.kind for f in found.findings) == ["missing-file", "orphan-file", "wrong-size"]
    with monkeypatch.context() as patched:
        patched.setattr(delta, "SMALL_BYTES", 0)  # by Spark
        by_spark = full.compare()
    assert (by_spark.findings, by_spark.products, by_spark.files) == (found.findings, found.products, found.files)
    assert not isinstance(next(iter(found.broken.values())), type(next(iter(by_spark.broken.values()))))
    done = mend(full.spark, full.tables, full.store, found=found, run_id="mend-1")
    assert done.sent_back == (full.item().parent.name,)
    assert full.tables.read("products", PRODUCTS).count() == 0
    (made,) = full.retry(LOST)
    assert (made.scenes.made, made.assets.made, made.assets.skipped) == (1, 2, made.assets.taken_in - 2)
    assert full.files("*.tif") == {n: b for n, b in whole.items() if n.endswith(".tif")}
    assert full.kinds() == {"orphan-file"}
    assert foreign.read_text(encoding="utf-8") == "mine"


def test_an_item_that_the_ledger_lost_is_recorded_again(
    run_job: RunJob, delivery: Path, made_once: tuple[Path, RunSummary], full: Output
) -> None:
    from pyspark.sql import functions as F  # noqa: PLC0415

    first = made_once[1]
    before = full.tables.read("products", PRODUCTS).collect()[0]
    full.tables.delete("products", F.lit(True))
    (full.folder / "catalog.json").unlink()
    day = next((full.folder / "collections").rglob("20*/*/*/catalog.json"))
    day.unlink()
    assert full.kinds() == {"unrecorded-item"}
    done = mend(full.spark, full.tables, full.store, found=full.compare(), run_id="mend-2")
    assert done.adopted == (before["product_id"],)
    after = full.tables.read("products", PRODUCTS).collect()[0]
    same = ("product_key", "scene_digest", "pipeline", "item", "assets", "records", "pictures", "models", "acquired", "bbox")
    assert {n: after[n] for n in same} == {n: before[n] for n in same}
    assert full.compare().findings == []
    assert day.is_file()
    again = run_job("toa", delivery, output=full.folder)
    assert (again.scenes.skipped, again.assets.taken_in) == (1, first.assets.taken_in)


def test_the_janitor_removes_what_nobody_names_joins_small_files_and_nothing_else(
    run_job: RunJob, delivery: Path, full: Output
) -> None:
    run_job("toa", delivery, output=full.folder)
    runs = {r["run_id"] for r in full.tables.read("runs", RUNS).collect()}
    before = full.files()
    product = full.item().parent
    orphan = product / f"{product.name}.red.0123456789ab.tif"
    unfinished = product / f".{orphan.name}.{'0' * 32}"
    foreign = [product / "notes.txt", product / "red.tif", full.folder / "products" / "readme.md", full.folder / "mine.tif"]
    scratch = full.folder / ".scratch" / "a-killed-run" / "0" / "part"
    scratch.parent.mkdir(parents=True)
    beside = [full.folder / folder / f".catalog.json.{'0' * 32}" for folder in (".", "collections")]
    made = (orphan, unfinished, *foreign, scratch, *beside)
    for path in made:
        path.write_bytes(b"x")
    nothing = clean(full.tables, full.store, retention=Retention(), dry=True)
    assert (nothing.scratch, nothing.unnamed) == ([], [])
    # Long ago, and by a clock that was wrong.
    moments = [(datetime.now(UTC) + timedelta(days=days)).timestamp() for days in (-30, 3000)]
    for number, path in enumerate(made):
        os.utime(path, (moments[number % 2],) * 2)
    done = clean(full.tables, full.store, retention=Retention())
    assert done.unnamed == sorted(p.relative_to(full.folder).as_posix() for p in (unfinished, orphan))
    assert set(done.scratch) == {p.relative_to(full.folder).as_posix() for p in (scratch, *beside)}
    assert set(done.tables) == {"scenes", "products", "tiles", "quarantine", "runs"}
    assert all(p.is_file() for p in foreign)
    assert not any(p.exists() for p in (orphan, unfinished, scratch, *beside))
    kept = {n: b for n, b in full.files().items() if n in before}
    assert kept == before
    table = full.tables.read("runs", RUNS)
    assert len(runs) == 2
    assert {r["run_id"] for r in table.collect()} == runs
    assert len(table.inputFiles()) == 1
    assert run_job("toa", delivery, output=full.folder).scenes.skipped == 1


def test_the_plan_of_a_run_that_ended_long_ago_goes_and_nothing_else(
    run_job: RunJob, delivery: Path, full: Output, made_once: tuple[Path, RunSummary]
) -> None:
    first = made_once[1].run_id
    run_job("toa", delivery, output=full.folder, run_id="second")
    kept = full.folder / "runs"
    # Answers of searches are where scenes were found.
    answer = kept / "second" / "search" / "search-1" / "a.json"
    answer.parent.mkdir(parents=True)
    answer.write_bytes(b"{}")
    (kept / "second" / "retry.txt").write_text("a scene\n", encoding="utf-8")
    (kept / "not-a-run").write_bytes(b"")
    shutil.copytree(kept / first, kept / "killed")
    reports = {p.name for p in (full.folder / "reports").iterdir()}
    assert {f"{first}.json", f"{first}.html", "second.json"} <= reports
    tomorrow, later = (datetime.now(UTC) + timedelta(days=days) for days in (1, 8))
    retention = Retention(unnamed_h=168)
    assert clean(full.tables, full.store, retention=retention, now=tomorrow, dry=True).plans == []
    told = clean(full.tables, full.store, retention=retention, now=later, dry=True)
    assert (told.plans, told.bytes > 0) == (sorted([first, "second"]), True)
    assert (kept / first / "plan" / "_SUCCESS").is_file()
    assert clean(full.tables, full.store, retention=retention, now=later).plans == told.plans
    assert sorted(p.name for p in kept.iterdir()) == ["killed", "not-a-run", "second"]
    assert [p for p in (kept / "second").rglob("*") if p.is_file()] == [answer]
    assert {p.name for p in (kept / "killed").iterdir()} == {"ingested", "not_scenes.json", "plan"}
    assert {p.name for p in (full.folder / "reports").iterdir()} == reports
    assert clean(full.tables, full.store, retention=retention, now=later, dry=True).plans == []
    with pytest.raises(ConfigError, match="run second ended, and swath maintain removed its plan: take another name or output"):
        run_job("toa", delivery, output=full.folder, run_id="second")
    assert run_job("toa", delivery, output=full.folder).scenes.skipped == 1


def test_a_run_whose_first_commits_are_gone_still_finds_its_tables(full: Output) -> None:
    assert full.tables.exists("products")
    log = full.folder / "tables" / "products" / "_delta_log"
    (log / f"{0:020d}.json").rename(log / f"{7:020d}.json")
    assert full.tables.exists("products")
    assert not DeltaTables(full.spark, local_store(full.folder / "elsewhere")).exists("products")
