"""Which grid a pipeline's products are on, before a scene is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

from swath.errors import ConfigError
from swath.grid import Grid
from swath.tiling_choice import TilingChoice

#: How values come to a grid that is not coarser than their own; where it is coarser, they are averaged.
Interpolation = Literal["nearest", "bilinear", "cubic"]
#: How far the map may stretch or shrink lengths on the ground [%]: in UTM about fifteen degrees from the zone's middle; the polar
#: maps EPSG:3413 and EPSG:3031 stay within it up to the pole.
DISTORTION_PERCENT = 3.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GridChoice:
    """The grid of a pipeline's products.

    Args:
        crs: ``utm`` for the zone of each scene, otherwise ``EPSG:<code>`` or WKT.
        resolution: Pixel size in units of the system; None keeps the resolution of each band.
        origin: A corner of some pixel, in units of the system: it anchors all products. None is 0, 0; but products that keep
            system and resolution of their scene stay on its pixels.
        fixed: The grid itself, where a product is to be like another raster; the others do not matter then.
        tiling: Tiles, of which a scene becomes a product each; the grid is that of the tile then.
        interpolation: Interpolation onto a grid that is not coarser than the values' own.
        distortion_percent: Most that the map may stretch or shrink lengths on the ground.

    Raises:
        ConfigError: A value that it cannot be.
    """

    crs: str
    resolution: float | None = None
    origin: tuple[float, float] | None = None
    fixed: Grid | None = None
    tiling: TilingChoice | None = None
    interpolation: Interpolation = "bilinear"
    distortion_percent: float = DISTORTION_PERCENT

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.interpolation not in get_args(Interpolation):
            msg = f"grid.interpolation must be one of {', '.join(get_args(Interpolation))}, got {self.interpolation!r}"
            raise ConfigError(msg)
        if self.resolution is not None and not self.resolution > 0:
            msg = f"the resolution of a grid must be above 0, got {self.resolution!r}"
            raise ConfigError(msg)
        if not self.distortion_percent > 0:
            msg = f"grid.distortion_percent must be above 0, got {self.distortion_percent!r}"
            raise ConfigError(msg)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able; what is usual is not said."""
        usual = {"resolution": None, "origin": None, "interpolation": "bilinear", "distortion_percent": DISTORTION_PERCENT}
        said = {n: getattr(self, n) for n, value in usual.items() if getattr(self, n) != value}
        said = {n: list(v) if isinstance(v, tuple) else v for n, v in said.items()}
        tiling = {"tiling": self.tiling.to_plain()} if self.tiling is not None else {}
        return {"crs": self.crs, **said, **({"fixed": self.fixed.to_plain()} if self.fixed is not None else {}), **tiling}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        fixed = Grid.from_plain(plain["fixed"]) if plain.get("fixed") else None
        origin = tuple(plain["origin"]) if plain.get("origin") else None
        tiling = TilingChoice.from_plain(plain["tiling"]) if plain.get("tiling") else None
        return cls(**{**plain, "fixed": fixed, "origin": origin, "tiling": tiling})

    def on_tile(self, tile: str) -> Self:
        """The choice of a tile of the tiling; without a tiling as it is.

        Raises:
            ConfigError: The tiling has no such tile, or none is named.
        """
        if self.tiling is None:
            return self
        fixed = self.tiling.grid_of(tile)
        return replace(self, crs=fixed.crs, fixed=fixed, tiling=None)
