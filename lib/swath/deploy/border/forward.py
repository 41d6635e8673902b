"""Sends what may leave a site, once, when there is a link. The queue is the runs that have no receipt yet."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from swath.deploy.border.flows import cut
from swath.deploy.border.place import Place, open_place
from swath.deploy.operate.result import parse_result, result_path
from swath.deploy.site.border import Flow
from swath.deploy.site.network import Link
from swath.deploy.site.site import Site
from swath.errors import ConfigError

REPORTS = "reports"
RECEIPTS = f"{REPORTS}/forwarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """One run that was forwarded.

    Args:
        run_id: Of the run.
        flows: What left.
        withheld: What stayed, although the run has it.
    """

    run_id: str
    flows: tuple[Flow, ...]
    withheld: tuple[Flow, ...]


def waiting(place: Place) -> Iterator[str]:
    """Run ids without a receipt, in order."""
    receipts = {_stem(name) for name in place.names(RECEIPTS)}
    for name in place.names(REPORTS):
        if name.endswith(".json") and _stem(name) not in receipts:
            yield _stem(name)


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].removesuffix(".json")


def forward(site: Site, *, output: str) -> Iterator[Forwarded]:
    """Send the allowed flows of every run below ``output`` that has no receipt.

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


def _one(site: Site, *, run_id: str, here: Place, there: Place) -> Forwarded:
    data = here.read(result_path(run_id))
    if data is None:
        raise ConfigError(f"{result_path(run_id)} vanished while it was forwarded")
    result = parse_result(data, run_id=run_id)
    flows = cut(result.raw, read=here.read, site=site.site, namespace=site.metrics.namespace)
    allowed = {flow: body for flow, body in flows.items() if site.border.may_leave(flow)}
    digests = {}
    for flow, body in allowed.items():
        text = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
        there.put_new(f"{site.site}/{_handle(run_id)}/{flow.value}.json", text)
        digests[flow.value] = hashlib.sha256(text).hexdigest()
    here.put_new(f"{RECEIPTS}/{run_id}.json", json.dumps({"to": site.border.to, "sent": digests}, sort_keys=True).encode())
    return Forwarded(run_id=run_id, flows=tuple(allowed), withheld=tuple(flow for flow in flows if flow not in allowed))


def _handle(run_id: str) -> str:
    """A name for the other end that tells nothing: a run id may hold a job's name."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:16]
