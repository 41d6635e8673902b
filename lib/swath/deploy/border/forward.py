"""Sends what may leave a site, once, when there is a link. The queue is the runs that have no receipt yet."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from swath.deploy.border.flows import cut
from swath.deploy.border.place import BorderPlace, open_place
from swath.deploy.border.receipts import RECEIPTS, REPORTS, Receipts, Waiting, receipt_path
from swath.deploy.operate.liveness import Life, life_of
from swath.deploy.operate.result import parse_result, result_path
from swath.deploy.site.border import Flow
from swath.deploy.site.network import RegionLink
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.metrics.beat import metrics_path
from swath.metrics.emf import emf, handle_of

SET_ASIDE = f"{REPORTS}/set-aside"
_NO_RESULT = (ConfigError, KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """One run that was forwarded.

    Args:
        run_id: Id of the run.
        flows: Flows that left the site.
        withheld: Flows of the run that stayed at the site.
    """

    run_id: str
    flows: tuple[Flow, ...]
    withheld: tuple[Flow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One run whose result cannot be read. It has no receipt, so it is looked at again the next time.

    Args:
        run_id: Id of the run.
        reason: Fault of the run's result.
    """

    run_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A run that has neither ended nor is at work. Each death is reported once; its last numbers are sent if metrics may leave.

    Args:
        run_id: Id of the run.
        reason: Known state of the run.
        sent: Whether its metrics left.
    """

    run_id: str
    reason: str
    sent: bool


def forward(
    site: Site, *, output: str, max_duration_s: float, now: datetime | None = None
) -> Iterator[Forwarded | SetAside | Dead]:
    """Send the allowed flows of every run below ``output`` that has no receipt.

    A result that cannot be read (cut short, of another run) is set aside, with the reason in a file of its own, and the
    rest goes on.

    A run is sent once: the files at the other end are made only when they are not there, so a crash between sending
    and the receipt repeats nothing.

    Args:
        site: Whose border and link hold.
        output: Root of the runs' output, resolved.
        max_duration_s: The longest that a run of the job may last [s].
        now: Clock, aware; the current time by default.

    Raises:
        ConfigError: The site has no link, nothing may leave, or no way out is named.
        LaunchError: The other end does not answer.
    """
    if site.link is RegionLink.NONE:
        raise ConfigError(f"site {site.site} has link: none, so nothing is forwarded from it")
    if not site.border.to:
        raise ConfigError(f"site {site.site} names no border.to, so nothing is forwarded from it")
    here, there = open_place(output, site=site), open_place(site.border.to, site=site)
    moment, receipts = now or datetime.now(UTC), Receipts(here)
    for run in list(receipts.waiting()):
        yield _one(site, run=run, here=here, there=there)
    receipts.close(now=moment)
    yield from _dead(site, here=here, there=there, max_duration_s=max_duration_s, now=moment)


def _dead(
    site: Site, *, here: BorderPlace, there: BorderPlace, max_duration_s: float, now: datetime
) -> Iterator[Dead | SetAside]:
    """Runs with a stream and no result that are not at work any more."""
    names = {name.rsplit("/", 1)[-1] for name in here.names(REPORTS)}
    ending = ".metrics.jsonl"
    for run_id in sorted(name.removesuffix(ending) for name in names if name.endswith(ending)):
        data = here.read(metrics_path(run_id)) if f"{run_id}.json" not in names else None
        if data is None:
            continue
        try:
            life = life_of(data, now=now, max_duration_s=max_duration_s)
        except ConfigError as error:
            yield _set_aside(run_id, error=error, here=here)
            continue
        if life.dead and (told := _tell_dead(site, life, here=here, there=there)) is not None:
            yield told


def _tell_dead(site: Site, life: Life, *, here: BorderPlace, there: BorderPlace) -> Dead | None:
    """Send the last numbers of a dead run; None if this death was reported before."""
    run_id, name = life.last.run_id, f"{life.began:%Y%m%dt%H%M%Sz}"
    may = site.border.may_leave(Flow.METRICS)
    if may:
        body = {**emf(life.last, namespace=site.metrics.namespace), "Dead": True}
        path = f"{site.site}/{handle_of(run_id)}-{name}/{Flow.METRICS.value}.json"
        there.put_new(path, json.dumps(body, sort_keys=True).encode())
    receipt = {"to": site.border.to, "sent": [Flow.METRICS.value] if may else [], "reason": life.text}
    new = here.put_new(f"{RECEIPTS}/dead/{run_id}.{name}.json", json.dumps(receipt, sort_keys=True).encode())
    return Dead(run_id=run_id, reason=life.text, sent=may) if new else None


def _one(site: Site, *, run: Waiting, here: BorderPlace, there: BorderPlace) -> Forwarded | SetAside:
    run_id = run.run_id
    data = here.read(result_path(run_id))
    try:
        flows = _flows(site, run_id=run_id, here=here, data=data)
    except _NO_RESULT as error:
        return _set_aside(run_id, error=error, here=here)
    allowed = {flow: body for flow, body in flows.items() if site.border.may_leave(flow)}
    digests = {}
    for flow, body in allowed.items():
        text = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
        there.put_new(f"{site.site}/{handle_of(run_id)}/{flow.value}.json", text)
        digests[flow.value] = hashlib.sha256(text).hexdigest()
    here.put_new(receipt_path(run), json.dumps({"to": site.border.to, "sent": digests}, sort_keys=True).encode())
    return Forwarded(run_id=run_id, flows=tuple(allowed), withheld=tuple(flow for flow in flows if flow not in allowed))


def _flows(site: Site, *, run_id: str, here: BorderPlace, data: bytes | None) -> dict[Flow, dict[str, Any]]:
    """What the run left, by flow.

    Raises:
        ConfigError: File is gone, or no result.
        KeyError: Something in the result is missing; the other errors that are caught are of the same kind.
    """
    if data is None:
        raise ConfigError(f"{result_path(run_id)} vanished while it was forwarded")
    result = parse_result(data, run_id=run_id)
    return cut(result.raw, read=here.read, site=site.site, namespace=site.metrics.namespace)


def _set_aside(run_id: str, *, error: Exception, here: BorderPlace) -> SetAside:
    told = str(error) if isinstance(error, ConfigError) else f"{result_path(run_id)} is not the result of a run: {error!r}"
    here.put_new(f"{SET_ASIDE}/{run_id}.json", json.dumps({"reason": told}).encode())
    return SetAside(run_id=run_id, reason=told)
