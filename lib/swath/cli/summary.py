"""From the results of a run to its summary."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from swath import __version__
from swath.cli.model_notes import notes_of, ranges_of
from swath.product import Product
from swath.report.cost import Cost
from swath.report.product_summary import ProductSummary, Truth
from swath.report.summary import Account, QuarantineEntry, RunSummary, SkippedEntry, StageTiming, stages_together
from swath.report.training_range import Ranges
from swath.runs.ingest import name_of
from swath.runs.plan import DUPLICATE, MADE, REFUSED
from swath.runs.run import PlanRow, RunOutcome, product_made
from swath.runs.wave import ProductWork

#: Finds what is known to be true of a product, for simulated scenes.
FindTruth = Callable[[Product, Mapping[str, str]], Truth | None]
_REASONS = {MADE: "already there", DUPLICATE: "duplicate"}


def summary_of(outcome: RunOutcome, *, truth: FindTruth | None = None, cost: Cost | None = None) -> RunSummary:
    """The summary of a run."""
    account, ranges = outcome.account, ranges_of(outcome.request.models)
    return RunSummary(
        run_id=outcome.request.run_id,
        pipeline=outcome.request.pipeline["name"],
        code=__version__,
        site=outcome.request.site,
        started=outcome.started,
        ended=outcome.ended,
        scenes=Account(taken_in=account.scenes_in, made=account.made, skipped=account.skipped, quarantined=account.quarantined),
        assets=Account(
            taken_in=account.assets_in,
            made=account.assets_made,
            skipped=account.assets_skipped,
            quarantined=account.assets_quarantined,
        ),
        products=tuple(_product(w, outcome, truth=truth, ranges=ranges) for w in outcome.made),
        skipped=tuple(
            SkippedEntry(scene_id=_name(r), reason=_REASONS[r["status"]]) for r in outcome.aside if r["status"] in _REASONS
        ),
        quarantine=(*(_refused(r) for r in outcome.aside if r["status"] == REFUSED), *(_lost(w) for w in outcome.lost)),
        replaced=tuple(w.row["message"] for w in outcome.made if w.row["message"]),
        stages=stages_together(
            StageTiming(name=s.name, wall_s=s.wall_s, cpu_s=s.cpu_s, tasks=s.tasks, peak_mb=s.peak_mb or None)
            for s in outcome.stages
        ),
        report=f"reports/{outcome.request.run_id}.html",
        output=outcome.request.output,
        not_scenes=outcome.not_scenes.count,
        not_scene_names=tuple(outcome.not_scenes.names),
        notes=outcome.request.notes,
        cost=cost,
    )


def _product(
    work: ProductWork, outcome: RunOutcome, *, truth: FindTruth | None, ranges: Mapping[str, Ranges | None]
) -> ProductSummary:
    product = product_made(work, outcome.request)
    published = work.published or {}
    folder = str(PurePosixPath(published["item"]).parent)
    files = {a.name: f"{folder}/{a.href}" for a in product.assets}
    known = truth(product, files) if truth is not None else None
    made = ProductSummary.of(product, item=published["item"], pictures=_roles(published["pictures"]), truth=known)
    return replace(made, model_notes=notes_of(made, ranges=ranges))


def _roles(pictures: Mapping[str, str]) -> dict[str, str]:
    """Pictures by the role that the report knows them by."""
    roles = {name.removesuffix("_picture"): href for name, href in pictures.items() if name.endswith("_picture")}
    if "thumbnail" in pictures:
        roles["true_colour"] = pictures["thumbnail"]
    if "before" in pictures:
        roles |= {"before": pictures["before"], "after": pictures["thumbnail"]}
    return roles


def _name(row: PlanRow) -> str:
    return name_of(row["scene_id"], row["href"])


def _refused(row: PlanRow) -> QuarantineEntry:
    return QuarantineEntry(
        scene_id=name_of(row["scene_id"], row["href"], stage=row["stage"]),
        stage=row["stage"],
        error=row["error_class"],
        message=row["message"],
    )


def _lost(work: ProductWork) -> QuarantineEntry:
    refusal = work.refusal
    if refusal is None:
        return QuarantineEntry(scene_id=_name(work.row), stage="process", error="scene", message="no answer")
    return QuarantineEntry(scene_id=_name(work.row), stage=refusal.stage, error=refusal.error_class, message=refusal.message)
