"""A model's whole life on premises: the site's own registry, store and cluster, and no link to anything else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOSED = Path(__file__).with_name("closed_network.sh")

pytestmark = [pytest.mark.long, pytest.mark.spark, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def lived(java: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """What came of each part, and the packets that tried to leave, name look-ups included."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare and ip (util-linux, iproute2) are needed")
    folder = tmp_path_factory.mktemp("site")
    own = {k: v for k, v in os.environ.items() if not k.startswith(("SWATH_", "MLFLOW_", "AWS_"))}
    command = [
        "/usr/bin/unshare",
        "-rn",
        "/bin/sh",
        str(CLOSED),
        sys.executable,
        "-m",
        "tests.deploy.site_by_itself",
        str(folder),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=own | {"SPARK_LOCAL_IP": "127.0.0.1"}, capture_output=True, text=True, check=False
    )
    if "unshare failed" in done.stderr:
        pytest.skip(f"no network of its own can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr[-3000:]
    *_, told, sent = done.stdout.strip().splitlines()
    return json.loads(told), int(sent.removeprefix("sent "))


def test_it_trains_refuses_a_worse_version_and_promotes_a_better_one(lived: tuple[dict[str, Any], int]) -> None:
    told, _ = lived
    assert told["first"] == ["1", ["production"], ""]
    version, aliases, why = told["worse"]
    assert (version, aliases) == ("2", [])
    assert "land 2 is not promoted: the calibration error rises by" in why
    assert f"land 3 (production): sha256 {told['digest']}" in told["promoted"]
    kept = [k for k in told["objects"] if k.startswith("artifacts/")]
    assert len([k for k in kept if k.endswith("/model/forest.npz")]) == 3
    # Two promotions and the rollback.
    assert [k for k in kept if "/promotions/" in k] != []


def test_it_runs_on_two_executors_and_traces_both_ways(lived: tuple[dict[str, Any], int]) -> None:
    told, _ = lived
    assert told["executors"] == 2
    assert (told["made"]["made"], told["made"]["quarantined"]) == (1, 0)
    (model,) = told["from item"]["models"]
    assert (model["name"], model["version"], model["digest"]) == ("land", "3", told["digest"])
    assert model["training"]["scenes"] == [told["made"]["products"][0]["scene_id"]]
    assert [p["product_id"] for p in told["from model"]["products"]] == [told["made"]["products"][0]["product_id"]]


def test_a_revoked_model_marks_its_product_is_refused_and_its_product_is_made_again(lived: tuple[dict[str, Any], int]) -> None:
    told, _ = lived
    assert "1 products, 1 items marked as deprecated now" in told["revoked"]
    assert told["item"]["deprecated"] is True
    assert f"digest {told['digest']} was revoked" in told["refused"]
    assert told["made again"]["made"] == 1
    assert "deprecated" not in told["item again"]
    assert [m["version"] for m in told["item again"]["swath:models"]] == ["1"]


def test_nothing_of_it_tries_to_leave(lived: tuple[dict[str, Any], int]) -> None:
    assert lived[1] == 0
