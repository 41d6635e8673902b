import json

import pytest

from swath.cli.run_request import RunOptions, is_drain
from swath.deploy.events.message import uris_of
from swath.deploy.events.queue import SqsQueue
from swath.errors import ConfigError


def test_keys_are_encoded_in_notifications_and_plain_in_events() -> None:
    key = "incoming/LC09 (1)+é/X_MTL.xml"
    record = {
        "eventName": "ObjectCreated:CompleteMultipartUpload",
        "s3": {"bucket": {"name": "scenes"}, "object": {"key": "incoming/LC09+%281%29%2B%C3%A9/X_MTL.xml"}},
    }
    event = {"detail-type": "Object Created", "detail": {"bucket": {"name": "scenes"}, "object": {"key": key}}}
    assert uris_of(json.dumps({"Records": [record]})) == uris_of(json.dumps(event)) == (f"s3://scenes/{key}",)
    assert uris_of(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == ()


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "{}",
        '{"Records": [{"eventName": "ObjectRemoved:Delete", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}',
        '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
        '{"detail-type": "Object Deleted", "detail": {}}',
    ],
)
def test_a_message_of_anything_else_is_refused(body: str) -> None:
    with pytest.raises(ConfigError, match=r"neither S3's notification nor EventBridge's event of a new object"):
        uris_of(body)


def test_a_queue_is_the_only_input_of_its_run_and_has_a_url() -> None:
    queue = "sqs+https://sqs.eu-central-1.amazonaws.com/111122223333/swath"
    assert is_drain(RunOptions(pipeline="toa", inputs=(queue,), output="out"))
    assert not is_drain(RunOptions(pipeline="toa", inputs=("scenes",), output="out"))
    with pytest.raises(ConfigError, match="a queue is the only input of its run"):
        is_drain(RunOptions(pipeline="toa", inputs=(queue, "scenes"), output="out"))
    with pytest.raises(ConfigError, match="swath: not a queue: expected https://sqs"):
        SqsQueue("swath")
