"""How GDAL may behave in a process of ours: one place for its options."""

from collections.abc import Iterator
from contextlib import contextmanager

from rasterio.env import Env

#: Drivers that may open what a delivery holds. Anything else (a VRT that calls itself .TIF could name any other
#: file of the machine or a URL) is refused.
TRUSTED_DRIVERS = ("GTiff", "JP2OpenJPEG")

#: Spark owns the cores; sibling files (.aux.xml, .ovr, .tfw) are neither looked for nor written, because they are not
#: part of a band's digest.
GDAL_OPTIONS: dict[str, str] = {
    "GDAL_NUM_THREADS": "1",
    "OPJ_NUM_THREADS": "1",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO",  # no .tar.gz.properties beside the user's archive
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif,.tiff,.TIF,.TIFF,.jp2,.JP2,.zip,.tar",
}


@contextmanager
def gdal_env() -> Iterator[None]:
    """Hold GDAL to ``GDAL_OPTIONS`` while rasters are opened and read."""
    with Env(**GDAL_OPTIONS):
        yield
