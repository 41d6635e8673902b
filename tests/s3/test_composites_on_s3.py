"""Composites on S3, with the ledger in Delta and in PostgreSQL: what a folder has, byte by byte."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.catalog.conftest import empty_database, server
from tests.stacks import CLOUD, JUDGED, Date, write_product

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.s3a, pytest.mark.timeout(900)]
RUN = Path(__file__).with_name("stacks_run.py")
PIPELINE = """
name: small
composite: {reducer: geomedian, bands: [red, nir08]}
grid: {tile_px: 512}
"""
#: A PostgreSQL of the tests of the served catalogue.
__all__ = ["empty_database", "server"]


def upload(bucket: Any, folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            bucket.client.upload_file(str(file), bucket.name, f"in/{file.relative_to(folder).as_posix()}")


def put(folder: Path, *, month: int) -> Path:
    random = np.random.default_rng(month)
    cloudy = random.random((600, 300)) < 0.3
    counts = {b: random.integers(200, 4000, cloudy.shape).astype(np.int16) for b in ("red", "nir08")}
    qa = np.where(cloudy, CLOUD, JUDGED).astype(np.uint16)
    left, top = 30.0 * (512 * 40 + 10), 30.0 * (512 * 326 - 10)
    day = datetime(2024, month, 5, tzinfo=UTC)
    return write_product(Date(reflectance=counts, qa=qa, day=day, name=f"d{month}", left=left, top=top), folder)


@pytest.fixture(params=["delta", "postgresql"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    if request.param == "delta":
        return found
    return {**found, "SWATH_LEDGER": "postgresql", "SWATH_POSTGRESQL_DSN": request.getfixturevalue("empty_database")}


def test_composites_on_s3_are_those_of_a_folder(
    s3a_jars: tuple[Path, ...], bucket: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    for month in (1, 2, 3, 4):
        written = put(tmp_path / "in", month=month)
    broken = written.parent / "d4.red.tif"
    broken.write_bytes(broken.read_bytes()[:3000])
    upload(bucket, tmp_path / "in")
    (tmp_path / "small.yaml").write_text(PIPELINE, encoding="utf-8")
    words = [sys.executable, str(RUN), str(tmp_path / "small.yaml"), str(tmp_path), bucket.name]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    account = {n: tuple(told[n][k] for k in ("scenes_in", "made", "skipped", "quarantined")) for n in ("s3", "again", "retried")}
    # Two tiles; the broken date touches both of them, and is tried again in each.
    assert account == {"s3": (2, 2, 0, 0), "again": (2, 0, 2, 0), "retried": (2, 2, 0, 0)}
    assert [q["scene_id"] for q in told["s3"]["quarantine"]] == ["d4"] * 2
    # 8 assets of each, of one strip.
    assert told["rows"] == {"scenes": 0, "products": 2, "tiles": 16, "sources": 8, "quarantine": 2, "runs": 2, "tombstones": 0}
    assert (told["standing"], told["findings"]) == (1, [])
    down = tmp_path / "down"
    files = sorted(p.relative_to(down).as_posix() for p in (down / "products").rglob("*.*") if p.is_file())
    assert len(files) == 2 * 10
    store = bucket.store()
    for path in files:
        if path.endswith(".json"):
            assert json.loads(store.read(path)) == json.loads((down / path).read_bytes())
        else:
            assert store.read(path) == (down / path).read_bytes(), path
    assert {key.split("/")[1] for key in bucket.objects() if key.startswith("out/")} - {"tables", "ledger.json"} == {
        "catalog.json", "collections", "products", "reports", "runs",
    }  # fmt: skip
    assert bucket.uploads() == []
