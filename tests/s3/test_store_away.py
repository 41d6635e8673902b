"""A store that is away is waited for by the clock; one that refuses is told in one line."""

import os
import re
import time
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import rasterio
from tests.faults.outage_s3 import RESET, Fault, OutageS3
from tests.s3.conftest import fresh

from swath.errors import ServiceError, StoreRefusedError
from swath.readers.files.gdal_env import gdal_env as held
from swath.readers.files.patient import patiently
from swath.stores import patience
from swath.stores.patience import heard_by
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store

AWAY = ["SlowDown", "InternalError", RESET]


@pytest.fixture
def store(switch: OutageS3) -> S3Store:
    made = open_store(f"s3://away-{uuid4().hex[:12]}/out")
    assert isinstance(made, S3Store)
    made.client.create_bucket(Bucket=made.bucket)
    return made


@pytest.mark.parametrize("code", AWAY)
def test_a_store_that_comes_back_is_waited_for(store: S3Store, switch: OutageS3, code: str) -> None:
    store.write("before", b"1")
    fault = switch.away(code, seconds=0.7)
    store.write("x", b"1")
    assert fault.met > 1
    fault = switch.away(code, seconds=0.7)
    assert (store.read("x"), store.size("x"), list(store.list(""))) == (b"1", 1, ["before", "x"])
    assert fault.met > 1


@pytest.mark.parametrize("code", AWAY)
def test_patience_ends_by_the_clock_and_further_requests_do_not_wait(
    store: S3Store, switch: OutageS3, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWATH_STORE_PATIENCE_S", "2")
    fresh()
    pauses: list[float] = []
    monkeypatch.setattr(patience._EARS, "waiting", pauses.append)
    switch.away(code)
    since = time.monotonic()
    with pytest.raises(
        ServiceError, match=rf"s3://{store.bucket} at http://127\S+ was away for 2 s \(PutObject of s3://\S+/out/x"
    ):
        store.write("x", b"1")
    # Pauses are its own doing; what requests take beside them is the machine's.
    assert time.monotonic() - since >= 2
    assert len(pauses) > 2
    assert sum(pauses) <= 2
    pauses.clear()
    with pytest.raises(ServiceError, match="HeadObject of"):
        store.size("x")
    assert pauses == []
    switch.fault = None
    store.write("x", b"1")
    assert store.read("x") == b"1"


def test_patience_belongs_to_a_bucket(store: S3Store, switch: OutageS3, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = os.environ["AWS_ENDPOINT_URL_S3"]
    monkeypatch.setenv("SWATH_STORES", f'{{"{store.bucket}": {{"endpoint": "{endpoint}", "patience_s": 1}}}}')
    switch.away("SlowDown")
    with pytest.raises(ServiceError, match="was away for 1 s"):
        S3Store(store.root).read("x")


def test_one_line_a_minute_says_what_is_waited_for(store: S3Store, switch: OutageS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_LINE_S", 0.3)
    said: list[str] = []
    switch.away("SlowDown", seconds=1.2)
    with heard_by(said.append):
        store.write("x", b"1")
    assert len(said) == 2
    assert said[0].startswith(f"waiting for s3://{store.bucket} at http://127.0.0.1")
    assert "503 SlowDown" in said[0]
    assert said[0].endswith("at most 20 s")
    assert re.search(r"answers again, after [1-9]\d* s", said[1])


def test_expired_credentials_are_read_anew(
    store: S3Store, switch: OutageS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id=OLD\naws_secret_access_key=x\naws_session_token=t\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    fresh()
    store.write("x", b"1")
    fault = switch.away("ExpiredToken", asked=lambda e: "Credential=OLD" in e["HTTP_AUTHORIZATION"])
    file.write_text("[default]\naws_access_key_id=NEW\naws_secret_access_key=x\naws_session_token=t\n")
    assert store.read("x") == b"1"
    assert fault.met == 1
    switch.away("ExpiredToken", seconds=1.0)
    # An answer to HEAD has no code.
    assert store.size("x") == 1


def test_a_refusal_names_key_identity_and_action(store: S3Store, switch: OutageS3) -> None:
    switch.away("AccessDenied")
    refused = (
        rf"s3://{store.bucket}/out/a/x: s3:PutObject is refused to access key \.\.\.ABCD \(from env\) \(AccessDenied: a fault"
    )
    with pytest.raises(StoreRefusedError, match=refused):
        store.write("a/x", b"1")
    with pytest.raises(StoreRefusedError, match="s3:ListBucket is refused"):
        list(store.list("a"))
    with pytest.raises(StoreRefusedError, match="s3:GetObject is refused"):
        store.size("a/x")


@pytest.mark.parametrize(("ahead_s", "told"), [(-3600.0, r"360\d s ahead of"), (7200.0, r"(7200|719\d) s behind")])
def test_a_clock_that_is_wrong_is_told_in_seconds(store: S3Store, switch: OutageS3, ahead_s: float, told: str) -> None:
    switch.fault = Fault(code="RequestTimeTooSkewed", ahead_s=ahead_s)
    for ask in (store.read, store.size):
        with pytest.raises(StoreRefusedError, match=f"this machine's clock is {told} the store's"):
            ask("x")


def test_a_bucket_that_is_gone_is_named(store: S3Store, switch: OutageS3) -> None:
    switch.away("NoSuchBucket")
    with pytest.raises(StoreRefusedError, match=f"bucket {store.bucket} does not exist at http://127"):
        store.write("x", b"1")


def test_nobody_to_sign_as_is_told(store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    fresh()
    with pytest.raises(StoreRefusedError, match=rf"s3://{store.bucket}/out/x: no credentials were found for GetObject"):
        store.read("x")


@pytest.fixture
def raster(store: S3Store, tmp_path: Path) -> tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.uint16]]]:
    """Large enough that its header does not hold its pixels."""
    values = np.random.default_rng(0).integers(0, 60000, (1024, 1024), dtype=np.uint16)
    path = tmp_path / "x.tif"
    with rasterio.open(path, "w", driver="GTiff", width=1024, height=1024, count=1, dtype="uint16", tiled=True,
                       blockxsize=512, blockysize=512, compress="deflate", crs="EPSG:32633",
                       transform=rasterio.Affine(30, 0, 9, 0, -30, 0)) as dataset:  # fmt: skip
        dataset.write(values, 1)
    store.put(path, "x.tif")
    return store.gdal_path("x.tif"), values


@pytest.mark.parametrize("code", [*AWAY, "ExpiredToken"])
@pytest.mark.parametrize("at", ["open", "read"])
def test_gdal_outlasts_a_store_that_is_away(
    raster: tuple[str, np.ndarray[tuple[int, ...], np.dtype[np.uint16]]], switch: OutageS3, code: str, at: str
) -> None:
    href, values = raster
    if code == "ExpiredToken":
        os.environ["AWS_SESSION_TOKEN"] = "t"
        fresh()
    kept: list[rasterio.DatasetReader] = []

    def work() -> object:
        with held(href):
            if not kept:
                kept.append(rasterio.open(href))
            return kept[0].read(1)

    def forget() -> None:
        while kept:
            kept.pop().close()

    if at == "read":
        with held(href):
            kept.append(rasterio.open(href))
    fault = switch.away(code, seconds=0.8)
    try:
        found = patiently(work, href=href, forget=forget)
    finally:
        os.environ.pop("AWS_SESSION_TOKEN", None)
        forget()
    assert np.array_equal(np.asarray(found), values)
    assert fault.met > 1


def test_gdal_ends_when_patience_does(raster: tuple[str, object], switch: OutageS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_STORE_PATIENCE_S", "1")
    fresh()
    switch.away("SlowDown")

    def work() -> None:
        with held(raster[0]), rasterio.open(raster[0]):
            pass

    with pytest.raises(ServiceError, match=r"was away for 1 s \(GetObject of s3://\S+/out/x\.tif: 503 SlowDown"):
        patiently(work, href=raster[0])


def test_gdal_is_told_of_a_refusal(raster: tuple[str, object], switch: OutageS3) -> None:
    switch.away("AccessDenied")

    def work() -> None:
        with held(raster[0]), rasterio.open(raster[0]):
            pass

    with pytest.raises(StoreRefusedError, match=r"out/x\.tif: s3:GetObject is refused to access key \.\.\.ABCD"):
        patiently(work, href=raster[0])


def test_a_damaged_file_is_not_waited_for(store: S3Store, tmp_path: Path) -> None:
    path = tmp_path / "bad.tif"
    path.write_bytes(b"II*\0" + b"\xff" * 5000)
    store.put(path, "bad.tif")
    href = store.gdal_path("bad.tif")
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        with held(href), rasterio.open(href):
            pass

    since = time.monotonic()
    with pytest.raises(rasterio.errors.RasterioError, match=r"bad\.tif"):
        patiently(work, href=href)
    assert len(tries) <= 4
    assert time.monotonic() - since < 5
