"""The whole way on S3: scenes, products, catalogue, reports and Delta tables, with a session of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from swath.simulator.simulate import simulate

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.s3a, pytest.mark.timeout(900)]
RUNS = Path(__file__).with_name("runs.py")


@pytest.fixture
def told(s3a_jars: tuple[Path, ...], bucket: Any, tmp_path: Path) -> dict[str, Any]:
    """What the runs of ``runs.py`` said of themselves."""
    scene = simulate(kind="landsat9", folder=tmp_path / "in", size=96, truth=False).delivery
    for file in scene.rglob("*"):
        if file.is_file():
            bucket.client.upload_file(str(file), bucket.name, f"scenes/{scene.name}/{file.relative_to(scene).as_posix()}")
    words = [sys.executable, str(RUNS), str(scene), str(tmp_path), bucket.name]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "testing" not in done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_a_run_on_s3_makes_what_a_run_in_a_folder_makes(told: dict[str, Any], bucket: Any, tmp_path: Path) -> None:
    account = {
        name: tuple(told[name][k] for k in ("scenes_in", "made", "skipped", "quarantined"))
        for name in told
        if name in {"s3", "again", "down", "adopted"}
    }
    adopted = account.pop("adopted")
    assert account == {"s3": (1, 1, 0, 0), "again": (1, 0, 1, 0), "down": (1, 1, 0, 0)}
    assert (adopted, told["adopted"]["assets"]["made"]) == ((1, 1, 0, 0), 0)
    assert [f["kind"] for f in told["mended"]["findings"]] == ["missing-file"]
    assert [(r["made"], r["assets"]["made"]) for r in told["retried"]["runs"]] == [(1, 1)]
    assert told["s3 tables"] == {**told["local tables"], "runs": 4}, "of each run that it began, and its wave"
    assert (told["expired"][0], told["expired"][2], told["after"]) == (1, [], [0, 1])
    store, here, down = bucket.store(), tmp_path / "out", tmp_path / "down"
    files = sorted(p.relative_to(here).as_posix() for p in (here / "products").rglob("*.*") if p.is_file())
    assert len(files) > 12
    for path in files:
        if path.endswith(".json"):
            mine, its = json.loads(store.read(path)), json.loads((here / path).read_bytes())
            assert mine["assets"] == its["assets"]
        else:
            assert store.read(path) == (here / path).read_bytes() == (down / path).read_bytes()
    kinds = {key.split("/")[1] for key in bucket.objects() if key.startswith("out/")}
    assert kinds == {"catalog.json", "collections", "products", "reports", "runs", "tables"}
    assert store.read("catalog.json") == (down / "catalog.json").read_bytes()
    assert bucket.uploads() == []
