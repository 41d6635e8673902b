"""Faults of a store beside those that everybody meets: waited for, or told in one line with the cause and what to do."""

import time
from uuid import uuid4

import pytest
from tests.faults.outage_s3 import CUT, OutageS3
from tests.s3.conftest import fresh

from swath.errors import ServiceError, StoreRefusedError
from swath.readers.pixels.masks import mask_beside
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store

BODY = bytes(range(256)) * 4096


@pytest.fixture
def store(switch: OutageS3) -> S3Store:
    made = open_store(f"s3://other-{uuid4().hex[:12]}/out")
    assert isinstance(made, S3Store)
    made.client.create_bucket(Bucket=made.bucket)
    return made


@pytest.mark.parametrize("code", ["RequestTimeout", "KMS.ThrottlingException"])
def test_what_passes_is_waited_for(store: S3Store, switch: OutageS3, code: str) -> None:
    fault = switch.away(code, seconds=0.5)
    store.write("x", b"1")
    assert store.read("x") == b"1"
    assert fault.met > 1


def test_a_body_that_breaks_off_is_asked_for_again(store: S3Store, switch: OutageS3) -> None:
    store.write("x", BODY)
    fault = switch.away(CUT, seconds=0.5, asked=lambda e: e["REQUEST_METHOD"] == "GET" and e["PATH_INFO"].endswith("/x"))
    assert store.read("x") == BODY
    assert fault.met > 0
    fault = switch.away(CUT, seconds=0.5, asked=lambda e: e["REQUEST_METHOD"] == "GET" and e["PATH_INFO"].endswith("/x"))
    assert store.digest("x")[1] == len(BODY)
    assert fault.met > 0


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "KMS.DisabledException",
            r"s3:PutObject is refused to access key \.\.\.ABCD .*\(KMS\.DisabledException: a fault\)",
        ),
        (
            "InvalidAccessKeyId",
            r"refused to access key \.\.\.ABCD \(from env\) \(InvalidAccessKeyId: a fault\); grant",
        ),
        ("SignatureDoesNotMatch", r"refused to access key .*\(SignatureDoesNotMatch: a fault\)"),
        (
            "PermanentRedirect",
            "is of another region or endpoint than it was asked at .301: Moved Permanently.; set AWS_REGION",
        ),
        ("AuthorizationHeaderMalformed", "is of another region or endpoint .*; set AWS_REGION, or region and endpoint in SWATH"),
    ],
)
def test_what_only_a_person_can_put_right_is_told_at_once(store: S3Store, switch: OutageS3, code: str, told: str) -> None:
    switch.away(code)
    since = time.monotonic()
    with pytest.raises(StoreRefusedError, match=rf"^s3://{store.bucket}/(out/x)?: .*({told})"):
        store.write("x", b"1")
    # An answer to HEAD has no body: a number alone, whose name is asked for.
    with pytest.raises(StoreRefusedError, match=rf"^s3://{store.bucket}/(out/x)?: .*(refused to access key|another region)"):
        store.size("x")
    assert time.monotonic() - since < 10


def test_a_name_that_does_not_resolve_is_away(store: S3Store, monkeypatch: pytest.MonkeyPatch, switch: OutageS3) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://no-such-store.invalid:9000")
    monkeypatch.setenv("SWATH_STORE_PATIENCE_S", "1")
    fresh()
    with pytest.raises(ServiceError, match=r"at http://no-such-store\.invalid:9000 was away for 1 s .*(resolve|connect)"):
        S3Store(store.root).read("x")


def test_who_may_not_list_a_bucket_is_refused_what_is_not_there(store: S3Store, switch: OutageS3) -> None:
    store.write("x.tif", b"1")
    switch.away("AccessDenied", asked=lambda e: e["PATH_INFO"].endswith(".msk"))
    assert store.seen("x.tif")
    assert not store.seen("x.tif.msk")
    assert mask_beside(store.gdal_path("x.tif")) == ""
