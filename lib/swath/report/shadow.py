"""What a challenger says beside the model in use: the confusion of the two over the maps of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from swath.product import ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """Two models over the same pixels.

    Args:
        champion: The model in use.
        challenger: The model beside it.
        champion_classes: Names, in the order of the rows.
        challenger_classes: Names, in the order of the columns.
        confusion: Pixels by champion's and challenger's class.
    """

    champion: ModelRef
    challenger: ModelRef
    champion_classes: tuple[str, ...]
    challenger_classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]

    def __add__(self, other: Self) -> Self:
        """The pixels of both."""
        rows = zip(self.confusion, other.confusion, strict=True)
        return type(self)(
            champion=self.champion, challenger=self.challenger, champion_classes=self.champion_classes,
            challenger_classes=self.challenger_classes,
            confusion=tuple(tuple(a + b for a, b in zip(one, two, strict=True)) for one, two in rows),
        )  # fmt: skip

    @property
    def pair(self) -> tuple[str, str]:
        """Digests of both models."""
        return self.champion.digest, self.challenger.digest

    @property
    def pixels(self) -> int:
        """Pixels that both have a class of."""
        return sum(map(sum, self.confusion))

    @property
    def agreement(self) -> float | None:
        """Share of the pixels of which both say the same; None without pixels."""
        return sum(self._same(row) for row in range(len(self.champion_classes))) / self.pixels if self.pixels else None

    @property
    def by_class(self) -> Mapping[str, float | None]:
        """Share of the pixels of each of the champion's classes of which the challenger says the same; None without any."""
        rows = enumerate(zip(self.champion_classes, self.confusion, strict=True))
        return {name: self._same(row) / sum(counts) if sum(counts) else None for row, (name, counts) in rows}

    def _same(self, row: int) -> int:
        name = self.champion_classes[row]
        return self.confusion[row][self.challenger_classes.index(name)] if name in self.challenger_classes else 0

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``dataclasses.asdict``."""
        return cls(
            champion=ModelRef(**plain["champion"]),
            challenger=ModelRef(**plain["challenger"]),
            champion_classes=tuple(plain["champion_classes"]),
            challenger_classes=tuple(plain["challenger_classes"]),
            confusion=tuple(map(tuple, plain["confusion"])),
        )


def added(before: tuple[Shadow, ...], more: Iterable[Shadow]) -> tuple[Shadow, ...]:
    """Shadows with those of one more product; each pair of models once."""
    found = {s.pair: s for s in before}
    for shadow in more:
        found[shadow.pair] = found[shadow.pair] + shadow if shadow.pair in found else shadow
    return tuple(found.values())
