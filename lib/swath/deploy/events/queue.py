"""A queue of SQS: taken, deleted one by one, and let go again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from swath.deploy.events.message import Arrival, uris_of
from swath.errors import ConfigError, ServiceError

_BATCH = 10
_WAIT_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A message that is none of ours; the queue hands it to the dead letters.

    Args:
        message_id: Id.
        reason: Fault of the message: expected and got.
    """

    message_id: str
    reason: str


#: Codes after which asking again helps.
_PASSING = frozenset({"RequestThrottled", "ThrottlingException", "InternalError", "ServiceUnavailable", "OverLimit"})


class SqsQueue:
    """A queue by its URL.

    Args:
        url: ``https://sqs.REGION.amazonaws.com/ACCOUNT/NAME``; the client's own server is asked.
        client: SQS client; one for the URL's Region and server without it.
    """

    def __init__(self, url: str, *, client: Any = None) -> None:
        self.url = url
        self._client = client or _client(url)

    def take(self, *, most: int, keep_s: int) -> Iterator[Arrival | RefusedMessage]:
        """Messages, until the queue gives none.

        Args:
            most: Largest number of messages to take.
            keep_s: They come back after so many seconds unless they are deleted.

        Raises:
            ServiceError: The queue does not answer.
        """
        taken = 0
        while taken < most:
            answer = self._ask(
                "receive_message", MaxNumberOfMessages=min(_BATCH, most - taken), VisibilityTimeout=keep_s,
                WaitTimeSeconds=_WAIT_S, AttributeNames=["ApproximateReceiveCount"],
            )  # fmt: skip
            messages = answer.get("Messages", [])
            if not messages:
                return
            taken += len(messages)
            yield from map(_read, messages)

    def delete(self, arrivals: Iterable[Arrival]) -> None:
        """Delete messages.

        Raises:
            ServiceError: The queue does not answer, or keeps one.
        """
        for some in _batches(arrivals):
            entries = [{"Id": str(n), "ReceiptHandle": a.receipt} for n, a in enumerate(some)]
            failed = self._ask("delete_message_batch", Entries=entries).get("Failed", [])
            if failed:
                msg = f"{self.url}: {len(failed)} messages were not deleted: {failed[0].get('Message', failed[0].get('Code'))}"
                raise ServiceError(msg)

    def keep(self, arrivals: Iterable[Arrival], *, seconds: int) -> None:
        """Let messages come back after so many seconds from now; 0 lets others see them at once.

        Raises:
            ServiceError: The queue does not answer.
        """
        for some in _batches(arrivals):
            entries = [{"Id": str(n), "ReceiptHandle": a.receipt, "VisibilityTimeout": seconds} for n, a in enumerate(some)]
            self._ask("change_message_visibility_batch", Entries=entries)

    def _ask(self, call: str, **words: Any) -> Any:
        try:
            return getattr(self._client, call)(QueueUrl=self.url, **words)
        except ClientError as error:
            told = error.response["Error"]
            msg = f"{self.url}: {call}: {told.get('Code')}: {told.get('Message')}"
            raise (ServiceError if told.get("Code") in _PASSING else ConfigError)(msg) from error
        except BotoCoreError as error:
            msg = f"{self.url}: {call}: {error}"
            raise ServiceError(msg) from error


def _client(url: str) -> Any:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not parts.path.strip("/"):
        msg = f"{url}: not a queue: expected https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        raise ConfigError(msg)
    labels = host.split(".")
    region = labels[1] if labels[0] == "sqs" and len(labels) > 2 else None
    try:
        return boto3.client("sqs", region_name=region, endpoint_url=f"{parts.scheme}://{parts.netloc}")
    except BotoCoreError as error:
        msg = f"{url}: {error}"
        raise ConfigError(msg) from error


def _read(message: dict[str, Any]) -> Arrival | RefusedMessage:
    try:
        uris = uris_of(message["Body"])
    except ConfigError as error:
        return RefusedMessage(message_id=message["MessageId"], reason=str(error))
    received = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    return Arrival(message_id=message["MessageId"], receipt=message["ReceiptHandle"], uris=uris, received=received)


def _batches(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    every = list(arrivals)
    yield from (every[n : n + _BATCH] for n in range(0, len(every), _BATCH))
