"""The tiling that a pipeline cuts its products on: one scene becomes a product for each tile that it touches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from swath.errors import ConfigError
from swath.grid import Grid
from swath.tile_sets import ArdTiles, FileTiles, MgrsTiles, NamedTile, NamedTileSet, hls_tiles

#: Named tilings; ``mgrs`` is what composites call the first.
MGRS, HLS, ARD, FILE = "mgrs-100km", "hls", "landsat-ard", "file"
TILINGS: Final = (MGRS, HLS, ARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilingChoice:
    """A tiling, as it travels with a pipeline.

    Args:
        name: ``mgrs-100km``, ``hls``, ``landsat-ard``, or ``file``.
        resolution_m: Pixel size of ``mgrs-100km``; the others have their own.
        tiles: Tiles of a file.

    Raises:
        ConfigError: The name is unknown, or the resolution is missing.
    """

    name: str
    resolution_m: float | None = None
    tiles: tuple[NamedTile, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no tiling."""
        if self.name not in {*TILINGS, FILE}:
            msg = f"grid.tiling: expected {', '.join(TILINGS)} or {{file: tiles.geojson}}, got {self.name!r}"
            raise ConfigError(msg)
        if self.name == MGRS and self.resolution_m is None:
            msg = f"grid.tiling {MGRS}: expected resolution_m, a pixel size that fills a tile, such as 10, 20, 30 or 60"
            raise ConfigError(msg)

    @property
    def set(self) -> NamedTileSet:
        """The tiles."""
        if self.name == MGRS:
            return MgrsTiles(resolution_m=self.resolution_m or 0.0)
        if self.name == FILE:
            return FileTiles(tiles=self.tiles)
        return hls_tiles() if self.name == HLS else ArdTiles()

    def grid_of(self, tile: str) -> Grid:
        """The grid of a tile by its name.

        Raises:
            ConfigError: The tiling has no such tile.
        """
        return self.set.named(tile).grid

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        tiles = [{"name": t.name, "grid": t.grid.to_plain()} for t in self.tiles]
        resolution = {"resolution_m": self.resolution_m} if self.resolution_m is not None else {}
        return {"name": self.name, **resolution, **({"tiles": tiles} if tiles else {})}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        tiles = tuple(NamedTile(name=t["name"], grid=Grid.from_plain(t["grid"])) for t in plain.get("tiles", ()))
        return cls(name=plain["name"], resolution_m=plain.get("resolution_m"), tiles=tiles)
