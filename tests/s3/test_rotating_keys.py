"""Keys that a secret's file gets while a process works are taken up."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import rasterio
from rasterio.errors import RasterioIOError

from swath.readers.files.gdal_env import gdal_env
from swath.stores import rotating_keys
from swath.stores.options import StoreOptions
from swath.stores.s3_client import s3_client


class File:
    """A credentials file, replaced as an orchestrator replaces it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, key: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n", encoding="utf-8")
        fresh.replace(self.path)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> File:
    made = File(tmp_path / "credentials")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(made.path))
    return made


def signer(bucket: Any, client: Any) -> str:
    """Key of the next request."""
    client.list_objects_v2(Bucket=bucket.name)
    found = re.search(r"Credential=(\w+)/", bucket.recorder.headers[-1]["HTTP_AUTHORIZATION"])
    assert found
    return found[1]


def client_of(bucket: Any) -> Any:
    return s3_client.__wrapped__(StoreOptions(endpoint=bucket.endpoint))


def test_a_new_key_signs_without_a_new_process_and_a_lost_file_keeps_the_last(
    bucket: Any, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating_keys, "LATEST_S", 0)
    file.write("FIRST")
    client = client_of(bucket)
    assert signer(bucket, client) == "FIRST"
    file.write("SECOND")
    assert signer(bucket, client) == "SECOND"
    file.path.unlink()
    assert signer(bucket, client) == "SECOND"


def test_the_file_is_not_read_for_every_request(bucket: Any, file: File) -> None:
    file.write("FIRST")
    client = client_of(bucket)
    assert signer(bucket, client) == "FIRST"
    file.write("SECOND")
    assert signer(bucket, client) == "FIRST"


def test_without_a_file_the_chain_is_boto3s(bucket: Any, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "VARIABLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert signer(bucket, client_of(bucket)) == "VARIABLE"
    file.write("FILE")
    assert signer(bucket, client_of(bucket)) == "VARIABLE"


@pytest.mark.parametrize("profile", ["", "default"])
def test_gdal_signs_with_the_new_key_too(bucket: Any, file: File, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    monkeypatch.setattr(rotating_keys, "LATEST_S", 0)
    monkeypatch.setenv("SWATH_STORES", json.dumps({"*": {"endpoint": bucket.endpoint, "profile": profile}}))

    def signers(name: str) -> set[str]:
        bucket.asked()
        path = f"/vsis3/{bucket.name}/{name}.tif"
        with gdal_env(path), pytest.raises(RasterioIOError, match="does not exist"):
            rasterio.open(path)
        return set(re.findall(r"Credential=(\w+)/", str([h["HTTP_AUTHORIZATION"] for h in bucket.recorder.headers])))

    file.write("FIRST")
    assert signers("before") == {"FIRST"}
    file.write("SECOND")
    assert signers("after") == {"SECOND"}
