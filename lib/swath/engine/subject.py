"""What requests about a product share: which product, and how it is cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from swath.engine.message import Message, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Message):
    """The product that a request is about.

    Args:
        scene: ``Scene.to_json()``.
        scene_id: Id of the scene.
        pipeline: JSON of the pipeline, models pinned.
        output: Root of the output.
    """

    scene: str
    scene_id: str
    pipeline: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting(Message):
    """How a product is cut, and what of it is made.

    Args:
        split: Whether the product is cut into strips.
        strip_rows: Height of strips at the reference resolution; None lets the engine choose.
        folder: Place of the parts in the output.
        piece: Height and width of pieces; None lets the engine choose.
        skip: Assets that already exist.
        pictures: Whether pictures are made.
        models: Path and digest of each model, by name.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"skip": tuple, "piece": lambda size: tuple(size) if size else None}
    split: bool
    strip_rows: int | None
    folder: str
    piece: tuple[int, int] | None = None
    skip: tuple[str, ...] = ()
    pictures: bool = True
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfProduct(Message):
    """A request about a product.

    Args:
        product: The product.
    """

    inlined: ClassVar[Mapping[str, type[Message]]] = {"product": Subject}
    product: Subject

    @property
    def scene_id(self) -> str:
        """Id of the scene."""
        return self.product.scene_id

    @property
    def output(self) -> str:
        """Root of the output."""
        return self.product.output


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCut(OfProduct):
    """A request about the strips of a product.

    Args:
        cut: Cut of the product.
    """

    inlined: ClassVar[Mapping[str, type[Message]]] = {**OfProduct.inlined, "cut": Cutting}
    cut: Cutting
