"""S3A is told where each bucket is and who we are, and never a key."""

import json
from pathlib import Path
from typing import Any

import pytest

from swath.spark.start.s3a import credentials_provider, executor_environment, s3a_settings
from swath.stores.options import StoreOptions

SDK = "software.amazon.awssdk.auth.credentials"
#: 300 s, the patience of a store: pauses of half a second that double.
PATIENCE = {
    "retry.limit": "10", "retry.interval": "500ms", "retry.throttle.limit": "10", "retry.throttle.interval": "500ms",
}  # fmt: skip
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDNOTTOBESEEN", "AWS_SECRET_ACCESS_KEY": "not-to-be-seen"}
ARN = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/swath"


def _of(bucket: str, environ: dict[str, str]) -> dict[str, str]:
    prefix = f"spark.hadoop.fs.s3a.bucket.{bucket}."
    return {k.removeprefix(prefix): v for k, v in s3a_settings([f"s3://{bucket}/x"], environ).items() if k.startswith(prefix)}


def test_outputs_in_folders_need_nothing() -> None:
    assert s3a_settings(["", "/data/out", "file:///data/out"], KEYS) == {}


def test_a_store_with_an_endpoint_is_asked_by_path() -> None:
    told = _of("products", {**KEYS, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"})
    assert told == {
        "aws.credentials.provider": f"{SDK}.EnvironmentVariableCredentialsProvider", "endpoint": "http://127.0.0.1:9",
        "endpoint.region": "us-east-1", "path.style.access": "true", "connection.ssl.enabled": "false",
        "change.detection.mode": "none", "performance.flags": "create,mkdir,delete", **PATIENCE,
    }  # fmt: skip


def test_amazons_own_store_needs_its_region_alone() -> None:
    told = _of("products", {**KEYS, "AWS_REGION": "eu-central-1"})
    assert told == {
        "aws.credentials.provider": f"{SDK}.EnvironmentVariableCredentialsProvider", "endpoint.region": "eu-central-1",
        "performance.flags": "create,mkdir,delete", **PATIENCE,
    }  # fmt: skip


def test_a_rack_is_reached_by_its_access_point() -> None:
    stores = json.dumps({"products": {"kind": "s3-outposts", "access_point": ARN, "region": "us-west-2"}})
    told = _of("products", {**KEYS, "SWATH_STORES": stores})
    assert (told["accesspoint.arn"], told["endpoint.region"]) == (ARN, "us-west-2")
    assert "endpoint" not in told


def test_no_key_is_in_any_setting() -> None:
    settings = s3a_settings(["s3://a/x", "s3a://b"], {**KEYS, "AWS_ENDPOINT_URL_S3": "https://h"})
    assert settings["spark.hadoop.fs.s3.impl"] == "org.apache.hadoop.fs.s3a.S3AFileSystem"
    assert not [v for v in settings.values() if any(secret in v for secret in KEYS.values())]


@pytest.mark.parametrize(
    ("options", "environ", "provider"),
    [
        ({"anonymous": True}, KEYS, "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"),
        ({"profile": "archive"}, KEYS, f"{SDK}.ProfileCredentialsProvider"),
        ({}, KEYS, f"{SDK}.EnvironmentVariableCredentialsProvider"),
        ({}, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, f"{SDK}.WebIdentityTokenFileCredentialsProvider"),
        ({}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://h"}, "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"),
        ({}, {"AWS_SHARED_CREDENTIALS_FILE": "THERE"}, f"{SDK}.ProfileCredentialsProvider"),
    ],
)
def test_each_kind_of_identity_has_its_provider(
    options: dict[str, Any], environ: dict[str, str], provider: str, tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    there = environ.get("AWS_SHARED_CREDENTIALS_FILE") == "THERE"
    if there:
        file.touch()
    asked = {**environ, "AWS_SHARED_CREDENTIALS_FILE": str(file)}
    assert credentials_provider(StoreOptions(**options), asked) == provider


def test_executors_learn_where_buckets_are_and_no_key(tmp_path: Path) -> None:
    file = tmp_path / "stores.json"
    file.write_text('{"a": {"region": "r"}}', encoding="utf-8")
    told = executor_environment({**KEYS, "SWATH_STORES": str(file), "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": ""})
    assert told == {"spark.executorEnv.SWATH_STORES": '{"a": {"region": "r"}}', "spark.executorEnv.AWS_REGION": "eu-central-1"}
    assert executor_environment(KEYS) == {}
