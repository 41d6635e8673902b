"""A product on its way through a wave, and what a wave leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pyspark.sql import Row

from swath.account import Fate
from swath.engine.link_messages import KnownVersion
from swath.engine.messages import Counted, Published, StripMade
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
        """Of a row of the plan or of the quarantine."""
        return cls(stage=row["stage"], error_class=row["error_class"], message=row["message"])


@dataclass(slots=True, kw_only=True)
class ProductWork:
    """One product on its way through a wave.

    Args:
        row: Row of the plan.
        versions: Versions of it that the ledger knows, newest first.
        strips: Answers of its strips, in order.
        tiles: Rows of the assets of its strips for the ledger, with the strip's CPU time by stage [s] and most memory [MiB].
        linked: Names of assets that were there before.
        kept: Paths of pictures that were there before, by name.
        records: Records of its assets: first the linked ones, then the made ones; without statistics once it is published.
        ledger: The records with their statistics, as the ledger keeps them, once it is published.
        published: Answer of the publish stage.
        refusal: Why it was not made; None when it was.
        cut: Cut of its strips.
        number: Number of its strips.
        uploads: Those that its strips share, by asset.
    """

    row: Row
    versions: tuple[KnownVersion, ...] = ()
    strips: list[StripMade] = field(default_factory=list)
    tiles: list[tuple[Counted, Mapping[str, float], float]] = field(default_factory=list)
    linked: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    records: list[AssetRecord] = field(default_factory=list)
    ledger: str = ""
    published: Published | None = None
    refusal: Refusal | None = None
    cut: Cutting = _WHOLE
    number: int = 0
    uploads: dict[str, str] = field(default_factory=dict)

    @property
    def fate(self) -> Fate:
        """What became of it."""
        return Fate.QUARANTINED if self.refusal is not None else Fate.MADE

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
    """

    wave: int
    products: list[ProductWork]
    stages: list[StageTime]
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
