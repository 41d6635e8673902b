"""Summary of a run of composites."""

from dataclasses import replace
from datetime import UTC, datetime, time

from swath.composites.run import CompositeOutcome
from swath.composites.work import CompositeWork
from swath.product import AssetRecord
from swath.report.product_summary import AssetSummary, ProductSummary
from swath.report.summary import QuarantineEntry, RunSummary, SkippedEntry
from swath.runs.summary_head import summary_head


def summary_of(outcome: CompositeOutcome) -> RunSummary:
    """The summary of a run."""
    request, plan = outcome.request, outcome.plan
    left_out = (
        QuarantineEntry(scene_id=i.scene_id or i.href, stage="ingest", error=i.error_class, message=i.message)
        for i in plan.left_out
    )
    head = summary_head(
        request, pipeline=request.recipe.name, account=outcome.account, stages=outcome.stages, started=outcome.started,
        ended=outcome.ended,
    )  # fmt: skip
    return replace(
        head,
        products=tuple(_product(w) for w in outcome.works if w.published is not None),
        skipped=tuple(SkippedEntry(scene_id=c.product_id, reason="already there") for c in plan.skipped),
        quarantine=(*left_out, *(q for w in outcome.works for q in _refused(w))),
    )


def _refused(work: CompositeWork) -> list[QuarantineEntry]:
    sources = work.composite.sources
    found = [
        QuarantineEntry(scene_id=sources[n].scene_id, stage="process", error=error_class, message=message)
        for n, (error_class, message) in work.without.items()
    ]
    if work.refusal is not None:
        why, name = work.refusal, work.composite.identity.subject
        found.append(QuarantineEntry(scene_id=name, stage=why.stage, error=why.error_class, message=why.message))
    return found


def _product(work: CompositeWork) -> ProductSummary:
    composite, published = work.composite, work.published or {}
    records = [AssetRecord.from_plain(r) for r in work.records]
    pictures = {"true_colour": published["pictures"]["thumbnail"]}
    return ProductSummary(
        product_id=composite.product_id,
        scene_id=composite.identity.subject,
        scene_digest=composite.stack_digest,
        item=published["item"],
        collection=composite.collection,
        platform=", ".join(sorted({composite.sources[n].platform for n in composite.used})),
        acquired=datetime.combine(composite.period.start, time(), tzinfo=UTC),
        sun_elevation_deg=None,
        assets=tuple(AssetSummary.of(a, layer=composite.layers[a.name]) for a in records),
        pictures=pictures,
        left_out={s.scene_id: s.left_out for s in work.sources if not s.used},
    )
