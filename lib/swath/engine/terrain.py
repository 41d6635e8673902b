"""Where raw images are on the ground, and mappings to images of any kind: the one place that decides which need an elevation."""

from collections.abc import Mapping as Names
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.raw_image import model_of
from swath.errors import ConfigError, GeometryError, MetadataError, MissingInputError
from swath.grid import Grid
from swath.inputs import DEM, RasterSource
from swath.mapping import Mapping, ProjectedMapping
from swath.readers.elevation.model import Elevation, elevation_of
from swath.readers.rpc.ground import ground_on
from swath.readers.rpc.mapping import RpcMapping

Floats = NDArray[np.float64]
WGS84: Final = "EPSG:4326"
#: Points along an edge of an image: terrain between them moves an edge by less than a pixel of most sensors.
_RAW_PIECES: Final = 256
_POLE_DEG: Final = 90.0
#: The same for images on a map: straight edges are curves in another system.
_PIECES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The outline of an image, closed: four edges of as many points.

    Args:
        x: Eastings or longitudes, (4 n + 1,).
        y: Northings or latitudes, of that shape.
        crs: Coordinate system.
    """

    x: Floats
    y: Floats
    crs: str


def elevation_for(grid: Grid, rasters: Names[str, RasterSource]) -> RasterSource | None:
    """The elevation that an image's places depend on; None for images on a map.

    Raises:
        MissingInputError: The image is raw, and the site has no elevation.
    """
    if not grid.raw:
        return None
    if DEM not in rasters:
        raise MissingInputError(
            "the image is raw (it has rational polynomial coefficients), and the site has no elevation to place it on",
            expected="heights of the ground",
            got=f"rasters {', '.join(sorted(rasters)) or 'none'}",
            remedy="Give `--dem PATH --dem-datum DATUM`, or `dem:` in the site's file.",
        )
    return rasters[DEM]


def mapping_to(source: Grid, *, crs: str, dem: RasterSource | None) -> Mapping:
    """The mapping from places of a map to an image.

    Args:
        source: The image.
        crs: CRS of the places.
        dem: The elevation, which raw images need.
    """
    if not source.raw or dem is None:
        return ProjectedMapping(crs=crs, source=source)
    model = model_of(source.crs)
    size = source.height, source.width
    return RpcMapping(crs=crs, rpc=model.rpc, size=size, elevation=_elevation(dem), refinement=model.refinement)


def ring_of(grid: Grid, *, dem: RasterSource | None) -> Ring:
    """The outline of an image: on its own map, or on the ground in longitude and latitude.

    Raises:
        SceneError: A tile of the elevation is missing, or the line of sight does not meet the terrain.
    """
    if not grid.raw or dem is None:
        corners = np.array(grid.corners)
        return Ring(x=_along(corners[:, 0], _PIECES), y=_along(corners[:, 1], _PIECES), crs=grid.crs)
    columns = _along(np.array([0.0, grid.width, grid.width, 0.0]), _RAW_PIECES)
    rows = _along(np.array([0.0, 0.0, grid.height, grid.height]), _RAW_PIECES)
    lon, lat = _on_ground(grid, columns, rows, elevation=_elevation(dem))
    if np.nanmax(np.abs(lat)) > _POLE_DEG:
        raise GeometryError(
            "the image goes over a pole, where coefficients in longitude and latitude place nothing",
            expected=f"ground below {_POLE_DEG:g} degrees of latitude",
            got=f"{float(lat[np.nanargmax(np.abs(lat))]):.4f} degrees",
            remedy="Ask the provider for the image on a polar map.",
        )
    return Ring(x=lon, y=lat, crs=WGS84)


def _on_ground(grid: Grid, columns: Floats, rows: Floats, *, elevation: Elevation) -> tuple[Floats, Floats]:
    model = model_of(grid.crs)
    # The refinement is a few pixels, and all but constant: taken off once, it is off by less than a thousandth of itself.
    refined = model.refinement.apply(columns, rows)
    samples, lines = 2.0 * columns - refined[0] - 0.5, 2.0 * rows - refined[1] - 0.5
    lon, lat, heights = ground_on(model.rpc, elevation, samples=samples, lines=lines)
    void = ~np.isfinite(heights)
    if void.any():
        # The outline only says how large the product is: the mean height of its other points will do there.
        filled = np.where(void, np.nanmean(heights) if not void.all() else model.rpc.height_off, heights)
        lon, lat = model.rpc.ground_of(samples, lines, filled)
    return lon, lat


def _along(corners: Floats, pieces: int) -> Floats:
    steps = np.arange(pieces) / pieces
    sides = [a + (b - a) * steps for a, b in zip(corners, np.roll(corners, -1), strict=True)]
    return np.concatenate([*sides, corners[:1]])


def _elevation(dem: RasterSource) -> Elevation:
    try:
        return elevation_of(dem)
    except ConfigError as error:
        raise MetadataError(
            f"the site's elevation cannot be used: {error}", remedy="Correct the site's file or `--dem`."
        ) from error
