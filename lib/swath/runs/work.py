"""A product on its way through a wave, and what a wave leaves."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from pyspark.sql import Row

from swath.account import Fate
from swath.engine.link_messages import VERSIONS, KnownVersion
from swath.engine.message import Packed, pack, unpack
from swath.engine.messages import Counted, ProductMade, Published, StripMade, kept_records
from swath.engine.refused import Refused
from swath.engine.subject import Cutting
from swath.product import AssetRecord

A = TypeVar("A")
_WHOLE = Cutting(split=False, strip_rows=None, folder="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A product that was not made."""

    stage: str
    error_class: str
    message: str

    @classmethod
    def of_row(cls, row: Row) -> "Refusal":
        """Work for a row of the plan or of the quarantine."""
        return cls(stage=row["stage"], error_class=row["error_class"], message=row["message"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A product that is there.

    Args:
        published: Its item.
        records: Records of its assets without statistics: first the linked ones, then the made ones.
        ledger: The records with their statistics, as the ledger keeps them.
        linked: Names of assets that were there before.
        tiles: Rows of the assets of its strips for the ledger, with the strip's CPU time by stage [s] and most memory [MiB].
    """

    published: Published
    records: Sequence[AssetRecord] = ()
    ledger: str = "[]"
    linked: Sequence[str] = ()
    tiles: Sequence[tuple[Counted, Mapping[str, float], float]] = ()

    @classmethod
    def of(cls, made: ProductMade) -> Self:
        """Finished work, from the answer of the one call that made it."""
        return cls(
            published=made.published,
            records=made.records,
            ledger=made.ledger,
            linked=made.linked,
            tiles=[(tile, made.seconds, made.peak_mb) for tile in made.tiles],
        )


@dataclass(slots=True, kw_only=True)
class ProductWork:
    """One product on its way through a wave. What is large waits packed: a driver holds three waves of works.

    Args:
        row: Row of the plan, without its scene.
        scene: Its ``Scene.to_json()``, packed.
        known: Versions of it that the ledger knows, newest first, packed; empty without any.
        strips: Answers of its strips, in order.
        tiles: See ``Finished``.
        linked: Names of assets that were there before.
        kept: Paths of pictures that were there before, by name.
        records: Records of its assets, while it is made in several calls.
        made: What was made of it; None when nothing was.
        refusal: Why it was not made; None when it was.
        cut: Cut of its strips.
        number: Number of its strips.
        uploads: Those that its strips share, by asset.
    """

    row: Row
    scene: bytes = b""
    known: bytes = b""
    strips: list[StripMade] = field(default_factory=list)
    tiles: list[tuple[Counted, Mapping[str, float], float]] = field(default_factory=list)
    linked: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    records: list[AssetRecord] = field(default_factory=list)
    made: Packed[ProductMade] | Finished | None = None
    refusal: Refusal | None = None
    cut: Cutting = _WHOLE
    number: int = 0
    uploads: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Row) -> Self:
        """Work for a row of the plan with its scene."""
        told = row.asDict()
        return cls(scene=pack(told.pop("scene")), row=Row(**told))

    @property
    def scene_json(self) -> str:
        """``Scene.to_json()`` of its scene."""
        return unpack(self.scene)

    @property
    def versions(self) -> tuple[KnownVersion, ...]:
        """Versions of it that the ledger knows, newest first."""
        return VERSIONS(json.loads(unpack(self.known))) if self.known else ()

    @property
    def fate(self) -> Fate:
        """What became of it."""
        return Fate.QUARANTINED if self.refusal is not None else Fate.MADE

    def finished(self) -> Finished | None:
        """What was made of it, opened anew each time; None when nothing was."""
        return Finished.of(self.made.open()) if isinstance(self.made, Packed) else self.made

    def know(self, versions: Iterable[Mapping[str, Any]]) -> None:
        """Note versions by the ledger's rows."""
        told = [{"item": v["item"], "records": json.loads(v["records"]), "pictures": dict(v["pictures"] or {})} for v in versions]
        self.known = pack(json.dumps(told))

    def publish(self, published: Published | None) -> None:
        """Note the item of a product that was made in several calls; what it was made of is not needed any more."""
        if published is not None:
            self.made = Finished(
                published=published,
                records=[r.bare() for r in self.records],
                ledger=kept_records(self.records),
                linked=self.linked,
                tiles=self.tiles,
            )
            self.tiles = []
        self.records, self.strips = [], []

    def take(self, answer: A | Refused, *, stage: str) -> A | None:
        """The answer; None, and noted, when it is a refusal. Of several refusals the first stays."""
        if not isinstance(answer, Refused):
            return answer
        if self.refusal is None:
            self.refusal = Refusal(stage=answer.stage or stage, error_class=answer.error_class, message=answer.message)
        return None


@dataclass(slots=True, kw_only=True)
class StageTime:
    """Wall time, CPU time of the children and tasks of one stage of one wave."""

    name: str
    wall_s: float
    cpu_s: float
    tasks: int
    peak_mb: float = 0.0


@dataclass(slots=True, kw_only=True)
class WaveResult:
    """A finished wave.

    Args:
        wave: Number of the wave.
        products: Products of the wave, made or refused.
        stages: Times of its stages.
        began: Time when its plan was read.
        partly_refused: Numbers ``n`` of the scenes of which the plan refused a tile.
    """

    wave: int
    products: list[ProductWork]
    stages: list[StageTime]
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    partly_refused: frozenset[int] = frozenset()
