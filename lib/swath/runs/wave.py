"""One wave: strips, assets, items of a bounded group of products, and what became of each."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from pyspark.sql import Row, SparkSession

from swath.engine.link_messages import Prepare
from swath.engine.message import Answered, Packed, Request
from swath.engine.messages import Counted, MakeAsset, MakeProduct, MakeStrip, Publish
from swath.engine.refused import Refused
from swath.engine.subject import Cutting, Subject
from swath.runs.flight import StageProgress, Turn
from swath.runs.request import RunRequest
from swath.runs.uploads import OpenUploads as Uploads
from swath.runs.uploads import open_uploads
from swath.runs.work import ProductWork, StageTime, WaveResult
from swath.spark.breaker import Breaker
from swath.spark.stage import grouped, run_stage
from swath.stores.base import Store

if TYPE_CHECKING:
    from swath.sinks.cog.strip_part import PartManifest
    from swath.spark.task_progress import Progress

B = TypeVar("B", bound=Answered)
W = TypeVar("W")
R = TypeVar("R")
_TASKS_PER_CORE = 3
#: Small products share a task until it has so many output pixels: about a CPU second.
_TASK_PIXELS = 8_000_000


class Lazily(Sequence[R], Generic[W, R]):
    """Requests that are made when they are asked for: all at once, with their scenes, they are most of a driver.

    Args:
        works: A request each.
        make: Makes the request.
    """

    def __init__(self, works: Sequence[W], make: Callable[[W], R]) -> None:
        self._works, self._make = works, make

    def __len__(self) -> int:
        """Number of requests."""
        return len(self._works)

    @overload
    def __getitem__(self, number: int) -> R: ...
    @overload
    def __getitem__(self, number: slice) -> "Lazily[W, R]": ...
    def __getitem__(self, number: int | slice) -> "R | Lazily[W, R]":
        """A request."""
        return Lazily(self._works[number], self._make) if isinstance(number, slice) else self._make(self._works[number])


class WaveRunner:
    """Runs waves of one request.

    Args:
        spark: The session.
        store: The output.
        request: Request of the run.
        progress: Receives every stage.
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
        turn: Turn | None = None,
    ) -> None:
        self._spark = spark
        self._store = store
        self._request = request
        self._progress = progress
        self._breaker = breaker
        self._turn = turn
        self._stages: list[StageTime] = []

    def run(self, wave: int, works: Iterable[ProductWork]) -> WaveResult:
        """Make the products of a wave. Nothing is committed here; items may be visible already.

        Args:
            wave: Number.
            works: Products to make.
        """
        self._stages = []
        # The largest begin first, so that no large one is alone at the end.
        works = sorted(works, key=lambda w: _pixels(w.row), reverse=True)
        folder = f".scratch/{self._request.run_id}/{wave}"
        self._cut(works, folder=folder)
        self._make(wave, [w for w in works if w.number == 1])
        with open_uploads(self._store) as uploads:
            several = [w for w in works if w.number > 1]
            self._prepare(wave, several, uploads=uploads)
            several = [w for w in several if w.refusal is None]
            self._strips(wave, [w for w in several if len(w.linked) < w.row["assets"] or w.cut.pictures])
            self._assets(wave, [w for w in several if w.refusal is None], uploads=uploads)
        self._publish(wave, [w for w in several if w.refusal is None])
        self._store.delete_tree(folder)
        works.sort(key=lambda w: w.row["n"])
        return WaveResult(wave=wave, products=works, stages=self._stages)

    def _cut(self, works: list[ProductWork], *, folder: str) -> None:
        """Say how each product is cut: with more scenes than cores, a whole scene a task, so that no band is opened twice."""
        split = len(works) <= self._spark.sparkContext.defaultParallelism
        fixed = self._request.strip_rows is not None
        for number, work in enumerate(works):
            work.cut = Cutting(
                split=split, strip_rows=self._request.strip_rows, folder=f"{folder}/{number}", models=dict(self._request.models)
            )
            work.number = work.row["strips"] if split or fixed else 1

    def _make(self, wave: int, works: list[ProductWork]) -> None:
        """Products of one strip, each from end to end in one call."""
        asked = Lazily(
            works, lambda w: MakeProduct(product=self._subject(w), cut=w.cut, attempt=uuid.uuid4().hex, versions=w.versions)
        )
        groups = grouped([_pixels(w.row) for w in works], most=_TASK_PIXELS, least_groups=self._few_tasks)
        for work, answer in zip(works, self._stage(wave, "products", asked, groups=groups), strict=True):
            work.made = work.take(answer, stage="process")

    def _prepare(self, wave: int, works: list[ProductWork], *, uploads: Uploads) -> None:
        """See what is there of products of several strips, and open the uploads that strips will share."""
        asked = Lazily(works, lambda w: Prepare(product=self._subject(w), cut=w.cut, versions=w.versions))
        for work, answer in zip(works, self._stage(wave, "prepare", asked), strict=True):
            told = work.take(answer, stage="process")
            if told is None:
                continue
            found = told.open()
            work.linked, work.records, work.kept = tuple(r.name for r in found.records), list(found.records), found.kept
            work.uploads = uploads.opened(found.uploads, paths=found.paths)
            skip = tuple(sorted(r.name for r in found.records))
            work.cut = replace(work.cut, skip=skip, pictures=found.pictures)

    def _strips(self, wave: int, works: list[ProductWork]) -> None:
        strips = [(w, n) for w in works for n in range(w.number)]
        asked = Lazily(strips, lambda s: MakeStrip(product=self._subject(s[0]), cut=s[0].cut, uploads=s[0].uploads, strip=s[1]))
        # A strip is minutes of work and gets a task of its own.
        answers = self._stage(wave, "strips", asked, groups=[1] * len(asked))
        for (work, _), answer in zip(strips, answers, strict=True):
            told = work.take(answer, stage="process")
            if told is not None:
                made = told.open()
                work.strips.append(made)
                work.tiles += [(Counted.of(part), made.seconds, made.peak_mb) for part in made.parts]

    def _assets(self, wave: int, works: list[ProductWork], *, uploads: Uploads) -> None:
        asked: list[tuple[ProductWork, MakeAsset]] = []
        for work in works:
            parts: dict[str, list[PartManifest]] = {}
            for part in (p for strip in work.strips for p in strip.parts):
                parts.setdefault(part.asset, []).append(part)
            for asset, found in parts.items():
                request = MakeAsset(
                    product=self._subject(work), cut=work.cut, asset=asset, parts=tuple(found), attempt=uuid.uuid4().hex,
                    upload=work.uploads.get(asset, ""),
                )  # fmt: skip
                asked.append((work, request))
        for (work, request), answer in zip(asked, self._stage(wave, "assets", [a for _, a in asked]), strict=True):
            made = work.take(answer, stage="assemble")
            if made is not None:
                work.records.append(made.open().record)
                uploads.completed(request.upload)

    def _publish(self, wave: int, works: list[ProductWork]) -> None:
        asked = [
            Publish(
                product=self._subject(work),
                records=tuple(work.records),
                previews=tuple(s.preview for s in work.strips if s.preview),
                dark=tuple(s.dark for s in work.strips),
                features=tuple(s.features for s in work.strips),
                kept=work.kept,
            )
            for work in works
        ]
        for work, answer in zip(works, self._stage(wave, "publish", asked), strict=True):
            told = work.take(answer, stage="publish")
            work.publish(told.open() if told is not None else None)

    def _subject(self, work: ProductWork) -> Subject:
        pipeline, output = self._request.pipeline_json, self._store.root
        return Subject(scene=work.scene_json, scene_id=work.row["scene_id"], pipeline=pipeline, output=output)

    @property
    def _few_tasks(self) -> int:
        """Tasks for calls that are short."""
        return _TASKS_PER_CORE * self._spark.sparkContext.defaultParallelism

    def _stage(
        self, wave: int, name: str, requests: Sequence[Request[B]], *, groups: Sequence[int] | None = None
    ) -> list[Packed[B] | Refused]:
        if not requests:
            return []
        if self._turn is not None:
            self._turn.enter_stage()
        since = time.monotonic()
        told: Progress | None = None
        if self._progress is not None:
            tell = self._progress
            told = lambda done, total: tell(name, done, total)  # noqa: E731  two lines would hide that it only binds a name
        label = f"{self._request.run_id} wave {wave} {name}"
        answers = run_stage(
            self._spark,
            requests,
            limits=self._request.limits,
            name=label,
            progress=told,
            tasks=self._few_tasks,
            groups=groups,
            breaker=self._breaker,
        )
        self._stages.append(
            StageTime(
                name=name,
                wall_s=time.monotonic() - since,
                cpu_s=sum(a.cpu_s for a in answers if not isinstance(a, Refused)),
                tasks=len(requests),
                peak_mb=max((a.peak_mb for a in answers if not isinstance(a, Refused)), default=0.0),
            )
        )
        return answers


def _pixels(row: Row) -> int:
    """Pixels of a row's product; 1 for plans of earlier versions, which do not say."""
    return row["pixels"] or 1
