"""One run from its inputs to its ledger: plan once, then wave by wave."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from swath.engine.product_plan import CHECKED, plan_product, product_of
from swath.errors import ConfigError, ServiceError
from swath.ledger.open import open_tables
from swath.ledger.tables import Tables
from swath.product import Product
from swath.readers.passed_over import PassedOver
from swath.readers.stac.search import Say
from swath.runs.catalogue_days import rebuild_days
from swath.runs.commit import Account, Ledger
from swath.runs.ingest import not_scenes, run_path
from swath.runs.plan import TOLD, Aside, Plan, spec_of
from swath.runs.request import RunRequest
from swath.runs.resumed import lost_before, made_before
from swath.runs.stored_plan import load_or_make_plan
from swath.runs.wave import ProductWork, StageProgress, StageTime, WaveResult, WaveRunner
from swath.sinks.served.delivery import CatalogueDelivery, Delivered, delivery_to
from swath.sinks.served.outbox import Entry
from swath.spark.breaker import Breaker
from swath.stores.base import Store
from swath.stores.lock import CommitLock, NoLock, commit_lock, output_lock
from swath.stores.registry import open_store

#: A row of a plan.
PlanRow = Row
Announce = Callable[[int, int, int], None]


@dataclass(slots=True, kw_only=True)
class RunOutcome:
    """What a run did.

    Args:
        request: What was asked.
        account: Over all waves.
        made: Products of the run, those of an earlier execution that was cut short first.
        lost: Products that were refused on their way.
        aside: Rows of the plan that needed no work: there already, duplicates, refused.
        stages: Stages of all waves.
        touched: Collections and days that got a product.
        started: Aware.
        ended: Aware.
        not_scenes: Files of the inputs that are no scene.
        delivered: What the served catalogue was told; None without one.
    """

    request: RunRequest
    account: Account
    started: datetime
    ended: datetime
    made: list[ProductWork] = field(default_factory=list)
    lost: list[ProductWork] = field(default_factory=list)
    aside: list[Row] = field(default_factory=list)
    stages: list[StageTime] = field(default_factory=list)
    touched: set[tuple[str, date]] = field(default_factory=set)
    not_scenes: PassedOver = field(default_factory=PassedOver)
    delivered: Delivered | None = None


def product_made(work: ProductWork, request: RunRequest) -> Product:
    """The product of a finished work, as its item describes it."""
    plan = plan_product(work.row["scene"], request.pipeline_json)
    checked = (work.published or {}).get("facts", {}).get(CHECKED)
    return product_of(plan, request.pipeline_json, records=work.records, checked=checked)


def spec_path(run_id: str) -> str:
    """Where a run keeps what it was asked, below the output."""
    return f"reports/{run_id}.spec"


class Watcher(Protocol):
    """Follows a run."""

    def began(self) -> None:
        """The run holds its output."""
        ...

    def committed(self, outcome: RunOutcome) -> None:
        """A wave was committed; this is how the run stands."""
        ...


class Run:
    """One execution of a request.

    Args:
        spark: The session.
        request: What is asked.
        progress: Told of every stage.
        announce: Told of each wave: number, waves, products in it.
        say: Hears of the progress of a search.
        watcher: Told that the run has begun, and how it stands after each wave's commit.
    """

    def __init__(
        self,
        spark: SparkSession,
        request: RunRequest,
        *,
        progress: StageProgress | None = None,
        announce: Announce | None = None,
        say: Say | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._watcher = watcher
        self._spark = spark
        self._request = request
        self._progress = progress
        self._announce = announce
        self._say = say
        self._delivery: CatalogueDelivery | None = None
        self._held: CommitLock = NoLock()
        self._breaker = Breaker(spark, limit=request.internal_limit)

    def execute(self) -> RunOutcome:
        """Do it.

        Raises:
            ConfigError: Nothing can run.
            LockError: Another run holds the output, or took it after our lock was lost with its connection.
            AccountError: A wave does not balance.
            ServiceError: A store or a database was away for longer than we wait.
            BrokenInstallationError: Too many scenes ended by errors that nobody foresaw.
        """
        store = open_store(self._request.output)
        run_id, catalogue = self._request.run_id, self._request.catalogue
        self._delivery = delivery_to(catalogue, store) if catalogue is not None else None
        with output_lock(store, run_id=run_id) as self._held, closing(commit_lock(store, run_id=run_id)) as lock:
            if self._watcher is not None:
                self._watcher.began()
            return self._locked(store, lock)

    def _locked(self, store: Store, lock: CommitLock) -> RunOutcome:
        started = datetime.now(UTC)
        tables = open_tables(self._spark, store, lock=lock)
        ledger = Ledger(tables, request=self._request)
        outcome = RunOutcome(request=self._request, account=_NOTHING, started=started, ended=started)
        again, done = store.size(run_path(self._request.run_id, "plan/_SUCCESS")) is not None, ledger.waves()
        if done and not again:
            # A new plan's first waves would be taken for those that exist.
            msg = f"run {self._request.run_id} ended, and swath maintain removed its plan: take another name or output"
            raise ConfigError(msg)
        plan = self._plan(store, tables, ledger=ledger, started=started)
        outcome.not_scenes = not_scenes(store, self._request.run_id)
        outcome.stages.append(StageTime(name="plan", wall_s=_since(started), cpu_s=0.0, tasks=1))
        if again:
            ledger.look_back(done)
        if done:
            exists = F.col("wave").isin(sorted(done))
            outcome.made += made_before(plan, ledger.of_run("products").filter(exists))
            outcome.lost += lost_before(plan, ledger.of_run("quarantine").filter(exists))
            outcome.aside += plan.aside().told if 0 in done else []
            outcome.touched |= {_place(w) for w in outcome.made if w.published}
        waves = plan.waves
        for number, wave in enumerate(waves):
            if wave not in done:
                self._wave(wave, number=number, waves=len(waves), plan=plan, ledger=ledger, store=store, outcome=outcome)
        outcome.account = _account(ledger, outcome, resumed=bool(done))
        with lock.held():
            _rebuild_catalogue(tables, store, outcome)
        self._deliver(outcome)
        outcome.ended = datetime.now(UTC)
        return outcome

    def _plan(self, store: Store, tables: Tables, *, ledger: Ledger, started: datetime) -> Plan:
        """The run's plan. From here on the run has a row, and also if planning ended by what no configuration can mend."""
        try:
            plan = load_or_make_plan(
                self._spark, store, request=self._request, tables=tables, say=self._say, progress=self._progress
            )
        except (ConfigError, ServiceError):  # nothing ran; or what would keep the row is away
            raise
        except BaseException:
            with suppress(Exception):
                ledger.begin(started)
            raise
        ledger.begin(started)
        # beside the report: a ledger that was lost is made again with it
        store.write(spec_path(self._request.run_id), spec_of(self._request).encode())
        return plan

    def _wave(self, wave: int, *, number: int, waves: int, plan: Plan, ledger: Ledger, store: Store, outcome: RunOutcome) -> None:
        began = datetime.now(UTC)
        # A lock that was lost with its connection may be another run's by now.
        self._held.check()
        rows = plan.wave(wave)
        aside = plan.aside() if wave == 0 else Aside()
        if self._announce is not None:
            self._announce(number + 1, waves, len(rows))
        runner = WaveRunner(self._spark, store, request=self._request, progress=self._progress, breaker=self._breaker)
        decided = {r["n"]: work for r in rows if (work := ledger.standing(wave).work(r)) is not None}
        rows = [r for r in rows if r["n"] not in decided]
        result = runner.run(wave, rows, versions=ledger.versions([r["product_id"] for r in rows if r["again"]]))
        result.products += decided.values()
        since = datetime.now(UTC)
        self._held.check()
        if self._delivery is not None:
            # Before the commit: whatever happens after it, somebody will tell the catalogue.
            self._delivery.note(f"{self._request.run_id}.{wave:06d}", _entries(result))
        outcome.account = outcome.account + ledger.commit(result, aside=aside, started=began)
        outcome.stages += [*result.stages, StageTime(name="commit", wall_s=_since(since), cpu_s=0.0, tasks=1)]
        self._deliver(outcome)
        outcome.aside += aside.told
        _sort(result, outcome)
        if self._watcher is not None:
            self._watcher.committed(outcome)

    def _deliver(self, outcome: RunOutcome) -> None:
        """Tell the served catalogue what waits, of this run and of earlier ones. It never fails the run."""
        if self._delivery is None:
            return
        since = datetime.now(UTC)
        delivered = self._delivery.deliver()
        outcome.delivered = outcome.delivered.then(delivered) if outcome.delivered is not None else delivered
        outcome.stages.append(StageTime(name="served catalogue", wall_s=_since(since), cpu_s=0.0, tasks=1))


def _entries(result: WaveResult) -> list[Entry]:
    works = [(w.row["product_id"], w.published) for w in result.products if w.published is not None]
    return [Entry(collection=p["collection"], product_id=name, item=p["item"]) for name, p in works]


_NOTHING = Account(scenes_in=0, made=0, skipped=0, quarantined=0)


def _since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def _sort(result: WaveResult, outcome: RunOutcome) -> None:
    """Note what became of each product. Beyond ``TOLD`` of them only the ledger keeps them: memory stays flat."""
    for work in result.products:
        if work.published is not None:
            outcome.touched.add(_place(work))
        kept = outcome.made if work.published is not None else outcome.lost
        if len(kept) < TOLD:
            work.strips = []
            kept.append(work)


def _account(ledger: Ledger, outcome: RunOutcome, *, resumed: bool) -> Account:
    """Over all waves of the run, those of earlier executions included."""
    if not resumed:
        return outcome.account
    names = list(Account.__dataclass_fields__)
    sums = ledger.of_run("runs").agg(*[F.sum(n).alias(n) for n in names]).collect()[0]
    return Account(**{n: int(sums[n] or 0) for n in names})


def _rebuild_catalogue(tables: Tables, store: Store, outcome: RunOutcome) -> None:
    """Rewrite the days of the static catalogue that this run touched, from the ledger."""
    since = datetime.now(UTC)
    if outcome.touched:
        rebuild_days(tables, store, touched=outcome.touched)
        outcome.stages.append(StageTime(name="catalogue", wall_s=_since(since), cpu_s=0.0, tasks=1))


def _place(work: ProductWork) -> tuple[str, date]:
    """Collection and day of a published product."""
    published = work.published or {}
    return published["collection"], _day(published["acquired"])


def _day(acquired: str) -> date:
    return datetime.fromisoformat(acquired).astimezone(UTC).date()
