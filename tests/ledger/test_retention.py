"""Products past their retention go so that nobody meets half of one, wherever it is interrupted."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.cli import maintain
from swath.cli.main import main as command
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import PRODUCTS, QUARANTINE, TOMBSTONES
from swath.report.summary import RunSummary
from swath.retention import KeepRule, KeepRules
from swath.runs.status import output_status
from swath.stores.local import LocalStore, local_store
from swath.upkeep import removal
from swath.upkeep.leavings import remove_leavings
from swath.upkeep.reconcile import compare
from swath.upkeep.removal import Removed, remove_expired

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]
LATER = datetime.now(UTC) + timedelta(days=40)
RULES = {"toa-landsat-oli": KeepRule(days=30)}


class Killed(BaseException):
    """It plays a signal."""


@dataclass(frozen=True)
class Mortal(LocalStore):
    """A folder whose user is killed right before a change of it.

    Args:
        most: Changes that happen.
        log: What happened.
    """

    most: int
    log: list[str] = field(default_factory=list)

    def _count(self, what: str) -> None:
        if len(self.log) == self.most:
            raise Killed(what)
        self.log.append(what)

    def write(self, path: str, data: bytes) -> None:
        self._count(f"write {path}")
        super().write(path, data)

    def delete(self, path: str) -> None:
        self._count(f"delete {path}")
        super().delete(path)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        self._count(f"commit {path}")
        return super().put_if_absent(path, data)


def removed(spark: "SparkSession", store: LocalStore, run_id: str) -> Removed:
    return remove_expired(DeltaTables(spark, store), store, rules=RULES, run_id=run_id, now=LATER)


def see_no_half(folder: Path) -> None:
    """A link of the catalogue has its item, and an item all its files."""
    for day in (folder / "collections").glob("*/*/*/*/catalog.json"):
        for link in json.loads(day.read_bytes())["links"]:
            assert link["rel"] != "item" or (day.parent / link["href"]).is_file(), "listed, and gone"
    for item in (folder / "products").rglob("*.json"):
        for asset in json.loads(item.read_bytes())["assets"].values():
            assert (item.parent / asset["href"]).is_file(), "half a product"


def test_it_is_interrupted_anywhere_and_goes_on(
    spark: "SparkSession", made: Path, delivery: Path, run_job: Callable[..., RunSummary]
) -> None:
    """One after the other: each execution gets a few changes further than the one before, until one comes to its end."""
    (before,) = DeltaTables(spark, local_store(made)).read("products", PRODUCTS).collect()
    notes = next((made / "products").rglob("*.json")).parent / "notes.txt"
    notes.write_text("mine", encoding="utf-8")
    number, log = 0, list[str]()
    while True:
        store = Mortal(made, most=2 + number)
        try:
            done = removed(spark, store, f"m{number}")
        except Killed:
            log += store.log
            see_no_half(made)
            findings = compare(DeltaTables(spark, local_store(made)), local_store(made)).findings
            kinds = {f.kind for f in findings if not f.path.endswith("notes.txt")}
            assert kinds <= {"half-removed", "only-in-catalogue", "not-in-catalogue"}
            number += 1
            continue
        log += store.log
        break
    assert number > 3
    assert done.continued == 1
    see_no_half(made)
    deletions = [line.removeprefix("delete ") for line in log if line.startswith("delete products/")]
    assert deletions[0].endswith(".json")
    assets = [f"{deletions[0].rpartition('/')[0]}/{a['href']}" for a in before["assets"]]
    first = {path: number for number, path in reversed(list(enumerate(deletions)))}
    assert sorted(assets, key=lambda path: -first[path]) == assets
    assert [p for p in (made / "products").rglob("*") if p.is_file()] == [notes]
    tables = DeltaTables(spark, local_store(made))
    assert tables.read("products", PRODUCTS).count() == 0
    (stone,) = tables.read("tombstones", TOMBSTONES).collect()
    assert (stone["product_id"], stone["product_key"], stone["made"]) == (
        before["product_id"], before["product_key"], before["made"]
    )  # fmt: skip
    assert (stone["rule"], stone["files"] > 6, stone["bytes"]) == ("30 days", True, sum(a["bytes"] for a in before["assets"]))
    assert [f.path.rpartition("/")[2] for f in compare(tables, local_store(made)).findings] == ["notes.txt"]
    # and it is not made again the next night
    again = run_job("toa", delivery, output=made)
    assert (again.scenes.made, again.scenes.skipped) == (0, 1)
    assert removed(spark, local_store(made), "last").versions == 0


def test_old_rows_of_the_quarantine_go(spark: "SparkSession", tmp_path: Path) -> None:
    store = local_store(tmp_path)
    tables = DeltaTables(spark, store)
    rows: list[tuple[Any, ...]] = [
        ("r", wave, f"s{wave}", f"/in/{wave}", "toa", "ingest", "metadata", "no MTL", 1, f"/in/{wave}", at)
        for wave, at in enumerate((datetime.now(UTC), datetime.now(UTC) - timedelta(days=100)))
    ]
    tables.append("quarantine", rows, schema=QUARANTINE, run_id="r", wave=0)
    rules = KeepRules.parse({"quarantine": "90 days"})
    assert remove_leavings(tables, store, rules=rules, forwarded=False, dry=True).quarantine == 1
    assert remove_leavings(tables, store, rules=rules, forwarded=False).quarantine == 1
    assert [r["scene_id"] for r in tables.read("quarantine", QUARANTINE).collect()] == ["s0"]
    assert output_status(DeltaTables(None, store)).quarantine == {("toa", "metadata"): 1}


def test_the_commands_take_rules_from_site_and_pipeline_and_holds_from_people(
    spark: "SparkSession", made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def shared(*_: Any, **__: Any) -> Iterator["SparkSession"]:
        yield spark

    monkeypatch.setattr(maintain, "session", shared)
    monkeypatch.setattr(removal, "datetime", _Later)

    def swath(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit, match=r"^\d$") as ended:
            command(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    site, pipeline = tmp_path / "bench.yaml", tmp_path / "toa.yaml"
    text = "site: bench\nengine: spark-submit\nlink: always\nstores: {}\nretention: {toa-landsat-oli: %s}\n"
    site.write_text(text % "30 days", encoding="utf-8")
    pipeline.write_text(
        "name: toa\nsteps: [toa]\nassets: {required: [toa]}\nretention: {toa-landsat-oli: never}\n", encoding="utf-8"
    )
    out = str(made)
    assert swath("maintain", out, "--keep", "toa-landsat-oli=soon")[0] == 2
    assert "past their retention" not in swath("maintain", out, "--pipeline", str(pipeline), "--dry-run")[2]
    code, said, told = swath("maintain", out, "--site", str(site), "--pipeline", str(pipeline), "--dry-run", "--json")
    assert code == 0, told
    plain = json.loads(said.splitlines()[-1])["expired"]
    assert (len(plain["products"]), plain["versions"]) == (1, 1)
    assert "would remove 1 products past their retention" in told
    assert swath("hold", out, "toa-landsat-oli")[0] == 2
    assert swath("hold", out, "toa-landsat-oli", "--reason", "case 12")[0] == 0
    assert "toa-landsat-oli" in swath("hold", out)[1]
    code, said, told = swath("maintain", out, "--site", str(site), "--json")
    assert json.loads(said.splitlines()[-1])["expired"]["products"] == []
    assert f"kept {plain['products'][0]}: hold on toa-landsat-oli" in told
    assert next((made / "products").rglob("*.json")).is_file()
    assert [swath("hold", out, "toa-landsat-oli", "--release")[0] for _ in range(2)] == [0, 2]
    assert swath("maintain", out, "--site", str(site))[0] == 0
    assert not list((made / "products").rglob("*.json"))


class _Later(datetime):
    """A clock that is forty days ahead."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        """Now, in forty days."""
        return datetime.now(tz) + timedelta(days=40)
