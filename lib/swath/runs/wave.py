"""One wave: strips, assets, items of a bounded group of products, and what became of each."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark.sql import Row, SparkSession

from swath.engine.product_plan import plan_product
from swath.runs.relink import Links, find_links, relabelled
from swath.runs.request import RunRequest
from swath.runs.uploads import OpenUploads, open_uploads
from swath.spark.breaker import Breaker
from swath.spark.stage import run_stage
from swath.stores.base import Store
from swath.stores.parts import Uploading

if TYPE_CHECKING:
    from swath.spark.task_progress import Progress

Json = dict[str, Any]
_TASKS_PER_CORE = 3
#: Small products share a task until it has so many output pixels: about a CPU second.
_TASK_PIXELS = 8_000_000
#: Told which stage is at work, and how many of how many tasks are done.
StageProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A product that was not made."""

    stage: str
    error_class: str
    message: str

    @classmethod
    def of_row(cls, row: Row) -> "Refusal":
        """Of a row of the plan or of the quarantine."""
        return cls(stage=row["stage"], error_class=row["error_class"], message=row["message"])


@dataclass(slots=True, kw_only=True)
class ProductWork:
    """One product on its way through a wave.

    Args:
        row: Row of the plan.
        strips: Answers of its strips, in order.
        links: What of it was there before.
        records: Records of its assets: first the linked ones, then the made ones.
        published: Answer of the publish stage.
        refusal: Why it was not made; None when it was.
        cut: How its strips were asked for.
        number: Number of its strips.
        uploads: Those that its strips share, by asset.
    """

    row: Row
    strips: list[Json] = field(default_factory=list)
    links: Links = field(default_factory=Links)
    records: list[Json] = field(default_factory=list)
    published: Json | None = None
    refusal: Refusal | None = None
    cut: Json = field(default_factory=dict)
    number: int = 0
    uploads: dict[str, str] = field(default_factory=dict)

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
        breaker: Circuit breaker of the run.
    """

    def __init__(
        self,
        spark: SparkSession,
        store: Store,
        *,
        request: RunRequest,
        progress: StageProgress | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._spark = spark
        self._store = store
        self._request = request
        self._progress = progress
        self._breaker = breaker
        self._stages: list[StageTime] = []

    def run(
        self, wave: int, rows: Sequence[Row], *, versions: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
    ) -> WaveResult:
        """Make the products of a wave. Nothing is committed here; items may be visible already.

        Args:
            wave: Its number.
            rows: Rows of the plan, with their scenes.
            versions: What the ledger knows of the products, newest first, by product.
        """
        self._stages = []
        works = [ProductWork(row=row) for row in rows]
        self._link(wave, works, versions=versions or {})
        folder = f".scratch/{self._request.run_id}/{wave}"
        with open_uploads(self._store) as uploads:
            open_ones = [w for w in works if len(w.links.records) < w.row["assets"] or not w.links.true_colour]
            self._cut(open_ones, folder=folder)
            self._open(wave, open_ones, uploads=uploads)
            open_ones = [w for w in open_ones if w.refusal is None]
            self._make(wave, [w for w in open_ones if w.number == 1], uploads=uploads)
            self._strips(wave, [w for w in open_ones if w.number > 1])
            self._assets(wave, [w for w in works if w.refusal is None and w.published is None], uploads=uploads)
        self._publish(wave, [w for w in works if w.refusal is None and w.published is None])
        self._store.delete_tree(folder)
        return WaveResult(wave=wave, products=works, stages=self._stages)

    def _link(self, wave: int, works: list[ProductWork], *, versions: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        pipeline = self._request.pipeline_json
        found = find_links([w.row for w in works], pipeline_json=pipeline, versions=versions, store=self._store)
        for work, links in zip(works, found, strict=True):
            work.links = links
        asking = [w for w in works if w.links.adoptable]
        asked = [{**self._base(w, "adopt"), "item": w.links.item, "names": w.links.adoptable} for w in asking]
        if asked:
            for work, answer in zip(asking, self._stage(wave, "adopt", asked), strict=True):
                plan = plan_product(work.row["scene"], pipeline)
                # A file that is not what its item says is made again; a refusal here only means the same.
                found_here = answer.get("records", ())
                work.links.records |= {r["name"]: relabelled(r, name=r["name"], plan=plan) for r in found_here}
                if len(found_here) < len(work.links.adoptable):
                    work.links.pictures, work.links.true_colour = {}, not plan.previews
        for work in works:
            work.records = list(work.links.records.values())

    def _cut(self, works: list[ProductWork], *, folder: str) -> None:
        """Say how each product is cut: with more scenes than cores, a whole scene a task, for then nobody opens a band twice."""
        split = len(works) <= self._spark.sparkContext.defaultParallelism
        fixed = self._request.strip_rows is not None
        for number, work in enumerate(works):
            lean = {"skip": sorted(work.links.records), "pictures": not work.links.true_colour}
            place: Json = {"split": split, "strip_rows": self._request.strip_rows, "folder": f"{folder}/{number}"}
            work.cut = {**place, **lean, "models": dict(self._request.models)}
            work.number = work.row["strips"] if split or fixed else 1

    def _make(self, wave: int, works: list[ProductWork], *, uploads: OpenUploads) -> None:
        """Products of one strip, each from end to end in one call."""
        asked = [
            {
                **self._base(work, "make"), **work.cut, "strip": 0, "attempt": uuid.uuid4().hex, "uploads": work.uploads,
                "records": work.records, "kept": work.links.pictures,
            }
            for work in works
        ]  # fmt: skip
        pixels = sum(work.links.pixels for work in works)
        tasks = max(-(-pixels // _TASK_PIXELS), self._few_tasks)
        for work, answer in zip(works, self._stage(wave, "products", asked, tasks=tasks), strict=True):
            if work.refuse(answer, stage=answer.get("stage", "process")):
                continue
            work.strips = [answer["strip"]]
            work.records += [a["record"] for a in answer["assets"]]
            for upload_id in work.uploads.values():
                uploads.completed(upload_id)
            work.published = answer["published"]

    def _strips(self, wave: int, works: list[ProductWork]) -> None:
        asked: list[tuple[ProductWork, Json]] = []
        for work in works:
            place = {**self._base(work, "strip"), **work.cut, "uploads": work.uploads}
            asked += [(work, {**place, "strip": n}) for n in range(work.number)]
        # A strip is minutes of work and gets a task of its own.
        answers = self._stage(wave, "strips", [a for _, a in asked], tasks=len(asked))
        for (work, _), answer in zip(asked, answers, strict=True):
            if not work.refuse(answer, stage="process"):
                work.strips.append(answer)

    def _open(self, wave: int, works: list[ProductWork], *, uploads: OpenUploads) -> None:
        """Open the uploads that strips will share, where the output is such a store."""
        if not isinstance(self._store, Uploading):
            return
        asked = [{**self._base(work, "open"), **work.cut} for work in works]
        for work, answer in zip(works, self._stage(wave, "open", asked), strict=True):
            if not work.refuse(answer, stage="process"):
                work.uploads = uploads.opened(answer["uploads"], paths=answer["paths"])

    def _assets(self, wave: int, works: list[ProductWork], *, uploads: OpenUploads) -> None:
        asked: list[tuple[ProductWork, Json]] = []
        for work in works:
            parts: dict[str, list[Json]] = {}
            for answer in work.strips:
                for part in answer["parts"]:
                    parts.setdefault(part["asset"], []).append(part)
            for asset, found in parts.items():
                place = {"asset": asset, "parts": found, "attempt": uuid.uuid4().hex, "upload": work.uploads.get(asset, "")}
                asked.append((work, {**self._base(work, "asset"), **work.cut, **place}))
        for (work, request), answer in zip(asked, self._stage(wave, "assets", [a for _, a in asked]), strict=True):
            if not work.refuse(answer, stage="assemble"):
                work.records.append(answer["record"])
                uploads.completed(request["upload"])

    def _publish(self, wave: int, works: list[ProductWork]) -> None:
        asked = [
            {
                **self._base(work, "publish"),
                "records": work.records,
                "previews": [s["preview"] for s in work.strips if s["preview"]],
                "dark": [s["dark"] for s in work.strips],
                "kept": work.links.pictures,
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

    @property
    def _few_tasks(self) -> int:
        """Tasks for calls that are short."""
        return _TASKS_PER_CORE * self._spark.sparkContext.defaultParallelism

    def _stage(self, wave: int, name: str, requests: list[Json], *, tasks: int | None = None) -> list[Json]:
        if not requests:
            return []
        since = time.monotonic()
        told: Progress | None = None
        if self._progress is not None:
            tell = self._progress
            told = lambda done, total: tell(name, done, total)  # noqa: E731  two lines would hide that it only binds a name
        label = f"{self._request.run_id} wave {wave} {name}"
        tasks = tasks or self._few_tasks
        limits = self._request.limits
        answers = run_stage(self._spark, requests, limits=limits, name=label, progress=told, tasks=tasks, breaker=self._breaker)
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
