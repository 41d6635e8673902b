"""How GDAL may behave in a process of ours: one place for its options."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from rasterio.env import Env
from rasterio.session import AWSSession

from swath.readers.archives.archive import opened_archive
from swath.readers.files.href import opened, split_href
from swath.settings import STORES
from swath.stores.authorities import bundle_of
from swath.stores.options import OUTPOSTS, StoreOptions, gdal_options, store_options
from swath.stores.registry import open_store

#: Drivers that may open what a delivery holds. Anything else (a VRT that calls itself .TIF could name any other
#: file of the machine or a URL) is refused. NITF holds its image in the file itself.
TRUSTED_DRIVERS = ("GTiff", "JP2OpenJPEG", "NITF")

_S3 = "/vsis3/"
_REMOTE, _HTTP = "/vsi", "/vsicurl/http"
_BUNDLE = "GDAL_CURL_CA_BUNDLE"

#: Spark owns the cores; sibling files (.aux.xml, .ovr, .tfw) are neither looked for nor written, because they are not
#: part of a band's digest (a mask beside the raster is: ``readers.masks`` finds it).
GDAL_OPTIONS: dict[str, str] = {
    "GDAL_NUM_THREADS": "1",
    "OPJ_NUM_THREADS": "1",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO",  # no .tar.gz.properties beside the user's archive
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    # What fails in passing is asked for again at once; ``readers.patient`` waits for what does not. A server that neither answers
    # nor sends must not hold a worker.
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "0.3",
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_LOW_SPEED_TIME": "60",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif,.tiff,.TIF,.TIFF,.jp2,.JP2,.ntf,.NTF,.nitf,.zip,.tar,.msk,.MSK",
}


@contextmanager
def gdal_env(href: str = "", *, cache_bytes: int | None = None) -> Iterator[None]:
    """Hold GDAL to ``GDAL_OPTIONS`` while rasters are opened and read.

    Args:
        href: Address to open; its bucket's endpoint, region, payer and credentials come with it.
        cache_bytes: Room for decoded blocks; None leaves GDAL's own choice, a twentieth of the machine's memory.
    """
    options: dict[str, str | int] = dict(GDAL_OPTIONS) if cache_bytes is None else {**GDAL_OPTIONS, "GDAL_CACHEMAX": cache_bytes}
    if _REMOTE in href and (authorities := bundle_of(_BUNDLE)):
        options[_BUNDLE] = authorities
    bucket = bucket_of(href)
    if not bucket:
        if _HTTP in href:
            options.pop("CPL_VSIL_CURL_ALLOWED_EXTENSIONS")  # an address may end with anything
            options |= _http_options(href)
        with Env(**options):
            yield
        return
    there = store_options(bucket)
    if there.kind == OUTPOSTS or split_href(href)[0] != "file":
        # A presigned address ends with its signature, an archive with whatever its owner called it.
        options.pop("CPL_VSIL_CURL_ALLOWED_EXTENSIONS")
    with Env(session=_session(there), **options, **_unless_told(gdal_options(there), os.environ)):
        yield


def _http_options(href: str) -> dict[str, str]:
    """What the server of an http address wants to hear, and where passwords are."""
    from swath.readers.files.remote import name_in, reached  # noqa: PLC0415

    options = {"CPL_VSIL_CURL_AUTHORIZATION_HEADER_ALLOWED_IF_REDIRECT": "NO"}
    if netrc := os.environ.get("NETRC"):
        options["GDAL_HTTP_NETRC_FILE"] = netrc
    if headers := reached(name_in(href)).headers:
        options["GDAL_HTTP_HEADERS"] = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
        options["GDAL_HTTP_NETRC"] = "NO"
    return options


def openable(href: str) -> str:
    """The name under which GDAL can open a file now, in this process.

    A member of an archive is reached in place or from a copy (see ``Archive.reach``). GDAL cannot sign for S3 on Outposts:
    there it gets an address that is signed already, good for some hours.
    An address of http is signed here, and its redirects are followed to named hosts alone.

    Raises:
        ArchiveError: The archive cannot be unpacked, or does not hold the member.
    """
    kind, path, member = split_href(href)
    if kind != "file":
        href = opened_archive(path, opener=opened).reach(member)
    bucket = bucket_of(href)
    if not bucket and _HTTP in href:
        from swath.readers.files.remote import openable_remote  # noqa: PLC0415  for reads over http alone

        return openable_remote(href)
    if not bucket or store_options(bucket).kind != OUTPOSTS:
        return href
    before, _, rest = href.partition(f"{_S3}{bucket}/")
    key, brace, member = rest.partition("}")
    return before + open_store(f"s3://{bucket}", create=False).gdal_path(key) + brace + member


def bucket_of(href: str) -> str:
    """The bucket that a GDAL name leads to, through archives too; empty for files of this machine."""
    return href.partition(_S3)[2].partition("/")[0]


@lru_cache(maxsize=16)
def _session(options: StoreOptions) -> AWSSession:
    """Who reads a bucket: the same person as boto3's client, keys that rotate included.

    Left to itself, GDAL knows neither ``AWS_SHARED_CREDENTIALS_FILE`` nor half of boto3's other sources.
    """
    if options.anonymous:
        return AWSSession(aws_unsigned=True, region_name=options.region or None)
    from swath.stores.s3_client import s3_session  # noqa: PLC0415  loads boto3, which folders do without

    return AWSSession(s3_session(options), requester_pays=options.requester_pays)


def forget_sessions() -> None:
    """Read credentials anew for what is opened from now on."""
    _session.cache_clear()


def _unless_told(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Options without those of an endpoint that the user gave to GDAL itself, where we know it from variables only."""
    if STORES in environ or "AWS_S3_ENDPOINT" not in environ:
        return dict(options)
    return {k: v for k, v in options.items() if k not in {"AWS_S3_ENDPOINT", "AWS_HTTPS", "AWS_VIRTUAL_HOSTING"}}
