"""Reads by GDAL that outlast a store which is away. GDAL says in text alone what it met, and not always that.

A range that a busy store refuses ends in libtiff's "got 0 bytes", as a truncated file does. So whenever GDAL fails on a bucket,
the bucket itself is asked for a byte of the object, by a client that waits and knows refusals; then GDAL tries again, without
what it remembers of the object.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from rasterio.env import Env
from rasterio.errors import RasterioError

from swath.errors import ServiceError
from swath.readers.files.gdal_env import bucket_of, forget_sessions
from swath.readers.files.remote import forget as forget_address
from swath.stores.options import store_options
from swath.stores.patience import PatientCall

T = TypeVar("T")

_S3 = "/vsis3/"
_CURL = "/vsicurl/"
#: Tries of a read whose store answers: GDAL may have met the end of an outage.
_TRIES = 4
#: GDAL's and curl's words for "not now", in any error of a chain.
_AWAY = re.compile(
    r"(HTTP response code|response_code=|HTTP error code)\s*:?\s*(429|5\d\d)|CURL error|SlowDown|ServiceUnavailable"
    r"|Timeout was reached|timed out|Connection reset|Could(n't| not) (connect|resolve)|Failed to connect|Empty reply from",
    re.IGNORECASE,
)


def patiently(work: Callable[[], T], *, href: str, forget: Callable[[], None] = lambda: None) -> T:
    """Do a read, and again when it failed because the store was away.

    Args:
        work: Opens and reads with GDAL.
        href: Address that is read, as ``gdal_href`` spells it.
        forget: Closes what ``work`` keeps open of it.

    Raises:
        RasterioError: The store answers, and the file cannot be read.
        ServiceError: The store was away for longer than we wait.
        StoreRefusedError: The store refuses the object to us.
    """
    try:
        return work()
    except RasterioError as error:
        if not remote(href):
            raise
        return _again(work, error, href=href, forget=forget)


def remote(href: str) -> bool:
    """Whether a file is behind a network."""
    return _S3 in href or _CURL in href


def _again(work: Callable[[], T], error: RasterioError, *, href: str, forget: Callable[[], None]) -> T:
    bucket = bucket_of(href)
    options = store_options(bucket)
    call = PatientCall(service=f"s3://{bucket}" if bucket else _host(href), seconds=options.patience)
    tries = 0
    while True:
        tries += 1
        forget()
        # A signature may have ended: its address is looked up again, once.
        fresh = not bucket and forget_address(href) and tries == 1
        away = _AWAY.search(words(error))
        if bucket and not _there(href, bucket=bucket):
            raise error
        if not away and (not bucket or tries >= _TRIES) and not fresh:
            raise error
        if not call.wait(away[0] if away else "a read failed"):
            if away is None:
                raise error
            msg = f"{call.service} was away for {options.patience:.0f} s ({_place(href)}: {away[0]})"
            raise ServiceError(msg) from error
        forget_sessions()
        try:
            with Env(CPL_VSIL_CURL_NON_CACHED=_curled(href)):
                found = work()
        except RasterioError as another:
            error = another
        else:
            call.answered()
            return found


def words(error: BaseException) -> str:
    """What an error says, and each of its causes: rasterio keeps GDAL's messages there."""
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(said) < 10:
        said.append(str(cause))
        cause = cause.__cause__ or cause.__context__
    return "; ".join(said)


def _there(href: str, *, bucket: str) -> bool:
    """Ask the store for a byte of the object; False when it has none of that name."""
    from swath.stores.s3 import S3Store  # noqa: PLC0415  loads boto3, which folders do without
    from swath.stores.s3_client import exists  # noqa: PLC0415

    store = S3Store(f"s3://{bucket}")
    return exists(store.client, bucket=store.name, key=_key(href, bucket=bucket))


def _key(href: str, *, bucket: str) -> str:
    """Key of the object behind a GDAL name, through archives too."""
    return href.partition(f"{_S3}{bucket}/")[2].partition("}")[0]


def _curled(href: str) -> str:
    """The remote file of a GDAL name as the option that forgets it wants it."""
    prefix = _S3 if _S3 in href else _CURL
    return prefix + href.partition(prefix)[2].partition("}")[0]


def _host(href: str) -> str:
    """Scheme and host of a ``/vsicurl/`` name; its query may hold a signature."""
    return "/".join(href.partition(_CURL)[2].split("/")[:3])


def _place(href: str) -> str:
    return href.partition("?")[0].partition("#")[0]
