"""What this build of GDAL can open and write."""

from rasterio import __gdal_version__
from rasterio.env import Env

#: GeoTIFF in and out, the COG driver (second implementation of the sink), JPEG 2000 of Sentinel-2.
NEEDED_DRIVERS = ("GTiff", "COG", "JP2OpenJPEG")


def gdal_version() -> str:
    """Version of the GDAL that rasterio was built with."""
    return str(__gdal_version__)


def missing_drivers(needed: tuple[str, ...] = NEEDED_DRIVERS) -> tuple[str, ...]:
    """The drivers of ``needed`` that this GDAL lacks."""
    with Env() as env:
        known = env.drivers()
    return tuple(name for name in needed if name not in known)
