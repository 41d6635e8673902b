"""The store's promises, against a server that speaks S3."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError

from swath.stores.options import gdal_options
from swath.stores.registry import open_store
from swath.stores.s3 import S3Store, spans
from swath.stores.s3_client import CHUNK, _content_md5
from swath.stores.upload import PartWindow

MIB = 1 << 20


def test_files_are_written_read_listed_and_deleted(bucket: Any) -> None:
    store = bucket.store()
    for path in ("b/2", "a/1", "a.c", "a/b/3"):
        store.write(path, path.encode())
    assert list(store.list("")) == ["a.c", "a/1", "a/b/3", "b/2"]
    assert list(store.list("a")) == ["a/1", "a/b/3"]
    assert (store.read("a/1"), store.read("none"), store.size("b/2"), store.size("none")) == (b"a/1", None, 3, None)
    store.delete("a.c")
    store.delete_tree("a")
    store.delete_tree("nowhere")
    assert bucket.objects() == ["out/b/2"]


def test_a_tree_is_deleted_with_one_request_for_a_thousand_files(bucket: Any) -> None:
    store = bucket.store()
    for n in range(12):
        store.write(f"scratch/{n}", b"x")
    bucket.asked()
    store.delete_tree("scratch")
    assert bucket.asked() == {"ListObjectsV2": 1, "DeleteObjects": 1}
    assert bucket.objects() == []


def test_a_small_object_opens_with_one_request(bucket: Any) -> None:
    store = bucket.store()
    store.write("small", b"0123456789")
    store.write("empty", b"")
    bucket.asked()
    with store.open("small") as file:
        file.seek(-3, io.SEEK_END)
        assert file.read() == b"789"
    assert bucket.asked() == {"GetObject": 1}
    with store.open("empty") as file:
        assert file.read() == b""
    with pytest.raises(FileNotFoundError, match=f"s3://{bucket.name}/out/none"):
        store.open("none")


def test_a_large_object_is_read_in_ranges_or_at_once(bucket: Any) -> None:
    store = bucket.store()
    data = bytes(range(256)) * (10 * MIB // 256)
    store.write("large", data)
    bucket.asked()
    with store.open("large") as file:
        assert file.read(5) == data[:5]
        file.seek(9 * MIB + 3)
        assert file.read(7) == data[9 * MIB + 3 : 9 * MIB + 10]
        file.seek(CHUNK - 2)
        assert file.read(4) == data[CHUNK - 2 : CHUNK + 2]
    assert bucket.asked()["GetObject"] <= 4
    with store.fetch("large") as file:
        assert file.read() == data
    assert bucket.asked() == {"GetObject": 1}
    with pytest.raises(FileNotFoundError, match="none"):
        store.fetch("none")


@pytest.mark.parametrize("size", [10, 17 * MIB])
def test_a_published_file_is_never_replaced(bucket: Any, tmp_path: Path, size: int) -> None:
    store, local = bucket.store(), tmp_path / "local"

    def publish(first: bytes) -> bool:
        local.write_bytes(first + bytes(size - 1))
        return bool(store.publish(local, "x.tif"))

    assert publish(b"a")
    assert not local.exists()
    assert not publish(b"a")
    with pytest.raises(FileExistsError, match=r"x\.tif"):
        publish(b"b")
    assert store.digest("x.tif")[1] == size
    assert store.open("x.tif").read(1) == b"a"
    assert bucket.uploads() == []


def test_a_store_that_knows_no_conditions_is_written_all_the_same(bucket: Any, tmp_path: Path, monkeypatch: Any) -> None:
    store, local = bucket.store(), tmp_path / "local"

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "If-None-Match" in params["headers"]:
            params["headers"]["x-conditional"] = params["headers"].pop("If-None-Match")

    events = store.client.meta.events
    events.register("before-call.s3", refuse)
    for size in (10, 17 * MIB):
        for _ in range(2):
            local.write_bytes(bytes(size))
            assert store.publish(local, f"{size}.tif")
    events.unregister("before-call.s3", refuse)


class _Body:
    """Breaks off once in the middle."""

    def __init__(self, body: Any, *, breaks: bool) -> None:
        self._body, self._breaks = body, breaks

    def iter_chunks(self, size: int) -> Any:
        for data in self._body.iter_chunks(size):
            yield data[: len(data) // 2] if self._breaks else data
            if self._breaks:
                raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

    def read(self) -> bytes:
        if self._breaks:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
        return bytes(self._body.read())


def test_a_connection_that_breaks_in_the_middle_is_taken_up_again(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bucket.store()
    data = bytes(range(256)) * 400
    store.write("x", data)
    answers: list[Any] = []
    real = store.client.get_object

    def get_object(**asked: Any) -> Any:
        answer = real(**asked)
        answers.append(asked.get("Range", ""))
        answer["Body"] = _Body(answer["Body"], breaks=len(answers) == 1)
        return answer

    monkeypatch.setattr(store.client, "get_object", get_object)
    with store.fetch("x") as file:
        assert file.read() == data
    assert answers == ["", f"bytes={len(data) // 2}-"]
    answers.clear()
    assert store.read("x") == data


def test_buckets_of_one_run_have_their_own_endpoints_and_payers(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {
        bucket.name: {"endpoint": bucket.endpoint, "requester_pays": True},
        "elsewhere": {"endpoint": "https://ceph.example:8443", "region": "external", "profile": ""},
        "public": {"kind": "s3", "anonymous": True, "region": "us-west-2"},
        "*": {"kind": "s3", "region": "eu-central-1"},
    }
    monkeypatch.setenv("SWATH_STORES", json.dumps(options))
    bucket.store().write("x", b"1")
    assert bucket.recorder.headers[-1]["HTTP_X_AMZ_REQUEST_PAYER"] == "requester"
    assert gdal_options(bucket.store().options) == {
        "AWS_S3_ENDPOINT": bucket.endpoint.removeprefix("http://"), "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE",
        "AWS_REQUEST_PAYER": "requester",
    }  # fmt: skip
    urls = {name: _url(name) for name in ("elsewhere", "public", "other")}
    assert urls["elsewhere"].startswith("https://ceph.example:8443/elsewhere/key")
    assert urls["public"] == "https://public.s3.amazonaws.com/key"  # no signature
    assert "%2Feu-central-1%2Fs3%2Faws4_request" in urls["other"]


def _url(name: str) -> str:
    store = open_store(f"s3://{name}")
    assert isinstance(store, S3Store)
    return store.presigned("key")


def test_a_window_of_a_file_reads_like_a_file() -> None:
    window = PartWindow(io.BytesIO(b"0123456789"), start=2, length=5)
    assert (len(window), window.read(2), window.read(), window.read(1)) == (5, b"23", b"456", b"")
    assert (window.seek(-2, io.SEEK_END), window.read(9), window.tell()) == (3, b"56", 5)


@pytest.mark.parametrize("length", [1, 32 * MIB, 33 * MIB, 64 * MIB + 1, 200 * MIB])
def test_parts_cover_a_file_and_none_is_small(length: int) -> None:
    found = list(spans(length))
    assert [start for start, _ in found] == [0, *[stop for _, stop in found[:-1]]]
    assert found[-1][1] == length
    assert min(stop - start for start, stop in found) >= min(length, 32 * MIB)


def test_deleting_many_carries_the_checksum_that_old_stores_insist_on() -> None:
    params: dict[str, Any] = {"body": b"", "headers": {}}
    _content_md5(params)
    assert params["headers"] == {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}  # RFC 1864 of nothing
