"""What a run is asked to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swath.engine.child.parent import Limits
from swath.plain import canonical, digest_of
from swath.readers.gate.terms import Terms
from swath.redaction import redacted
from swath.runs.origin import RunOrigin
from swath.sinks.served.target import CatalogueTarget
from swath.wave_width import wave_width

__all__ = ["Limits", "RunRequest"]

#: A broken installation fails every scene; a scene that is odd is seldom alone, but seldom one of so many.
INTERNAL_LIMIT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One execution of a job.

    Args:
        run_id: Names the run for good; a restart with it continues the stored plan.
        pipeline: Plain description, models pinned (``engine.pipeline_json``).
        models: Path and digest of each pinned model, by name.
        inputs: Inputs, as the user named them; the stored form has neither passwords nor signatures.
        output: Root folder or ``s3://`` prefix of everything that is written.
        site: Name of the site.
        strip_rows: Height of strips at the reference resolution; None lets the engine choose.
        limit: Largest number of scenes to take.
        wave_products: Most products that commit together; None for ``wave_width`` of the cluster.
        limits: Limits of each call to a worker's child.
        terms: Assumptions about the deliveries that the user vouches for.
        catalogue: Catalogue that users search, beside the static catalogue; not part of the stored request.
        internal_limit: Scenes that may end by unexpected errors, as the first of a step or by the same error, before
            the run stops; 0 for any number.
        models_lock: Meaning of each reference to a model when the request was made, as a lock's text; not stored.
        notes: Notes of the report on how the models were found.
        origin: Submitter of the run, and what it runs in; not part of the specification.
    """

    run_id: str
    pipeline: Mapping[str, Any]
    inputs: tuple[str, ...]
    output: str
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    site: str = "laptop"
    strip_rows: int | None = None
    limit: int | None = None
    wave_products: int | None = None
    limits: Limits = field(default_factory=Limits)
    terms: Terms = field(default_factory=Terms)
    catalogue: CatalogueTarget | None = None
    internal_limit: int = INTERNAL_LIMIT
    models_lock: str = ""
    notes: tuple[str, ...] = ()
    origin: RunOrigin = field(default_factory=RunOrigin)

    def width(self, *, cores: int) -> int:
        """Products of a wave on a cluster of so many cores."""
        return wave_width(cores) if self.wave_products is None else self.wave_products

    @property
    def pipeline_json(self) -> str:
        """The pipeline as it travels."""
        return canonical(dict(self.pipeline))

    @property
    def spec(self) -> dict[str, Any]:
        """Everything that was asked, JSON-able."""
        # Usual terms are not written: the digest of a spec is that of earlier versions.
        terms = {"terms": self.terms.to_plain()} if self.terms.to_plain() else {}
        return {
            **terms,
            "pipeline": dict(self.pipeline), "inputs": [redacted(i) for i in self.inputs],
            "strip_rows": self.strip_rows, "limit": self.limit,
            "models": json.loads(json.dumps(dict(self.models))),
        }  # fmt: skip

    @property
    def spec_digest(self) -> str:
        """Digest of ``spec``."""
        return digest_of(self.spec)
