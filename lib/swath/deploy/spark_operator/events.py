"""Which pod events are still valid. Kubernetes keeps an event for an hour, long after its cause has gone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

#: What went wrong, and the later events of the same pod that say it is over.
_OVER: Mapping[str, frozenset[str]] = {
    "FailedScheduling": frozenset({"Scheduled", "Pulling", "Pulled", "Created", "Started"}),
    "FailedMount": frozenset({"Pulling", "Pulled", "Created", "Started"}),
}


def still_true(events: Sequence[Object], *, pods: Sequence[Object]) -> Iterator[Object]:
    """Events, newest first, without those of scheduling and mounting that are over.

    A pod that is not Pending was scheduled and has its volumes; of one that is, later steps show that an earlier one went well.

    Args:
        events: Events of the application and its pods.
        pods: Pods in their present state.
    """
    pending = {pod["metadata"]["name"] for pod in pods if pod.get("status", {}).get("phase") == "Pending"}
    seen: set[tuple[str, str]] = set()
    for event in sorted(events, key=_time, reverse=True):
        about, why = str(event.get("involvedObject", {}).get("name", "")), str(event.get("reason", ""))
        later = {reason for pod, reason in seen if pod == about}
        seen.add((about, why))
        if why not in _OVER or (about in pending and not _OVER[why] & later):
            yield event


def _time(event: Object) -> str:
    """When it was seen last, as RFC 3339 in UTC, whose order is that of its text; fractions of seconds only break ties."""
    series = event.get("series") or {}
    stamps = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(s) for s in stamps if s), str(event.get("metadata", {}).get("creationTimestamp") or "")).rstrip("Z")
