"""The chain by ``swath run``, phase by phase: ``python -m benchmarks.ours MASTER SMALL_ITEM ITEM OUTPUT``.

``start``: the session and a first Python task. ``first``: one small scene in that session, with everything that a session does
for the first time (workers and their children start, Delta's classes are loaded). ``again``: the same small scene once more,
which is what a run costs whatever it works on: plan, ledger, catalogue, report. ``chain``: the scene, all of that included.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.tree import ROOT, next_phase

PIPELINE = ROOT / "benchmarks" / "chain.yaml"


def main(master: str, small: str, *, item: str, output: str) -> None:
    """Run all, print the last run's seconds by stage as JSON."""
    next_phase("start")
    spark, stop = start(master)
    next_phase("first")
    run(spark, small, f"{output}/first")
    next_phase("again")
    run(spark, small, f"{output}/again")
    next_phase("chain")
    strips: list[Any] = []
    with _keeping(strips):
        outcome = run(spark, item, f"{output}/chain")
    next_phase("stop")
    stop(spark)
    print(json.dumps(_told(outcome, f"{output}/chain", strips=strips)), flush=True)


def start(master: str) -> tuple[Any, Callable[[Any], None]]:
    """A session that has done its first Python task, and how to stop it. Its imports are part of the start."""
    from swath.spark.start.session import build_session, stop_session  # noqa: PLC0415

    spark = build_session(app="bench", master=master)
    assert spark.range(0, 4, 1, 2).mapInArrow(_same, "id long").count() == 4
    return spark, stop_session


def _same(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches


def run(spark: Any, item: str, output: str) -> Any:
    """One run with everything around it; its outcome."""
    from swath.cli.run_request import RunOptions, request_of  # noqa: PLC0415
    from swath.runs.report_files import write_report  # noqa: PLC0415
    from swath.runs.run import Run  # noqa: PLC0415
    from swath.runs.summary import summary_of  # noqa: PLC0415

    request = request_of(RunOptions(pipeline=str(PIPELINE), inputs=(item,), output=output))
    outcome = Run(spark, request).execute()
    assert not outcome.account.scenes.quarantined, outcome.results.quarantine
    write_report(summary_of(outcome))
    return outcome


@contextmanager
def _keeping(strips: list[Any]) -> Iterator[None]:
    """Keep the answers of strips, which a run forgets once they are in its ledger."""
    from swath.runs.wave import WaveRunner  # noqa: PLC0415

    run = WaveRunner.run

    def kept(self: WaveRunner, *asked: Any, **more: Any) -> Any:
        result = run(self, *asked, **more)
        # A strip's costs are with each of its assets.
        strips.extend(
            {id(seconds): (seconds, peak) for work in result.products for _, seconds, peak in work.finished().tiles}.values()
        )
        return result

    with patch.object(WaveRunner, "run", kept):
        yield


def _told(outcome: Any, output: str, *, strips: list[Any]) -> dict[str, Any]:
    """CPU seconds by stage, and the files."""
    (work,) = outcome.made
    seconds: dict[str, float] = {}
    for spent_by, _ in strips:
        for stage, spent in spent_by.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
    making = sum(s.cpu_s for s in outcome.stages if s.name in {"products", "strips"})
    seconds["strips, other"] = making - sum(seconds.values())
    for stage in outcome.stages:
        if stage.name in {"assets", "publish"}:
            seconds[{"assets": "assemble"}.get(stage.name, stage.name)] = stage.cpu_s
    made = work.finished()
    folder = Path(output) / Path(made.published.item).parent
    return {
        "seconds": seconds,
        "files": {r.name: str(folder / r.href) for r in made.records},
        "child_peak_mb": max(peak for _, peak in strips),
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], item=sys.argv[3], output=sys.argv[4])
