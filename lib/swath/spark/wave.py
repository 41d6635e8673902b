"""One wave: strips, assets, items of a bounded group of products, and what became of each."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Row, SparkSession

from swath.spark.request import RunRequest
from swath.spark.stage import Progress, run_stage
from swath.stores.base import Store

Json = dict[str, Any]
_TASKS_PER_CORE = 3
#: Told which stage is at work, and how many of how many tasks are done.
StageProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A product that was not made."""

    stage: str
    error_class: str
    message: str


@dataclass(slots=True, kw_only=True)
class ProductWork:
    """One product on its way through a wave.

    Args:
        row: Of the plan.
        strips: Answers of its strips, in order.
        records: Of its assets.
        published: Answer of the publish stage.
        refusal: Why it was not made; None when it was.
    """

    row: Row
    strips: list[Json] = field(default_factory=list)
    records: list[Json] = field(default_factory=list)
    published: Json | None = None
    refusal: Refusal | None = None

    def refuse(self, answer: Json, *, stage: str) -> bool:
        """Note a refusal, the first one stays; True when the answer was one."""
        refused = answer.get("refused")
        if refused is not None and self.refusal is None:
            self.refusal = Refusal(stage=stage, error_class=refused["class"], message=refused["message"])
        return refused is not None


@dataclass(slots=True, kw_only=True)
class StageTime:
    """Wall time, CPU time of the children and tasks of one stage of one wave."""

    name: str
    wall_s: float
    cpu_s: float
    tasks: int
    peak_mb: float = 0.0


@dataclass(slots=True, kw_only=True)
class WaveResult:
    """A finished wave."""

    wave: int
    products: list[ProductWork]
    stages: list[StageTime]


class WaveRunner:
    """Runs waves of one request.

    Args:
        spark: The session.
        store: The output.
        request: What was asked.
        progress: Told of every stage.
    """

    def __init__(self, spark: SparkSession, store: Store, *, request: RunRequest, progress: StageProgress | None = None) -> None:
        self._spark = spark
        self._store = store
        self._request = request
        self._progress = progress
        self._stages: list[StageTime] = []

    def run(self, wave: int, rows: Sequence[Row]) -> WaveResult:
        """Make the products of a wave. Nothing is committed here; items may be visible already."""
        self._stages = []
        works = [ProductWork(row=row) for row in rows]
        folder = f".scratch/{self._request.run_id}/{wave}"
        self._strips(wave, works, folder=folder)
        self._assets(wave, [w for w in works if w.refusal is None])
        self._publish(wave, [w for w in works if w.refusal is None])
        self._store.delete_tree(folder)
        return WaveResult(wave=wave, products=works, stages=self._stages)

    def _strips(self, wave: int, works: list[ProductWork], *, folder: str) -> None:
        # With more scenes than cores, a whole scene a task: then nobody opens a band twice.
        split = len(works) <= self._spark.sparkContext.defaultParallelism
        asked: list[tuple[ProductWork, Json]] = []
        for number, work in enumerate(works):
            fixed = self._request.strip_rows is not None
            for strip in range(work.row["strips"] if split or fixed else 1):
                place = {"strip": strip, "split": split, "strip_rows": self._request.strip_rows, "folder": f"{folder}/{number}"}
                asked.append((work, {**self._base(work, "strip"), **place, "models": dict(self._request.models)}))
        for (work, _), answer in zip(asked, self._stage(wave, "strips", [a for _, a in asked]), strict=True):
            if not work.refuse(answer, stage="process"):
                work.strips.append(answer)

    def _assets(self, wave: int, works: list[ProductWork]) -> None:
        asked: list[tuple[ProductWork, Json]] = []
        for work in works:
            parts: dict[str, list[Json]] = {}
            for answer in work.strips:
                for part in answer["parts"]:
                    parts.setdefault(part["asset"], []).append(part)
            for asset, found in parts.items():
                place = {"asset": asset, "parts": found, "attempt": uuid.uuid4().hex}
                asked.append((work, {**self._base(work, "asset"), **place}))
        for (work, _), answer in zip(asked, self._stage(wave, "assets", [a for _, a in asked]), strict=True):
            if not work.refuse(answer, stage="assemble"):
                work.records.append(answer["record"])

    def _publish(self, wave: int, works: list[ProductWork]) -> None:
        asked = [
            {
                **self._base(work, "publish"),
                "records": work.records,
                "previews": [s["preview"] for s in work.strips if s["preview"]],
            }
            for work in works
        ]
        for work, answer in zip(works, self._stage(wave, "publish", asked), strict=True):
            if not work.refuse(answer, stage="publish"):
                work.published = answer

    def _base(self, work: ProductWork, op: str) -> Json:
        return {
            "op": op, "scene": work.row["scene"], "scene_id": work.row["scene_id"],
            "pipeline": self._request.pipeline_json, "output": self._store.root,
        }  # fmt: skip

    def _stage(self, wave: int, name: str, requests: list[Json]) -> list[Json]:
        since = time.monotonic()
        told: Progress | None = None
        if self._progress is not None:
            tell = self._progress
            told = lambda done, total: tell(name, done, total)  # noqa: E731  two lines would hide that it only binds a name
        label = f"{self._request.run_id} wave {wave} {name}"
        # A strip is minutes of work and gets a task of its own; the later stages are short and share tasks.
        tasks = None if name == "strips" else _TASKS_PER_CORE * self._spark.sparkContext.defaultParallelism
        answers = run_stage(self._spark, requests, limits=self._request.limits, name=label, progress=told, tasks=tasks)
        self._stages.append(
            StageTime(
                name=name,
                wall_s=time.monotonic() - since,
                cpu_s=sum(a.get("cpu_s", 0.0) for a in answers),
                tasks=len(requests),
                peak_mb=max((a.get("peak_mb", 0.0) for a in answers), default=0.0),
            )
        )
        return answers
