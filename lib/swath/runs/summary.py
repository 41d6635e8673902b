"""From what a run did to what its result and its report say."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import Any

from swath.engine.product_plan import CHECKED, plan_product, product_of
from swath.product import AssetRecord, Product
from swath.report.cost import Cost
from swath.report.product_summary import ProductSummary, Truth
from swath.report.summary import QuarantineEntry, RunSummary, SkippedEntry
from swath.report.totals import in_order
from swath.runs.decide import DUPLICATE, MADE
from swath.runs.drift import drift_in, drift_notes, drift_of_run
from swath.runs.ingest import name_of_row
from swath.runs.model_areas import areas_in
from swath.runs.model_notes import AllRanges, notes_of, ranges_of
from swath.runs.outcome import PlanRow, RunOutcome
from swath.runs.plan import Aside
from swath.runs.request import RunRequest
from swath.runs.results import Results
from swath.runs.shadow import shadows_in
from swath.runs.summary_head import summary_head
from swath.runs.work import Finished, ProductWork

Json = dict[str, Any]
#: Finds what is known to be true of a product, for simulated scenes.
FindTruth = Callable[[Product, Mapping[str, str]], Truth | None]
_REASONS = {MADE: "already there", DUPLICATE: "duplicate"}


def summary_of(outcome: RunOutcome, *, truth: FindTruth | None = None, cost: Cost | None = None) -> RunSummary:
    """The summary of a run."""
    results, request = outcome.results, outcome.request
    ranges = ranges_of(request.models)
    head = summary_head(
        request, pipeline=request.pipeline["name"], account=outcome.account, stages=outcome.stages, started=outcome.started,
        ended=outcome.ended,
    )  # fmt: skip
    drift = drift_of_run(results.totals.models, results.totals.drift, request)
    return replace(
        head,
        products=tuple(_summary(w, f, request=request, truth=truth, ranges=ranges) for w in outcome.made if (f := w.finished())),
        skipped=tuple(results.skipped),
        quarantine=tuple(results.quarantine),
        replaced=tuple(results.replaced),
        not_scenes=outcome.not_scenes.count,
        not_scene_names=tuple(outcome.not_scenes.names),
        notes=(*request.notes, *drift_notes(drift, request)),
        drift=drift,
        shadows=results.totals.shadows,
        step_cpu_s=dict(outcome.step_cpu_s),
        cost=cost,
        totals=results.totals,
        listings=results.listings(),
    )


def tell(works: list[ProductWork], results: Results, *, wave: int, aside: Aside, request: RunRequest) -> None:
    """Hand the entries of a wave to the results of its run.

    Args:
        works: Products of the wave.
        results: Results of the run.
        wave: Number of the wave.
        aside: Rows of the plan that need no work, if the wave carries them.
        request: Request of the run.
    """
    ranges = ranges_of(request.models)
    results.take(
        wave,
        products=(_entry(w, f, request=request, ranges=ranges) for w in works if (f := w.finished()) is not None),
        quarantine=_quarantined(works, aside),
        skipped=(SkippedEntry(scene_id=_name(r), reason=_REASONS[r["status"]]) for r in aside.skipped_rows()),
    )


def product_made(work: ProductWork, finished: Finished, *, request: RunRequest) -> Product:
    """The product of a finished work, as its item tells it."""
    plan = plan_product(work.scene_json, request.pipeline_json)
    checked = finished.published.facts.get(CHECKED)
    order = list(plan.graph.outputs)
    records = sorted((AssetRecord.from_plain(r) for r in json.loads(finished.ledger)), key=lambda r: order.index(r.name))
    return product_of(plan, request.pipeline_json, records=records, checked=checked)


def _entry(work: ProductWork, finished: Finished, *, request: RunRequest, ranges: AllRanges) -> Json:
    """What ``ProductSummary.to_contract`` says of a product, without planning it again where its child said everything."""
    replaced = {"replaced": work.row["message"]} if work.row["message"] else {}
    published = finished.published
    if not published.shares or ranges:
        return {**_summary(work, finished, request=request, ranges=ranges).to_contract(), **replaced}
    folder = published.item.rpartition("/")[0]
    return {
        "product_id": work.row["product_id"],
        "scene_id": work.row["scene_id"],
        "item": published.item,
        "assets": {r.name: f"{folder}/{r.href}" for r in finished.records},
        "collection": published.collection,
        "left_out": dict(published.left_out),
        "reduced_accuracy": dict(published.reduced),
        "checks": dict(published.facts.get(CHECKED, {})),
        "model_notes": {},
        "pictures": _roles(published.pictures),
        **{f"{name}_percent": published.shares[name] for name in ("valid", "saturated", "cloud")},
        "models": [asdict(m) for m in in_order(r.model for r in finished.records if r.model is not None)],
        **replaced,
    }


def _summary(
    work: ProductWork, finished: Finished, *, request: RunRequest, ranges: AllRanges, truth: FindTruth | None = None
) -> ProductSummary:
    product, published = product_made(work, finished, request=request), finished.published
    folder = str(PurePosixPath(published.item).parent)
    files = {a.name: f"{folder}/{a.href}" for a in product.assets}
    known = truth(product, files) if truth is not None else None
    made = ProductSummary.of(product, item=published.item, pictures=_roles(published.pictures), truth=known)
    return replace(
        made,
        model_notes=notes_of(made, ranges=ranges),
        areas=areas_in(product, request),
        drift=drift_in(product, published, request),
        shadows=shadows_in(product, request),
    )


def _roles(pictures: Mapping[str, str]) -> dict[str, str]:
    """Pictures by their role in the report."""
    roles = {name.removesuffix("_picture"): href for name, href in pictures.items() if name.endswith("_picture")}
    if "thumbnail" in pictures:
        roles["true_colour"] = pictures["thumbnail"]
    if "before" in pictures:
        roles |= {"before": pictures["before"], "after": pictures["thumbnail"]}
    return roles


def _name(row: PlanRow) -> str:
    return name_of_row(row)


def _quarantined(works: list[ProductWork], aside: Aside) -> Iterator[QuarantineEntry]:
    for row in aside.refused_rows():
        name = name_of_row(row, stage=row["stage"])
        yield QuarantineEntry(scene_id=name, stage=row["stage"], error=row["error_class"], message=row["message"])
    for work in works:
        why = work.refusal
        if why is not None:
            yield QuarantineEntry(scene_id=_name(work.row), stage=why.stage, error=why.error_class, message=why.message)
