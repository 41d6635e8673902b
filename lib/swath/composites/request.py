"""What a run of composites is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swath.engine.child.parent import Limits
from swath.readers.gate.terms import Terms
from swath.redaction import redacted
from swath.runs.origin import RunOrigin
from swath.sinks.served.target import CatalogueTarget
from swath.stack.periods import Period
from swath.stack.recipe import CompositeRecipe

#: Composites that commit together.
WAVE_PRODUCTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeRequest:
    """One execution.

    Args:
        run_id: Names the run for good.
        recipe: Recipe of the composites.
        inputs: Inputs, as the user named them.
        output: Root folder or ``s3://`` prefix of everything that is written.
        periods: Periods, one composite for each.
        aoi: Ring or rings around the area, GeoJSON geometry in longitude and latitude; None for wherever sources are.
        strict: Refuse a composite when one of its sources cannot be used, instead of leaving the source out.
        site: Name of the site.
        strip_rows: Height of strips, a multiple of 512; None for the usual.
        limits: Limits of each call to a worker's child.
        terms: Assumptions about the inputs that the user vouches for.
        wave_products: Composites that commit together.
        catalogue: Catalogue that users search, beside the static catalogue.
        again: Ids of sources: composites that were made without one of them are made again.
        origin: Who ordered it, and what it runs in; no part of what was asked.
    """

    run_id: str
    recipe: CompositeRecipe
    inputs: tuple[str, ...]
    output: str
    periods: tuple[Period, ...]
    aoi: Mapping[str, Any] | None = None
    strict: bool = False
    site: str = "laptop"
    strip_rows: int | None = None
    limits: Limits = field(default_factory=Limits)
    terms: Terms = field(default_factory=Terms)
    wave_products: int = WAVE_PRODUCTS
    catalogue: CatalogueTarget | None = None
    again: frozenset[str] = frozenset()
    origin: RunOrigin = field(default_factory=RunOrigin)

    @property
    def spec(self) -> dict[str, Any]:
        """Everything that was asked, JSON-able."""
        return {
            "composite": self.recipe.to_plain(),
            "inputs": [redacted(i) for i in self.inputs],
            "periods": [[p.start.isoformat(), p.stop.isoformat()] for p in self.periods],
            "aoi": dict(self.aoi) if self.aoi is not None else None,
            "strict": self.strict,
            "strip_rows": self.strip_rows,
            "terms": self.terms.to_plain(),
        }
