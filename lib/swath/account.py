"""What a run must be able to explain: everything that went in came out as made, skipped or quarantined."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self


class Fate(IntEnum):
    """What became of something; of several fates of one thing the highest counts."""

    SKIPPED = 0
    MADE = 1
    QUARANTINED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """In = made + skipped + quarantined, or something is wrong.

    Args:
        taken_in: Number of things that were asked for.
        made: Number of new ones.
        skipped: Number of scenes already made, or given twice.
        quarantined: Number of those that could not be made; each has its entry.
    """

    taken_in: int = 0
    made: int = 0
    skipped: int = 0
    quarantined: int = 0

    @classmethod
    def of(cls, fates: Iterable[Fate]) -> Self:
        """The count of things with these fates."""
        told = list(fates)
        made, skipped, quarantined = (told.count(fate) for fate in (Fate.MADE, Fate.SKIPPED, Fate.QUARANTINED))
        return cls(taken_in=len(told), made=made, skipped=skipped, quarantined=quarantined)

    @property
    def remainder(self) -> int:
        """What has no explanation."""
        return self.taken_in - self.made - self.skipped - self.quarantined

    @property
    def balanced(self) -> bool:
        """Whether everything is explained."""
        return self.remainder == 0

    def __add__(self, other: "Count") -> "Count":
        """Both together."""
        return Count(**{n: getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account of a run, or of one of its waves.

    A product is made of 1..n sources, and a scene can be a source of several products: an edge is one source of one product.
    Where each scene is the source of one product, edges are counted as scenes are.

    Args:
        scenes: Count of scenes; in a run of composites, of composites.
        assets: Count of assets.
        edges: Count of pairs of a source and a product.
    """

    scenes: Count = field(default_factory=Count)
    assets: Count = field(default_factory=Count)
    edges: Count = field(default_factory=Count)

    @property
    def balanced(self) -> bool:
        """Whether nothing is left over, by scene, by asset and by edge."""
        return self.scenes.balanced and self.assets.balanced and self.edges.balanced

    def __add__(self, other: "Account") -> "Account":
        """Both together."""
        return Account(scenes=self.scenes + other.scenes, assets=self.assets + other.assets, edges=self.edges + other.edges)

    def __str__(self) -> str:
        """The account in words."""
        return "; ".join(f"{name}: {_told(getattr(self, name))}" for name in self.__dataclass_fields__)


def _told(count: Count) -> str:
    return f"{count.taken_in} in = {count.made} made + {count.skipped} skipped + {count.quarantined} quarantined"
