"""Which composites there are: tiles and periods, each with the sources that touch it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shapely.geometry import box

from swath.composites.area import area_in
from swath.errors import ConfigError
from swath.runs.work import Refusal
from swath.source import MASK, Source
from swath.stack.composite import Composite, in_order
from swath.stack.periods import Period
from swath.stack.recipe import CompositeRecipe
from swath.stack.tiles import tiling_of
from swath.tile_sets import NamedTile, TileSet

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An item that is no source of this run.

    Args:
        scene_id: Id; empty where it has none.
        href: Reference that the item was found by.
        error_class: Error class of the refusal.
        message: Why.
    """

    scene_id: str
    href: str
    error_class: str
    message: str

    @property
    def refusal(self) -> Refusal:
        """Why, as the ledger keeps it."""
        return Refusal(stage="ingest", error_class=self.error_class, message=self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A composite that already exists.

    Args:
        product_id: Id.
        assets: Number of its assets.
        sources: Number of its sources.
    """

    product_id: str
    assets: int
    sources: int = 0


@dataclass(slots=True, kw_only=True)
class Planned:
    """What is to be made.

    Args:
        composites: Composites, ordered by tile and period.
        older: Versions of acquisitions of which a newer one is used.
        outside: Sources outside the area or the periods.
        empty: Pairs of tile and period without a source.
    """

    composites: list[Composite] = field(default_factory=list)
    older: int = 0
    outside: int = 0
    empty: int = 0


def usable(source: Source, *, recipe: CompositeRecipe) -> LeftOut | None:
    """Why a source cannot be used for a recipe; None when it can."""
    missing = [name for name in recipe.bands if name not in source.assets]
    if missing:
        told = f"{source.scene_id}: a band is missing; expected {', '.join(recipe.bands)}; got {', '.join(sorted(source.bands))}"
        return LeftOut(scene_id=source.scene_id, href=source.source_href, error_class="missing-band", message=told)
    if recipe.flags is not None and MASK not in source.assets:
        told = (
            f"{source.scene_id}: the item has no mask; expected qa of swath, qa_pixel, SCL or Fmask; got none."
            " Add it to the item, or set composite.mask: none where every pixel may be used"
        )
        return LeftOut(scene_id=source.scene_id, href=source.source_href, error_class="missing-band", message=told)
    return None


def plan(
    sources: Sequence[Source],
    *,
    recipe: CompositeRecipe,
    periods: Sequence[Period],
    area: Mapping[str, Any] | None,
    tiling: TileSet,
) -> Planned:
    """Sort sources into tiles and periods.

    Args:
        sources: Usable ones, whatever their order.
        recipe: Recipe of the composites.
        periods: Periods, one composite for each.
        area: GeoJSON geometry in longitude and latitude; None for wherever sources are.
        tiling: The tiles.

    Raises:
        ConfigError: The CRS of a tile cannot show the area.
    """
    newest = in_order(sources)
    found = Planned(older=len(sources) - len(newest))
    stacks: dict[tuple[NamedTile, Period], list[Source]] = {}
    tiles: set[NamedTile] = set()
    within = _Area(area)
    for source in newest:
        touched = [t for t in tiling.touching(source.assets[recipe.bands[0]].grid) if within.meets(t)]
        dated = [p for p in periods if p.holds(source.acquired)]
        tiles |= set(touched)
        found.outside += not (touched and dated)
        for tile in touched:
            for period in dated:
                stacks.setdefault((tile, period), []).append(source)
    found.empty = len(tiles) * len(periods) - len(stacks)
    for (tile, period), stack in sorted(stacks.items(), key=lambda s: (s[0][0].place, s[0][0].name, s[0][1])):
        found.composites.append(
            Composite(
                tile=tile.name,
                grid=tile.grid,
                period=period,
                recipe=recipe,
                sources=tuple(stack),
                without={},
            )
        )
    return found


class _Area:
    """An area, in the coordinate system of each tile that is compared with it.

    Args:
        area: GeoJSON geometry in longitude and latitude; None for everywhere.
    """

    def __init__(self, area: Mapping[str, Any] | None) -> None:
        self._area = area
        self._shapes: dict[str, BaseGeometry | None] = {}

    def meets(self, tile: NamedTile) -> bool:
        """Whether a tile has a part in it.

        Raises:
            ConfigError: The CRS of the tile cannot show the area.
        """
        crs = tile.grid.crs
        if crs not in self._shapes:
            self._shapes[crs] = area_in(self._area, crs=crs)
        shape = self._shapes[crs]
        return shape is None or bool(shape.intersects(box(*tile.grid.bounds)))


def tiling_for(recipe: CompositeRecipe, sources: Iterable[Source]) -> TileSet:
    """The tiles of a recipe.

    Raises:
        ConfigError: There is no source, or they share no grid and the recipe names none.
    """
    grids = [min((s.assets[n].grid for n in recipe.bands), key=lambda g: g.dx) for s in sources]
    if not grids:
        msg = "none of the inputs can be a source of a composite: see what was said of each"
        raise ConfigError(msg)
    return tiling_of(recipe.grid, grids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The newest version of a composite that the ledger knows.

    Args:
        key: Identity of the planned work.
        without: Ids of the sources that it was made without.
    """

    key: str
    without: frozenset[str]

    def there(self, composite: Composite, *, again: frozenset[str]) -> bool:
        """Whether it is the composite, and no source is missing that is to be tried again."""
        return self.key == composite.product_key and not self.without & again


def newest_versions(rows: Iterable[Mapping[str, Any]]) -> dict[str, Known]:
    """The newest version of each composite, by product."""
    ordered = sorted(rows, key=lambda r: r["made"])
    return {r["product_id"]: Known(key=r["product_key"], without=frozenset(r["left_out"] or ())) for r in ordered}
