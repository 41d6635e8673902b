"""What a run would make and cost, before it runs: counts from its plan, memory and time from measured rates."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from pyspark.sql import Row, SparkSession

from swath.errors import ConfigError
from swath.ledger.delta import NeedsSparkError
from swath.ledger.open import open_tables
from swath.readers.stac.search import Say
from swath.report.cost import Cost
from swath.runs.calibration import slowness
from swath.runs.decide import REFUSED, STATUSES
from swath.runs.hands import Hands, SparkHands
from swath.runs.ingest import StageProgress, name_of_row
from swath.runs.plan import Plan
from swath.runs.planned_changes import MOST_LISTED, planned_changes, standing
from swath.runs.prices import Prices, Spent, site_prices
from swath.runs.request import RunRequest
from swath.runs.stored_plan import load_or_make_plan
from swath.stores.registry import open_store

#: Products that are estimated one by one, and refusals that are reported.
ESTIMATED, TOLD = 10_000, 1_000

#: CPU seconds for a million output pixels, and for a session with its first run (docs/benchmarks.md), where ``slowness`` is 1.
#: Between plain bands by way of GeoTIFF (0.025) and JPEG 2000 or maps by a forest (0.1 to 0.2).
SECONDS_PER_MEGAPIXEL = 0.09
SECONDS_PER_RUN = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one product needs.

    Args:
        product_id: Id of the product.
        strips: Tasks of the pixel stage.
        assets: Files.
        pixels: Pixels of all assets together.
        raw_bytes: Size of all assets before compression [bytes]: an upper bound of the output.
        peak_mb: Peak memory of one child [MB].
    """

    product_id: str
    strips: int
    assets: int
    pixels: int
    raw_bytes: int
    peak_mb: float


def estimate(row: Row) -> Estimate:
    """The estimate of one row of a plan."""
    return Estimate(
        product_id=row["product_id"],
        strips=row["strips"],
        assets=row["assets"],
        pixels=row["pixels"],
        raw_bytes=row["raw_bytes"],
        peak_mb=row["needed_mb"],
    )


def refuse_what_cannot_fit(estimates: list[Estimate], request: RunRequest) -> None:
    """Refuse before the first task what no child could hold.

    Raises:
        ConfigError: The message names the numbers and what to change.
    """
    worst = max(estimates, key=lambda e: e.peak_mb, default=None)
    if worst is not None and worst.peak_mb > request.limits.memory_mb:
        msg = (
            f"{worst.product_id} needs about {worst.peak_mb:.0f} MiB in one worker, which may have "
            f"{request.limits.memory_mb} MiB: raise --worker-memory-mb to {int(worst.peak_mb * 1.2)}"
        )
        raise ConfigError(msg)


def totals(estimates: list[Estimate], *, cores: int, slower: float) -> dict[str, Any]:
    """The sums of a plan, JSON-able.

    Args:
        estimates: Estimates of its products.
        cores: Number of cores that work at once.
        slower: See ``slowness``.
    """
    megapixels = sum(e.pixels for e in estimates) / 1e6
    once, pixels = SECONDS_PER_RUN * slower, megapixels * SECONDS_PER_MEGAPIXEL * slower
    return {
        "products": len(estimates),
        "tasks": sum(e.strips for e in estimates),
        "assets": sum(e.assets for e in estimates),
        "megapixels": round(megapixels, 1),
        "bytes_at_most": sum(e.raw_bytes for e in estimates),
        "peak_mb_per_worker": round(max((e.peak_mb for e in estimates), default=0.0)),
        "cpu_s": round(once + pixels),
        "wall_s": round(once + pixels / max(cores, 1)),
    }


def seconds_of(rows: Sequence[Row], *, cores: int) -> float:
    """How long the pixels of some rows of a plan take here, all cores at work [s]."""
    pixels = sum(int(row["pixels"]) for row in rows)
    return pixels / 1e6 * SECONDS_PER_MEGAPIXEL * slowness() / max(cores, 1)


def look(
    request: RunRequest,
    *,
    session: Callable[[], SparkSession],
    hands: Hands | None = None,
    say: Say | None = None,
    progress: StageProgress | None = None,
    listing: bool = False,
) -> dict[str, Any]:
    """What a run of the request would make, JSON-able; nothing is made and nothing remembered.

    Args:
        request: Request of the run.
        session: Starts a session where the scenes or the ledger are many.
        hands: Reader of few scenes that needs no session; None starts a session for any number.
        say: Hears of the progress of a search.
        progress: Told how many of how many inputs are read.
        listing: List whether each product and asset is new, changed or unchanged (``changes``).

    Raises:
        ConfigError: No scene was found, or something cannot fit.
    """
    with tempfile.TemporaryDirectory() as aside:
        plan, cores = _planned(request, session=session, hands=hands, aside=aside, say=say, progress=progress)
        counts = {status: plan.scenes(status) for status in STATUSES if plan.scenes(status)}
        wanted = plan.to_make(most=ESTIMATED)
        waves = len(plan.waves)
        aside_rows = plan.aside().told
        listed = _first_with_scenes(plan) if listing else []
    refused = [r for r in aside_rows if r["status"] == REFUSED][:TOLD]
    estimates = [estimate(r) for r in wanted]
    refuse_what_cannot_fit(estimates, request)
    changes = {"changes": _changes(listed, told=aside_rows, request=request)} if listing else {}
    sums, prices = totals(estimates, cores=cores, slower=slowness()), site_prices()
    return {
        "pipeline": request.pipeline["name"],
        **changes,
        "status": counts,
        **sums,
        **({"cost": asdict(_cost(sums, prices=prices, cores=cores, waves=waves))} if prices is not None else {}),
        "waves": waves,
        "wave_products": request.width(cores=cores),
        "product_ids": [e.product_id for e in estimates],
        "refused": [{"scene_id": name_of_row(r, stage=r["stage"]), "message": r["message"]} for r in refused],
    }


def _cost(sums: Mapping[str, Any], *, prices: Prices, cores: int, waves: int) -> Cost:
    """What a run of these sums would cost, its cores held to its end; files as large as they are before compression."""
    spent = Spent(
        core_s=sums["wall_s"] * cores, scenes=sums["products"], assets=sums["assets"], waves=waves, bytes=sums["bytes_at_most"]
    )
    return prices.cost(spent)


def _first_with_scenes(plan: Plan) -> list[Row]:
    """The first rows to make, each with its ``scene``."""
    rows: list[Row] = []
    for number in plan.waves:
        rows += plan.wave(number)
        if len(rows) >= MOST_LISTED:
            break
    return rows


def _changes(wanted: list[Row], *, told: list[Row], request: RunRequest) -> list[dict[str, Any]]:
    store = open_store(request.output, create=False)
    made = planned_changes(wanted, request=request, tables=open_tables(None, store), read=store.read)
    return [*made, *standing(told)]


def _planned(
    request: RunRequest, *, session: Callable[[], SparkSession], hands: Hands | None, aside: str, **telling: Any
) -> tuple[Plan, int]:
    """The plan, and the cores that would work on it."""
    # The plan of a look must not become the plan of a run: everything is written aside, the ledger is only read.
    store, output = open_store(aside), open_store(request.output, create=False)
    asked = {"request": replace(request, output=aside), "remembering": False, **telling}
    if hands is not None:
        with suppress(NeedsSparkError):
            return load_or_make_plan(None, store, tables=open_tables(None, output), hands=hands, **asked), hands.cores
    spark = session()
    plan = load_or_make_plan(spark, store, tables=open_tables(spark, output), **asked)
    return plan, SparkHands(spark).cores
