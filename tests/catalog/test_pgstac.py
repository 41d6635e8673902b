import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pypgstac import __version__ as CLIENT

from swath.errors import CatalogueError, ConfigError
from swath.sinks.served.items import served_collection
from swath.sinks.served.pgstac import PgStac
from swath.stores.database import Database

Json = dict[str, Any]
BASE = "https://data.example.org/out"
MakeItem = Callable[..., Json]


def search(dsn: str, **query: Any) -> list[Json]:
    """As a STAC API would ask it."""
    with psycopg.connect(dsn, options="-c search_path=pgstac,public") as connection:
        row = connection.execute("SELECT search(%s)", (json.dumps(query),)).fetchone()
        assert row is not None
        features: list[Json] = row[0]["features"]
        return features


def count(dsn: str, table: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(sql.SQL("SELECT count(*) FROM pgstac.{}").format(sql.Identifier(table))).fetchone()
        assert row is not None
        return int(row[0])


def collection(dsn: str, name: str) -> Json:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT content FROM pgstac.collections WHERE id = %s", (name,)).fetchone()
        assert row is not None
        content: Json = row[0]
        return content


def test_items_are_found_by_place_and_time_as_they_were_sent(database: str, served: MakeItem) -> None:
    here = served("a", west=7.0, day="2024-05-01")
    there = served("b", west=12.0, day="2024-06-01")
    with PgStac(Database(database)).session() as session:
        session.upsert([here, there], base=BASE)
    assert [f["id"] for f in search(database, bbox=[6.0, 47.0, 8.5, 49.0])] == ["a"]
    assert [f["id"] for f in search(database, datetime="2024-05-20T00:00:00Z/..")] == ["b"]
    assert search(database, bbox=[6.0, 47.0, 8.5, 49.0], datetime="2024-05-20T00:00:00Z/..") == []
    (found,) = search(database, ids=["a"], collections=["toa-landsat-oli"])
    assert found == here


def test_the_same_items_twice_change_nothing(database: str, served: MakeItem) -> None:
    items = [served("a"), served("b", day="2024-06-01")]
    for _ in range(2):
        with PgStac(Database(database)).session() as session:
            session.upsert(items, base=BASE)
            session.upsert(items, base=BASE)
    assert count(database, "items") == 2
    assert count(database, "collections") == 1


def test_a_newer_version_replaces_the_item_even_within_one_batch(database: str, served: MakeItem) -> None:
    old, new = served("a"), served("a")
    new["properties"]["eo:cloud_cover"] = 12.5
    with PgStac(Database(database)).session() as session:
        session.upsert([old, new], base=BASE)
        assert search(database, ids=["a"]) == [new]
        session.upsert([old], base=BASE)
        assert search(database, ids=["a"]) == [old]


def test_an_item_stays_whole_when_its_collection_learns_of_other_assets(database: str, served: MakeItem) -> None:
    first, second = served("a"), served("b")
    second["assets"]["red"]["nodata"] = 0
    second["assets"]["qa"] = {"href": f"{BASE}/qa.tif", "type": "image/tiff", "roles": ["data"]}
    with PgStac(Database(database)).session() as session:
        session.upsert([first], base=BASE)
        session.upsert([second], base=BASE)
    assert search(database, ids=["a"]) == [first]
    assert search(database, ids=["b"]) == [second]


def test_a_collection_grows_with_its_items(database: str, served: MakeItem) -> None:
    with PgStac(Database(database)).session() as session:
        session.upsert([served("a", west=7.0, day="2023-05-01")], base=BASE)
        session.upsert([served("b", west=12.0, day="2024-06-01")], base=BASE)
    record = collection(database, "toa-landsat-oli")
    assert record["extent"]["spatial"]["bbox"] == [[7.0, 48.0, 13.0, 49.0]]
    assert record["extent"]["temporal"]["interval"] == [["2023-05-01T10:00:00Z", "2024-06-01T10:00:00Z"]]
    assert record["swath:years"] == [2023, 2024]
    assert "canonical" in {link["rel"] for link in record["links"]}
    again = served_collection("toa-landsat-oli", items=[served("a", west=7.0, day="2023-05-01")], before=record, base=BASE)
    assert again == record


def test_an_item_that_cannot_be_read_is_refused_and_the_session_lives(database: str, served: MakeItem) -> None:
    bad = served("bad")
    del bad["geometry"]["coordinates"]
    with PgStac(Database(database)).session() as session:
        with pytest.raises(CatalogueError, match=r"PostgreSQL \(.*dbname=") as told:
            session.upsert([bad], base=BASE)
        assert not told.value.down
        session.upsert([served("good")], base=BASE)
    assert [f["id"] for f in search(database)] == ["good"]


def test_a_session_that_is_cut_off_says_that_the_catalogue_is_down(database: str, served: MakeItem) -> None:
    with PgStac(Database(database)).session() as session:
        with psycopg.connect(database) as other:
            name = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'swath catalog'"
            other.execute(name).fetchall()
        with pytest.raises(CatalogueError, match="terminating connection") as told:
            session.upsert([served("a")], base=BASE)
    assert told.value.down


def test_nobody_there_is_a_catalogue_error_without_the_password() -> None:
    catalogue = PgStac(Database("postgresql://swath:hunter2@127.0.0.1:1/stac"))
    with pytest.raises(CatalogueError, match=r"PostgreSQL \(host=127\.0\.0\.1 port=1 dbname=stac user=swath\)") as told:
        catalogue.version()
    assert "hunter2" not in str(told.value)


def test_a_database_without_the_schema_says_what_to_run(empty_database: str) -> None:
    catalogue = PgStac(Database(empty_database))
    assert catalogue.version() is None
    with (
        pytest.raises(ConfigError, match=rf"no pgSTAC schema; expected {CLIENT}\. Run swath catalog migrate"),
        catalogue.session(),
    ):
        pytest.fail("a session without a schema")


def test_migrating_twice_is_migrating_once(empty_database: str) -> None:
    catalogue = PgStac(Database(empty_database))
    assert catalogue.migrate() == (None, CLIENT)
    assert catalogue.migrate() == (CLIENT, CLIENT)
    assert catalogue.version() == CLIENT


def _claim(dsn: str, version: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO pgstac.migrations (version, datetime) VALUES (%s, now() + interval '1 day')", (version,))


def test_an_older_schema_says_what_to_run(database: str) -> None:
    _claim(database, "0.9.9")
    with (
        pytest.raises(ConfigError, match=r"has pgSTAC 0\.9\.9; expected .* swath catalog migrate"),
        PgStac(Database(database)).session(),
    ):
        pytest.fail("a session with an old schema")


def test_a_newer_schema_is_left_alone(database: str) -> None:
    _claim(database, "0.99.0")
    catalogue = PgStac(Database(database))
    with pytest.raises(ConfigError, match=r"has pgSTAC 0\.99\.0; this swath knows up to"), catalogue.session():
        pytest.fail("a session with a new schema")
    with pytest.raises(ConfigError, match=r"has pgSTAC 0\.99\.0; this swath knows up to"):
        catalogue.migrate()


def test_a_schema_from_an_older_client_is_brought_up_to_date(empty_database: str) -> None:
    from importlib.resources import files  # noqa: PLC0415

    old = files("pypgstac").joinpath("migrations/pgstac.0.9.9.sql").read_text(encoding="utf-8")
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(old)
    assert PgStac(Database(empty_database)).migrate() == ("0.9.9", CLIENT)


def test_a_role_that_may_not_migrate_is_told_which_may(server_password: str, empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS modest")
        connection.execute("CREATE ROLE modest LOGIN")
    modest = Database(empty_database.replace("postgres@", "modest@"))
    with pytest.raises(ConfigError, match=r"from nothing to .*permission denied.*on RDS the master user"):
        PgStac(modest).migrate()


def test_writers_in_parallel_lose_nothing(database: str, served: MakeItem) -> None:
    def write(writer: int) -> None:
        with PgStac(Database(database)).session() as session:
            for n in range(4):
                session.upsert([served(f"{writer}-{n}", west=float(writer * 10 + n)), served("shared")], base=BASE)

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    assert count(database, "items") == 4 * 4 + 1
    assert collection(database, "toa-landsat-oli")["extent"]["spatial"]["bbox"] == [[0.0, 48.0, 34.0, 49.0]]


def test_what_is_served_of_an_output_is_known_and_can_be_taken_out(database: str, served: MakeItem) -> None:
    items = [served("a"), served("b"), served("c")]
    for item, base in zip(items, [BASE, BASE, f"{BASE}2"], strict=True):
        canonical = {"rel": "canonical", "href": f"{base}/products/x.json", "file:checksum": f"1220{item['id']}"}
        item["links"].append(canonical)
    with PgStac(Database(database)).session() as session:
        session.upsert(items, base=BASE)
        known = session.known(base=BASE)
        assert known == {("toa-landsat-oli", "a"): "1220a", ("toa-landsat-oli", "b"): "1220b"}
        session.remove([("toa-landsat-oli", "a"), ("toa-landsat-oli", "nobody")])
    assert sorted(f["id"] for f in search(database)) == ["b", "c"]
