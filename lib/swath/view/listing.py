"""Products of an output as the page lists them: by day, by collection, by what became of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
#: What a run did about a product: made or reused it.
State = Literal["made", "reused"]
#: Products in one answer.
PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One product, in its newest version.

    Args:
        product_id: Id.
        scene_id: Id of its scene.
        collection: Collection.
        acquired: Moment of acquisition, aware.
        bbox: West, south, east, north [degree].
        item: Path of its item relative to the output's root, or the URI of the item.
        run_id: Run that made it; empty where that is unknown.
        state: Result of the newest run that met the scene.
        met_by: Newest run that met the scene; empty if unknown.
    """

    product_id: str
    scene_id: str
    collection: str
    acquired: datetime
    bbox: tuple[float, ...]
    item: str
    run_id: str = ""
    state: State = "made"
    met_by: str = ""

    @property
    def day(self) -> str:
        """Day of acquisition, ``2024-08-06``."""
        return f"{self.acquired:%Y-%m-%d}"

    def plain(self) -> Json:
        """JSON-able."""
        return {
            "id": self.product_id,
            "scene": self.scene_id,
            "collection": self.collection,
            "datetime": self.acquired.isoformat(),
            "day": self.day,
            "bbox": list(self.bbox),
            "run": self.run_id,
            "state": self.state,
            "met_by": self.met_by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which products are asked for.

    Args:
        first: First day, ``2024-08-06``; any without one.
        last: Last day; any without one.
        collection: Only this one.
        words: Text that the id contains, whatever its case.
        state: Only products in this state.
        offset: Number of products to pass over.
        limit: Number of products at most.
    """

    first: str = ""
    last: str = ""
    collection: str = ""
    words: str = ""
    state: str = ""
    offset: int = 0
    limit: int = PAGE

    def takes(self, product: Listed) -> bool:
        """Whether a product is asked for."""
        return (
            (not self.first or product.day >= self.first)
            and (not self.last or product.day <= self.last)
            and (not self.collection or product.collection == self.collection)
            and (not self.state or product.state == self.state)
            and (not self.words or self.words.lower() in product.product_id.lower())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer to a query.

    Args:
        products: The page that was asked for, newest first.
        total: Number of products that fit; None where the catalogue does not say.
    """

    products: tuple[Listed, ...]
    total: int | None

    def plain(self) -> Json:
        """JSON-able."""
        return {"products": [p.plain() for p in self.products], "total": self.total}


def found_in(products: Sequence[Listed], query: Query) -> Found:
    """The page of a query among products that are in order."""
    fitting = [p for p in products if query.takes(p)]
    return Found(products=tuple(fitting[query.offset : query.offset + query.limit]), total=len(fitting))


def days_of(products: Iterable[Listed]) -> Json:
    """Number of products by day and state: ``{"2024-08-06": {"made": 3}}``."""
    numbers = Counter((p.day, p.state) for p in products)
    days: dict[str, dict[str, int]] = {}
    for (day, state), number in sorted(numbers.items()):
        days.setdefault(day, {})[state] = number
    return days
