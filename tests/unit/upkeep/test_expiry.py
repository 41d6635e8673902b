"""Which versions of products go, which files with them, and in which order."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from swath.errors import ConfigError
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import PRODUCTS, TOMBSTONES
from swath.retention import KeepRule, KeepRules
from swath.stores.local import LocalStore, local_store
from swath.upkeep.expiry import BEGUN, Expired, Expiry, Kept
from swath.upkeep.holds import hold, holds, release
from swath.upkeep.leavings import remove_leavings
from swath.upkeep.removal import remove_expired

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLLECTION = "toa-landsat"


class Output:
    """Products with versions: files of a few bytes, items that name them, rows of a ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.tables = folder, local_store(folder), DeltaTables(None, local_store(folder))
        self._wave = 0

    def version(self, scene: str, *, ago_days: float, assets: Mapping[str, str]) -> str:
        """Publish a version whose assets have these keys; the path of its item."""
        name = f"{scene}.toa"
        folder = f"products/{COLLECTION}/2026/02/01/{name}"
        files = {asset: f"{name}.{asset}.{key * 12}.tif" for asset, key in assets.items()}
        picture = f"{name}.thumbnail.{'e' * 12}.png"
        for file in (*files.values(), picture):
            self.store.write(f"{folder}/{file}", b"x" * 10)
        item = {"id": name, "assets": {n: {"href": f"./{f}", "swath:key": assets[n]} for n, f in files.items()}}
        item["assets"]["thumbnail"] = {"href": f"./{picture}"}  # type: ignore[index]
        self.store.write(f"{folder}/{name}.json", json.dumps(item).encode())
        rows = [(n, f"toa:{n}", f, assets[n], 10, "d", None) for n, f in files.items()]
        made = NOW - timedelta(days=ago_days)
        row: tuple[Any, ...] = (
            name, "".join(assets.values()), scene, "d", "toa", 1, COLLECTION, f"{folder}/{name}.json", [1.0, 2.0, 3.0, 4.0],
            datetime(2026, 2, 1, 10, tzinfo=UTC), "landsat-9", rows, "[]", {"thumbnail": f"{folder}/{picture}"}, [], {}, "{}",
            "0.1", f"run-{self._wave}", 0, "laptop", made,
        )  # fmt: skip
        self.tables.append("products", [row], schema=PRODUCTS, run_id=f"run-{self._wave}", wave=0)
        self._wave += 1
        return f"{folder}/{name}.json"

    def found(self, rule: str, *held: str) -> list[Expired | Kept]:
        rules = {COLLECTION: KeepRule.parse(rule)}
        return list(Expiry(self.tables, self.store, rules=rules, held=frozenset(held), now=NOW).found())


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "out")


def names(expired: Expired | Kept) -> list[str]:
    assert isinstance(expired, Expired)
    return [path.rpartition("/")[2] for path in expired.files]


def test_the_item_goes_first_and_the_assets_backwards(output: Output) -> None:
    output.version("s", ago_days=31, assets={"red": "a", "nir": "b", "qa": "c"})
    output.version("t", ago_days=29, assets={"red": "a"})
    (gone,) = output.found("30 days")
    assert names(gone) == ["s.toa.json", f"s.toa.thumbnail.{'e' * 12}.png", *(f"s.toa.{n}.{k * 12}.tif" for n, k in (
        ("qa", "c"), ("nir", "b"), ("red", "a")
    ))]  # fmt: skip
    assert isinstance(gone, Expired)
    assert (gone.whole, gone.bytes, gone.rule, len(gone.fresh)) == (True, 30, "30 days", 1)
    assert output.found("never") == []
    assert output.found("32 days") == []


def test_days_count_from_the_newest_version(output: Output) -> None:
    output.version("s", ago_days=400, assets={"red": "a"})
    output.version("s", ago_days=2, assets={"red": "b"})
    assert output.found("30 days") == []
    (gone,) = output.found("1 day")
    assert isinstance(gone, Expired)
    assert len(gone.rows) == 2
    assert sorted(names(gone)) == sorted(
        ["s.toa.json", f"s.toa.red.{'a' * 12}.tif", f"s.toa.red.{'b' * 12}.tif", f"s.toa.thumbnail.{'e' * 12}.png"]
    )


def test_an_earlier_version_goes_without_what_a_newer_one_links(output: Output) -> None:
    output.version("s", ago_days=9, assets={"red": "a", "map": "1"})
    output.version("s", ago_days=6, assets={"red": "a", "map": "2"})
    output.version("s", ago_days=3, assets={"red": "a", "map": "3"})
    (gone,) = output.found("2 versions")
    assert (names(gone), isinstance(gone, Expired) and gone.whole) == ([f"s.toa.map.{'1' * 12}.tif"], False)
    (gone,) = output.found("1 version")
    assert names(gone) == [f"s.toa.map.{'2' * 12}.tif", f"s.toa.map.{'1' * 12}.tif"]
    assert output.found("3 versions") == []


def test_what_an_item_names_that_the_ledger_does_not_know_stays(output: Output) -> None:
    item = output.version("s", ago_days=40, assets={"red": "a"})
    told = json.loads(output.store.read(item) or b"")
    told["assets"]["red"]["swath:key"] = "another"
    output.store.write(item, json.dumps(told).encode())
    (kept,) = output.found("30 days")
    assert kept == Kept(product_id="s.toa", reason="its item is not what the ledger says: swath reconcile --fix")
    output.store.write(item, b"{ cut sh")
    assert isinstance(output.found("30 days")[0], Kept)
    output.store.delete(item)
    assert isinstance(output.found("30 days")[0], Expired)


@pytest.mark.parametrize("what", ["s.toa", "s", COLLECTION])
def test_a_hold_keeps_what_is_past_its_retention(what: str, output: Output) -> None:
    output.version("s", ago_days=40, assets={"red": "a"})
    assert output.found("30 days", what) == [Kept(product_id="s.toa", reason=f"hold on {what}")]
    hold(output.store, what, reason="case 12/2026", by="anna@desk")
    done = remove_expired(output.tables, output.store, rules={COLLECTION: KeepRule(days=30)}, run_id="m", now=NOW, dry=True)
    assert (done.products, [k.reason for k in done.kept]) == ([], [f"hold on {what}"])
    (told,) = holds(output.store)
    assert (told.what, told.reason, told.by) == (what, "case 12/2026", "anna@desk")
    assert (release(output.store, what), release(output.store, what), list(holds(output.store))) == (True, False, [])


def test_a_hold_that_cannot_be_read_ends_everything(output: Output) -> None:
    output.version("s", ago_days=40, assets={"red": "a"})
    output.store.write("holds/x.json", b'{"what": "s"')
    with pytest.raises(ConfigError, match=r"holds/x.json is not a hold .*: nothing is removed until it is repaired"):
        remove_expired(output.tables, output.store, rules={COLLECTION: KeepRule(days=30)}, run_id="m", now=NOW, dry=True)


def test_what_was_begun_goes_on_whatever_the_rules_say_now(output: Output) -> None:
    item = output.version("s", ago_days=40, assets={"red": "a"})
    (gone,) = output.found("30 days")
    assert isinstance(gone, Expired)
    row = gone.rows[0]
    told = tuple(row[n] for n in TOMBSTONES.names[:10])
    output.tables.append("tombstones", [(*told, 3, 10, "30 days", NOW, "m")], schema=TOMBSTONES, run_id="m", wave=0)
    output.store.delete(item)
    (begun,) = output.found("never")
    assert isinstance(begun, Expired)
    assert (begun.rule, begun.whole, len(begun.fresh), begun.files) == (BEGUN, True, 0, gone.files)
    # and it is not held any more: half of it is gone
    assert isinstance(output.found("never", "s")[0], Expired)


class Reports:
    """Files that runs left, by age in days."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store

    def left(self, days: float, *paths: str) -> None:
        import os  # noqa: PLC0415

        for path in paths:
            self.store.write(path, b"{}")
            os.utime(self.store.folder / path, ((NOW - timedelta(days=days)).timestamp(),) * 2)

    def there(self) -> set[str]:
        return set(self.store.list("reports"))


def test_what_runs_leave_has_days_of_its_own(output: Output) -> None:
    reports = Reports(output.store)
    of_a = ["reports/a.html", "reports/a.log", "reports/a.metrics.jsonl", "reports/a.spec", "reports/a/products/0.ndjson.gz"]
    reports.left(100, *of_a, "reports/a.json", "reports/forwarded/a.json", "reports/mine.txt")
    reports.left(50, "reports/b.json", "reports/b.log", "reports/forwarded/b.json")
    rules: dict[str, Any] = {"rules": KeepRules.parse({"logs": "40 days", "metrics": "90 days"}), "forwarded": True, "now": NOW}
    dry = remove_leavings(output.tables, output.store, **rules, dry=True)
    assert (dry.files, len(reports.there())) == (
        {"logs": ["reports/a.log", "reports/b.log"], "metrics": ["reports/a.metrics.jsonl"]}, 11
    )  # fmt: skip
    assert remove_leavings(output.tables, output.store, **rules).files == dry.files
    # a receipt stays as long as its result, which would be sent once more
    rules["rules"] = KeepRules.parse({"receipts": "10 days", "reports": "60 days"})
    gone = remove_leavings(output.tables, output.store, **rules).files
    assert gone["reports"][-1] == "reports/a.json"
    assert gone["receipts"] == ["reports/forwarded/a.json"]
    assert reports.there() == {"reports/b.json", "reports/forwarded/b.json", "reports/mine.txt"}


def test_a_result_that_was_not_sent_and_one_with_a_plan_stay(output: Output) -> None:
    reports = Reports(output.store)
    reports.left(100, "reports/a.json", "reports/b.json", "reports/b.html", "runs/b/plan/_SUCCESS")
    rules: dict[str, Any] = {"rules": KeepRules.parse({"reports": "60 days"}), "now": NOW}
    told = remove_leavings(output.tables, output.store, forwarded=True, **rules)
    assert (told.kept, told.files) == (["a", "b"], {})
    told = remove_leavings(output.tables, output.store, forwarded=False, **rules)
    assert told.files == {"reports": ["reports/a.json"]}
