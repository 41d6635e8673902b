"""A search of a real STAC API, stac-fastapi over pgSTAC, through the command line."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from swath.simulator.simulate import simulate

Json = dict[str, Any]
pytestmark = pytest.mark.spark
SIDE = 96


@pytest.fixture
def items(tmp_path: Path) -> list[Json]:
    """Three items of one small scene: two collections, one id in both."""
    pytest.importorskip("stac_fastapi.pgstac", reason="stac-fastapi.pgstac is not installed: make setup")
    scene = simulate(kind="stac", folder=tmp_path / "scene", size=SIDE, seed=5, truth=False)
    record: Json = json.loads(scene.metadata.read_text(encoding="utf-8"))
    for asset in record["assets"].values():
        asset["href"] = str(scene.delivery / asset["href"])
    return [{**record, "collection": "a", "id": name} for name in ("one", "two")] + [{**record, "collection": "b", "id": "other"}]


@pytest.fixture
def api(database: str, items: list[Json], tmp_path: Path) -> Iterator[str]:
    """The root of the API."""
    _load(database, items)
    told = conninfo_to_dict(database)
    # By TCP, with a password that needs no quoting: the API quotes it in another way than its driver reads it.
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS api")
        connection.execute("CREATE ROLE api LOGIN SUPERUSER PASSWORD 'api'")
    environment = {
        **os.environ, "PGUSER": "api", "PGPASSWORD": "api", "PGHOST": "127.0.0.1", "PGPORT": str(told["port"]),
        "PGDATABASE": str(told["dbname"]), "DB_MIN_CONN_SIZE": "1", "DB_MAX_CONN_SIZE": "2",
    }  # fmt: skip
    with (tmp_path / "api.log").open("wb") as log:
        port = _free_port()
        served = ("--factory", "stac_fastapi.pgstac.app:create_app", "--host", "127.0.0.1", "--port", str(port))
        command = [sys.executable, "-m", "uvicorn", *served]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}", process=process, log=tmp_path / "api.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _load(database: str, items: list[Json]) -> None:
    with psycopg.connect(database, options="-c search_path=pgstac,public", autocommit=True) as connection:
        for name in sorted({i["collection"] for i in items}):
            extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
            collection = {
                "type": "Collection", "stac_version": "1.1.0", "id": name, "description": name, "license": "other", "links": [],
                "extent": extent,
            }  # fmt: skip
            connection.execute("SELECT create_collection(%s)", (json.dumps(collection),))
        for item in items:
            connection.execute("SELECT create_item(%s)", (json.dumps(item),))


def _wait(root: str, *, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"{root}/") as answer:  # noqa: S310  our own server
                if answer.status == 200:
                    return
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"the API does not start: {log.read_text(errors='replace')[-2000:]}")


def _swath(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "swath.cli", *arguments, "--json"], capture_output=True, text=True, check=False, timeout=300
    )


def test_a_search_is_planned_and_made_through_the_command_line(api: str, java: None, tmp_path: Path) -> None:
    output, search = tmp_path / "out", f"stac+{api}?collections=a,b&limit=1"
    ran = _swath("run", "toa", "--input", search, "--output", str(output), "--run-id", "r1", "--master", "local[2,4]")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    assert result["scenes_in"] == result["made"] == 3
    assert {p["scene_id"] for p in result["products"]} == {"one", "two", "other"}
    assert "search of 127.0.0.1: 3 items" in ran.stderr
    kept = sorted(p.name for p in (output / "runs" / "r1" / "search").rglob("*.json"))
    assert kept[:3] == ["a.one.json", "a.two.json", "b.other.json"]
    # A plan of the same search finds everything made; another search through GET's form of the address finds one.
    shutil.rmtree(output / "runs" / "r1" / "plan")
    planned = _swath("plan", "toa", "--input", f"{api}/search?ids=two", "--output", str(output), "--master", "local[2,4]")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout.splitlines()[-1])["status"] == {"made": 1}
