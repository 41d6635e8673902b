"""What a run did, as values: the report, the JSON line and the terminal table are made of these."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from pydantic import TypeAdapter

from swath.account import Count
from swath.ndjson import packed, unpacked
from swath.product import ModelRef
from swath.report.cost import Cost
from swath.report.drift import ModelDrift
from swath.report.product_summary import ProductSummary
from swath.report.shadow import Shadow
from swath.report.stage_timing import StageTiming
from swath.report.totals import Listing, Totals

Json = dict[str, Any]
#: Products that a result names itself, and quarantined, skipped and replaced scenes; with more, parts beside it name all.
FIRST_PRODUCTS, FIRST_SCENES = 50, 200
#: Bytes of these lists in the result, which stays below 1 MB.
PRODUCT_BYTES, QUARANTINE_BYTES = 400_000, 150_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedEntry:
    """A scene that needed nothing.

    Args:
        scene_id: The scene.
        reason: ``already there`` or ``duplicate``.
    """

    scene_id: str
    reason: str


def reason_of(message: str, *, scene_id: str) -> str:
    """A message without its scene's name, for places that already show it."""
    return message.removeprefix(f"{scene_id}: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """A scene that could not be made.

    Args:
        scene_id: The scene.
        stage: Stage that failed (``ingest``, ``plan``, ``process``, ``assemble``, ``publish``).
        error: Error class (``read``, ``metadata``, ``crash`` ...): what ``swath retry`` selects by.
        message: Problem, expected, got, and remedy.
        attempts: Number of attempts.
    """

    scene_id: str
    stage: str
    error: str
    message: str
    attempts: int = 1

    def to_plain(self) -> Json:
        """JSON-able."""
        return asdict(self)

    @property
    def reason(self) -> str:
        """The message without the scene's name, for places that already show it."""
        return reason_of(self.message, scene_id=self.scene_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run from its start to its end.

    Args:
        run_id: The run.
        pipeline: Name of the pipeline.
        code: Version of swath.
        site: Site of the run.
        started: Aware.
        ended: Aware.
        scenes: Count of scenes.
        assets: Count of assets.
        edges: Count of pairs of a source and a product; None where each scene is the source of one product.
        products: Products that were made.
        skipped: Scenes that needed no work.
        quarantine: Scenes that failed.
        notes: Notes on how the run's models were found.
        drift: Features and answers of its models, over all products, beside their training data.
        shadows: Challengers beside the models in use, over all products.
        step_cpu_s: CPU time by step [s]; of this execution, where a run was taken up again.
        replaced: Scenes whose products were replaced by those of a newer version, in words.
        stages: Cost of each stage, in order.
        report: Path of the HTML report, relative to the output's root.
        output: The output's root, as the user named it.
        not_scenes: Files of the inputs that are no scene.
        not_scene_names: Names of the first few of them.
        cost: Cost by the site's prices; None if the site has none.
        totals: Sums over all products; None where ``products`` are all.
        listings: Paths of the complete lists of products, quarantined and skipped scenes, by kind.
        submitted_by: Who submitted it; None where nothing says so, as in results of earlier versions.
        image: Image of the driver; None without one.
        site_digest: SHA-256 of the site's values; None where nothing says so.
        attempt: Which execution under the run's name it was, from 1; None where nothing says so.
    """

    run_id: str
    pipeline: str
    code: str
    site: str
    started: datetime
    ended: datetime
    scenes: Count
    assets: Count
    edges: Count | None = None
    products: tuple[ProductSummary, ...] = ()
    skipped: tuple[SkippedEntry, ...] = ()
    quarantine: tuple[QuarantineEntry, ...] = ()
    replaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    drift: tuple[ModelDrift, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    step_cpu_s: Mapping[str, float] = field(default_factory=dict)
    stages: tuple[StageTiming, ...] = ()
    report: str = ""
    output: str = ""
    not_scenes: int = 0
    not_scene_names: tuple[str, ...] = ()
    cost: Cost | None = None
    totals: Totals | None = None
    listings: Mapping[str, Listing] = field(default_factory=dict)
    submitted_by: str | None = None
    image: str | None = None
    site_digest: str | None = None
    attempt: int | None = None

    @property
    def balanced(self) -> bool:
        """Whether the account balances, by scene, by asset and by edge."""
        return self.scenes.balanced and self.assets.balanced and (self.edges is None or self.edges.balanced)

    @property
    def wall_s(self) -> float:
        """Seconds from start to end."""
        return (self.ended - self.started).total_seconds()

    @property
    def whole(self) -> Totals:
        """Sums over all products of the run."""
        return self.totals if self.totals is not None else Totals.of(self.products)

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Every model behind a product of the run, by name and version."""
        return self.whole.models

    def to_json(self) -> str:
        """One line of JSON: the contract of ``--json``, and a little more."""
        return json.dumps(self._contract(), ensure_ascii=False)

    def to_document(self) -> str:
        """The contract, and under ``detail`` what ``from_document`` needs besides, but for the products: see ``to_shown``."""
        # Lists are in the contract, products in a file of their own.
        lists = {"products", "skipped", "quarantine", "replaced"}
        detail = _ADAPTER.dump_python(self, mode="json", exclude=lists)
        return json.dumps({**self._contract(), "detail": detail}, ensure_ascii=False)

    def to_shown(self) -> bytes:
        """The summaries of the first products, which pages show: gzipped, a JSON object a line."""
        lines = (json.dumps(p, ensure_ascii=False) for p in _PRODUCTS.dump_python(self.products[:FIRST_PRODUCTS], mode="json"))
        return packed(lines)

    @classmethod
    def from_document(cls, text: str | bytes, *, shown: bytes | None = None) -> Self:
        """The inverse of ``to_document`` and ``to_shown``, but for what their lists leave out.

        Raises:
            ValueError: The document is of another kind.
        """
        document = json.loads(text)
        detail = document.get("detail")
        # The detail of earlier versions holds everything, the products among it.
        if isinstance(detail, dict) and "products" not in detail:
            lists = {"skipped": document["skips"], "quarantine": document["quarantine"], "replaced": document["replaced"]}
            detail = {**detail, **lists, "products": unpacked(shown) if shown else []}
        loaded = _ADAPTER.validate_python(detail)
        return cls(**{name: getattr(loaded, name) for name in cls.__dataclass_fields__})

    def _contract(self) -> Json:
        return {
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "scenes_in": self.scenes.taken_in,
            "made": self.scenes.made,
            "skipped": self.scenes.skipped,
            "quarantined": self.scenes.quarantined,
            "products": fitting([p.to_contract() for p in self.products[:FIRST_PRODUCTS]], most_bytes=PRODUCT_BYTES),
            "quarantine": fitting([q.to_plain() for q in self.quarantine[:FIRST_SCENES]], most_bytes=QUARANTINE_BYTES),
            "not_scenes": {"count": self.not_scenes, "names": list(self.not_scene_names)},
            "report": self.report,
            "balanced": self.balanced,
            "assets": _count(self.assets),
            **({"edges": _count(self.edges)} if self.edges is not None else {}),
            "skips": [{"scene_id": s.scene_id, "reason": s.reason} for s in self.skipped[:FIRST_SCENES]],
            "replaced": fitting(list(self.replaced[:FIRST_SCENES]), most_bytes=QUARANTINE_BYTES),
            "notes": list(self.notes),
            **({"drift": [_drift(d) for d in self.drift]} if self.drift else {}),
            **({"shadows": [shadow_told(s) for s in self.shadows]} if self.shadows else {}),
            "step_cpu_s": {name: round(seconds, 3) for name, seconds in self.step_cpu_s.items()},
            "stages": [s.to_plain() for s in self.stages],
            "models": [{"name": m.name, "version": m.version, "digest": m.digest} for m in self.models],
            "listings": {kind: listing.to_plain() for kind, listing in self.listings.items()},
            "site": self.site,
            "code": self.code,
            "submitted_by": self.submitted_by,
            "image": self.image,
            "site_digest": self.site_digest,
            "attempt": self.attempt,
            "output": self.output,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat(),
            "cost": asdict(self.cost) if self.cost is not None else None,
        }


def fitting(entries: Sequence[Any], *, most_bytes: int) -> list[Any]:
    """The first entries, as many as fit."""
    kept: list[Any] = []
    for entry in entries:
        most_bytes -= len(json.dumps(entry, ensure_ascii=False).encode())
        if most_bytes < 0:
            break
        kept.append(entry)
    return kept


def _count(count: Count) -> Mapping[str, int]:
    return {"in": count.taken_in, "made": count.made, "skipped": count.skipped, "quarantined": count.quarantined}


def _drift(drift: ModelDrift) -> Json:
    return {**asdict(drift), "psi": drift.psi, "outside": drift.outside}


def shadow_told(shadow: Shadow) -> Json:
    """A shadow as the result and the challenger's MLflow run have it."""
    return {**asdict(shadow), "agreement": shadow.agreement, "agreement_by_class": dict(shadow.by_class)}


_ADAPTER = TypeAdapter(RunSummary)
_PRODUCTS = TypeAdapter(tuple[ProductSummary, ...])
