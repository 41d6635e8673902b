"""The ledger in PostgreSQL: what a run does with it is what it does with Delta, and Delta tables can be made of it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from swath.cli import upkeep
from swath.cli.ledger import retry
from swath.cli.main import main as command
from swath.errors import AccountError, ConfigError, InfrastructureError, ServiceError
from swath.ledger import pg_tables
from swath.ledger.delta import DeltaTables
from swath.ledger.open import has_ledger, open_tables
from swath.ledger.pg_rows import PgRows
from swath.ledger.pg_tables import PgTables
from swath.ledger.provenance import provenance_of
from swath.ledger.schemas import PRODUCTS, QUARANTINE, TABLES
from swath.ledger.tables import Tables
from swath.retention import KeepRule
from swath.runs.status import output_status
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.stores.database import Database
from swath.stores.local import local_store
from swath.upkeep.holds import hold
from swath.upkeep.janitor import Retention, clean
from swath.upkeep.mend import LOST, mend
from swath.upkeep.reconcile import compare
from swath.upkeep.removal import remove_expired

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]
MADE = datetime(2024, 8, 6, 10, 20, 31, 123456, tzinfo=UTC)
COLUMNS = ["product_id", "wave", "bbox", "assets", "pictures", "models", "made", "acquired"]
SCENES = 3


def row(wave: int) -> tuple[Any, ...]:
    """A product with everything that a schema can hold: nested, empty, absent, not ASCII."""
    assets = [("red", "sr:red", "a.tif", "k", 12, "d", None), ("nir", "sr:nir", "b.tif", "l", 1 << 40, "e", "m")]
    return (
        f"scene-{wave}.toa", "k" * 64, "scene", "digest", "toa", 1, "toa-l", "products/x.json", [1.0, -2.5, 0.1, 4.0], MADE,
        "landsat-9", assets, '{"é": "\U0001f6f0"}', {"thumbnail": "a.png", "b": "b.png"}, [], {"pan": "none"}, "{}", "0.1",
        "run", wave, None, MADE,
    )  # fmt: skip


def append(tables: Tables, rows: Any, *, wave: int, run_id: str = "run") -> None:
    tables.append("products", rows, schema=PRODUCTS, run_id=run_id, wave=wave)


def assert_same(mine: "DataFrame", its: "DataFrame") -> None:
    """The same rows in any order; Spark sorts no maps."""
    assert [(f.name, f.dataType) for f in mine.schema] == [(f.name, f.dataType) for f in its.schema]
    assert sorted(map(repr, mine.collect())) == sorted(map(repr, its.collect()))


class Silent:
    def wave(self, number: int, waves: int, products: int) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None: ...


class Killed(Exception):  # noqa: N818  it plays a signal
    pass


class KilledAt(Silent):
    def __init__(self, wave: int) -> None:
        self._wave = wave

    def wave(self, number: int, waves: int, products: int) -> None:
        if number == self._wave:
            raise Killed("killed in a test")


@pytest.fixture
def ledger(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that runs of this test use."""
    monkeypatch.setenv("SWATH_LEDGER", "postgresql")
    monkeypatch.setenv("SWATH_POSTGRESQL_DSN", empty_database)
    return empty_database


@pytest.fixture
def tables(spark: "SparkSession", ledger: str, tmp_path: Path) -> PgTables:
    found = open_tables(spark, local_store(tmp_path / "ours"))
    assert isinstance(found, PgTables)
    return found


@pytest.fixture
def delta(spark: "SparkSession", tmp_path: Path) -> DeltaTables:
    return DeltaTables(spark, local_store(tmp_path / "theirs"))


def test_rows_are_what_delta_gives_back(
    spark: "SparkSession", tables: PgTables, delta: DeltaTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (tables.exists("products"), tables.small("products", PRODUCTS, columns=COLUMNS)) == (False, [])
    assert_same(tables.read("products", PRODUCTS), delta.read("products", PRODUCTS))
    for one in (tables, delta):
        append(one, [row(0), row(1)], wave=0)
        append(one, spark.createDataFrame([row(2)], PRODUCTS, verifySchema=False), wave=1)
        append(one, [], wave=2, run_id="nothing")
    for part in ({}, {"columns": COLUMNS}, {"where": {"product_id": ["scene-1.toa", "x"], "wave": [1]}}):
        mine, its = (t.read("products", PRODUCTS, **part) for t in (tables, delta))
        assert_same(mine, its)
    few, same = (t.small("products", PRODUCTS, columns=COLUMNS) for t in (tables, delta))
    assert sorted(few or (), key=lambda r: r["wave"]) == sorted(same or (), key=lambda r: r["wave"])
    monkeypatch.setattr(pg_tables, "_SENT_BYTES", 0)
    assert_same(tables.read("products", PRODUCTS), delta.read("products", PRODUCTS))
    monkeypatch.setattr(pg_tables, "SMALL_BYTES", 0)
    assert tables.small("products", PRODUCTS, columns=COLUMNS) is None


def test_a_transaction_counts_once_and_a_broken_one_not_at_all(ledger: str, tables: PgTables) -> None:
    rows = PgRows(Database(ledger), output=tables._store.root)
    schema = to_arrow_schema(PRODUCTS)
    with pytest.raises(AccountError, match=r"refuses: .*nothing of it was kept"):
        rows.append("products", [row(0), (*row(1)[:-3], "no number", None, MADE)], schema=schema, run_id="run", wave=0)
    assert not rows.exists("products")
    assert rows.append("products", [row(0)], schema=schema, run_id="run", wave=0)
    assert not rows.append("products", [row(0)], schema=schema, run_id="run", wave=0)
    append(tables, [row(0)], wave=0)
    assert tables.read("products", PRODUCTS).count() == 1


def test_a_database_that_went_away_is_told_and_nothing_is_there_twice_when_it_is_back(
    ledger: str, server: Any, tables: PgTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(tables, [row(0)], wave=0)
    name = conninfo_to_dict(ledger)["dbname"]
    monkeypatch.setenv("SWATH_DATABASE_WAIT_S", "0.3")

    def answers(*, yes: bool) -> None:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as other:
            other.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(str(name)), sql.SQL(str(yes))))

    answers(yes=False)
    with pytest.raises(ServiceError, match=r"the ledger in PostgreSQL \(.*\) does not answer \("):
        append(tables, [row(1)], wave=1)
    monkeypatch.setenv("SWATH_DATABASE_WAIT_S", "60")
    back = threading.Timer(1.0, answers, kwargs={"yes": True})
    back.start()
    # A repeated one that has to wait, too.
    append(tables, [row(0)], wave=0)
    back.join()
    append(tables, [row(1)], wave=1)
    assert sorted(r["wave"] for r in tables.small("products", PRODUCTS, columns=["wave"]) or ()) == [0, 1]


def test_an_output_is_not_taken_for_one_with_another_ledger(
    spark: "SparkSession", tables: PgTables, ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tables._store
    assert not has_ledger(store)
    append(tables, [row(0)], wave=0)
    assert has_ledger(store)
    with pytest.raises(ConfigError, match="SWATH_LEDGER is 'sqlite'; expected delta or postgresql"):
        open_tables(spark, store, environ={"SWATH_LEDGER": "sqlite"})
    with pytest.raises(ConfigError, match="SWATH_POSTGRESQL_DSN is not set"):
        open_tables(spark, store, environ={"SWATH_LEDGER": "postgresql"})
    with pytest.raises(ConfigError, match=r"the ledger of .* is in PostgreSQL: set SWATH_LEDGER=postgresql"):
        open_tables(spark, store, environ={})
    (tmp_path / "theirs" / "tables" / "runs").mkdir(parents=True)
    (tmp_path / "theirs" / "tables" / "runs" / "part.parquet").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"the ledger of .* is in Delta, and SWATH_LEDGER is postgresql"):
        open_tables(spark, local_store(tmp_path / "theirs"))
    away = ledger.replace("port=", "port=1")
    gone = open_tables(spark, store, environ={"SWATH_LEDGER": "postgresql", "SWATH_POSTGRESQL_DSN": away})
    monkeypatch.setenv("SWATH_DATABASE_WAIT_S", "0")
    with pytest.raises(ServiceError, match="does not answer"):
        gone.exists("products")


def test_what_is_exported_is_what_is_there_whoever_exports_again(tables: PgTables, delta: DeltaTables) -> None:
    def same() -> None:
        assert_same(tables.read("products", PRODUCTS), delta.read("products", PRODUCTS))

    append(tables, [row(0), row(1)], wave=0)
    append(tables, [row(2)], wave=1)
    assert [tables.export(delta, target="t"), tables.export(delta, target="t")] == [2, 0]
    same()
    tables.delete("products", F.col("product_id") == "scene-1.toa")
    append(tables, [row(1)], wave=0, run_id="again")
    assert tables.export(delta, target="t") == 2
    same()
    assert delta.read("products", PRODUCTS).count() == 3
    # The notes got lost: everything is repeated, and nothing comes of it.
    append(tables, [row(3)], wave=2)
    assert tables.export(delta, target="another name") == 5
    assert {r["product_id"] for r in delta.read("products", PRODUCTS).collect()} >= {f"scene-{n}.toa" for n in (0, 2, 3)}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("delivered")
    one = simulate(kind="landsat9", folder=home, size=64, truth=False)
    for number in range(1, SCENES):
        copied(one, folder=home / "scenes", rename={"193022_2024": f"19{number}999_2024"})
    return home / "scenes"


def export(
    ours: Path, there: Path, *, spark: "SparkSession", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, Any]:
    """The command in the shared session: its exit code and its JSON."""

    @contextmanager
    def shared(*_: Any, **__: Any) -> "Iterator[SparkSession]":
        yield spark

    monkeypatch.setattr(upkeep, "session", shared)
    with pytest.raises(SystemExit, match=r"^[0-5]$") as ended:
        command(["export", str(ours), "--to", str(there), "--json"])
    said = capsys.readouterr().out.strip()
    return int(ended.value.code or 0), json.loads(said.splitlines()[-1]) if said else {}


def see_retention(tables: PgTables, output: Path, *, item: str) -> None:
    """All products but one that is held go."""
    store, rules, later = local_store(output), {"toa-landsat-oli": KeepRule(days=30)}, datetime.now(UTC) + timedelta(days=31)
    hold(store, item.split("/")[-2], reason="a question of whose it is", by="anna")
    gone = remove_expired(tables, store, rules=rules, run_id="maintain", now=later)
    assert (len(gone.products), len(gone.kept), compare(tables, store).findings) == (SCENES - 1, 1, [])
    assert [p.relative_to(output).as_posix() for p in (output / "products").rglob("*.json")] == [item]
    assert tables.read("tombstones", TABLES["tombstones"]).count() == SCENES - 1


def see_attempts(tables: PgTables) -> None:
    """Each attempt says that it began, and its waves say which it was."""
    attempts = {(r["run_id"], r["wave"], r["attempt"]) for r in tables.read("runs", TABLES["runs"]).collect()}
    assert attempts >= {("r", -1, 1), ("r", -1, 2), ("r", 2, 2), ("again", -1, 1)}


def test_a_killed_run_goes_on_and_every_command_works_over_it(
    spark: "SparkSession", run_job: Callable[..., "RunSummary"], delivered: Path, tmp_path: Path, ledger: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    given = {"output": ours, "run_id": "r", "wave_products": 1}
    with pytest.raises(InfrastructureError, match="unexpected Killed: killed in a test"):
        run_job("toa", delivered, told=KilledAt(2), **given)
    done = run_job("toa", delivered, **given)
    assert (done.scenes.taken_in, done.scenes.made, done.balanced) == (SCENES, SCENES, True)
    again = run_job("toa", delivered, output=ours, run_id="again")
    assert (again.scenes.made, again.scenes.skipped) == (0, SCENES)
    store = local_store(ours)
    tables = open_tables(spark, store)
    assert isinstance(tables, PgTables)
    with monkeypatch.context() as plain:
        plain.delenv("SWATH_LEDGER")
        run_job("toa", delivered, output=theirs, run_id="r", wave_products=1)
        run_job("toa", delivered, output=theirs, run_id="again")
    others = DeltaTables(spark, local_store(theirs))
    for name in set(TABLES) - {"tiles"}:
        # an attempt that was killed has a row that says that it began
        began = int(name == "runs")
        assert tables.read(name, TABLES[name]).count() == others.read(name, TABLES[name]).count() + began, name
    see_attempts(tables)
    # Waves behind the one that was committed were published already: adopted products have no strips.
    strips, every = (t.read("tiles", TABLES["tiles"]).select("product_id", "asset", "strip") for t in (tables, others))
    assert strips.subtract(every).count() == 0
    assert strips.distinct().count() == strips.count() > 0
    digests = [
        {(r["product_key"], a["name"], a["digest"]) for r in t.read("products", PRODUCTS).collect() for a in r["assets"]}
        for t in (tables, others)
    ]
    assert digests[0] == digests[1]
    assert (ours / "catalog.json").read_bytes() == (theirs / "catalog.json").read_bytes()
    assert not (ours / "tables").exists()

    told = output_status(tables)
    assert (told.products, [r.run_id for r in told.runs]) == ({"toa": SCENES}, ["again", "r"])
    assert compare(tables, store).findings == []
    next((ours / "products").rglob("*.red.*.tif")).unlink()
    mended = mend(spark, tables, store, found=compare(tables, store), run_id="mend")
    assert len(mended.sent_back) == 1
    assert tables.read("products", PRODUCTS).count() == SCENES - 1
    (retried,) = retry(spark, store, errors=(LOST,), run_id="retry", told=Silent())
    assert (retried.scenes.made, retried.assets.made) == (1, 1)
    assert compare(tables, store).findings == []
    item = next((ours / "products").rglob("*.json")).relative_to(ours).as_posix()
    assert provenance_of(tables, store, item=item).spec["pipeline"]["name"] == "toa"
    see_retention(tables, ours, item=item)
    last = run_job("toa", delivered, output=ours, run_id="last")
    assert (last.scenes.made, last.scenes.skipped) == (0, SCENES)
    # Only composites have a table of sources.
    assert set(clean(tables, store, retention=Retention()).tables) == set(TABLES) - {"sources"}

    code, said = export(ours, there := tmp_path / "there", spark=spark, monkeypatch=monkeypatch, capsys=capsys)
    assert (code, said["changes"] > 0) == (0, True)
    assert export(ours, there, spark=spark, monkeypatch=monkeypatch, capsys=capsys)[1]["changes"] == 0
    assert export(theirs, there, spark=spark, monkeypatch=monkeypatch, capsys=capsys)[0] == 2
    exported = DeltaTables(spark, local_store(there))
    for name in TABLES:
        mine, its = tables.read(name, TABLES[name]), exported.read(name, TABLES[name])
        assert_same(mine, its)
    assert tables.read("quarantine", QUARANTINE).count() == 1
