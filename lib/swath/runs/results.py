"""What a run tells of its scenes one by one: the first in its result, all in parts beside it, written wave by wave."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from swath.ndjson import packed, unpacked
from swath.product import ModelRef
from swath.report.drift import counts_of_plain
from swath.report.shadow import Shadow
from swath.report.summary import (
    FIRST_PRODUCTS,
    FIRST_SCENES,
    PRODUCT_BYTES,
    QUARANTINE_BYTES,
    QuarantineEntry,
    RunSummary,
    SkippedEntry,
)
from swath.report.totals import KINDS, Listing, Totals
from swath.stores.base import Store

Json = dict[str, Any]
#: Entries of a part.
PART: Final = 1000
#: What the result holds of each kind.
_MOST: Final = {"products": FIRST_PRODUCTS, "quarantine": FIRST_SCENES, "skips": FIRST_SCENES}
_MOST_BYTES: Final = {"products": PRODUCT_BYTES, "quarantine": QUARANTINE_BYTES, "skips": QUARANTINE_BYTES}


@dataclass(slots=True, kw_only=True)
class _Parts:
    """Parts of one kind. The last one grows by members of gzip until it is full, and is written anew after each wave.

    Args:
        store: The output.
        prefix: Begins the paths of the parts.
    """

    store: Store
    prefix: str
    entries: int = 0
    _last: bytes = b""

    def path(self, number: int) -> str:
        """Path of a part."""
        return f"{self.prefix}.{number:06d}.ndjson.gz"

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of all parts."""
        return tuple(self.path(n) for n in range(-(-self.entries // PART)))

    def add(self, lines: list[str]) -> None:
        """Write more entries behind those that are there."""
        while lines:
            number, room = self.entries // PART, PART - self.entries % PART
            taken, lines = lines[:room], lines[room:]
            if room == PART:
                self._last = b""
            self._last += packed(taken)
            self.store.write(self.path(number), self._last)
            self.entries += len(taken)

    def drop_rest(self) -> None:
        """Remove parts behind the last one, which an execution that was cut short left."""
        there = set(self.paths)
        for path in list(self.store.list(self.prefix.rpartition("/")[0])):
            if path.startswith(f"{self.prefix}.") and path not in there:
                self.store.delete(path)

    def stored(self) -> Iterator[list[Json]]:
        """Entries of each part that is there."""
        number = 0
        while (data := self.store.read(self.path(number))) is not None:
            yield unpacked(data)
            number += 1


@dataclass(slots=True, kw_only=True)
class Results:
    """Entries of a run.

    Args:
        store: The output.
        run_id: The run.
        many: Whether there will be more than the result names itself; otherwise parts are written only where it cannot hold them.
    """

    store: Store
    run_id: str
    many: bool
    totals: Totals = field(default_factory=Totals)
    quarantine: list[QuarantineEntry] = field(default_factory=list)
    skipped: list[SkippedEntry] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    _parts: dict[str, _Parts] = field(init=False)
    _held: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Begin without entries."""
        self._parts = {kind: _Parts(store=self.store, prefix=f"reports/{self.run_id}/{kind}") for kind in KINDS}
        self._held = {kind: [] for kind in KINDS}

    def take(
        self,
        wave: int,
        *,
        products: Iterable[Json],
        quarantine: Iterable[QuarantineEntry] = (),
        skipped: Iterable[SkippedEntry] = (),
    ) -> None:
        """Take the entries of a wave, before it is committed: no wave that exists is without them.

        Args:
            wave: Number of the wave.
            products: Entries of ``ProductSummary.to_contract``, with ``replaced`` where a product replaces another delivery's.
            quarantine: Scenes that could not be made.
            skipped: Scenes that needed nothing.
        """
        told: dict[str, Iterable[Json]] = {
            "products": map(self._product, products),
            "quarantine": (self._first(q, self.quarantine).to_plain() for q in quarantine),
            "skips": ({"scene_id": s.scene_id, "reason": s.reason} for s in map(self._skipped, skipped)),
        }
        for kind, entries in told.items():
            self._add(kind, [json.dumps({**entry, "wave": wave}, ensure_ascii=False) for entry in entries])

    def resume(self, done: set[int]) -> set[int]:
        """Take up the entries of waves that exist, from the parts of an earlier execution.

        Returns:
            Waves with an entry there; others have none, or an execution of fewer scenes held them.
        """
        seen: set[int] = set()
        for kind, parts in self._parts.items():
            for entries in parts.stored():
                kept = [e for e in entries if e["wave"] in done]
                seen |= {e["wave"] for e in kept}
                for entry in kept:
                    self._again(kind, entry)
                self._add(kind, [json.dumps(e, ensure_ascii=False) for e in kept])
            parts.drop_rest()
        return seen

    def listings(self) -> Mapping[str, Listing]:
        """How many entries there are, and the parts with all of them; without parts the result has them all."""
        if any(sum(map(len, lines)) > _MOST_BYTES[kind] for kind, lines in self._held.items()):
            self._write_held()
        number = {kind: parts.entries + len(self._held[kind]) for kind, parts in self._parts.items()}
        return {kind: Listing(entries=number[kind], paths=parts.paths) for kind, parts in self._parts.items()}

    def _add(self, kind: str, lines: list[str]) -> None:
        if self.many:
            self._parts[kind].add(lines)
            return
        self._held[kind] += lines
        if len(self._held[kind]) > _MOST[kind]:
            self._write_held()

    def _write_held(self) -> None:
        self.many = True
        for kind, lines in self._held.items():
            self._parts[kind].add(lines)
        self._held = {kind: [] for kind in KINDS}

    def _product(self, entry: Json) -> Json:
        models = [ModelRef(**m) for m in entry["models"]]
        shadows = [Shadow.of_plain(s) for s in entry.get("shadows", ())]
        drift = [counts_of_plain(d) for d in entry.get("drift", ())]
        self.totals = self.totals.plus(
            models=models, reduced=entry["reduced_accuracy"], notes=entry["model_notes"], drift=drift, shadows=shadows
        )
        if entry.get("replaced") and len(self.replaced) < FIRST_SCENES:
            self.replaced.append(entry["replaced"])
        return entry

    def _first(self, entry: QuarantineEntry, kept: list[QuarantineEntry]) -> QuarantineEntry:
        if len(kept) < FIRST_SCENES:
            kept.append(entry)
        return entry

    def _skipped(self, entry: SkippedEntry) -> SkippedEntry:
        if len(self.skipped) < FIRST_SCENES:
            self.skipped.append(entry)
        return entry

    def _again(self, kind: str, entry: Json) -> None:
        own = {name: value for name, value in entry.items() if name != "wave"}
        if kind == "products":
            self._product(own)
        elif kind == "quarantine":
            self._first(QuarantineEntry(**own), self.quarantine)
        else:
            self._skipped(SkippedEntry(**own))


def listed(summary: RunSummary, store: Store) -> RunSummary:
    """A summary that holds all its entries itself, with parts of what its result cannot hold."""
    if summary.listings:
        return summary
    results = Results(store=store, run_id=summary.run_id, many=False)
    products = (p.to_contract() for p in summary.products)
    results.take(0, products=products, quarantine=summary.quarantine, skipped=summary.skipped)
    return replace(summary, listings=results.listings(), totals=results.totals)
