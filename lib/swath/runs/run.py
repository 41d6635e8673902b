"""One run from its inputs to its ledger: plan once, then wave by wave."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Protocol

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from swath.account import Account, Count
from swath.engine.messages import Published
from swath.errors import ConfigError, ServiceError
from swath.ledger.open import open_tables
from swath.ledger.rows import COUNTED, account_in
from swath.ledger.tables import Tables
from swath.readers.stac.search import Say
from swath.report.summary import FIRST_PRODUCTS
from swath.runs.catalogue_days import rebuild_days
from swath.runs.commit import Ledger
from swath.runs.decide import DUPLICATE, MADE, REFUSED, STATUSES
from swath.runs.estimate import seconds_of
from swath.runs.flight import Flight, StageProgress, Turn
from swath.runs.hands import SparkHands
from swath.runs.ingest import not_scenes, run_path
from swath.runs.memory import give_back
from swath.runs.outcome import RunOutcome
from swath.runs.plan import Aside, Plan, spec_of
from swath.runs.request import RunRequest
from swath.runs.results import Results
from swath.runs.resumed import lost_before, made_before
from swath.runs.stored_plan import load_or_make_plan
from swath.runs.summary import tell
from swath.runs.wave import WaveRunner
from swath.runs.work import ProductWork, StageTime, WaveResult
from swath.sinks.served.delivery import CatalogueDelivery, delivery_to
from swath.sinks.served.outbox import OutboxEntry
from swath.spark.breaker import Breaker
from swath.stores.base import Store
from swath.stores.lock import CommitLock, NoLock, commit_lock, output_lock
from swath.stores.registry import open_store

Announce = Callable[[int, int, int], None]
Expect = Callable[[int, float], None]


def spec_path(run_id: str) -> str:
    """Where a run keeps what it was asked, below the output."""
    return f"reports/{run_id}.spec"


class Watcher(Protocol):
    """Follows a run."""

    def began(self) -> None:
        """The run holds its output."""
        ...

    def committed(self, outcome: RunOutcome) -> None:
        """A wave was committed; this is the state of the run."""
        ...


class Run:
    """One execution of a request.

    Args:
        spark: The session.
        request: Request of the run.
        progress: Receives every stage.
        announce: Told of each wave: number, waves, products in it.
        expect: Told how long a wave will take, by its number [s].
        say: Hears of the progress of a search.
        watcher: Receives the beginning of the run, and its state after each wave's commit.
    """

    def __init__(
        self,
        spark: SparkSession,
        request: RunRequest,
        *,
        progress: StageProgress | None = None,
        announce: Announce | None = None,
        expect: Expect | None = None,
        say: Say | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._watcher = watcher
        self._spark = spark
        self._request = request
        self._progress = progress
        self._announce = announce
        self._expect = expect
        self._say = say
        self._delivery: CatalogueDelivery | None = None
        self._held: CommitLock = NoLock()
        self._breaker = Breaker(spark, limit=request.internal_limit)

    def execute(self) -> RunOutcome:
        """Plan the run, then make it wave by wave, and commit each wave.

        Raises:
            ConfigError: Nothing can run.
            LockError: Another run holds the output, or took it after our lock was lost with its connection.
            AccountError: A wave does not balance.
            ServiceError: A store or a database was away for longer than we wait.
            BrokenInstallationError: Too many scenes ended by unexpected errors.
        """
        store = open_store(self._request.output)
        run_id, catalogue = self._request.run_id, self._request.catalogue
        self._delivery = delivery_to(catalogue, store) if catalogue is not None else None
        with output_lock(store, run_id=run_id) as self._held, closing(commit_lock(store, run_id=run_id)) as lock:
            if self._watcher is not None:
                self._watcher.began()
            tables = open_tables(self._spark, store, lock=lock)
            ledger = Ledger(tables, request=self._request)
            outcome, plan, done = self._begun(store, tables, ledger=ledger)
            self._fly(plan, done=done, ledger=ledger, store=store, outcome=outcome)
            outcome.account = _account(ledger, outcome, plan=plan, done=done)
            with lock.held():
                _rebuild_catalogue(tables, store, outcome)
            self._deliver(outcome)
            outcome.ended = datetime.now(UTC)
            return outcome

    def _begun(self, store: Store, tables: Tables, *, ledger: Ledger) -> tuple[RunOutcome, Plan, set[int]]:
        """The outcome before the first wave, the plan, and the waves that an earlier execution committed."""
        started = datetime.now(UTC)
        again, done = store.size(run_path(self._request.run_id, "plan/_SUCCESS")) is not None, ledger.waves()
        if done and not again:
            # A new plan's first waves would be taken for those that exist.
            msg = f"run {self._request.run_id} ended, and swath maintain removed its plan: take another name or output"
            raise ConfigError(msg)
        plan = self._plan(store, tables, ledger=ledger, started=started)
        many = plan.scenes(*STATUSES) > FIRST_PRODUCTS
        results = Results(store=store, run_id=self._request.run_id, many=many)
        request = replace(self._request, origin=ledger.origin)
        outcome = RunOutcome(request=request, account=Account(), results=results, started=started, ended=started)
        outcome.not_scenes = not_scenes(store, self._request.run_id)
        outcome.stages.append(StageTime(name="plan", wall_s=_since(started), cpu_s=0.0, tasks=1))
        if again:
            ledger.look_back(done)
        if done:
            self._take_up(done, plan=plan, ledger=ledger, outcome=outcome)
        return outcome, plan, done

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

    def _take_up(self, done: set[int], *, plan: Plan, ledger: Ledger, outcome: RunOutcome) -> None:
        """Take up what an earlier execution of the run reported about the waves that it committed."""
        products, quarantine = ledger.of_run("products"), ledger.of_run("quarantine")
        exists = F.col("wave").isin(sorted(done))
        seen = outcome.results.resume(done)
        for wave in sorted(done - seen):
            works = made_before(plan, products.filter(F.col("wave") == wave))
            works += lost_before(plan, quarantine.filter(F.col("wave") == wave))
            aside = plan.aside() if wave == 0 else Aside()
            tell(works, outcome.results, wave=wave, aside=aside, request=self._request)
        outcome.made += made_before(plan, products.filter(exists).orderBy("wave", "product_id").limit(FIRST_PRODUCTS))
        places = products.filter(exists).select("collection", F.to_date("acquired").alias("day")).distinct().collect()
        outcome.touched |= {(r["collection"], r["day"]) for r in places}

    def _fly(self, plan: Plan, *, done: set[int], ledger: Ledger, store: Store, outcome: RunOutcome) -> None:
        """Make the waves that do not exist, several at once, and commit them in order."""
        numbers = {wave: number for number, wave in enumerate(plan.waves, start=1)}

        def lead(wave: int) -> None:
            # A lock that was lost with its connection may be another run's by now.
            self._held.check()
            if self._announce is not None:
                self._announce(numbers[wave], len(numbers), plan.products(wave))

        def make(wave: int, turn: Turn) -> WaveResult:
            return self._make(wave, turn, plan=plan, ledger=ledger, store=store, number=numbers[wave])

        flight = Flight(self._spark, make, name=self._request.run_id, progress=self._progress)
        with flight.made([w for w in numbers if w not in done], before=lead) as waves:
            for wave, result in waves:
                self._commit(result, aside=plan.aside() if wave == 0 else Aside(), ledger=ledger, outcome=outcome)

    def _make(self, wave: int, turn: Turn, *, plan: Plan, ledger: Ledger, store: Store, number: int) -> WaveResult:
        """Make a wave, in a thread of its own."""
        began = datetime.now(UTC)
        runner = WaveRunner(self._spark, store, request=self._request, progress=turn.tell, breaker=self._breaker, turn=turn)
        to_make, decided = list[ProductWork](), list[ProductWork]()
        stands = ledger.standing(wave)
        rows = plan.wave(wave)
        rows.reverse()
        while rows:  # each is let go when it is packed
            row = rows.pop()
            work = stands.work(row)
            to_make += [ProductWork.of(row)] if work is None else []
            decided += [work] if work is not None else []
        give_back()
        ledger.find_versions([w for w in to_make if w.row["again"]])
        if self._expect is not None and to_make:
            self._expect(number, seconds_of([w.row for w in to_make], cores=SparkHands(self._spark).cores))
        result = runner.run(wave, to_make)
        result.products += decided
        result.began, result.partly_refused = began, plan.partly_refused
        return result

    def _commit(self, result: WaveResult, *, aside: Aside, ledger: Ledger, outcome: RunOutcome) -> None:
        since = datetime.now(UTC)
        self._held.check()
        if self._delivery is not None:
            # Before the commit: whatever happens after it, the catalogue will be told.
            self._delivery.note(f"{self._request.run_id}.{result.wave:06d}", _entries(result))
        tell(result.products, outcome.results, wave=result.wave, aside=aside, request=self._request)
        outcome.own = outcome.own + ledger.commit(result, aside=aside, started=result.began)
        outcome.account = outcome.own
        outcome.stages += [*result.stages, StageTime(name="commit", wall_s=_since(since), cpu_s=0.0, tasks=1)]
        self._deliver(outcome)
        _sort(result, outcome)
        result.products.clear()
        give_back()
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


def _entries(result: WaveResult) -> list[OutboxEntry]:
    works = ((w.row["product_id"], f.published) for w in result.products if (f := w.finished()) is not None)
    return [OutboxEntry(collection=p.collection, product_id=name, item=p.item) for name, p in works]


def _since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def _sort(result: WaveResult, outcome: RunOutcome) -> None:
    """Note where products were made, and keep the first ones: the ledger and the results have them all, memory stays flat."""
    for work in result.products:
        finished = work.finished()
        tiles = work.tiles if finished is None else finished.tiles
        for seconds in {tile.strip: seconds for tile, seconds, _ in tiles}.values():
            outcome.step_cpu_s.update(seconds)
        if finished is None:
            continue
        outcome.touched.add(_place(finished.published))
        outcome.made_bytes += sum(r.bytes for r in finished.records if r.name not in finished.linked)
        if len(outcome.made) < FIRST_PRODUCTS:
            outcome.made.append(work)


def _account(ledger: Ledger, outcome: RunOutcome, *, plan: Plan, done: set[int]) -> Account:
    """Over all waves of the run, those of earlier executions included."""
    if not done:
        return outcome.account
    told = account_in(ledger.of_run("runs").agg(*[F.sum(n).alias(n) for n in COUNTED]).collect()[0].asDict())
    # The ledger's waves count no edges: a row of the plan is one.
    asked, made = sum(map(plan.products, done)), ledger.of_run("products").filter(F.col("wave").isin(sorted(done))).count()
    skipped, refused = (plan.scenes(MADE, DUPLICATE), plan.scenes(REFUSED)) if 0 in done else (0, 0)
    before = Count(taken_in=asked + skipped + refused, made=made, skipped=skipped, quarantined=asked - made + refused)
    return replace(told, edges=outcome.account.edges + before)


def _rebuild_catalogue(tables: Tables, store: Store, outcome: RunOutcome) -> None:
    """Rewrite the days of the static catalogue that this run touched, from the ledger."""
    since = datetime.now(UTC)
    if outcome.touched:
        rebuild_days(tables, store, touched=outcome.touched)
        outcome.stages.append(StageTime(name="catalogue", wall_s=_since(since), cpu_s=0.0, tasks=1))


def _place(published: Published) -> tuple[str, date]:
    """Collection and day of a published product."""
    return published.collection, _day(published.acquired)


def _day(acquired: str) -> date:
    return datetime.fromisoformat(acquired).astimezone(UTC).date()
