"""Runs and the served catalogue: products are found, an outage loses nothing, commits are locked, secrets stay secret."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest

from swath.cli import run as cli_run
from swath.cli import upkeep
from swath.cli.main import main
from swath.cli.run_request import RunOptions
from swath.errors import LockError, StoppedError
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import RUNS
from swath.report.summary import RunSummary
from swath.simulator.simulate import simulate
from swath.sinks.served.delivery import CatalogueDelivery
from swath.sinks.served.items import served_item
from swath.sinks.served.outbox import Outbox
from swath.stores.database import Database
from swath.stores.local import LocalStore
from swath.stores.pg_lock import PgLock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RunJob = Callable[..., RunSummary]
Json = dict[str, Any]
NOBODY = "postgresql://swath@127.0.0.1:1/none"
pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(simulate(kind="landsat9", folder=tmp_path_factory.mktemp("scene"), size=96, seed=3, truth=False).delivery)


class Ear:
    """Remembers what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def wave(self, number: int, waves: int, products: int) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def search(dsn: str, **query: Any) -> list[Json]:
    with psycopg.connect(dsn, options="-c search_path=pgstac,public") as connection:
        row = connection.execute("SELECT search(%s)", (json.dumps(query),)).fetchone()
        assert row is not None
        features: list[Json] = row[0]["features"]
        return features


def outbox(output: Path) -> list[str]:
    box = Outbox(LocalStore(output))
    return [e.product_id for path in box.pending() for e in box.read(path)]


def published(output: Path) -> Json:
    (path,) = (output / "products").rglob("*.json")
    loaded: Json = json.loads(path.read_bytes())
    return loaded


def test_a_product_is_found_by_place_and_time_and_no_password_is_left_behind(
    run_job: RunJob,
    scene: Path,
    database: str,
    password_dsn: str,
    server_password: str,
    tmp_path: Path,
    spark: "SparkSession",
) -> None:
    ear = Ear()
    summary = run_job("toa", scene, output=tmp_path, catalog=password_dsn, told=ear)
    item = published(tmp_path)
    assert "catalogue: 1 items delivered" in ear.said
    assert outbox(tmp_path) == []
    west, south, east, north = item["bbox"]
    middle = [(west + east) / 2, (south + north) / 2]
    place = [middle[0] - 0.001, middle[1] - 0.001, middle[0] + 0.001, middle[1] + 0.001]
    day = item["properties"]["datetime"][:10]
    (found,) = search(database, bbox=place, datetime=f"{day}T00:00:00Z/{day}T23:59:59Z")
    assert found["id"] == item["id"] == summary.products[0].product_id
    path = summary.products[0].item
    assert found == served_item((tmp_path / path).read_bytes(), path=path, base=tmp_path.as_uri())
    for name, asset in found["assets"].items():
        file = Path(asset["href"].removeprefix("file://"))
        assert file.name == Path(item["assets"][name]["href"]).name
        assert file.stat().st_size == asset["file:size"]
    assert search(database, bbox=[place[0] + 90.0, *place[1:2], place[2] + 90.0, place[3]]) == []
    secret = quote(server_password, safe="")
    assert secret in password_dsn
    assert repr(RunOptions(pipeline="toa", inputs=(), output="", catalog=password_dsn)).count(secret) == 0
    left = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.suffix not in {".tif", ".png"})
    conf = json.dumps(spark.sparkContext.getConf().getAll())
    for word in (secret, server_password):
        assert word.encode() not in left
        assert word not in conf + "".join(ear.said)


def test_a_driver_killed_after_its_commit_leaves_the_catalogue_to_its_successor(
    run_job: RunJob, scene: Path, database: str, tmp_path: Path, spark: "SparkSession", monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: CatalogueDelivery) -> None:
        raise KeyboardInterrupt

    asked = {"output": tmp_path, "catalog": database, "run_id": "r1"}
    with monkeypatch.context() as patch:
        patch.setattr(CatalogueDelivery, "deliver", killed)
        with pytest.raises(StoppedError, match=r"interrupted; .* --run-id r1"):
            run_job("toa", scene, **asked)
    assert DeltaTables(spark, LocalStore(tmp_path)).read("runs", RUNS).filter("wave >= 0").count() == 1
    assert outbox(tmp_path) == [published(tmp_path)["id"]]
    assert search(database) == []
    run_job("toa", scene, **asked)
    assert outbox(tmp_path) == []
    assert [f["id"] for f in search(database)] == [published(tmp_path)["id"]]


@pytest.fixture(scope="module")
def offline(run_job: RunJob, scene: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """An output with a product that a catalogue has not heard of, and what the run said."""
    output, ear = tmp_path_factory.mktemp("offline"), Ear()
    summary = run_job("toa", scene, output=output, catalog=NOBODY, told=ear)
    assert (summary.scenes.made, summary.scenes.quarantined) == (1, 0)
    return output, ear.said


@pytest.fixture
def missed(offline: tuple[Path, list[str]], tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(offline[0], tmp_path / "out"))


def test_a_catalogue_that_is_down_fails_no_run_and_the_next_run_tells_it(
    offline: tuple[Path, list[str]], missed: Path, run_job: RunJob, scene: Path, database: str
) -> None:
    assert outbox(missed) == [published(missed)["id"]]
    (said,) = [s for s in offline[1] if s.startswith("catalogue")]
    assert "1 wait in the outbox (PostgreSQL (host=127.0.0.1 port=1" in said
    again = run_job("toa", scene, output=missed, catalog=database)
    assert (again.scenes.made, again.scenes.skipped) == (0, 1)
    assert outbox(missed) == []
    assert [f["id"] for f in search(database)] == [published(missed)["id"]]


def command(*words: str) -> int:
    with pytest.raises(SystemExit, match=r"^\d$") as ended:
        main(words)
    return int(str(ended.value.code))


def test_replay_tells_what_was_missed_and_names_files_as_readers_do(
    missed: Path, database: str, empty_database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("catalog", "replay", str(missed), "--catalog", NOBODY) == 1
    assert command("catalog", "replay", str(missed), "--catalog", empty_database) == 2
    assert "has no pgSTAC schema; expected" in capsys.readouterr().err
    assert outbox(missed) == [published(missed)["id"]]
    monkeypatch.setenv("SWATH_PGSTAC_DSN", database)
    assert command("catalog", "replay", str(missed), "--catalog-base", "https://data.example.org/out") == 0
    assert capsys.readouterr().out == "catalogue: 1 items delivered\n"
    assert outbox(missed) == []
    (found,) = search(database)
    assert {a["href"].split("/products/")[0] for a in found["assets"].values()} == {"https://data.example.org/out"}
    assert command("catalog", "replay", str(missed)) == 0
    assert capsys.readouterr().out == "catalogue: 0 items delivered\n"
    assert command("catalog", "replay", str(missed), "--all") == 0
    assert capsys.readouterr().out == "catalogue: 1 items delivered\n"


def test_compare_sees_and_mends_a_catalogue_that_drifted(
    missed: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SWATH_CATALOG", database)
    path = next((missed / "products").rglob("*.json"))
    assert command("catalog", "replay", str(missed)) == 0
    assert command("catalog", "compare", str(missed)) == 0
    assert capsys.readouterr().out.endswith("served catalogue: 1 items, 0 differences\n")
    changed = json.loads(path.read_bytes()) | {"bbox": [0.0, 0.0, 1.0, 1.0]}
    path.write_text(json.dumps(changed), encoding="utf-8")
    other = path.parent.parent / "gone" / "gone.json"
    other.parent.mkdir()
    other.write_text(json.dumps(changed | {"id": "gone"}), encoding="utf-8")
    assert command("catalog", "compare", str(missed)) == 4
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()][:2] == ["not-served", "stale-served"]
    assert command("catalog", "compare", str(missed), "--fix") == 0
    assert sorted(f["id"] for f in search(database)) == sorted([changed["id"], "gone"])
    other.unlink()
    assert command("catalog", "compare", str(missed), "--fix") == 0
    told = capsys.readouterr().out
    assert f"only-served: {changed['collection']}/gone: expected an item in the output\n" in told
    assert told.endswith("catalogue: 0 items delivered; 1 taken out\n")
    (left,) = search(database)
    assert left["bbox"] == changed["bbox"]


def test_reconcile_looks_at_the_served_catalogue_too(
    missed: Path, database: str, spark: "SparkSession", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upkeep, "session", lambda *_, **__: nullcontext(spark))
    words = ("reconcile", str(missed), "--catalog", database, "--json")
    item = str(next((missed / "products").rglob("*.json")).relative_to(missed))
    name = published(missed)["id"]

    def told(code: int, *more: str) -> tuple[list[tuple[str, str, str]], int]:
        assert command(*words, *more) == code
        found = json.loads(capsys.readouterr().out)
        return [(f["kind"], f["path"], f["product_id"]) for f in found["findings"]], found["left"]

    assert told(4) == ([("not-served", item, name)], 1)
    assert told(0, "--fix") == ([("not-served", item, name)], 0)
    assert told(0) == ([], 0)
    assert [f["id"] for f in search(database)] == [published(missed)["id"]]
    assert outbox(missed) == []


def test_migrate_is_a_command_of_its_own(missed: Path, empty_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("catalog", "migrate", "--catalog", empty_database) == 0
    assert "before: none" in capsys.readouterr().out
    assert command("catalog", "replay", str(missed), "--catalog", empty_database) == 0
    assert len(search(empty_database)) == 1


def test_a_password_on_the_command_line_is_refused_and_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("catalog", "migrate", "--catalog", "postgresql://swath:hunter2@db/stac") == 2
    told = capsys.readouterr()
    assert "use PGPASSWORD, PGPASSFILE or SWATH_CATALOG" in told.err
    assert "hunter2" not in told.err + told.out


def test_the_password_may_come_from_the_environment(
    missed: Path, password_dsn: str, server_password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = password_dsn.replace(f":{quote(server_password, safe='')}@", "@")
    assert command("catalog", "replay", str(missed), "--catalog", without) == 1
    monkeypatch.setenv("PGPASSWORD", server_password)
    assert command("catalog", "replay", str(missed), "--catalog", without) == 0
    assert outbox(missed) == []


@pytest.fixture
def locked(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PgLock]:
    """The lock of an output, of another driver; runs here use it too and do not wait."""
    monkeypatch.setenv("SWATH_LOCK", "postgresql")
    monkeypatch.setenv("SWATH_POSTGRESQL_DSN", empty_database)
    monkeypatch.setenv("SWATH_LOCK_WAIT_S", "0")
    lock = PgLock(Database(empty_database), output=str(tmp_path), run_id="other", wait_s=1)
    yield lock
    lock.close()


def test_a_second_driver_commits_nothing_exits_5_and_goes_on_later(
    locked: PgLock, scene: Path, tmp_path: Path, spark: "SparkSession", monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(cli_run, "execute", partial(cli_run.execute, spark=spark))
    words = ("run", "toa", "--input", str(scene), "--output", str(tmp_path), "--run-id", "mine")
    with locked.held():
        assert command(*words) == 5
    assert "is locked by other" in capsys.readouterr().err
    assert not (tmp_path / "tables").exists()
    assert command(*words) == 0
    assert DeltaTables(spark, LocalStore(tmp_path)).read("runs", RUNS).filter("wave >= 0").count() == 1


def test_a_second_run_ends_before_it_begins(
    empty_database: str, locked: PgLock, scene: Path, tmp_path: Path, spark: "SparkSession", monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(cli_run, "execute", partial(cli_run.execute, spark=spark))
    run = PgLock(Database(empty_database), output=str(tmp_path), purpose="run", run_id="first", wait_s=1)
    with run.held():
        assert command("run", "toa", "--input", str(scene), "--output", str(tmp_path)) == 5
    run.close()
    assert "is locked by first" in capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} == {".lock", "reports"}
    (log,) = (tmp_path / "reports").iterdir()
    assert "is locked by first" in log.read_text(encoding="utf-8")


def test_a_lock_that_another_driver_has_by_the_commit_means_no_commit(
    locked: PgLock, empty_database: str, tmp_path: Path, spark: "SparkSession"
) -> None:
    tables = DeltaTables(spark, LocalStore(tmp_path), lock=locked)
    other = PgLock(Database(empty_database), output=str(tmp_path), run_id="second", wait_s=5)
    row = tuple(None for _ in RUNS.names)

    def end_session() -> None:
        with psycopg.connect(empty_database) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'").fetchall()

    with locked.held():
        end_session()
        with other.held(), pytest.raises(LockError, match="is locked by second"):
            tables.append("runs", [row], schema=RUNS, run_id="r", wave=0)
    assert not (tmp_path / "tables").exists()
    with locked.held():
        end_session()
        # Nobody else wants it: it is taken again.
        tables.append("runs", [row], schema=RUNS, run_id="r", wave=0)
    other.close()
    assert tables.read("runs", RUNS).count() == 1
