"""Deliveries that are announced by messages: a run takes them from a queue, and deletes those whose scene has a row."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import boto3
import pytest

from swath.deploy.events.queue import RefusedMessage, SqsQueue
from swath.simulator.simulate import simulate

pytestmark = [pytest.mark.long, pytest.mark.spark, pytest.mark.timeout(900)]


@pytest.fixture
def sqs(bucket: Any) -> Any:
    """A client of the same server."""
    return boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"], region_name="us-east-1")


@pytest.fixture
def queue(sqs: Any) -> str:
    """A queue whose dead letters are those that came three times."""
    name = uuid4().hex[:12]
    dead = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    made: str = sqs.create_queue(QueueName=f"deliveries-{name}", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    return made


def _run(queue: str, *, output: Path, code: int, run_id: str = "") -> str:
    words = [sys.executable, "-m", "swath.cli", "run", "toa", "--input", f"sqs+{queue}", "--output", str(output), "--json"]
    words += ["--run-id", run_id] if run_id else []
    done = subprocess.run([*words, "--master", "local[1,4]"], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout + done.stderr


def _waiting(sqs: Any, queue: str) -> tuple[int, int]:
    """Messages that can be seen, and those that somebody holds."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return int(told[names[0]]), int(told[names[1]])


def test_a_run_drains_a_queue_and_a_message_goes_when_its_scene_has_a_row(
    sqs: Any, queue: str, bucket: Any, tmp_path: Path
) -> None:
    scene = simulate(kind="landsat9", folder=tmp_path / "in", size=96, truth=False).delivery
    for file in scene.rglob("*"):
        if file.is_file():
            bucket.client.upload_file(str(file), bucket.name, f"new scenes/{file.relative_to(scene).as_posix()}")
    (key,) = [k for k in bucket.objects() if k.endswith("_MTL.xml")]
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket.name}, "object": {"key": quote_plus(key)}}}
    event = {"detail-type": "Object Created", "detail": {"bucket": {"name": bucket.name}, "object": {"key": "gone/X_MTL.xml"}}}
    for body in ({"Records": [record]}, event, {"Event": "s3:TestEvent"}, {"hello": 1}):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    output = tmp_path / "out"
    told = _run(queue, output=output, code=3)
    assert "2 messages of 2 objects" in told
    assert "left for the dead letters: neither S3's notification nor EventBridge's event" in told
    # The object that is gone has a row too: in quarantine.
    assert "2 messages deleted, 0 back in the queue" in told
    assert sum(_waiting(sqs, queue)) == 1, "the message that is none of ours"
    assert len(list(output.rglob("*.tif"))) > 3
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": [record]}))
    assert "1 messages deleted" in _run(queue, output=output, code=0), "a delivery that came twice is made once"


def test_a_message_that_is_none_of_ours_ends_in_the_dead_letters(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"hello": 1}))
    for _ in range(3):
        (taken,) = SqsQueue(queue, client=sqs).take(most=1, keep_s=0)
        assert isinstance(taken, RefusedMessage)
    assert list(SqsQueue(queue, client=sqs).take(most=1, keep_s=0)) == []
    (dead,) = sqs.receive_message(QueueUrl=queue.replace("/deliveries-", "/dead-"))["Messages"]
    assert json.loads(dead["Body"]) == {"hello": 1}


def test_an_empty_queue_leaves_a_result_that_a_gate_can_judge(sqs: Any, queue: str, tmp_path: Path) -> None:
    del sqs
    output = tmp_path / "out"
    told = _run(queue, output=output, code=0, run_id="nightly-1")
    assert "0 messages of 0 objects" in told
    assert "run nightly-1: the queue is empty" in (output / "reports" / "nightly-1.log").read_text(encoding="utf-8")
    result = json.loads((output / "reports" / "nightly-1.json").read_text(encoding="utf-8"))
    assert (result["scenes_in"], result["made"], result["quarantined"], result["balanced"]) == (0, 0, 0, True)
    assert (result["pipeline"], result["site"]) == ("toa", "laptop")
    beats = [json.loads(b) for b in (output / "reports" / "nightly-1.metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [b["event"] for b in beats] == ["start", "end"]
    # A run of that name that is there already keeps its result.
    _run(queue, output=output, code=0, run_id="nightly-1")
    assert json.loads((output / "reports" / "nightly-1.json").read_text(encoding="utf-8")) == result


def test_messages_stay_when_the_run_cannot_begin(sqs: Any, queue: str, bucket: Any, tmp_path: Path) -> None:
    body = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]})
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    output = tmp_path / "out"
    output.mkdir()
    with (output / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "is locked by" in _run(queue, output=output, code=5)
    assert _waiting(sqs, queue) == (1, 0)
    (message,) = sqs.receive_message(QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1", "it was not taken in vain"
