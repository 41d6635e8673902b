"""The state of all sites, from one place: the newest run of a job at each of them, asked all at once."""

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from swath.deploy.border.place import BorderPlace, open_place
from swath.deploy.border.receipts import Receipts
from swath.deploy.operate.liveness import Life, life_of
from swath.deploy.operate.result import RunResult, parse_result, result_path
from swath.deploy.site.duration import seconds
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.errors import ConfigError, SwathError
from swath.metrics.beat import metrics_path

#: Longest time for all sites together [s].
WAIT_S = 10.0
_STREAM, _RESULT = ".metrics.jsonl", ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One site.

    Args:
        site: Name.
        state: ``good``, ``quarantined``, ``unbalanced``, ``at work``, ``dead``, ``failed``, ``no run`` or ``not reached``.
        run_id: Newest run; empty without one.
        told: Why, in a sentence.
        scenes_in: Number of scenes that came in.
        made: Scenes made.
        skipped: Scenes skipped.
        quarantined: Scenes quarantined.
        age_s: Since it ended, or was last heard of [s].
        backlog: Results that ``swath forward`` has not sent; None where the site sends nothing.
        receipt_age_s: Since ``swath forward`` last sent one [s]; None where it never did.
        code: Version of swath.
        submitted_by: Who submitted the run; empty where its result does not say so.
        attempt: Which execution under its name it was; None likewise.
        ran: Digest of the image that it ran in, which the site file may have replaced since.
        changed: Whether the site file is another one since the run; None where the result does not say.
        image: Digest that the site file asks for.
        ledger: Kind of ledger.
    """

    site: str
    state: str
    run_id: str = ""
    told: str = ""
    scenes_in: int = 0
    made: int = 0
    skipped: int = 0
    quarantined: int = 0
    age_s: float | None = None
    backlog: int | None = None
    receipt_age_s: float | None = None
    code: str = ""
    submitted_by: str = ""
    attempt: int | None = None
    ran: str = ""
    changed: bool | None = None
    image: str = ""
    ledger: str = ""

    @property
    def good(self) -> bool:
        """Nobody needs to look."""
        return self.state in {"good", "at work"}


def fleet(job: JobSpec, *, sites: Sequence[Site], now: datetime | None = None, wait_s: float = WAIT_S) -> list[Row]:
    """A row for every site, in their order; one that does not answer in time is a row that says so.

    Args:
        job: Whose runs.
        sites: Where.
        now: Clock, aware; the current time by default.
        wait_s: Longest time for all of them together [s].
    """
    moment, answers = now or datetime.now(UTC), dict[str, Row]()

    def ask(site: Site) -> None:
        try:
            answers[site.site] = _row(job, site=site, now=moment)
        except (SwathError, OSError) as error:
            answers[site.site] = _not_reached(site, told=str(error))

    # a thread that hangs on a site delays nothing, not even the end of the process
    threads = [threading.Thread(target=ask, args=(site,), daemon=True) for site in sites]
    for thread in threads:
        thread.start()
    until = time.monotonic() + wait_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [answers.get(site.site) or _not_reached(site, told="no answer in time") for site in sites]


def _not_reached(site: Site, *, told: str) -> Row:
    return Row(site=site.site, state="not reached", told=told, image=_digest(site), ledger=site.ledger.kind.value)


def _digest(site: Site) -> str:
    return _short(site.image)


def _short(image: str) -> str:
    """The algorithm and 12 digits of an image's digest."""
    return image.rpartition("@")[2][:19]


def _row(job: JobSpec, *, site: Site, now: datetime) -> Row:
    """Ask one site."""
    place = open_place(job.output, site=site)
    listed = place.times("reports")
    receipts, newest = Receipts(place, listed=listed), _newest(listed)
    last = receipts.newest(now=now)
    base: dict[str, Any] = {
        "site": site.site,
        "image": _digest(site),
        "ledger": site.ledger.kind.value,
        "receipt_age_s": None if last is None else (now - last).total_seconds(),
        "backlog": sum(1 for _ in receipts.waiting()) if site.border.to else None,
    }
    if newest is None:
        return Row(**base, state="no run", told=f"no run is below {job.output}")
    return Row(**base, run_id=newest, **_state(place, newest, listed=listed, job=job, site=site, now=now))


def _newest(listed: Mapping[str, datetime]) -> str | None:
    """The run whose result or stream was written last."""
    runs = [name for name in listed if name.endswith((_STREAM, _RESULT))]
    name = max(runs, key=lambda name: listed[name], default=None)
    return None if name is None else name.removesuffix(_STREAM).removesuffix(_RESULT)


def _state(
    place: BorderPlace, run_id: str, *, listed: Mapping[str, datetime], job: JobSpec, site: Site, now: datetime
) -> dict[str, Any]:
    """State of the newest run, by its result, or by its stream without one."""
    life = None
    try:
        stream = place.read(metrics_path(run_id))
        life = life_of(stream, now=now, max_duration_s=seconds(job.max_duration)) if stream is not None else None
        data = place.read(result_path(run_id)) if f"{run_id}{_RESULT}" in listed else None
        if data is not None and (life is None or life.last.event == "end"):
            return _of_result(parse_result(data, run_id=run_id), site=site, now=now)
    except ConfigError as error:
        return {"state": "failed", "told": str(error)}
    if life is None:
        return {"state": "failed", "told": "it left neither a result nor metrics"}
    return _of_life(life, now=now)


def _of_result(result: RunResult, *, site: Site, now: datetime) -> dict[str, Any]:
    counts = {name: getattr(result, name) for name in ("scenes_in", "made", "skipped", "quarantined")}
    state = "unbalanced" if not result.balanced else "quarantined" if result.quarantined else "good"
    age_s = None if result.ended is None else (now - result.ended).total_seconds()
    told, digest = result.raw, result.raw.get("site_digest")
    return {
        **counts,
        "state": state,
        "age_s": age_s,
        "told": result.text,
        "code": str(told.get("code") or ""),
        "submitted_by": str(told.get("submitted_by") or ""),
        "attempt": told.get("attempt"),
        "ran": _short(str(told.get("image") or "")),
        "changed": digest != site.digest if digest else None,
    }


def _of_life(life: Life, *, now: datetime) -> dict[str, Any]:
    counts = {name: getattr(life.last, name) for name in ("scenes_in", "made", "skipped", "quarantined")}
    state = "dead" if life.dead else "failed" if life.last.event == "end" else "at work"
    return {**counts, "state": state, "age_s": (now - life.last.at).total_seconds(), "told": life.text}


def as_json(rows: Iterable[Row]) -> str:
    """One line."""
    return json.dumps({"sites": [asdict(row) for row in rows]}, ensure_ascii=False)
