"""Beats in CloudWatch Logs: moto's service, and services that are away, busy or full of refusals."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import ANY, Stubber
from moto import mock_aws

from swath.metrics.beat import Beat
from swath.metrics.cloudwatch import MOST_BYTES, MOST_EVENTS, LogEvents
from swath.metrics.emf import handle_of

GROUP = "/swath/aws-region"


def _beat(*, ago: timedelta = timedelta(0), event: str = "wave", **fields: Any) -> Beat:
    return Beat(event=event, at=datetime.now(UTC) - ago, run_id="ard-1", site="s", pipeline="ard", **fields)  # type: ignore[arg-type]


def _client(**options: Any) -> Any:
    settings = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=1)
    return boto3.client(
        "logs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="y", config=settings, **options
    )


def _events(client: Any) -> Any:
    return LogEvents(GROUP, namespace="swath", run_id="ard-1", client=client)


@pytest.fixture
def logs() -> Iterator[Any]:
    with mock_aws():
        client = _client()
        client.create_log_group(logGroupName=GROUP)
        yield client


def test_beats_arrive_in_order_in_one_stream(logs: Any) -> None:
    for execution in range(2):  # a run that is started again goes on in its stream
        events = _events(logs)
        assert [events.tell(_beat(waves=n + 2 * execution)) for n in range(2)] == ["", ""]
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert stream["logStreamName"] == f"metrics/{handle_of('ard-1')}"
    kept = logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
    assert [json.loads(e["message"])["WavesDone"] for e in kept] == [0, 1, 2, 3]
    assert "_aws" in json.loads(kept[0]["message"])


def test_what_is_too_old_or_from_a_clock_ahead_is_counted_and_never_sent(logs: Any) -> None:
    events = _events(logs)
    for days in (30, 15, 14.01, 13.9, 0):
        assert events.tell(_beat(ago=timedelta(days=days))) == ""
    assert events.tell(_beat(ago=timedelta(hours=-3))) == ""
    assert events.tell(_beat(ago=timedelta(hours=-1))) == ""
    assert events.unsent == 4
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert len(logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"])["events"]) == 3


def test_a_group_that_is_missing_is_told_and_beats_wait(logs: Any) -> None:
    logs.delete_log_group(logGroupName=GROUP)
    events = _events(logs)
    events.tell(_beat(waves=1))
    assert "ResourceNotFoundException" in events.tell(_beat(waves=2))
    logs.create_log_group(logGroupName=GROUP)
    assert events.tell(_beat(waves=3)) == ""
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    kept = logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
    assert [json.loads(e["message"])["WavesDone"] for e in kept] == [1, 2, 3]


def test_a_link_that_is_cut_is_told_in_words() -> None:
    events = _events(_client(endpoint_url="http://127.0.0.1:9"))
    assert "1 beats wait" in events.tell(_beat())
    assert "2 beats wait" in events.tell(_beat())


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailableException", "ExpiredTokenException", "AccessDenied"])
def test_a_service_that_refuses_loses_nothing(code: str) -> None:
    client = _client()
    with Stubber(client) as stub:
        stub.add_response("create_log_stream", {})
        stub.add_client_error("put_log_events", service_error_code=code)
        stub.add_response("put_log_events", {}, {"logGroupName": GROUP, "logStreamName": ANY, "logEvents": ANY})
        events = _events(client)
        assert code in events.tell(_beat())
        assert events.tell(_beat()) == ""
        stub.assert_no_pending_responses()


def test_a_month_without_a_link_is_sent_in_calls_of_the_size_that_the_service_takes() -> None:
    sent: list[int] = []

    class Away:
        away = True

        def create_log_stream(self, **_asked: Any) -> None:
            if self.away:
                raise OSError("no route")

        def put_log_events(self, *, logEvents: list[dict[str, Any]], **_asked: Any) -> dict[str, Any]:  # noqa: N803  boto3's names
            size = sum(len(e["message"].encode()) + 26 for e in logEvents)
            assert size <= MOST_BYTES
            assert len(logEvents) <= MOST_EVENTS
            stamps = [e["timestamp"] for e in logEvents]
            assert stamps == sorted(stamps)
            sent.append(len(logEvents))
            return {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 2}} if len(sent) == 1 else {}

    client = Away()
    events = _events(client)
    for _ in range(3000):
        events.tell(_beat())
    client.away = False
    assert events.tell(_beat()) == ""
    assert sum(sent) == 3001
    assert len(sent) > 1
    assert events.unsent == 2


def test_a_profile_that_is_not_there_is_an_error_that_the_caller_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    from swath.metrics.settings import Destinations  # noqa: PLC0415  beside the only test that needs it

    monkeypatch.delenv("AWS_PROFILE", raising=False)
    said: list[str] = []
    found = Destinations(group=GROUP, region="eu-central-1", profile="not-there").listeners("r", say=said.append)
    assert found == ()
    assert "not-there" in said[0]
