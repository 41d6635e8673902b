"""A password that changes while a run is at work, and the Job that migrates, with what it would be given."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate  # type: ignore[import-untyped]
import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.catalog.conftest import PASSWORD, Server

from swath.cli.catalog import catalog_group
from swath.deploy.pods.migration import PROGRAM, migration
from swath.deploy.site.files import load_site
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.ledger.pg_rows import PgRows
from swath.stores.database import Database
from swath.stores.database_password import RDS_IAM, password_by
from swath.stores.pg_lock import PgLock

pytestmark = pytest.mark.timeout(300)
SCHEMA = pa.schema([("run_id", pa.string()), ("wave", pa.int64()), ("started", pa.timestamp("us", tz="UTC"))])
FROM = "SWATH_DATABASE_PASSWORD_FROM"


def _row(wave: int) -> tuple[str, int, datetime]:
    return ("r", wave, datetime(2026, 1, 1, tzinfo=UTC))


class Rotation:
    """A role whose password is replaced, and the file that a command reads it from."""

    def __init__(self, server: Server, database: str, folder: Path) -> None:
        name = conninfo_to_dict(database)["dbname"]
        self.admin, self.file = database, folder / "password"
        self.role = f"runner_{name}"
        self.dsn = f"postgresql://{self.role}@127.0.0.1:{server.port}/{name}"
        self._run(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER"))
        self.replace("first")

    def replace(self, password: str, *, told: bool = True) -> None:
        """Change it; sessions that were there end, as at a failover."""
        self._run(sql.SQL("ALTER ROLE {} PASSWORD {}"), password)
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {}"
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(sql.SQL(ended).format(sql.Literal(self.role)))
        if told:
            self.file.write_text(f"{password}\n", encoding="utf-8")

    def end(self) -> None:
        self._run(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}"))

    def _run(self, statement: sql.SQL, password: str | None = None) -> None:
        words = [sql.Identifier(self.role), *([sql.Literal(password)] if password is not None else [])]
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(statement.format(*words))


@pytest.fixture
def rotation(server: Server, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rotation]:
    made = Rotation(server, empty_database, tmp_path)
    monkeypatch.setenv(FROM, f"cat {made.file}")
    yield made
    made.end()


def test_each_connection_asks_for_the_password_of_now(rotation: Rotation) -> None:
    rows = PgRows(Database(rotation.dsn), output="s3://products/ard")
    lock = PgLock(Database(rotation.dsn), output="s3://products/ard", purpose="commits", run_id="r", wait_s=5.0)
    for wave, password in enumerate(("first", "second", "it's \\ third")):
        if wave:
            rotation.replace(password)
        with lock.held():
            lock.check()
            assert rows.append("runs", [_row(wave)], schema=SCHEMA, run_id="r", wave=wave)
    assert [r["wave"] for some in rows.rows("runs", ["wave"]) for r in some] == [0, 1, 2]
    lock.close()


def test_one_that_changes_between_question_and_connection_is_asked_for_once_more(
    rotation: Rotation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation.replace("second", told=False)
    script = tmp_path / "ask.sh"
    script.write_text(f'cat "{rotation.file}"; echo second > "{rotation.file}"; echo "$PGUSER@$PGHOST" >> {tmp_path}/asked\n')
    monkeypatch.setenv(FROM, f"sh {script}")
    Database(rotation.dsn).connect("test").close()
    assert (tmp_path / "asked").read_text().split() == [f"{rotation.role}@127.0.0.1"] * 2
    rotation.replace("third", told=False)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        Database(rotation.dsn).connect("test")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f'{sys.executable} -c \'import sys; print("s3cret"); sys.exit("vault is sealed")\'', "ended with 1: vault is sealed"),
        ("true", "ended with 0: no output"),
    ],
)
def test_a_command_that_fails_is_a_database_that_is_away_and_shows_no_password(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FROM, command)
    with pytest.raises(psycopg.OperationalError, match=said) as error:
        Database("postgresql://r@127.0.0.1:1/x").connect("test")
    assert "s3cret" not in str(error.value)


def test_what_a_person_must_put_right_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FROM, "/no/such/program")
    with pytest.raises(ConfigError, match="command for the database's password cannot be started"):
        Database("postgresql://r@127.0.0.1:1/x").connect("test")
    with pytest.raises(ConfigError, match=r"holds a password, and SWATH_DATABASE_PASSWORD_FROM gives another") as error:
        Database("postgresql://r:hidden@127.0.0.1:1/x").connect("test")
    assert "hidden" not in str(error.value)


def test_a_token_of_iam_is_for_this_user_of_this_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    token = password_by(RDS_IAM, parts={"host": "db.example.org", "port": "5433", "user": "swath_run"})
    told = parse_qs(urlsplit(f"https://{token}").query)
    assert token.startswith("db.example.org:5433/?")
    assert (told["Action"], told["DBUser"], told["X-Amz-Expires"]) == (["connect"], ["swath_run"], ["900"])
    with pytest.raises(ConfigError, match="names no host and user"):
        password_by(RDS_IAM, parts={"dbname": "x"})


def _site(change: Callable[..., Site]) -> Site:
    return change(
        "kubernetes",
        ledger={"kind": "postgresql", "lock": "postgresql", "dsn": "swath-db:dsn", "migrate_dsn": "swath-db-migrate:dsn"},
    )


def test_the_job_that_migrates_is_locked_down_and_makes_the_schema(
    change: Callable[..., Site], server: Server, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = _site(change)
    account, job = migration(site)
    for made in (account, job):
        kubernetes_validate.validate(made, "1.33", strict=True)
    pod = job["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("swath-migrate", False)
    assert site.identity is None or site.identity.service_account != "swath-migrate"
    assert job["metadata"]["annotations"] == {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}
    assert re.fullmatch(r"swath-migrate-[0-9a-f]{10}", job["metadata"]["name"])
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["image"] == site.image
    assert container["command"] == [PROGRAM]
    secrets = [e["valueFrom"]["secretKeyRef"] for e in container["env"] if "valueFrom" in e]
    assert secrets == [{"name": "swath-db-migrate", "key": "dsn"}]
    # with its words and its variables the schema is made, for real
    name = conninfo_to_dict(empty_database)["dbname"]
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    dsn = make_conninfo("", host="127.0.0.1", port=server.port, user="postgres", dbname=name)
    for given in container["env"]:
        if not given["name"].startswith("PGSSL"):
            monkeypatch.setenv(given["name"], given.get("value", dsn))
    done = CliRunner().invoke(catalog_group, container["args"][1:])
    assert done.exit_code == 0, (done.output, done.exception)
    with psycopg.connect(empty_database) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'swath_ledger'").fetchone()
    assert found is not None
    assert found[0] == 9
    assert os.environ["SWATH_LEDGER"] == "postgresql"


def test_a_site_without_such_a_role_has_no_job(change: Callable[..., Site]) -> None:
    with pytest.raises(ConfigError, match=r"names no role that migrates: set ledger\.migrate_dsn or catalogue\.migrate_dsn"):
        migration(load_site("kubernetes"))
    with pytest.raises(ConfigError, match="engine spark-submit has no pods"):
        migration(load_site("laptop"))
