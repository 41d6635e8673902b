"""Who asks a store from the launcher's side: the store's own profile, nobody, or the caller."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.deploy.fake_s3 import FakeStore, serve

from swath.deploy.border.forward import forward
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.result import read_result
from swath.deploy.site.site import Site

RESULT = {"run_id": "one", "pipeline": "ard", "scenes_in": 1, "made": 1, "skipped": 0, "quarantined": 0}
KEYS = """
[rack]
aws_access_key_id = RACKKEY
aws_secret_access_key = x
[region]
aws_access_key_id = REGIONKEY
aws_secret_access_key = y
"""
Change = Callable[..., Site]


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two profiles, and a caller whose own keys must not be used for either."""
    (tmp_path / "credentials").write_text(KEYS, encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "CALLER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "z")


def _store(endpoint: str, uri: str, **more: object) -> dict[str, object]:
    plain = {"kind": "s3-compatible", "region": "us-east-1", "addressing": "path", "insecure_http": True}
    return {**plain, "endpoint": endpoint, "uri": uri, **more}


def _site(change: Change, *, rack: str, region: str, outbox: dict[str, object], **products: object) -> Site:
    stores = {
        "scenes": _store(rack, "s3://scenes"),
        "products": _store(rack, "s3://products/swath", **products),
        "outbox": _store(region, "s3://outbox", **outbox),
    }
    return change(
        "outposts-local", stores=stores, border={"allow": ["metrics"], "to": "store://outbox/box"}, logging={}, models={}
    )


@pytest.mark.parametrize(
    ("outbox", "who"),
    [
        ({"profile": "region", "requester_pays": True}, ("REGIONKEY", "requester")),
        ({"anonymous": True}, ("nobody", "")),
        ({}, ("CALLER", "")),
    ],
)
def test_each_end_is_asked_by_its_own_stores_identity(outbox: dict[str, object], who: tuple[str, str], change: Change) -> None:
    rack, region = FakeStore(), FakeStore()
    with serve(rack) as here, serve(region) as there:
        site = _site(change, rack=here, region=there, outbox=outbox, profile="rack")
        rack.objects["/products/swath/ard/reports/one.json"] = json.dumps(RESULT).encode()
        assert [f.run_id for f in forward(site, output="s3://products/swath/ard", max_duration_s=3600)] == ["one"]
        assert list(forward(site, output="s3://products/swath/ard", max_duration_s=3600)) == []
    assert (rack.asked, region.asked) == ({("RACKKEY", "")}, {who})
    assert [path.rsplit("/", 1)[-1] for path in region.objects] == ["metrics.json"]


def test_a_result_is_asked_for_by_the_stores_identity(change: Change) -> None:
    rack = FakeStore()
    with serve(rack) as here:
        site = _site(change, rack=here, region=here, outbox={}, profile="rack", requester_pays=True)
        assert read_result("s3://products/swath/ard", run_id="one", site=site) is None
    assert rack.asked == {("RACKKEY", "requester")}


def test_a_profile_that_this_machine_lacks_is_told(change: Change) -> None:
    site = _site(change, rack="http://127.0.0.1:9", region="http://127.0.0.1:9", outbox={}, profile="absent")
    with pytest.raises(LaunchError, match=r"absent.*could not be found.*add it to this machine's AWS files"):
        read_result("s3://products/swath/ard", run_id="one", site=site)
    with pytest.raises(LaunchError, match="absent"):
        list(forward(site, output="s3://products/swath/ard", max_duration_s=3600))


def test_a_result_that_s3_refuses_may_not_be_there(change: Change) -> None:
    """S3's answer about a missing key to whoever may not list."""
    rack = FakeStore()
    rack.missing = (403, "AccessDenied")
    with serve(rack) as here:
        site = _site(change, rack=here, region=here, outbox={})
        with pytest.raises(
            LaunchError,
            match=r"reports/one\.json is not there, or not allowed\. Allow s3:GetObject .*s3:ListBucket on bucket products",
        ):
            read_result("s3://products/swath/ard", run_id="one", site=site)
