"""One composite on its way through a wave, and the wave's stages on executors."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

from swath.account import Count, Fate
from swath.composites.request import CompositeRequest
from swath.runs.work import Refusal, StageTime
from swath.source_ref import SourceRef
from swath.spark.stage import run_json_stage
from swath.stack.composite import Composite
from swath.stores.base import Store

if TYPE_CHECKING:
    from swath.spark.task_progress import Progress

Json = dict[str, Any]
StageProgress = Callable[[str, int, int], None]
#: Rows of a strip where the user does not say.
STRIP_ROWS = 1024
_TASKS_PER_CORE = 3


@dataclass(slots=True, kw_only=True)
class CompositeWork:
    """One composite.

    Args:
        composite: Planned composite.
        stack: Path of the stack that workers read, relative to the output.
        without: Sources that could not be read: class and message, by number.
        strips: Answers of its strips.
        records: Records of its assets.
        published: Answer of the publish stage.
        refusal: Why it was not made; None when it was.
    """

    composite: Composite
    stack: str
    without: dict[int, tuple[str, str]] = field(default_factory=dict)
    strips: list[Json] = field(default_factory=list)
    records: list[Json] = field(default_factory=list)
    published: Json | None = None
    refusal: Refusal | None = None

    @property
    def sources(self) -> tuple[SourceRef, ...]:
        """What is said of each source, those that could not be read included."""
        return replace(self.composite, without={n: message for n, (_, message) in self.without.items()}).references

    @property
    def fate(self) -> Fate:
        """What became of it."""
        return Fate.QUARANTINED if self.refusal is not None else Fate.MADE

    @property
    def edges(self) -> Count:
        """Its sources: those of a composite that could not be made are lost with it."""
        lost = Fate.QUARANTINED
        return Count.of(lost if self.refusal is not None or not s.used else Fate.MADE for s in self.sources)

    def refused(self, answer: Json, *, stage: str) -> bool:
        """Note a refusal; True when the answer was one."""
        found = answer.get("refused")
        if found is not None and self.refusal is None:
            self.refusal = Refusal(stage=stage, error_class=found["class"], message=found["message"])
        return found is not None


class CompositeWave:
    """Makes the composites of a wave.

    Args:
        spark: The session.
        store: The output.
        request: Request of the run.
        progress: Receives every stage.
    """

    def __init__(
        self, spark: SparkSession, store: Store, *, request: CompositeRequest, progress: StageProgress | None = None
    ) -> None:
        self._spark, self._store, self._request, self._progress = spark, store, request, progress
        self.stages: list[StageTime] = []

    def run(self, wave: int, works: Sequence[CompositeWork]) -> None:
        """Make them. Nothing is committed here; items may be visible already."""
        folder = f".scratch/{self._request.run_id}/{wave}"
        self._strips(wave, list(works), folder=folder)
        self._assets(wave, [w for w in works if w.refusal is None])
        self._publish(wave, [w for w in works if w.refusal is None])
        self._store.delete_tree(folder)

    def _strips(self, wave: int, works: list[CompositeWork], *, folder: str) -> None:
        """Until no strip meets a source that cannot be read: all strips of a composite are made of the same sources."""
        turn = 0
        while works:
            asked: list[tuple[CompositeWork, Json]] = []
            for number, work in enumerate(works):
                place = {**self._base(work, "stack-strip"), "folder": f"{folder}/{turn}.{number}"}
                rows = self._request.strip_rows or STRIP_ROWS
                for strip, start in enumerate(range(0, work.composite.grid.height, rows)):
                    stop = min(start + rows, work.composite.grid.height)
                    asked.append((work, {**place, "strip": strip, "rows": [start, stop]}))
            answers = self._stage(wave, "strips", [a for _, a in asked], tasks=len(asked))
            for work in works:
                work.strips = []
            for (work, _), answer in zip(asked, answers, strict=True):
                if not work.refused(answer, stage="process"):
                    work.strips.append(answer)
            works = [w for w in works if w.refusal is None and self._leave_out(w)]
            turn += 1

    def _leave_out(self, work: CompositeWork) -> bool:
        """Note sources that failed; whether the strips have to be made again."""
        failed = {int(n): (why[0], why[1]) for answer in work.strips for n, why in answer["failed"].items()}
        if not failed:
            return False
        work.without |= failed
        if self._request.strict:
            error_class, message = next(iter(failed.values()))
            work.refusal = Refusal(stage="process", error_class=error_class, message=f"{message} (--strict)")
        elif len(work.without) == len(work.composite.sources):
            error_class, message = next(iter(failed.values()))
            told = f"none of the {len(work.without)} sources can be read; the first: {message}"
            work.refusal = Refusal(stage="process", error_class=error_class, message=told)
        return work.refusal is None

    def _assets(self, wave: int, works: list[CompositeWork]) -> None:
        asked: list[tuple[CompositeWork, Json]] = []
        for work in works:
            parts: dict[str, list[Json]] = {}
            for answer in work.strips:
                for part in answer["parts"]:
                    parts.setdefault(part["asset"], []).append(part)
            base = self._base(work, "stack-asset")
            asked += [(work, {**base, "asset": a, "parts": p, "attempt": uuid.uuid4().hex}) for a, p in parts.items()]
        for (work, _), answer in zip(asked, self._stage(wave, "assets", [a for _, a in asked]), strict=True):
            if not work.refused(answer, stage="assemble"):
                work.records.append(answer["record"])

    def _publish(self, wave: int, works: list[CompositeWork]) -> None:
        asked = [{**self._base(w, "stack-publish"), "records": w.records} for w in works]
        for work, answer in zip(works, self._stage(wave, "publish", asked), strict=True):
            if not work.refused(answer, stage="publish"):
                work.published = answer

    def _base(self, work: CompositeWork, op: str) -> Json:
        return {
            "op": op, "output": self._store.root, "stack": work.stack, "scene_id": work.composite.product_id,
            "without": {str(n): why[1] for n, why in work.without.items()},
        }  # fmt: skip

    def _stage(self, wave: int, name: str, requests: list[Json], *, tasks: int | None = None) -> list[Json]:
        if not requests:
            return []
        since = time.monotonic()
        told: Progress | None = None
        if self._progress is not None:
            tell = self._progress
            told = lambda done, total: tell(name, done, total)  # noqa: E731  two lines would hide that it only binds a name
        label = f"{self._request.run_id} wave {wave} {name}"
        tasks = tasks or _TASKS_PER_CORE * self._spark.sparkContext.defaultParallelism
        answers = run_json_stage(self._spark, requests, limits=self._request.limits, name=label, progress=told, tasks=tasks)
        self.stages.append(
            StageTime(
                name=name,
                wall_s=time.monotonic() - since,
                cpu_s=sum(a.get("cpu_s", 0.0) for a in answers),
                tasks=len(requests),
                peak_mb=max((a.get("peak_mb", 0.0) for a in answers), default=0.0),
            )
        )
        return answers
