"""A run's plan: which product of which scene, in which wave; made once, stored, and read ever after."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from swath.runs.decide import DUPLICATE, MADE, MAKE, REFUSED
from swath.runs.plan_rows import PlanRows, StoredFrames
from swath.runs.request import RunRequest

#: What a plan must know of the ledger's products.
KNOWN_OF_PRODUCTS = ("product_id", "product_key", "made", "scene_id", "scene_digest")
#: Rows that need no work are reported one by one up to this many of each kind; the account counts all of them.
TOLD = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Rows of a plan that need no work.

    Args:
        skipped: Scenes already made, or given twice; none of which a product is to be made.
        refused: Scenes that nothing can be made of.
        edges: Rows of both kinds, skipped and refused, where a scene has several (in tiles); None where it has one.
        assets_skipped: Assets of the former.
        assets_refused: Assets of the latter.
        told: The first ``TOLD`` rows of each kind.
        all_refused: Every refused row, where ``told`` does not hold all of them.
        all_skipped: Every skipped row, where ``told`` does not hold all of them.
    """

    skipped: int = 0
    refused: int = 0
    edges: tuple[int, int] | None = None
    assets_skipped: int = 0
    assets_refused: int = 0
    told: list[Row] = field(default_factory=list)
    all_refused: DataFrame | None = None
    all_skipped: DataFrame | None = None

    def refused_rows(self) -> Iterator[Row]:
        """Every refused row: each becomes a row of the quarantine."""
        if self.all_refused is not None:
            yield from self.all_refused.toLocalIterator()
        else:
            yield from (r for r in self.told if r["status"] == REFUSED)

    def skipped_rows(self) -> Iterator[Row]:
        """Every row that needs nothing."""
        if self.all_skipped is not None:
            yield from self.all_skipped.toLocalIterator()
        else:
            yield from (r for r in self.told if r["status"] != REFUSED)


class Plan:
    """A plan that is stored.

    Args:
        rows: Rows.
        frames: Files of the plan, for joins with its rows.
    """

    def __init__(self, rows: PlanRows, *, frames: StoredFrames) -> None:
        self._rows, self._frames = rows, frames

    @property
    def rows(self) -> DataFrame:
        """All rows, as a table to join."""
        return self._frames.rows

    @cached_property
    def _counts(self) -> list[Row]:
        return self._rows.counts()

    @property
    def waves(self) -> list[int]:
        """Numbers of its waves; wave 0 is always there, because it carries what needs no work."""
        return sorted({r["wave"] for r in self._counts if r["status"] == MAKE} | {0})

    def scenes(self, *statuses: str) -> int:
        """How many rows have one of the statuses."""
        return sum(r["scenes"] for r in self._counts if r["status"] in statuses)

    def products(self, wave: int) -> int:
        """How many products a wave makes."""
        return sum(r["scenes"] for r in self._counts if r["status"] == MAKE and r["wave"] == wave)

    @cached_property
    def partly_refused(self) -> frozenset[int]:
        """Numbers ``n`` of the scenes with products to make in some tiles and refused ones in others."""
        return self._rows.partly_refused() if self.scenes(REFUSED) and self.scenes(MAKE) else frozenset()

    def wave(self, number: int) -> list[Row]:
        """Rows to make in a wave, in order, each with its ``scene``."""
        block = next((r["block"] for r in self._counts if r["status"] == MAKE and r["wave"] == number), None)
        return [] if block is None else self._rows.of_wave(number, block=block)

    def to_make(self, *, most: int) -> list[Row]:
        """The first rows to make, in order."""
        return self._rows.of_status(MAKE, most=most)

    def with_scenes(self, rows: DataFrame) -> list[Row]:
        """Collect a bounded part of the plan, in order, each row with its ``scene``."""
        return self._frames.with_scenes(rows)

    def aside(self) -> Aside:
        """What needs no work."""
        skipped, refused = self._rows.scenes_aside()
        return Aside(
            skipped=skipped,
            refused=refused,
            edges=(self.scenes(MADE, DUPLICATE), self.scenes(REFUSED)),
            assets_skipped=self._assets(MADE, DUPLICATE),
            assets_refused=self._assets(REFUSED),
            told=[*self._told(REFUSED), *self._told(MADE, DUPLICATE)],
            all_refused=self._all(REFUSED) if self.scenes(REFUSED) > TOLD else None,
            all_skipped=self._all(MADE, DUPLICATE) if self.scenes(MADE, DUPLICATE) > TOLD else None,
        )

    def _all(self, *statuses: str) -> DataFrame:
        return self.rows.filter(F.col("status").isin(*statuses))

    def _assets(self, *statuses: str) -> int:
        return sum(r["assets"] or 0 for r in self._counts if r["status"] in statuses)

    def _told(self, *statuses: str) -> list[Row]:
        return self._rows.of_status(*statuses, most=TOLD) if self.scenes(*statuses) else []


def write_plan(planned: DataFrame, *, path: str) -> None:
    """Store a plan, a folder a block."""
    planned.write.mode("overwrite").partitionBy("block").parquet(path)


def spec_of(request: RunRequest) -> str:
    """The request as JSON, for the ledger."""
    return json.dumps(request.spec, sort_keys=True)
