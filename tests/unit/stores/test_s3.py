"""A prefix in a bucket as a store: the bucket is moto's, over HTTP."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import rasterio
from moto.s3.models import s3_backends

from swath.errors import ConfigError, StoreRefusedError
from swath.readers.files.gdal_env import gdal_env
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store, s3_client, split_uri

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1",
}  # fmt: skip


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL_S3": s3_endpoint}.items():
        monkeypatch.setenv(name, value)
    s3_client.cache_clear()
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket="swath", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    for entry in client.list_objects_v2(Bucket="swath").get("Contents", []):
        client.delete_object(Bucket="swath", Key=entry["Key"])
    client.delete_bucket(Bucket="swath")
    client.close()
    s3_client.cache_clear()


@pytest.fixture(params=["s3://swath/out/a", "s3://swath"])
def store(bucket: Any, request: pytest.FixtureRequest) -> S3Store:
    opened = open_store(request.param)
    assert isinstance(opened, S3Store)
    return opened


def test_what_is_written_is_read(store: S3Store) -> None:
    store.write("a/b.json", b"one")
    store.write("a/b.json", b"two")
    assert store.read("a/b.json") == b"two"
    assert store.size("a/b.json") == 3
    assert list(store.list("")) == ["a/b.json"]


def test_what_is_not_there_is_none(store: S3Store) -> None:
    assert store.read("nothing") is None
    assert store.size("nothing") is None
    with pytest.raises(FileNotFoundError, match=r"s3://swath.*/nothing"):
        store.open("nothing")
    store.delete("nothing")
    store.delete_tree("nothing")
    assert list(store.list("nothing")) == []


def test_files_are_listed_in_the_order_of_their_names_below_a_folder(store: S3Store) -> None:
    paths = ["a-b/x", "a.txt", "a/b", "a/c/d", "a0"]
    for path in paths:
        store.write(path, b"")
    assert list(store.list("")) == sorted(paths)
    assert list(store.list("a")) == list(store.list("a/")) == ["a/b", "a/c/d"]
    store.delete_tree("a")
    assert list(store.list("")) == ["a-b/x", "a.txt", "a0"]


def test_more_than_a_page_is_listed(bucket: Any) -> None:
    store = S3Store("s3://swath/many")
    for number in range(1005):
        # Past HTTP: the server lives in this process.
        s3_backends["123456789012"]["aws"].put_object("swath", f"many/{number:04d}", b"")
    assert len(list(store.list(""))) == 1005
    store.delete_tree("")
    assert list(store.list("")) == []


def test_put_uploads_in_parts_and_removes_the_local_file(store: S3Store) -> None:
    data = np.random.default_rng(0).bytes(9 << 20)
    local = store.scratch() / "test-of-put"
    local.write_bytes(data)
    store.put(local, "x.tif")
    assert not local.exists()
    assert store.size("x.tif") == len(data)
    with store.open("x.tif") as file:
        digest = hashlib.sha256()
        while chunk := file.read(3_000_001):
            digest.update(chunk)
    assert digest.hexdigest() == hashlib.sha256(data).hexdigest()


def test_an_open_object_reads_ranges(store: S3Store) -> None:
    data = np.random.default_rng(1).bytes(3 << 20)
    store.write("x", data)
    with store.open("x") as file:
        for offset, whence, start in ((5, 0, 5), (-7, 2, len(data) - 7), (1 << 20, 0, 1 << 20), (0, 0, 0)):
            assert file.seek(offset, whence) == start
            assert file.tell() == start
            assert file.read(1000) == data[start : start + 1000]
        file.seek(10)
        file.seek(20, 1)
        assert file.read(3) == data[30:33]
        file.seek(len(data))
        assert file.read() == b""
        file.seek(0)
        assert file.read() == data
        with pytest.raises(ValueError, match="negative seek value -1"):
            file.seek(-1)


def test_gdal_and_spark_find_the_objects(store: S3Store, tmp_path: Path) -> None:
    file = tmp_path / "x.tif"
    with rasterio.open(file, "w", driver="GTiff", width=3, height=2, count=1, dtype="uint8", crs="EPSG:32633",
                       transform=rasterio.Affine(30, 0, 9, 0, -30, 0)) as dataset:  # fmt: skip
        dataset.write(np.arange(6, dtype=np.uint8).reshape(1, 2, 3))
    store.put(file, "x.tif")
    with gdal_env(store.gdal_path("x.tif")), rasterio.open(store.gdal_path("x.tif")) as dataset:
        assert dataset.read(1).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert store.spark_path("tables/x") == store.root.replace("s3://", "s3a://") + "/tables/x"


def test_a_refusal_is_no_missing_file(bucket: Any) -> None:
    store = S3Store("s3://no-such-bucket/x")
    with pytest.raises(
        StoreRefusedError, match=r"bucket no-such-bucket does not exist at http://127\.0\.0\.1:\d+ \(s3://no-such-bucket/x/x\)"
    ):
        store.read("x")


def test_a_uri_is_a_bucket_and_a_key() -> None:
    assert split_uri("s3://b/k/l/") == ("b", "k/l")
    assert split_uri("s3a://b") == ("b", "")
    with pytest.raises(ConfigError, match=r"s3:///x: expected s3://bucket/prefix"):
        split_uri("s3:///x")
