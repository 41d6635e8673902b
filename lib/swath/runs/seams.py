"""Whether the cut of a scene shows: the same product made in several tilings, as a run makes it, and compared pixel by pixel."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from swath.engine.child.tasks import do
from swath.engine.cut import PIECE
from swath.engine.ingested import Ingest
from swath.engine.messages import MakeAsset, MakeStrip
from swath.engine.product_plan import ProductPlan, plan_product
from swath.engine.refused import Refused
from swath.engine.subject import Cutting, Subject
from swath.errors import SceneError
from swath.grid import Window
from swath.plain import canonical
from swath.product import AssetRecord
from swath.sinks.cog.stored import stored_levels
from swath.stores.local import LocalStore, local_store

if TYPE_CHECKING:
    from swath.sinks.cog.strip_part import PartManifest

#: Sides of pieces in the second tiling, the third, ..., as shares of a run's own: so that seams fall elsewhere.
_PIECES = (Fraction(5, 8), Fraction(3, 8))

Json = dict[str, Any]
A = TypeVar("A")
#: Path and digest of each pinned model, by name.
Models = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamTiling:
    """One way to cut a product.

    Args:
        strip_rows: Height of strips as asked for; None lets the engine choose, as in a run.
        piece: Rows and columns of pieces as asked for; None as in a run.
        told: Both as they became.
        pieces: Every piece, on the reference grid.
    """

    strip_rows: int | None
    piece: tuple[int, int] | None
    told: str
    pieces: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixel:
    """The first pixel in which two files differ: level 0 is full resolution."""

    level: int
    row: int
    column: int
    values: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """An asset that depends on the cut.

    Args:
        asset: Name.
        tilings: The two that differ.
        pixel: The first that differs; None when only the file's bytes or its statistics do.
    """

    asset: str
    tilings: tuple[str, str]
    pixel: Pixel | None

    def __str__(self) -> str:
        one, other = self.tilings
        if self.pixel is None:
            return f"asset {self.asset}: equal pixels, but other bytes or statistics, in {one} and {other}"
        p = self.pixel
        place = f"level {p.level}, row {p.row}, column {p.column}"
        return f"asset {self.asset}, {place}: {p.values[0]} in {one}, {p.values[1]} in {other}"

    def plain(self) -> Json:
        """JSON-able."""
        p = self.pixel
        where = {"level": p.level, "row": p.row, "column": p.column, "values": list(p.values)} if p else None
        return {"asset": self.asset, "tilings": list(self.tilings), "pixel": where}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamCheck:
    """What the check of one scene found."""

    scene_id: str
    assets: int
    tilings: tuple[SeamTiling, ...]
    seams: tuple[Seam, ...]

    @property
    def compared(self) -> bool:
        """False where a scene can be cut in one way only, so that nothing was compared."""
        return len({t.pieces for t in self.tilings}) > 1

    def plain(self) -> Json:
        """JSON-able."""
        tilings, seams = [t.told for t in self.tilings], [s.plain() for s in self.seams]
        return {
            "scene_id": self.scene_id, "assets": self.assets, "tilings": tilings, "compared": self.compared, "seams": seams,
        }  # fmt: skip


def check_seams(
    href: str, pipeline: Mapping[str, Any], *, models: Models, folder: Path, heights: Sequence[int] = ()
) -> SeamCheck:
    """Make a product of a scene in every tiling, and compare each with the first.

    Args:
        href: Href of the scene.
        pipeline: Plain description, models pinned.
        models: Path and digest of each pinned model, by name.
        folder: Folder that receives the products; the caller removes it.
        heights: Strip heights to compare; without them a run's own and another that is legal.

    Raises:
        ConfigError: A height is not legal, or the pipeline is wrong.
        SceneError: The scene cannot be read, or cannot give what the pipeline must have.
    """
    scene = _done(do(Ingest(href=href, scene_id=href.rstrip("/").rsplit("/", 1)[-1])))
    base = Subject(scene=scene.scene, scene_id=scene.scene_id, pipeline=canonical(dict(pipeline)), output="")
    try:
        plan = plan_product(base.scene, base.pipeline)
    except SceneError as error:
        raise error.of(scene.scene_id) from error
    tilings = tuple(_tilings(plan, heights))
    stores = [local_store(folder / uuid.uuid4().hex) for _ in tilings]
    records = [_made(plan, t, base=base, models=models, store=s) for t, s in zip(tilings, stores, strict=True)]
    seams = tuple(
        seam
        for number in range(1, len(tilings))
        for seam in _compared(plan, (records[0], records[number]), stores=(stores[0], stores[number]),
                              tilings=(tilings[0].told, tilings[number].told))
    )  # fmt: skip
    return SeamCheck(scene_id=scene.scene_id, assets=len(plan.keys), tilings=tilings, seams=seams)


def _tilings(plan: ProductPlan, heights: Sequence[int]) -> Iterator[SeamTiling]:
    frame = plan.frame.grid
    most = min(PIECE[0], frame.height), min(PIECE[1], frame.width)
    for number, rows in enumerate(heights or _heights(plan)):
        share = _PIECES[(number - 1) % len(_PIECES)]
        piece = (max(int(most[0] * share), 1), max(int(most[1] * share), 1)) if number else None
        cut = plan.cut(rows=rows, split=True, piece=piece)
        told = f"{cut.strips} x {cut.strip_rows} rows (pieces of {cut.piece[0]} x {cut.piece[1]})"
        pieces = tuple(p for n in range(cut.strips) for p in cut.pieces(n))
        yield SeamTiling(strip_rows=rows, piece=piece, told=told, pieces=pieces)


def _heights(plan: ProductPlan) -> tuple[int | None, int]:
    """A run's own height, and the smallest legal one; where those are the same, the whole scene."""
    own = plan.cut(rows=None, split=True).strip_rows
    whole, unit = plan.frame.grid.height, plan.frame.unit
    return None, whole if unit == own else unit


def _made(plan: ProductPlan, tiling: SeamTiling, *, base: Subject, models: Models, store: LocalStore) -> list[AssetRecord]:
    """Records of all assets, made by the requests that a run sends to its workers."""
    product = replace(base, output=store.root)
    cut = Cutting(
        split=True, strip_rows=tiling.strip_rows, folder=".scratch/seams", piece=tiling.piece, pictures=False, models=models
    )
    strips = plan.cut(rows=tiling.strip_rows, split=True).strips
    # From the last to the first: nothing may depend on what was read before.
    answers = [_done(do(MakeStrip(product=product, cut=cut, strip=n))) for n in reversed(range(strips))]
    parts: dict[str, list[PartManifest]] = {name: [] for name in plan.graph.outputs}
    for part in (p for a in answers for p in a.parts):
        parts[part.asset].append(part)
    attempt = uuid.uuid4().hex
    asked = [
        MakeAsset(product=product, cut=cut, asset=name, parts=tuple(parts[name]), attempt=attempt) for name in plan.graph.outputs
    ]
    return [_done(do(request)).record for request in asked]


def _done(answer: A | Refused) -> A:
    """An answer that is no refusal.

    Raises:
        SceneError: The scene was refused.
    """
    if isinstance(answer, Refused):
        raise SceneError(answer.message)
    return answer


def _compared(
    plan: ProductPlan,
    records: tuple[list[AssetRecord], list[AssetRecord]],
    *,
    stores: tuple[LocalStore, LocalStore],
    tilings: tuple[str, str],
) -> Iterator[Seam]:
    for one, other in zip(*records, strict=True):
        # Equal digests are equal pixels at every level; the statistics go into the item.
        if one != other:
            first, second = (s.at(f"{plan.folder}/{r.href}") for s, r in zip(stores, (one, other), strict=True))
            yield Seam(asset=one.name, tilings=tilings, pixel=_first_difference(first, second))


def _first_difference(one: Path, other: Path) -> Pixel | None:
    for level, rows in enumerate(stored_levels(one, other)):
        at = 0
        for these, those in rows:
            differing = np.argwhere(these != those)
            if differing.size:
                row, column = (int(n) for n in differing[0])
                values = int(these[row, column]), int(those[row, column])
                return Pixel(level=level, row=at + row, column=column, values=values)
            at += len(these)
    return None
