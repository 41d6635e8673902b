"""What a run would make and cost, before it runs: counts from its plan, memory and time from measured rates."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import Row, SparkSession

from swath.engine.cut import Cut
from swath.engine.graph import Call
from swath.engine.product_plan import ProductPlan, plan_product
from swath.errors import ConfigError
from swath.grid import Grid
from swath.ledger.delta import NeedsSparkError
from swath.ledger.open import open_tables
from swath.mapping import pixels_across
from swath.product import LayerSpec
from swath.readers.stac.search import Say
from swath.runs.calibration import slowness
from swath.runs.hands import Hands, SparkHands
from swath.runs.ingest import StageProgress, name_of
from swath.runs.plan import REFUSED, STATUSES, Plan
from swath.runs.request import RunRequest
from swath.runs.stored_plan import load_or_make_plan
from swath.stores.registry import open_store

#: Products that are estimated one by one, and refusals that are told.
ESTIMATED, TOLD = 10_000, 1_000

#: A child with Python, NumPy, GDAL and compiled kernels that has made a small scene, and what JPEG 2000 takes besides [MiB]
#: (docs/benchmarks.md).
CHILD_MB, JPEG2000_MB = 200.0, 140.0
#: What arrays take beside those that are counted.
SLACK = 1.2
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


def estimate(row: Row, request: RunRequest) -> Estimate:
    """Estimate one row of a plan."""
    plan = plan_product(row["scene"], request.pipeline_json)
    return Estimate(
        product_id=plan.product_id,
        strips=row["strips"],
        assets=len(plan.keys),
        pixels=_pixels(plan),
        raw_bytes=sum(
            s.grid.width * s.grid.height * (1 if s.encoding.dtype == "uint8" else 2) for s in plan.graph.outputs.values()
        ),
        peak_mb=peak_mb(plan, strip_rows=request.strip_rows),
    )


def _pixels(plan: ProductPlan) -> int:
    return sum(s.grid.width * s.grid.height for s in plan.graph.outputs.values())


def peak_mb(plan: ProductPlan, *, strip_rows: int | None) -> float:
    """Peak resident size of the child that makes a strip [MiB]: layers of the greediest call, rows that overviews gather."""
    cut, scene = plan.cut(rows=strip_rows, split=True), plan.graph.scene
    layers = max(_call_bytes(call, cut) for call in plan.graph.calls)
    bands = sum(2 * _piece_pixels(asset.grid, cut) for asset in scene.assets.values())
    tables = len(scene.assets) * 65536 * 8 * 3
    rows = sum(_gathered_bytes(spec, cut) for spec in plan.graph.outputs.values())
    jpeg2000 = JPEG2000_MB if any(a.href.lower().endswith(".jp2") for a in scene.assets.values()) else 0.0
    return CHILD_MB + jpeg2000 + SLACK * (layers + bands + tables + rows) / (1 << 20)


def _piece_pixels(grid: Grid, cut: Cut) -> float:
    down, across = pixels_across(cut.frame.grid, grid)
    return cut.piece[0] * down * cut.piece[1] * across


def _call_bytes(call: Call, cut: Cut) -> float:
    """Physical values, 8 bytes each, of what a call reads and makes."""
    return 8 * (len(call.reads) + len(call.recipe.makes)) * _piece_pixels(call.recipe.grid, cut)


def _gathered_bytes(spec: LayerSpec, cut: Cut) -> float:
    """Full-width rows of one asset: of a piece and of the next level where sides are odd, of that level's quarter otherwise."""
    grid = spec.grid
    rows = cut.piece[0] * pixels_across(cut.frame.grid, grid)[0]
    whole = 2 * rows * grid.width
    return whole / 16 if grid.height % 4 == grid.width % 4 == 0 else 1.5 * whole


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
        cores: That work at once.
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


def look(
    request: RunRequest,
    *,
    session: Callable[[], SparkSession],
    hands: Hands | None = None,
    say: Say | None = None,
    progress: StageProgress | None = None,
) -> dict[str, Any]:
    """What a run of the request would make, JSON-able; nothing is made and nothing remembered.

    Args:
        request: What a run would be asked.
        session: Starts a session where the scenes or the ledger are many.
        hands: What reads few scenes without one; None asks for a session whatever they are.
        say: Hears of the progress of a search.
        progress: Told how many of how many inputs are read.

    Raises:
        ConfigError: Nothing was found, or something cannot fit.
    """
    with tempfile.TemporaryDirectory() as aside:
        plan, cores = _planned(request, session=session, hands=hands, aside=aside, say=say, progress=progress)
        counts = {status: plan.scenes(status) for status in STATUSES if plan.scenes(status)}
        wanted = plan.to_make(most=ESTIMATED)
        waves = len(plan.waves)
        refused = [r for r in plan.aside().told if r["status"] == REFUSED][:TOLD]
    estimates = [estimate(r, request) for r in wanted]
    refuse_what_cannot_fit(estimates, request)
    return {
        "pipeline": request.pipeline["name"],
        "status": counts,
        **totals(estimates, cores=cores, slower=slowness()),
        "waves": waves,
        "wave_products": request.width(cores=cores),
        "product_ids": [e.product_id for e in estimates],
        "refused": [{"scene_id": name_of(r["scene_id"], r["href"], stage=r["stage"]), "message": r["message"]} for r in refused],
    }


def _planned(
    request: RunRequest, *, session: Callable[[], SparkSession], hands: Hands | None, aside: str, **telling: Any
) -> tuple[Plan, int]:
    """The plan, and the cores that would work on it."""
    # The plan of a look must not become the plan of a run: everything is written aside, the ledger is only read.
    store, output = open_store(aside), open_store(request.output)
    asked = {"request": replace(request, output=aside), "remembering": False, **telling}
    if hands is not None:
        with suppress(NeedsSparkError):
            return load_or_make_plan(None, store, tables=open_tables(None, output), hands=hands, **asked), hands.cores
    spark = session()
    plan = load_or_make_plan(spark, store, tables=open_tables(spark, output), **asked)
    return plan, SparkHands(spark).cores
