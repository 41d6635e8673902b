"""Rasters that a site has beside scenes: its elevation, and what else steps ask for."""

from swath.deploy.site.strict import Strict
from swath.inputs import Datum, RasterSource


class Dem(Strict):
    """The site's elevation.

    Args:
        path: A raster, a VRT, a folder or prefix of tiles, or a STAC collection of them (``.json``); ``store://NAME/path`` too.
        datum: Datum of the heights; there is no default, because a wrong one is tens of metres off.
        geoid: Raster of the geoid above the ellipsoid; empty for the one that PROJ has.
        sea_level: Whether places without a tile are sea.
    """

    path: str
    datum: Datum
    geoid: str = ""
    sea_level: bool = False

    def source(self, *, path: str, geoid: str) -> RasterSource:
        """The elevation, its places resolved."""
        return RasterSource(path=path, datum=self.datum, geoid=geoid, sea_level=self.sea_level)
