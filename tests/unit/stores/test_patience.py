"""Patience is counted by the clock, and each service has one clock in a process."""

import time
from collections.abc import Iterator

import pytest

from swath.errors import ConfigError, ServiceError, StoreRefusedError
from swath.stores.options import store_options
from swath.stores.patience import PatientCall, database_patience, forget_outages, heard_by, store_patience
from swath.stores.s3a_patience import s3a_patience
from swath.stores.spark_words import told_by_spark


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    forget_outages()
    yield
    forget_outages()


def test_pauses_double_up_to_half_a_minute_and_differ() -> None:
    call = PatientCall(service="s", seconds=10_000.0)
    pauses = [call.pause("503") or 0.0 for _ in range(20)]
    for number, pause in enumerate(pauses, start=1):
        longest = min(0.2 * 2**number, 30.0)
        assert longest / 2 <= pause <= longest
    assert len(set(pauses)) == len(pauses)


def test_what_one_request_waited_for_another_does_not_wait_for_again() -> None:
    call = PatientCall(service="s", seconds=0.3)
    while call.wait("503"):
        pass
    assert PatientCall(service="s", seconds=0.3).pause("503") is None
    assert PatientCall(service="other", seconds=0.3).pause("503") is not None
    PatientCall(service="s", seconds=0.3).answered()
    assert PatientCall(service="s", seconds=0.3).pause("503") is not None


def test_a_request_that_never_succeeds_ends_although_others_are_answered() -> None:
    call, since = PatientCall(service="s", seconds=0.5), time.monotonic()
    while call.wait("503"):
        PatientCall(service="s", seconds=0.5).answered()
        assert time.monotonic() - since < 10


def test_a_pause_never_outlasts_the_patience() -> None:
    call, since = PatientCall(service="s", seconds=0.3), time.monotonic()
    while call.wait("503"):
        pass
    assert 0.3 <= time.monotonic() - since < 2


def test_short_hiccups_are_not_told() -> None:
    said: list[str] = []
    with heard_by(said.append):
        call = PatientCall(service="s", seconds=60.0)
        call.wait("503")
        call.answered()
    assert said == []


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_patience_is_seconds(text: str) -> None:
    with pytest.raises(ConfigError, match=f"SWATH_STORE_PATIENCE_S is '{text}'; expected seconds, 0 or more"):
        store_patience({"SWATH_STORE_PATIENCE_S": text})
    with pytest.raises(ConfigError, match="SWATH_DATABASE_WAIT_S is"):
        database_patience({"SWATH_DATABASE_WAIT_S": text})
    assert (store_patience({}), database_patience({}), store_patience({"SWATH_STORE_PATIENCE_S": "7.5"})) == (300.0, 180.0, 7.5)


@pytest.mark.parametrize("told", ['"long"', "true", "-1", "null"])
def test_the_patience_of_a_bucket_is_seconds_too(told: str) -> None:
    with pytest.raises(ConfigError, match="SWATH_STORES: bucket b: patience_s is"):
        store_options("b", {"SWATH_STORES": f'{{"b": {{"patience_s": {told}}}}}'})
    assert store_options("b", {"SWATH_STORES": '{"b": {"patience_s": 600}}'}).patience == 600


@pytest.mark.parametrize("seconds", [1.0, 60.0, 300.0, 3600.0])
def test_s3a_waits_about_as_long(seconds: float) -> None:
    settings = dict(s3a_patience(seconds))
    assert settings["retry.interval"] == settings["retry.throttle.interval"] == "500ms"
    tries = int(settings["retry.limit"])
    # Hadoop's pauses: interval x 2^n x (0.5 to 1.5).
    assert seconds <= sum(0.5 * 2**n for n in range(tries)) < 2 * seconds + 1
    assert settings["retry.throttle.limit"] == settings["retry.limit"]


SLOW = """An error occurred while calling o75.save.
: org.apache.hadoop.fs.s3a.AWSServiceThrottledException: PUT 0-byte object on out: \
software.amazon.awssdk.services.s3.model.S3Exception: Please reduce your request rate. (Service: S3, Status Code: 503):SlowDown: s3a://b/out/tables/products
\tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:1)"""
DENIED = (
    "Caused by: java.nio.file.AccessDeniedException: s3a://b/out/plan: getFileStatus on s3a://b/out/plan: software.amazon.awssdk"
)
GONE = "org.apache.hadoop.fs.s3a.UnknownStoreException: `s3a://b/out': software.amazon.awssdk: NoSuchBucketException"


def test_sparks_words_for_a_store_are_known() -> None:
    away = told_by_spark(SLOW)
    assert isinstance(away, ServiceError)
    assert "s3://b/out/tables/products was away" in str(away)
    assert "\n" not in str(away)
    for text in (DENIED, GONE):
        assert isinstance(told_by_spark(text), StoreRefusedError)


def test_other_errors_of_spark_are_not_the_stores() -> None:
    assert told_by_spark("org.apache.spark.SparkException: Job aborted: task 503 failed 4 times") is None
    assert told_by_spark("AccessDeniedException: /folder") is None
    assert told_by_spark("java.lang.OutOfMemoryError reading s3a://b/out/part-503.parquet") is None
