"""What the summaries of all kinds of runs have in common."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from swath import __version__
from swath.account import Account
from swath.report.stage_timing import StageTiming, stages_together
from swath.report.summary import RunSummary
from swath.runs.origin import RunOrigin
from swath.runs.work import StageTime


class AnyRequest(Protocol):
    """A request: of products of scenes, or of composites."""

    @property
    def run_id(self) -> str:
        """Id of the run."""
        ...

    @property
    def site(self) -> str:
        """Name of the site."""
        ...

    @property
    def output(self) -> str:
        """Root of the output."""
        ...

    @property
    def origin(self) -> RunOrigin:
        """Origin of the run: submitter, attempt, site and image."""
        ...


def summary_head(
    request: AnyRequest, *, pipeline: str, account: Account, stages: Iterable[StageTime], started: datetime, ended: datetime
) -> RunSummary:
    """A summary that names no product yet.

    Args:
        request: Request of the run.
        pipeline: Name of the pipeline.
        account: Account over all waves.
        stages: Stages of all waves.
        started: Aware.
        ended: Aware.
    """
    timings = (StageTiming(name=s.name, wall_s=s.wall_s, cpu_s=s.cpu_s, tasks=s.tasks, peak_mb=s.peak_mb or None) for s in stages)
    return RunSummary(
        run_id=request.run_id,
        pipeline=pipeline,
        code=__version__,
        site=request.site,
        started=started,
        ended=ended,
        scenes=account.scenes,
        assets=account.assets,
        edges=account.edges if account.edges != account.scenes else None,
        stages=stages_together(timings),
        report=f"reports/{request.run_id}.html",
        output=request.output,
        **request.origin.columns(),
    )
