"""What may cross a site's border. The first question of a buyer with a data centre of their own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from swath.deploy.site.strict import Strict


class Flow(StrEnum):
    """Everything that can leave a site."""

    JOB_REQUEST = "job-request"
    ARGUMENTS = "arguments"
    EVENT_LOG = "event-log"
    DRIVER_LOGS = "driver-logs"
    METRICS = "metrics"
    FOOTPRINTS = "footprints"
    LINEAGE = "lineage"
    ERROR_TEXTS = "error-texts"


CONTENT: Mapping[Flow, str] = {
    Flow.JOB_REQUEST: "job name, image, sizes, labels, Spark settings with store names and endpoints",
    Flow.ARGUMENTS: "input and output addresses, pipeline, model pins",
    Flow.EVENT_LOG: "Spark's own record: settings, host names, timings, plan texts",
    Flow.DRIVER_LOGS: "log lines: scene names, addresses, error texts",
    Flow.METRICS: "counts, seconds, bytes by site and pipeline",
    Flow.FOOTPRINTS: "outlines and dates of scenes: what was looked at, and when",
    Flow.LINEAGE: "scene names, product keys, model digests, code version",
    Flow.ERROR_TEXTS: "why a scene was quarantined: names, metadata values",
}


#: What `swath forward` can send; the others leave with the engine or not at all.
FORWARDED = frozenset({Flow.METRICS, Flow.FOOTPRINTS, Flow.LINEAGE, Flow.ERROR_TEXTS, Flow.ARGUMENTS, Flow.DRIVER_LOGS})


_WAYS_OUT = re.compile(r"store://[a-z][a-z0-9-]*(/\S*)?|s3://[a-z0-9][a-z0-9.-]+(/\S*)?|(file://)?/\S*")


def _way_out(text: str) -> str:
    """An address that ``forward`` writes to; any other would be taken for a folder, and nothing would leave."""
    if text and not _WAYS_OUT.fullmatch(text):
        msg = f"{text!r} is not a place for files. Write store://NAME/path, s3://bucket/prefix, file:///folder or /folder"
        raise ValueError(msg)
    return text


class Border(Strict):
    """Per flow whether it may leave. Everything that is not named stays.

    Args:
        allow: Flows that may leave.
        to: Destination of allowed flows for ``swath forward``: ``store://NAME/path`` of the site's stores, ``s3://bucket/prefix``,
            ``file:///folder`` or ``/folder``; empty for nowhere.
        region_inside: The Region is this site's own ground (a site in the Region): what goes there crosses no border.
    """

    allow: tuple[Flow, ...] = ()
    to: Annotated[str, AfterValidator(_way_out)] = ""
    region_inside: bool = False

    @model_validator(mode="after")
    def _a_place_for_what_leaves(self) -> Self:
        """A destination without a permission is a mistake in one of the two."""
        if self.to and not self.allow:
            msg = "border: 'to' is set and nothing is allowed to leave"
            raise ValueError(msg)
        return self

    def may_leave(self, flow: Flow) -> bool:
        """Whether ``flow`` may cross the border."""
        return flow in self.allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One line of the border table."""

    flow: Flow
    allowed: bool
    verdict: Literal["leaves", "may leave", "stays"]
    content: str
    how: str


def crossings(border: Border, *, engine_sends: Mapping[Flow, str], engine: str) -> Iterator[Crossing]:
    """The border table.

    Args:
        border: The site's rules.
        engine_sends: Flows that the rendered job itself sends out, and where to.
        engine: Engine that the text is about.
    """
    for flow in Flow:
        allowed = border.may_leave(flow)
        if flow in engine_sends:
            yield Crossing(flow=flow, allowed=allowed, verdict="leaves", content=CONTENT[flow], how=engine_sends[flow])
        elif allowed and border.to and flow in FORWARDED:
            yield Crossing(
                flow=flow, allowed=True, verdict="may leave", content=CONTENT[flow], how=f"swath forward, to {border.to}"
            )
        else:
            how = (
                "allowed, and nothing sends it"
                if allowed
                else f"nothing in the {engine} rendering sends it; swath forward withholds it"
            )
            yield Crossing(flow=flow, allowed=allowed, verdict="stays", content=CONTENT[flow], how=how)
