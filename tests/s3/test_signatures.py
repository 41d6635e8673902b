"""How requests are addressed and signed: S3 on Outposts by access point and SigV4A, other stores by path."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.awsrequest import AWSResponse

from swath.errors import ConfigError
from swath.stores.options import StoreOptions, store_options
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store
from swath.stores.s3_client import s3_client

ARN = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/swath"
ALIAS = "test-accessp-o0b1d075431d83bebde8xz5w8ijx1qzlbp3i3kuse10--op-s3"
HOSTS = {
    ARN: "swath-123456789012.op-01ac5d28a6a232904.s3-outposts.us-west-2.amazonaws.com",
    ALIAS: f"{ALIAS}.op-0b1d075431d83bebd.s3-outposts.us-west-2.amazonaws.com",
}
SIGNATURE = "AWS4-ECDSA-P256-SHA256"


class _Raw:
    """An empty body."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        return iter(())


@pytest.fixture(params=[ARN, ALIAS], ids=["arn", "alias"])
def rack(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[S3Store, str]:
    """A bucket on a rack, and the host that serves it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    # A variable for another store must not lead astray.
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    told = {
        "products": {"kind": "s3-outposts", "access_point": request.param, "region": "us-west-2", "consistency": "new-objects"}
    }
    monkeypatch.setenv("SWATH_STORES", json.dumps(told))
    s3_client.cache_clear()
    store = open_store("s3://products/swath")
    assert isinstance(store, S3Store)
    return store, HOSTS[request.param]


def test_requests_to_a_rack_go_to_the_access_point_and_carry_an_asymmetric_signature(rack: tuple[S3Store, str]) -> None:
    store, host = rack
    seen: list[Any] = []
    answered: Any = {"ETag": '"x"'}

    def record(request: Any, **_: Any) -> Any:
        seen.append((request.url, {k.lower(): v if isinstance(v, str) else v.decode() for k, v in request.headers.items()}))
        return AWSResponse(request.url, 200, answered, _Raw())

    events: Any = store.client.meta.events
    events.register("before-send.s3", record)
    store.write("a/b.tif", b"x")
    ((url, headers),) = seen
    assert url == f"https://{host}/swath/a/b.tif"
    assert headers["authorization"].startswith(f"{SIGNATURE} Credential=testing/")
    # One signature for every Region, so that the rack can check it while the link is cut.
    assert "/s3-outposts/aws4_request" in headers["authorization"]
    assert headers["x-amz-region-set"] == "*"


def test_gdal_reads_from_a_rack_by_a_presigned_address(rack: tuple[S3Store, str]) -> None:
    store, host = rack
    prefix = "/vsicurl?use_head=no&list_dir=no&url="
    name = store.gdal_path("a/b.tif")
    assert name.startswith(prefix)
    url = urlsplit(unquote(name.removeprefix(prefix)))
    assert (url.scheme, url.netloc, url.path) == ("https", host, "/swath/a/b.tif")
    assert parse_qs(url.query)["X-Amz-Algorithm"] == [SIGNATURE]


def test_a_store_with_an_endpoint_is_asked_by_path(bucket: Any) -> None:
    bucket.store().write("x", b"1")
    method, path, _ = bucket.recorder.seen[-1]
    headers = bucket.recorder.headers[-1]
    assert (method, path) == ("PUT", f"/{bucket.name}/out/x")
    assert headers["HTTP_HOST"] == bucket.endpoint.removeprefix("http://")
    assert headers["HTTP_AUTHORIZATION"].startswith("AWS4-HMAC-SHA256 Credential=testing/")
    assert "HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM" not in headers


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON like"),
        ('{"b": 1}', "not JSON like"),
        ('{"b": {"endpont": "x"}}', "bucket b has unknown endpont; known are access_point, addressing"),
        ('{"b": {"endpoint": "host:9"}}', r"endpoint 'host:9' must be https://host\[:port\]"),
        ('{"b": {"kind": "s4"}}', "kind 's4'"),
        ('{"b": {"requester_pays": "yes"}}', "requester_pays and anonymous are true or false"),
        ("/no/such/file", "names /no/such/file, which cannot be read"),
    ],
)
def test_options_that_cannot_be_understood_are_a_config_error(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        store_options("b", {"SWATH_STORES": text})


def test_options_come_by_bucket_then_for_all_then_from_the_variables_of_aws(tmp_path: Any) -> None:
    file = tmp_path / "stores.json"
    file.write_text('{"a": {"region": "r", "endpoint": "https://h/"}, "*": {"kind": "s3-compatible"}}', encoding="utf-8")
    environ = {"SWATH_STORES": str(file), "AWS_ENDPOINT_URL_S3": "http://e:1/"}
    assert store_options("a", environ) == StoreOptions(kind="s3-compatible", region="r", endpoint="https://h")
    assert store_options("b", environ) == StoreOptions(kind="s3-compatible", endpoint="http://e:1")
    assert store_options("b", {}) == StoreOptions()
