"""Beats as events of a CloudWatch log group, by PutLogEvents: agents wrap lines on stdout, and no metric is made of those."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from swath.metrics.beat import Beat
from swath.metrics.emf import emf, handle_of

#: What PutLogEvents takes at once: events, and bytes with 26 for each event.
MOST_EVENTS, MOST_BYTES, EVENT_BYTES = 10_000, 1_048_576, 26
#: Metrics of older events are never made, nor of those from a clock that is ahead.
OLDEST, NEWEST = timedelta(days=14), timedelta(hours=2)
#: Events that wait for a link; the run's own file has them all.
_WAITING = 20_000


class LogEvents:
    """One log stream for a run.

    Args:
        group: Log group; it exists.
        namespace: Namespace of the metrics.
        run_id: Names the stream, in a way that tells nothing.
        client: boto3's ``logs``.
    """

    def __init__(self, group: str, *, namespace: str, run_id: str, client: Any) -> None:
        self._group, self._namespace, self._client = group, namespace, client
        self._stream = f"metrics/{handle_of(run_id)}"
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_WAITING)
        self._there = False
        self.unsent = 0

    @classmethod
    def connect(cls, group: str, *, namespace: str, run_id: str, region: str = "", profile: str = "") -> "LogEvents":
        """With a client of its own, which gives up soon: the next beat comes in a minute.

        Raises:
            BotoCoreError: There is no such profile, or no region.
        """
        settings = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=5)
        session = boto3.Session(profile_name=profile or None, region_name=region or None)
        return cls(group, namespace=namespace, run_id=run_id, client=session.client("logs", config=settings))

    def tell(self, beat: Beat) -> str:
        """Send it, and what still waits, in order. Too old events are counted in ``unsent``, never sent."""
        line = json.dumps(emf(beat, namespace=self._namespace), ensure_ascii=False, separators=(",", ":"))
        self._waiting.append({"timestamp": round(beat.at.timestamp() * 1000), "message": line})
        try:
            self._open()
            while batch := self._batch():
                answer = self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)
                self._count(answer.get("rejectedLogEventsInfo") or {}, of=len(batch))
                for _ in batch:
                    self._waiting.popleft()
        except (BotoCoreError, ClientError, OSError) as error:
            return f"CloudWatch log group {self._group}: {error}; {len(self._waiting)} beats wait"
        return ""

    def _open(self) -> None:
        if self._there:
            return
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except ClientError as error:
            # a run that is started again goes on in its stream
            if error.response.get("Error", {}).get("Code") != "ResourceAlreadyExistsException":
                raise
        self._there = True

    def _batch(self) -> list[dict[str, Any]]:
        """The oldest events that may still be sent, as many as fit into a call."""
        now = datetime.now(UTC)
        while self._waiting and not now - OLDEST < _time(self._waiting[0]) < now + NEWEST:
            self._waiting.popleft()
            self.unsent += 1
        batch: list[dict[str, Any]] = []
        size = 0
        for event in self._waiting:
            size += len(event["message"].encode()) + EVENT_BYTES
            if len(batch) == MOST_EVENTS or size > MOST_BYTES or not now - OLDEST < _time(event) < now + NEWEST:
                break
            batch.append(event)
        return batch

    def _count(self, rejected: dict[str, int], *, of: int) -> None:
        """Events that CloudWatch took no metric of."""
        self.unsent += max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
        self.unsent += of - rejected.get("tooNewLogEventStartIndex", of)


def _time(event: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC)
