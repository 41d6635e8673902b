"""PostgreSQL over TLS, by the variables that a site renders, while its authority is replaced."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.authorities import Authority, mount

from swath.deploy.render.environment import environment
from swath.deploy.site.files import load_job, load_site
from swath.stores.database import Database

OLD, NEW = Authority.new("old"), Authority.new("new")


@pytest.fixture
def tls(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the bundle; the server speaks TLS meanwhile."""
    site = load_site("eks-anywhere")
    assert site.trust is not None
    told = environment(load_job("ard"), site=site)
    for name in ("PGSSLROOTCERT", "PGSSLMODE"):
        monkeypatch.setenv(name, told[name].replace(site.trust.folder, str(tmp_path)))
    yield tmp_path
    _set(server, ssl="off")


def _set(server: Any, **settings: str) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        connection.execute("SELECT pg_reload_conf()")
        for name, value in settings.items():
            shown = ""
            while shown != value:  # the postmaster hears of it by a signal; a new connection has what it knows
                with psycopg.connect(server.dsn("postgres")) as fresh:
                    shown = str(fresh.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchall()[0][0])


def _certify(server: Any, authority: Authority) -> None:
    file = authority.serve(server.folder / f"{authority.name}.pem")
    shutil.chown(file, server.folder.owner(), server.folder.group())
    file.chmod(0o600)
    _set(server, ssl_cert_file=str(file), ssl_key_file=str(file), ssl="on")


def _encrypted(dsn: str) -> bool:
    with Database(dsn).connect("swath tests") as connection:
        found = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchall()
    return bool(found[0][0])


def test_new_connections_follow_the_bundle_and_old_ones_stay(server: Any, password_dsn: str, tls: Path) -> None:
    mount(tls, [OLD])
    _certify(server, OLD)
    assert _encrypted(password_dsn)
    with Database(password_dsn).connect("swath tests") as kept:
        mount(tls, [OLD, NEW])
        _certify(server, NEW)
        assert _encrypted(password_dsn)
        mount(tls, [NEW])
        assert _encrypted(password_dsn)
        assert kept.execute("SELECT 1").fetchall() == [(1,)]
    _certify(server, OLD)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(password_dsn)
