"""The mapping of a raw image: places on a map, their elevation, and the image's model from the ground."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from swath.algo.raw_image import Refinement
from swath.algo.rpc import Rpc
from swath.errors import GeometryError, MetadataError
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
        refinement: Correction that ground control or another image adds to places in the image.
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
        return self.image_at(*project(x, y, source=self.crs, target=_WGS84))

    def image_at(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Places:
        """As ``locate``, of places in longitude and latitude [deg]."""
        near = self.near(lon, lat)
        try:
            heights = self._heights(lon, lat, near)
        except (GeometryError, MetadataError):
            # A tile that is missing, or a mountain that is too high, beside the image does not matter.
            heights = self._heights(lon, lat, near & self._shown(lon, lat))
        return self.image_of(lon, lat, heights)

    def image_of(self, lon: NDArray[np.float64], lat: NDArray[np.float64], height_m: NDArray[np.float64]) -> Places:
        """Columns and rows of places at heights above the ellipsoid [m]."""
        samples, lines = self.rpc.image_of(lon, lat, height_m)
        return self.refinement.apply(samples + _CENTRE, lines + _CENTRE)

    def _heights(self, lon: NDArray[np.float64], lat: NDArray[np.float64], at: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Heights where ``at`` is True, NaN elsewhere."""
        heights = np.full(np.shape(lon), np.nan)
        if at.any():
            heights[at] = self.elevation.heights_m(lon[at], lat[at])
            known = heights[np.isfinite(heights)]
            if known.size:
                self.rpc.check_heights(float(known.min()), float(known.max()))
        return heights

    def near(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Places for which the model may be asked."""
        east = (lon - self.rpc.long_off + 180.0) % 360.0 - 180.0
        return np.asarray(
            (np.abs(east) <= _REACH * self.rpc.long_scale) & (np.abs(lat - self.rpc.lat_off) <= _REACH * self.rpc.lat_scale)
        )

    def _shown(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Places that the image may show at some height of its model."""
        ends = [self.rpc.image_of(lon, lat, np.full(np.shape(lon), h)) for h in self.rpc.heights_m]
        shown = np.ones(np.shape(lon), dtype=np.bool_)
        for places, size in zip(zip(*ends, strict=True), self.size[::-1], strict=True):
            slack = _MARGIN * size
            shown &= (np.maximum(*places) >= -slack) & (np.minimum(*places) <= size + slack)
        return shown


#: How far beyond its normalised ground a model is asked, in scales; a crop has the model of its whole image.
_REACH = 1.5
#: How far beyond the image heights are looked up, as a share of its side: nodes of lattices are beside it.
_MARGIN = 0.1
