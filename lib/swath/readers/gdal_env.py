"""How GDAL may behave in a process of ours: one place for its options."""

import os
from collections.abc import Iterator, Mapping
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
def gdal_env(*, cache_bytes: int | None = None) -> Iterator[None]:
    """Hold GDAL to ``GDAL_OPTIONS`` while rasters are opened and read.

    Args:
        cache_bytes: What decoded blocks may take; None leaves GDAL's own choice, a twentieth of the machine's memory.
    """
    cache = {} if cache_bytes is None else {"GDAL_CACHEMAX": cache_bytes}
    with Env(**GDAL_OPTIONS, **_s3_options(os.environ), **cache):
        yield


def _s3_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Tell GDAL of the S3 endpoint that boto3 knows by ``AWS_ENDPOINT_URL_S3``; GDAL's own variables win."""
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if not endpoint or "AWS_S3_ENDPOINT" in environ:
        return {}
    scheme, _, host = endpoint.partition("://")
    return {
        "AWS_S3_ENDPOINT": host.rstrip("/"),
        "AWS_HTTPS": "YES" if scheme == "https" else "NO",
        "AWS_VIRTUAL_HOSTING": "FALSE",
    }
