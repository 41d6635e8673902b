"""A message of a queue that says that a delivery has come: S3's own notification, or EventBridge's event."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from swath.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message, as it was received.

    Args:
        message_id: Id.
        receipt: Receipt that deletes the message.
        uris: Objects that came, ``s3://bucket/key``; none of S3's own test message.
        received: Number of times that the message was received, this time included.
    """

    message_id: str
    receipt: str
    uris: tuple[str, ...]
    received: int = 1


def uris_of(body: str) -> tuple[str, ...]:
    """Objects that a message's text names; none where S3 only tries whether it may send.

    Raises:
        ConfigError: The text is neither S3's notification nor EventBridge's event of a new object.
    """
    try:
        plain = json.loads(body)
        if not isinstance(plain, dict):
            raise TypeError(type(plain).__name__)  # noqa: TRY301  one message for everything that is none
        if plain.get("Event") == "s3:TestEvent":
            return ()
        found = tuple(_of_notification(plain) if "Records" in plain else _of_event(plain))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"neither S3's notification nor EventBridge's event of a new object: {body[:200]!r}"
        raise ConfigError(msg) from error
    return found


def _of_notification(plain: Mapping[str, Any]) -> Iterator[str]:
    for record in plain["Records"]:
        if not str(record["eventName"]).startswith("ObjectCreated:"):
            raise ValueError(record["eventName"])
        # In notifications, and in them alone, keys are encoded as in a form.
        yield f"s3://{record['s3']['bucket']['name']}/{unquote_plus(record['s3']['object']['key'])}"


def _of_event(plain: Mapping[str, Any]) -> Iterator[str]:
    if plain["detail-type"] != "Object Created":
        raise ValueError(plain["detail-type"])
    yield f"s3://{plain['detail']['bucket']['name']}/{plain['detail']['object']['key']}"
