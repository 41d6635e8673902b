"""One run of composites from its inputs to its ledger."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from swath.account import Account
from swath.composites.commit import CompositeLedger, account_of
from swath.composites.find import find_items
from swath.composites.plan import Known, LeftOut, Skipped, newest_versions, plan, tiling_for, usable
from swath.composites.request import CompositeRequest
from swath.composites.stored import StoredPlan, write_stacks
from swath.composites.work import CompositeWave, CompositeWork, StageProgress
from swath.errors import ConfigError
from swath.ledger.open import open_tables
from swath.ledger.removed import TABLE
from swath.ledger.schemas import PRODUCTS, TOMBSTONES
from swath.ledger.tables import Tables
from swath.readers.passed_over import PassedOver
from swath.readers.stac.search import Say
from swath.runs.catalogue_days import rebuild_days
from swath.runs.work import StageTime
from swath.sinks.served.delivery import CatalogueDelivery, delivery_to
from swath.sinks.served.outbox import OutboxEntry
from swath.source import Source
from swath.spark.stage import run_json_stage
from swath.stores.base import Store
from swath.stores.lock import commit_lock, output_lock
from swath.stores.registry import open_store


@dataclass(slots=True, kw_only=True)
class CompositeOutcome:
    """What a run did.

    Args:
        request: Request of the run.
        plan: Plan of the run.
        account: Over all waves of this execution.
        works: Composites that were made or refused.
        stages: Stages of all waves.
        started: Aware.
        ended: Aware.
    """

    request: CompositeRequest
    plan: StoredPlan
    started: datetime
    ended: datetime
    account: Account = field(default_factory=Account)
    works: list[CompositeWork] = field(default_factory=list)
    stages: list[StageTime] = field(default_factory=list)


class CompositeRun:
    """One execution of a request.

    Args:
        spark: The session.
        request: Request of the run.
        progress: Receives every stage.
        say: Hears what is found.
    """

    def __init__(
        self, spark: SparkSession, request: CompositeRequest, *, progress: StageProgress | None = None, say: Say | None = None
    ) -> None:
        self._spark, self._request, self._progress, self._say = spark, request, progress, say

    def execute(self, *, began: Callable[[], None] | None = None) -> CompositeOutcome:
        """Plan the run, then make it wave by wave.

        Args:
            began: Called when the run holds its output.

        Raises:
            ConfigError: Nothing can run, or there is nothing to make.
            LockError: Another run holds the output.
            AccountError: A wave does not balance.
            ServiceError: A store or a database was away for longer than we wait.
        """
        store, run_id = open_store(self._request.output), self._request.run_id
        catalogue = self._request.catalogue
        delivery = delivery_to(catalogue, store) if catalogue is not None else None
        with output_lock(store, run_id=run_id) as held, closing(commit_lock(store, run_id=run_id)) as lock:
            if began is not None:
                began()
            started = datetime.now(UTC)
            tables = open_tables(self._spark, store, lock=lock)
            stored = StoredPlan.read(store, run_id=run_id) or self._plan(store, tables)
            outcome = CompositeOutcome(request=self._request, plan=stored, started=started, ended=started)
            ledger = CompositeLedger(tables, request=self._request)
            done, size = ledger.waves(), self._request.wave_products
            outcome.request = replace(self._request, origin=ledger.origin)
            for wave in range(stored.waves(size=size)):
                held.check()
                works = stored.wave(wave, size=size, store=store)
                if wave not in done:
                    self._wave(wave, works, outcome=outcome, ledger=ledger, store=store, delivery=delivery)
            with lock.held():
                self._rebuild(tables, store, outcome)
            if delivery is not None:
                delivery.deliver()
        outcome.ended = datetime.now(UTC)
        return outcome

    def _wave(
        self,
        wave: int,
        works: list[CompositeWork],
        *,
        outcome: CompositeOutcome,
        ledger: CompositeLedger,
        store: Store,
        delivery: CatalogueDelivery | None,
    ) -> None:
        began = datetime.now(UTC)
        runner = CompositeWave(self._spark, store, request=self._request, progress=self._progress)
        runner.run(wave, works)
        first = wave == 0
        left_out = outcome.plan.left_out if first else ()
        skipped = outcome.plan.skipped if first else ()
        account = account_of(works, skipped=skipped, left_out=len(left_out))
        if delivery is not None:
            made = [(w.composite, w.published) for w in works if w.published is not None]
            entries = [OutboxEntry(collection=c.collection, product_id=c.product_id, item=p["item"]) for c, p in made]
            delivery.note(f"{self._request.run_id}.{wave:06d}", entries)
        ledger.commit(wave, works, account=account, left_out=left_out, started=began)
        outcome.account = outcome.account + account
        outcome.stages += runner.stages
        outcome.works += works

    def _plan(self, store: Store, tables: Tables) -> StoredPlan:
        request = self._request
        found, left_out, composites_in = self._sources(store)
        sources = []
        for source in found:
            why = usable(source, recipe=request.recipe)
            if why is None:
                sources.append(source)
            else:
                left_out.append(why)
        self._refuse(left_out, sources=len(sources))
        tiling = tiling_for(request.recipe, sources)
        planned = plan(sources, recipe=request.recipe, periods=request.periods, area=request.aoi, tiling=tiling)
        if not planned.composites:
            raise _nothing(len(sources), request)
        latest = _latest(tables)
        there = [c for c in planned.composites if c.product_id in latest and latest[c.product_id].there(c, again=request.again)]
        known = {c.product_id for c in there}
        new = [c for c in planned.composites if c.product_id not in known]
        self._tell(f"{len(sources)} sources, {len(planned.composites)} composites: {len(new)} to make, {len(there)} already made")
        stored = StoredPlan(
            stacks=write_stacks(new, store, run_id=request.run_id),
            skipped=tuple(Skipped(product_id=c.product_id, assets=len(c.layers), sources=len(c.sources)) for c in there),
            left_out=tuple(left_out),
            sources=len(sources),
            older=planned.older,
            outside=planned.outside,
            empty=planned.empty,
            composites_in=composites_in,
        )
        stored.write(store, run_id=request.run_id)
        return stored

    def _refuse(self, left_out: list[LeftOut], *, sources: int) -> None:
        if left_out and (self._request.strict or not sources):
            told = "; ".join(item.message for item in left_out[:3])
            more = f"; and {len(left_out) - 3} more" if len(left_out) > 3 else ""
            why = "--strict" if sources else "no item is left"
            msg = f"{len(left_out)} items cannot be sources ({why}): {told}{more}"
            raise ConfigError(msg)

    def _sources(self, store: Store) -> tuple[list[Source], list[LeftOut], int]:
        """Every source of the inputs, read by workers; what is none, and why; how many items are composites themselves."""
        request, passed_over = self._request, PassedOver()
        # A place that workers see: beside the products where that is a folder.
        scratch = str(store.scratch() / f"{request.run_id}.search")
        hrefs = list(find_items(request.inputs, scratch=scratch, passed_over=passed_over, say=self._say))
        self._tell(f"{len(hrefs)} items found: reading them")
        terms = request.terms.to_plain()
        asked = [{"op": "stack-source", "href": href, "terms": terms} for href in hrefs]
        tasks = 3 * self._spark.sparkContext.defaultParallelism
        name = f"{request.run_id} sources"
        answers = run_json_stage(self._spark, asked, limits=request.limits, name=name, tasks=tasks)
        found, left_out = [], []
        for href, answer in zip(hrefs, answers, strict=True):
            refused = answer.get("refused")
            if refused is not None:
                told: dict[str, Any] = {"error_class": refused["class"], "message": refused["message"]}
                left_out.append(LeftOut(scene_id=refused.get("scene_id", ""), href=href, **told))
            elif "source" in answer:
                found.append(Source.from_plain(answer["source"]))
        return found, left_out, sum("composite" in a for a in answers)

    def _tell(self, text: str) -> None:
        if self._say is not None:
            self._say(text)

    def _rebuild(self, tables: Tables, store: Store, outcome: CompositeOutcome) -> None:
        touched = {(w.composite.collection, _day(w)) for w in outcome.works if w.published is not None}
        if touched:
            rebuild_days(tables, store, touched=touched)


def _day(work: CompositeWork) -> date:
    return work.composite.period.start


def _latest(tables: Tables) -> dict[str, Known]:
    if not tables.exists("products"):
        return {}
    columns = ["product_id", "product_key", "left_out", "made"]
    few = tables.small("products", PRODUCTS, columns=columns)
    if few is None:
        few = [row.asDict() for row in tables.read("products", PRODUCTS, columns=columns).collect()]
    return newest_versions([*few, *_removed(tables)])


def _removed(tables: Tables) -> list[dict[str, Any]]:
    """Versions that retention removed: they are not made again. What they had left out is not known any more."""
    columns = ["product_id", "product_key", "made"]
    if not tables.exists(TABLE):
        return []
    few = tables.small(TABLE, TOMBSTONES, columns=columns)
    if few is None:
        few = [row.asDict() for row in tables.read(TABLE, TOMBSTONES, columns=columns).collect()]
    return [{**row, "left_out": {}} for row in few]


def _nothing(sources: int, request: CompositeRequest) -> ConfigError:
    first, last = request.periods[0], request.periods[-1]
    where = " touches a tile of the area and" if request.aoi is not None else ""
    msg = (
        f"there is nothing to make: none of {sources} sources{where} was acquired from {first.start} on, before"
        f" {last.stop}; check --aoi, --period and grid.crs"
    )
    return ConfigError(msg)
