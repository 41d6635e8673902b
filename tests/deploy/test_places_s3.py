"""Results and forwarding by S3, over HTTP against moto's server, which honours If-None-Match."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swath.deploy.border.forward import forward
from swath.deploy.border.place import open_place
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.result import read_result, s3_client
from swath.deploy.site.site import Site

RESULT = {"run_id": "one", "pipeline": "ard", "scenes_in": 1, "made": 1, "skipped": 0, "quarantined": 0}


@pytest.fixture
def site(s3_endpoint: str, change: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    store = {"kind": "s3-compatible", "endpoint": s3_endpoint, "region": "us-east-1", "addressing": "path", "insecure_http": True}
    made = change(
        "outposts-local",
        stores={
            "scenes": {**store, "uri": "s3://scenes"},
            "products": {**store, "uri": "s3://products/swath"},
            "out": {**store, "uri": "s3://out"},
        },
        border={"allow": ["metrics"], "to": "s3://out/box"},
        logging={},
        models={},
    )
    for bucket in ("products", "out"):
        s3_client(made.stores["products"]).create_bucket(Bucket=bucket)
    return made


def test_a_result_is_read_where_the_run_left_it(site: Site) -> None:
    place = open_place("s3://products/swath/ard", site=site)
    assert read_result("s3://products/swath/ard", run_id="one", site=site) is None
    place.put_new("reports/one.json", json.dumps(RESULT).encode())
    found = read_result("s3://products/swath/ard", run_id="one", site=site)
    assert found is not None
    assert found.exit_code == 0


def test_a_bucket_that_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(LaunchError, match="bucket scenes does not exist"):
        read_result("s3://scenes/x", run_id="one", site=site)


def test_a_run_is_forwarded_from_bucket_to_bucket_once(site: Site) -> None:
    here, there = open_place("s3://products/swath/f", site=site), open_place("s3://out/box", site=site)
    here.put_new("reports/one.json", json.dumps(RESULT).encode())
    assert [f.run_id for f in forward(site, output="s3://products/swath/f", max_duration_s=3600)] == ["one"]
    assert list(forward(site, output="s3://products/swath/f", max_duration_s=3600)) == []
    keys = s3_client(site.stores["out"]).list_objects_v2(Bucket="out")["Contents"]
    assert len([k for k in keys if k["Key"].endswith("/metrics.json")]) == 1
    assert there.read("nothing") is None


@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_of_many_who_make_a_file_one_does(kind: str, site: Site, tmp_path: Path) -> None:
    place = open_place("s3://out/race" if kind == "bucket" else str(tmp_path), site=site)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: place.put_new("receipt.json", str(n).encode()), range(8)))
    assert made.count(True) == 1
    assert place.read("receipt.json") == str(made.index(True)).encode()
