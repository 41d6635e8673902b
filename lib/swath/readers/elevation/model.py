"""An elevation model: one raster or many tiles, and heights above the ellipsoid at places."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError, GeometryError
from swath.inputs import Datum, RasterSource
from swath.mapping import data_folders
from swath.readers.elevation.listed import listed_tiles
from swath.readers.elevation.tiles import Tile, Tiles, cell_name, in_crs, sampled
from swath.readers.files.href import gdal_href
from swath.readers.files.listing import is_folder
from swath.stores.registry import bucket_of, open_store

Floats = NDArray[np.float64]
_SUFFIXES: Final = (".tif", ".tiff", ".hgt", ".vrt")
_LISTS: Final = (".json", ".geojson")
#: Files of geoids that PROJ and GDAL know, by datum.
GEOIDS: Final = {"egm96": ("us_nga_egm96_15.tif", "egm96_15.gtx"), "egm2008": ("us_nga_egm08_25.tif", "egm08_25.gtx")}
#: Heights that no ground has [m]: voids that the file does not declare.
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elevation:
    """Heights of the ground above the WGS 84 ellipsoid.

    Args:
        tiles: Rasters.
        datum: Datum of the tiles' heights.
        geoid: Raster of the geoid above the ellipsoid; needed unless ``datum`` is the ellipsoid.
        sea_level: Whether a place that no tile covers is at height 0 above ``datum``, because the user says so.
    """

    tiles: Tiles
    datum: Datum
    geoid: Tile | None = None
    sea_level: bool = False

    def __post_init__(self) -> None:
        """Refuse heights above a geoid that is not at hand."""
        if self.datum == "none":
            msg = "the elevation's datum is not stated: expected dem.datum: ellipsoid, egm96 or egm2008"
            raise ConfigError(msg)
        if self.datum != "ellipsoid" and self.geoid is None:
            msg = (
                f"the elevation's heights are above {self.datum}, and no geoid is named: give dem.geoid the file"
                f" {' (or '.join(GEOIDS[self.datum])}), or dem.datum: ellipsoid where the heights are above the ellipsoid already"
            )
            raise ConfigError(msg)

    def touching(self, lon: Floats, lat: Floats) -> tuple[Tile, ...]:
        """Tiles that meet the box around places: what their heights depend on."""
        return self.tiles.touching(lon, lat)

    def digest(self, lon: Floats, lat: Floats) -> str:
        """Digest of the tiles that are read for some places, and of the geoid: part of the key of what is made with them."""
        return self.tiles.digest(lon, lat, *([self.geoid] if self.geoid is not None else []))

    def heights_m(self, lon: Floats, lat: Floats) -> Floats:
        """Heights above the ellipsoid [m] at places, of their shape; NaN in voids.

        Args:
            lon: Longitudes [deg].
            lat: Latitudes [deg], of that shape.

        Raises:
            GeometryError: No tile covers a place; names it.
            ReadError: A tile cannot be read.
        """
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        known = np.isfinite(lon) & np.isfinite(lat)
        heights, covered = self.tiles.sample(lon, lat)
        with np.errstate(invalid="ignore"):
            heights[(heights < _LOWEST_M) | (heights > _HIGHEST_M)] = np.nan
        missing = known & ~covered
        if missing.any():
            self._check_missing(lon[missing], lat[missing])
            heights[missing] = 0.0
        return heights + self.datum_m(lon, lat)

    def datum_m(self, lon: Floats, lat: Floats) -> Floats:
        """Heights of the datum above the ellipsoid [m] at places, of their shape; 0 where the ellipsoid is the datum."""
        heights = np.zeros(np.shape(lon))
        known = np.isfinite(lon) & np.isfinite(lat)
        if self.geoid is not None and known.any():
            heights[known] = sampled(self.geoid, *(v[known] for v in in_crs(self.geoid.header.grid, lon, lat)))
        return heights

    def _check_missing(self, lon: Floats, lat: Floats) -> None:
        if self.sea_level:
            return
        place = float(lon[0]), float(lat[0])
        raise GeometryError(
            f"the elevation lacks the tile {cell_name(*place)}",
            expected=f"heights at longitude {place[0]:.4f}, latitude {place[1]:.4f}",
            got=f"{len(self.tiles)} tiles that do not cover it ({self.tiles.names})",
            remedy="Add the tile to the dem; or say dem.sea_level: true where it is all sea.",
        )


def open_elevation(where: str, *, datum: Datum, geoid: str = "", sea_level: bool = False) -> Elevation:
    """An elevation model by its place: a raster, a folder or prefix of tiles, or a STAC collection.

    Args:
        where: GeoTIFF, VRT or SRTM's ``.hgt``; a folder or ``s3://`` prefix; a STAC collection or item collection.
        datum: Datum of the heights.
        geoid: Raster of the geoid; empty for the one that PROJ has.
        sea_level: Whether places without a tile are sea.

    Raises:
        ConfigError: There is no raster, or the geoid is missing.
        ReadError: A raster cannot be read.
    """
    found = gdal_href(geoid) if geoid else projs_geoid(datum)
    return Elevation(tiles=open_tiles(where), datum=datum, geoid=Tile(href=found) if found else None, sea_level=sea_level)


@lru_cache(maxsize=8)
def elevation_of(source: RasterSource) -> Elevation:
    """The elevation model of a site; one a process.

    Raises:
        ConfigError: See ``open_elevation``.
    """
    return open_elevation(source.path, datum=source.datum, geoid=source.geoid, sea_level=source.sea_level)


@lru_cache(maxsize=8)
def open_tiles(where: str) -> Tiles:
    """Tiles by their place.

    Raises:
        ConfigError: There is none.
    """
    if where.lower().endswith(_LISTS):
        return listed_tiles(where)
    hrefs = _rasters(where)
    if not hrefs:
        msg = f"{where}: expected a GeoTIFF, .hgt or .vrt, a folder of these, or a STAC collection (.json); found none"
        raise ConfigError(msg)
    return Tiles.of(Tile(href=href) for href in hrefs)


def projs_geoid(datum: Datum) -> str:
    """Path of PROJ's grid of a geoid; empty where PROJ has none."""
    found = (Path(folder) / name for folder in data_folders() for name in GEOIDS.get(datum, ()))
    return next((str(path) for path in found if path.is_file()), "")


def _rasters(where: str) -> list[str]:
    if where.lower().endswith(_SUFFIXES):
        return [gdal_href(where)]
    if bucket_of(where) or is_folder(where):
        store = open_store(where, create=False)
        return [store.gdal_path(path) for path in sorted(store.list("")) if path.lower().endswith(_SUFFIXES)]
    return []
