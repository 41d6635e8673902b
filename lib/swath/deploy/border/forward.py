"""Sends what may leave a site, once, when there is a link. The queue is the runs that have no receipt yet."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from swath.deploy.border.flows import cut
from swath.deploy.border.place import Place, open_place
from swath.deploy.operate.result import parse_result, result_path
from swath.deploy.site.border import Flow
from swath.deploy.site.network import Link
from swath.deploy.site.site import Site
from swath.errors import ConfigError

REPORTS = "reports"
RECEIPTS = f"{REPORTS}/forwarded"
SET_ASIDE = f"{REPORTS}/set-aside"
_NO_RESULT = (ConfigError, KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """One run that was forwarded.

    Args:
        run_id: Id of the run.
        flows: What left.
        withheld: What stayed, although the run has it.
    """

    run_id: str
    flows: tuple[Flow, ...]
    withheld: tuple[Flow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One run whose result cannot be read. It has no receipt, so it is looked at again the next time.

    Args:
        run_id: Id of the run.
        reason: What is wrong with its result.
    """

    run_id: str
    reason: str


def waiting(place: Place) -> Iterator[str]:
    """Run ids without a receipt, in order."""
    receipts = {_stem(name) for name in place.names(RECEIPTS)}
    for name in place.names(REPORTS):
        if name.endswith(".json") and _stem(name) not in receipts:
            yield _stem(name)


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".json")


def forward(site: Site, *, output: str) -> Iterator[Forwarded | SetAside]:
    """Send the allowed flows of every run below ``output`` that has no receipt.

    A result that cannot be read (cut short, of another run) is set aside, with the reason in a file of its own, and the
    rest goes on.

    A run is sent once: the files at the other end are made only when they are not there, so a crash between sending
    and the receipt repeats nothing.

    Args:
        site: Whose border and link hold.
        output: Where the runs wrote, resolved.

    Raises:
        ConfigError: The site has no link, nothing may leave, or no way out is named.
        LaunchError: The other end does not answer.
    """
    if site.link is Link.NONE:
        raise ConfigError(f"site {site.site} has link: none, so nothing is forwarded from it")
    if not site.border.to:
        raise ConfigError(f"site {site.site} names no border.to, so nothing is forwarded from it")
    here, there = open_place(output, site=site), open_place(site.border.to, site=site)
    for run_id in list(waiting(here)):
        yield _one(site, run_id=run_id, here=here, there=there)


def _one(site: Site, *, run_id: str, here: Place, there: Place) -> Forwarded | SetAside:
    data = here.read(result_path(run_id))
    try:
        flows = _flows(site, run_id=run_id, here=here, data=data)
    except _NO_RESULT as error:
        return _set_aside(run_id, error=error, here=here)
    allowed = {flow: body for flow, body in flows.items() if site.border.may_leave(flow)}
    digests = {}
    for flow, body in allowed.items():
        text = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
        there.put_new(f"{site.site}/{_handle(run_id)}/{flow.value}.json", text)
        digests[flow.value] = hashlib.sha256(text).hexdigest()
    here.put_new(f"{RECEIPTS}/{run_id}.json", json.dumps({"to": site.border.to, "sent": digests}, sort_keys=True).encode())
    return Forwarded(run_id=run_id, flows=tuple(allowed), withheld=tuple(flow for flow in flows if flow not in allowed))


def _flows(site: Site, *, run_id: str, here: Place, data: bytes | None) -> dict[Flow, dict[str, Any]]:
    """What the run left, by flow.

    Raises:
        ConfigError: Its file is gone, or no result.
        KeyError: Something in the result is missing; the other errors that are caught are of the same kind.
    """
    if data is None:
        raise ConfigError(f"{result_path(run_id)} vanished while it was forwarded")
    result = parse_result(data, run_id=run_id)
    return cut(result.raw, read=here.read, site=site.site, namespace=site.metrics.namespace)


def _set_aside(run_id: str, *, error: Exception, here: Place) -> SetAside:
    told = str(error) if isinstance(error, ConfigError) else f"{result_path(run_id)} is not the result of a run: {error!r}"
    here.put_new(f"{SET_ASIDE}/{run_id}.json", json.dumps({"reason": told}).encode())
    return SetAside(run_id=run_id, reason=told)


def _handle(run_id: str) -> str:
    """An opaque name for the receiver: a run id may contain a job's name."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:16]
