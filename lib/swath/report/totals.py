"""What a report says of all products of a run, however many: numbers, and the products behind them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from swath.product import ModelRef
from swath.report.drift import DriftCounts, together
from swath.report.product_summary import ProductSummary
from swath.report.shadow import Shadow, added

Json = dict[str, Any]
KINDS = ("products", "quarantine", "skips")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over all products of a run.

    Args:
        products: Number of products.
        modelled: Number of products with a model behind them.
        models: Every model behind a product.
        reduced: Number of products whose asset is of reduced accuracy, by asset.
        reduced_products: Number of products with such an asset.
        notes: Number of products of which a thing is to be said, by model and thing.
        drift: Counts of what models were fed and made of it, by digest.
        shadows: Challengers beside the models in use.
    """

    products: int = 0
    modelled: int = 0
    models: tuple[ModelRef, ...] = ()
    reduced: Mapping[str, int] = field(default_factory=dict)
    reduced_products: int = 0
    notes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    drift: Mapping[str, DriftCounts] = field(default_factory=dict)
    shadows: tuple[Shadow, ...] = ()

    @classmethod
    def of(cls, products: Iterable[ProductSummary]) -> Self:
        """Sums over summaries."""
        found = cls()
        for product in products:
            drift = [(d.model.digest, d.counts) for d in product.drift]
            found = found.plus(
                models=product.models, reduced=product.reduced, notes=product.model_notes, drift=drift, shadows=product.shadows
            )
        return found

    def plus(
        self,
        *,
        models: Iterable[ModelRef],
        reduced: Iterable[str],
        notes: Mapping[str, str],
        drift: Iterable[tuple[str, DriftCounts]] = (),
        shadows: Iterable[Shadow] = (),
    ) -> Self:
        """With one more product."""
        own, names = {m.digest: m for m in models}, list(reduced)
        every = self.models if all(m in self.models for m in own.values()) else in_order([*self.models, *own.values()])
        return type(self)(
            products=self.products + 1,
            modelled=self.modelled + bool(own),
            models=every,
            reduced=Counter(self.reduced) + Counter(names) if names else self.reduced,
            reduced_products=self.reduced_products + bool(names),
            notes=_noted(self.notes, notes) if notes else self.notes,
            drift=together(self.drift, drift),
            shadows=added(self.shadows, shadows),
        )


def _noted(before: Mapping[str, Mapping[str, int]], notes: Mapping[str, str]) -> dict[str, Mapping[str, int]]:
    """Numbers of notes with those of one more product; what differs from scene to scene comes after a colon."""
    found = dict(before)
    for model, why in notes.items():
        found[model] = Counter(found.get(model, {})) + Counter([why.partition(":")[0]])
    return found


def in_order(models: Iterable[ModelRef]) -> tuple[ModelRef, ...]:
    """Models by name and version, each once."""
    found = {m.digest: m for m in models}
    return tuple(sorted(found.values(), key=lambda m: (m.name, m.version, m.digest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All entries of a kind.

    Args:
        entries: Number of entries.
        paths: Paths of gzipped parts with all of them, a JSON object a line, relative to the output; none where the result
            holds all.
    """

    entries: int = 0
    paths: tuple[str, ...] = ()

    def to_plain(self) -> Json:
        """JSON-able."""
        return {"entries": self.entries, "paths": list(self.paths)}
