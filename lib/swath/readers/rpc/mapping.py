"""The mapping of a raw image: places on a map, their elevation, and the image's model from the ground."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from swath.algo.raw_image import Refinement
from swath.algo.rpc import Rpc
from swath.mapping import Places, project
from swath.readers.elevation.model import Elevation

_WGS84 = "EPSG:4326"
#: The centre of the first pixel, counted from its first edge.
_CENTRE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcMapping:
    """From places on a map to an image with rational polynomial coefficients (``swath.mapping.Mapping``).

    Args:
        crs: CRS of the places that are asked for.
        rpc: RPC of the image.
        size: Height and width of the image [px].
        elevation: Elevation of the ground.
        refinement: What ground control or another image adds to places in the image.
    """

    crs: str
    rpc: Rpc
    size: tuple[int, int]
    elevation: Elevation
    refinement: Refinement = field(default_factory=Refinement)

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Places:
        """Columns and rows of places on the map; NaN in voids of the elevation and far outside the image.

        Raises:
            GeometryError: A tile of the elevation is missing; names it.
            MetadataError: The elevation is outside the heights for which the model holds.
        """
        lon, lat = project(x, y, source=self.crs, target=_WGS84)
        heights = np.full(np.shape(lon), np.nan)
        near = self._near(lon, lat)
        if near.any():
            heights[near] = self.elevation.heights_m(lon[near], lat[near])
            known = heights[np.isfinite(heights)]
            if known.size:
                self.rpc.check_heights(float(known.min()), float(known.max()))
        samples, lines = self.rpc.image_of(lon, lat, heights)
        return self.refinement.apply(samples + _CENTRE, lines + _CENTRE)

    def _near(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Places that the image may show at some height of its model: elsewhere, neither tiles nor heights matter."""
        east = (lon - self.rpc.long_off + 180.0) % 360.0 - 180.0
        near = (np.abs(east) <= _REACH * self.rpc.long_scale) & (np.abs(lat - self.rpc.lat_off) <= _REACH * self.rpc.lat_scale)
        if not near.any():
            return np.asarray(near)
        ends = [self.rpc.image_of(lon[near], lat[near], np.full(int(near.sum()), h)) for h in self.rpc.heights_m]
        inside = np.ones(int(near.sum()), dtype=np.bool_)
        for places, size in zip(zip(*ends, strict=True), self.size[::-1], strict=True):
            slack = _MARGIN * size
            inside &= (np.maximum(*places) >= -slack) & (np.minimum(*places) <= size + slack)
        near[near] = inside
        return np.asarray(near)


#: How far beyond its normalised ground a model is asked, in scales; a crop has the model of its whole image.
_REACH = 1.5
#: How far beyond the image heights are looked up, as a share of its side: nodes of lattices are beside it.
_MARGIN = 0.1
