"""What discovery passed over because it is no scene: counted, the first ones by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from swath.readers.printable import printable

#: Names that are kept.
NAMES = 10


@dataclass(slots=True)
class PassedOver:
    """Files that are not a scene.

    Args:
        count: Number of files.
        names: Names of the first ``NAMES`` of them, as paths or URIs.
    """

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, href: str, *, count: int = 1) -> None:
        """Count a file, or several of which one is named."""
        self.count += count
        if len(self.names) < NAMES:
            self.names.append(printable(href))

    def take(self, other: "PassedOver") -> None:
        """Count what another counted."""
        self.count += other.count
        self.names += other.names[: NAMES - len(self.names)]

    def plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {"count": self.count, "names": list(self.names)}

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> Self:
        """The inverse of ``plain``."""
        return cls(count=int(told["count"]), names=[str(n) for n in told["names"]])
