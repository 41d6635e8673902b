"""Whether what comes after a run may go on: a verdict from the run's result, whatever the engine says of it.

Engines are asked to end with 0 although scenes were quarantined (any other code makes them run a job again), so a job that
completed says nothing about its products.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.liveness import life_of
from swath.deploy.operate.result import RunResult, read_bytes, read_result, result_path
from swath.deploy.site.duration import seconds
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.metrics.beat import metrics_path

#: How far the clocks of two machines may be apart [s].
_CLOCKS_S = 300.0
PASSED, NO_RESULT, QUARANTINED, UNBALANCED = 0, 1, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """What is still good enough.

    Args:
        quarantined: Largest share of quarantined scenes, 0 to 1.
        age_s: Longest time since the run's end [s]; None for any.
    """

    quarantined: float
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVerdict:
    """What a gate says.

    Args:
        run_id: Id of the run.
        job: Name of the job.
        site: Name of the site.
        exit_code: 0 passed, 1 no result of this run, or an old one, 3 too many quarantined, 4 the account does not balance.
        reason: Why it did not pass; empty when it did.
        result: The result; None where there is none.
        age_s: Since the run's end [s]; None when that is not known.
    """

    run_id: str
    job: str
    site: str
    exit_code: int
    reason: str = ""
    result: RunResult | None = None
    age_s: float | None = None

    def to_json(self) -> str:
        """One line."""
        told = {"run_id": self.run_id, "job": self.job, "site": self.site, "exit_code": self.exit_code, "reason": self.reason}
        if self.result is not None:
            counts = {name: getattr(self.result, name) for name in ("scenes_in", "made", "skipped", "quarantined")}
            told |= {**counts, "quarantined_share": round(self.result.quarantined_share, 6)}
        if self.age_s is not None:
            told["age_s"] = round(self.age_s)
        return json.dumps(told, ensure_ascii=False)


def gate(job: JobSpec, *, site: Site, run_id: str, limits: GateLimits, now: datetime | None = None) -> RunVerdict:
    """Look at the result of one run.

    Args:
        job: Whose run it is.
        site: Site of the run.
        run_id: Id of the run.
        limits: Limits that the run must keep.
        now: Clock, aware; the current time by default.
    """
    try:
        result = read_result(site.resolve(job.output), run_id=run_id, site=site)
    except (LaunchError, ConfigError) as error:
        return RunVerdict(run_id=run_id, job=job.job, site=site.site, exit_code=NO_RESULT, reason=str(error))
    if result is None:
        reason = f"{result_path(run_id)} is not there: {_life(job, site=site, run_id=run_id, now=now or datetime.now(UTC))}"
        return RunVerdict(run_id=run_id, job=job.job, site=site.site, exit_code=NO_RESULT, reason=reason)
    age_s = None if result.ended is None else ((now or datetime.now(UTC)) - result.ended).total_seconds()
    code, reason = _judged(result, job=job, site=site, limits=limits, age_s=age_s)
    return RunVerdict(run_id=run_id, job=job.job, site=site.site, exit_code=code, reason=reason, result=result, age_s=age_s)


def _life(job: JobSpec, *, site: Site, run_id: str, now: datetime) -> str:
    """What is known of a run that left no result."""
    try:
        data = read_bytes(f"{site.resolve(job.output).rstrip('/')}/{metrics_path(run_id)}", site=site)
        if data is None:
            return "the run never began, or used a swath without metrics"
        return life_of(data, now=now, max_duration_s=seconds(job.max_duration)).text
    except (LaunchError, ConfigError) as error:
        return f"the state of the run is unknown: {error}"


def _judged(result: RunResult, *, job: JobSpec, site: Site, limits: GateLimits, age_s: float | None) -> tuple[int, str]:
    """Exit code and reason."""
    unfit = next(_unfit(result, job=job, site=site, limits=limits, age_s=age_s), None)
    if unfit is not None:
        return NO_RESULT, unfit
    if not result.balanced:
        return UNBALANCED, f"the account does not balance: {result.text}"
    share = result.quarantined_share
    if share > limits.quarantined:
        return QUARANTINED, f"{share:.1%} of the scenes are quarantined, at most {limits.quarantined:.1%} are allowed"
    return PASSED, ""


def _unfit(result: RunResult, *, job: JobSpec, site: Site, limits: GateLimits, age_s: float | None) -> Iterator[str]:
    """Why this is no result of the run that was asked about."""
    expected = {"site": site.site, "pipeline": job.pipeline}
    for what, value in expected.items():
        if result.raw.get(what) != value:
            yield f"it is the result of {what} {result.raw.get(what)!r}, expected {value!r}"
    if age_s is None and limits.age_s is not None:
        yield "the result does not say when the run ended, so its age is not known"
    if age_s is not None and age_s < -_CLOCKS_S:
        yield f"the run ended {-age_s:.0f} s from now: the clocks of the site and of this machine disagree"
    if age_s is not None and limits.age_s is not None and age_s > limits.age_s:
        yield f"the run ended {age_s:.0f} s ago, at most {limits.age_s:.0f} s are allowed"
