"""A private PostgreSQL with PostGIS from Debian's packages, and a database with pgSTAC's schema for each test."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from tests.deploy.jobs_and_sites import change

from swath.sinks.served.pgstac import PgStac
from swath.stores.database import Database

__all__ = ["change"]
Json = dict[str, Any]
_ACCOUNT = "postgres"
_MISSING = "PostgreSQL with PostGIS is not installed: apt-get install postgresql postgresql-postgis"
PASSWORD = "correct horse/battery@staple"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running cluster.

    Args:
        folder: Where its data and its socket are.
        programs: Its ``bin``.
        port: On 127.0.0.1, with a password; also the name of the socket, which trusts everybody.
    """

    folder: Path
    programs: Path
    port: int

    def dsn(self, name: str) -> str:
        """By the socket."""
        return f"postgresql://{_ACCOUNT}@/{name}?host={self.folder}&port={self.port}"

    def start(self) -> None:
        options = f"-c port={self.port} -c unix_socket_directories={self.folder} -c listen_addresses=127.0.0.1"
        quick = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=30 -c shared_buffers=64MB"
        # fmt: off
        self._run("pg_ctl", "start", "--wait", "--pgdata", f"{self.folder}/data", "--log", f"{self.folder}/log",
                  "--options", f"{options} {quick}")
        # fmt: on

    def stop(self) -> None:
        # Not `immediate`: with the quick settings above a crash loses commits that were answered, which no failover may.
        self._run("pg_ctl", "stop", "--wait", "--mode", "fast", "--pgdata", f"{self.folder}/data")

    def init(self) -> None:
        secret = self.folder / "secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        shutil.chown(secret, *_account())
        # fmt: off
        self._run("initdb", "--pgdata", f"{self.folder}/data", "--username", _ACCOUNT, "--pwfile", str(secret), "--no-sync",
                  "--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8")
        # fmt: on

    def _run(self, program: str, *arguments: str) -> None:
        user, group = _account()
        # PostgreSQL refuses to run as root.
        as_whom = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        with (self.folder / "started").open("ab") as told:
            subprocess.run(
                [str(self.programs / program), *arguments], cwd=self.folder, check=True, stdout=told, stderr=told, **as_whom
            )  # type: ignore[call-overload]


def _account() -> tuple[int, int]:
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    entry = pwd.getpwnam(_ACCOUNT)
    return entry.pw_uid, entry.pw_gid


def _programs() -> Path | None:
    """The newest PostgreSQL that PostGIS is installed for."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    usable = [p.parent for p in found if Path(f"/usr/share/postgresql/{p.parts[-3]}/extension/postgis.control").exists()]
    return usable[-1] if usable else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The cluster, or a skip."""
    programs = _programs()
    if programs is None:
        pytest.skip(_MISSING)
    # Not pytest's own folder: the account of the server may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="swath-pg-"))
    shutil.chown(folder, *_account())
    made = Server(folder=folder, programs=programs, port=_free_port())
    try:
        made.init()
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


NewDatabase = Callable[..., str]


@pytest.fixture(scope="session")
def migrated(server: Server) -> str:
    """Name of a database with pgSTAC's schema, to be copied."""
    _create(server, "ready", template="template0")
    PgStac(Database(server.dsn("ready"))).migrate()
    return "ready"


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """Connection string of a database with nothing in it."""
    yield from _database(server, template="template0")


@pytest.fixture
def database(server: Server, migrated: str) -> Iterator[str]:
    """Connection string of a database with pgSTAC's schema."""
    yield from _database(server, template=migrated)


def _database(server: Server, *, template: str) -> Iterator[str]:
    name = f"t{secrets.token_hex(6)}"
    _create(server, name, template=template)
    yield server.dsn(name)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _create(server: Server, name: str, *, template: str) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        connection.execute(statement)


@pytest.fixture(scope="session")
def server_password(server: Server) -> str:
    """Of its superuser, who needs it over TCP."""
    return PASSWORD


@pytest.fixture
def password_dsn(server: Server, database: str) -> str:
    """A migrated database over TCP, with the password in the string."""
    name = conninfo_to_dict(database)["dbname"]
    return f"postgresql://{_ACCOUNT}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}/{name}"


@pytest.fixture
def served() -> Callable[..., Json]:
    """An item as swath serves it: ``served(name, west=..., day=...)``."""

    def make(name: str, *, west: float = 7.0, day: str = "2024-05-01", collection: str = "toa-landsat-oli") -> Json:
        east, south, north = west + 1.0, 48.0, 49.0
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        asset = {"href": f"https://data.example.org/out/{name}.red.tif", "type": "image/tiff", "roles": ["data"], "nodata": -9999}
        return {
            "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": name, "collection": collection,
            "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": [west, south, east, north],
            "properties": {
                "datetime": f"{day}T10:00:00Z", "platform": "landsat-8", "instruments": ["oli"], "gsd": 30.0,
                "processing:software": {"swath": "1.0"}, "processing:level": "L1",
            },
            "links": [{"rel": "derived_from", "href": "s3://raw/scene"}],
            "assets": {"red": asset},
        }  # fmt: skip

    return make
