"""Drift of a product and of a run: counts of the strips, class maps and confidence, beside the training data of each model."""

from collections.abc import Iterator, Mapping

from swath.engine.messages import Published
from swath.inference.manifest import Manifest
from swath.inference.training_bins import bins_at
from swath.product import ModelRef, Product
from swath.report.drift import DriftCounts, DriftTerms, ModelDrift, TrainingCounts
from swath.runs.request import RunRequest


def drift_in(product: Product, published: Published, request: RunRequest) -> tuple[ModelDrift, ...]:
    """Drift of each model that made assets of a product now; none of models whose assets were there already."""
    return tuple(
        ModelDrift.of(model, counts, training=training_of(model.digest, request))
        for model, counts in _counted(product, published, manifests=manifests_of(request))
    )


def drift_of_run(models: tuple[ModelRef, ...], counts: Mapping[str, DriftCounts], request: RunRequest) -> tuple[ModelDrift, ...]:
    """Drift of each model over all products of a run."""
    return tuple(
        ModelDrift.of(m, counts[m.digest], training=training_of(m.digest, request)) for m in models if m.digest in counts
    )


def drift_notes(drift: tuple[ModelDrift, ...], request: RunRequest) -> tuple[str, ...]:
    """Warnings about models that pass their thresholds."""
    terms = DriftTerms.of(request.pipeline.get("drift", {}))
    return tuple(f"model {d.model.name} {d.model.version}: drift: {'; '.join(why)}" for d in drift if (why := d.beyond(terms)))


def numbers_of_drift(drift: tuple[ModelDrift, ...]) -> dict[str, float | None]:
    """The worst of all models, by the fields of a beat."""
    return {
        "model_psi": max((d.psi for d in drift if d.psi is not None), default=None),
        "model_outside": max((d.outside for d in drift if d.outside is not None), default=None),
        "model_confidence": min((d.confidence for d in drift if d.confidence is not None), default=None),
    }


def training_of(digest: str, request: RunRequest) -> TrainingCounts:
    """Counts of the training data of a pinned model; empty where it keeps none."""
    place = next((m["path"] for m in request.models.values() if m["digest"] == digest), None)
    bins = bins_at(place, digest) if place is not None else None
    features = (
        {} if bins is None or bins.counts is None else dict(zip(bins.layers, map(tuple, bins.counts.tolist()), strict=True))
    )
    manifest = manifests_of(request).get(digest)
    classes = {} if manifest is None else manifest.training.get("samples_by_class", {})
    return TrainingCounts(features=features, classes={str(n): int(v) for n, v in classes.items()})


def manifests_of(request: RunRequest) -> Mapping[str, Manifest]:
    """Manifests of the pipeline's models, by digest."""
    models = [value for step in request.pipeline["steps"] for value in step.get("parameters", {}).values()]
    return {m["digest"]: Manifest.from_plain(m["manifest"]) for m in models if isinstance(m, Mapping) and "manifest" in m}


def _counted(
    product: Product, published: Published, *, manifests: Mapping[str, Manifest]
) -> Iterator[tuple[ModelRef, DriftCounts]]:
    refs = {a.model.digest: a.model for a in product.assets if a.model is not None}
    for digest, features in sorted(published.features.items()):
        if digest not in refs:
            continue
        classes: dict[str, int] = {}
        sure = (0, 0)
        for record in (a for a in product.assets if a.model is not None and a.model.digest == digest):
            encoding, statistics = product.layers[record.name].encoding, record.statistics
            # A disagreement map holds pairs of classes, and tells nothing of the challenger alone.
            if encoding.categories and digest in manifests and encoding.categories == manifests[digest].classes:
                classes = {c.name: statistics.histogram.get(c.value, 0) for c in encoding.categories}
            elif "probability" in product.layers[record.name].roles:
                sure = (statistics.total, statistics.valid)
        counts = DriftCounts(features={n: tuple(c) for n, c in features.items()}, classes=classes, sure=sure)
        yield refs[digest], counts
