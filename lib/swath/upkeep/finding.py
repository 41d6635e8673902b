"""What does not fit between the ledger, the files and the catalogues of an output."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

Kind = Literal[
    "missing-file", "wrong-size", "missing-item", "other-item", "unrecorded-item", "orphan-file", "not-in-catalogue",
    "only-in-catalogue", "not-served", "stale-served", "only-served", "half-removed",
]  # fmt: skip
#: Findings that make a product unusable: it is made again.
BROKEN: frozenset[Kind] = frozenset({"missing-file", "wrong-size", "missing-item"})
#: Findings that a new ledger row mends.
UNRECORDED: frozenset[Kind] = frozenset({"other-item", "unrecorded-item"})
#: Of the static catalogue.
CATALOGUE: frozenset[Kind] = frozenset({"not-in-catalogue", "only-in-catalogue"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFinding:
    """Something that does not fit.

    Args:
        kind: What.
        path: Path of the file, relative to the output; for an item that is only served, its collection and id.
        product_id: The product, when there is one.
        expected: Expected state.
        got: Actual state.
    """

    kind: Kind
    path: str
    product_id: str = ""
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        """For people."""
        return f"{self.kind}: {self.path}: expected {self.expected}" + (f"; got {self.got}" if self.got else "")

    def plain(self) -> dict[str, str]:
        """JSON-able."""
        return asdict(self)

    @property
    def day(self) -> tuple[str, date]:
        """The collection and day of a file of a product."""
        _, collection, year, month, day = self.path.split("/")[:5]
        return collection, date(int(year), int(month), int(day))
