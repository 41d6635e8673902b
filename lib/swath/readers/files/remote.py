"""Files behind http addresses: what GDAL is given to open, and their bytes as a file that can be sought in."""

import io
import re
import tempfile
import time
from collections import OrderedDict
from importlib import import_module
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast
from urllib.parse import urlsplit

from swath.errors import ReadError, SceneError, ServiceError
from swath.readers.files.fetch import BUSY, Ask, FetchError, answered
from swath.readers.files.hosts import host_of
from swath.readers.files.origin import is_newer, opened_by, origin_of
from swath.readers.files.remote_file import CURL, PARTIAL, RAW, Reached, RemoteFile
from swath.readers.files.signing import signed
from swath.redaction import without_query
from swath.scene import Delivered

if TYPE_CHECKING:
    from requests import Response

#: What an address leads to is looked up again after so long [s].
_GOOD_S: Final = 600.0
_MOST_KNOWN: Final = 256
#: A server without ranges sends whole files: those are kept, this many of at most so many bytes.
_MOST_COPIES: Final = 16
MOST_COPIED: Final = 4 << 30
_BUFFER: Final = 1 << 16
_NO_SUCH_RANGE: Final = 416
_NAME = re.compile(r"/vsicurl/(https?://[^{}]+)")


_REACHED: OrderedDict[str, Reached] = OrderedDict()
#: The item that an address was last recalled by, and what it said.
_RECALLED: OrderedDict[str, tuple[str, str]] = OrderedDict()


def name_in(href: str) -> str:
    """The http address in a GDAL name, in an archive's too; empty without one."""
    found = _NAME.search(href)
    return found[1] if found else ""


def recall(scene: Delivered, href: str) -> None:
    """Let this process know what opens a file of a scene: another process, or another item with the file, may have been last."""
    name = name_in(href)
    if not name or scene.reader != "stac" or _RECALLED.get(name) == (scene.source_href, opened_by(name)):
        return
    # By name, as readers are found: files do not know readers.
    import_module(f"swath.readers.{scene.reader}.recall").recall(scene)
    _RECALLED[name] = (scene.source_href, opened_by(name))
    while len(_RECALLED) > _MOST_KNOWN:
        _RECALLED.popitem(last=False)


def openable_remote(href: str) -> str:
    """A GDAL name with what its http address leads to now.

    Raises:
        ReadError: The address is not answered, or its host was not named.
    """
    name = name_in(href)
    return href.replace(f"{CURL}{name}", reached(name).gdal_name)


def forget(href: str) -> bool:
    """Look an address up again: its signature may have ended. False when it is none of http."""
    return _REACHED.pop(name_in(href), None) is not None


def reached(name: str) -> Reached:
    """What an address leads to; asked once in a while.

    Raises:
        ReadError: The reasons are those of ``openable_remote``.
    """
    known = _REACHED.get(name)
    if known is None or known.until < time.time() or is_newer(name, known.asked):
        try:
            known = _REACHED[name] = _looked_up(name)
        except FetchError as error:
            if error.status in BUSY:
                msg = f"{host_of(name)} was away: {error}"
                raise ServiceError(msg) from error
            raise _unreadable(name, error) from error
        _make_room()
    _REACHED.move_to_end(name)
    return known


def open_remote(name: str) -> BinaryIO:
    """A file's bytes, seekable.

    Raises:
        ReadError: The reasons are those of ``openable_remote``.
    """
    found = reached(name)
    if found.copy is not None:
        return cast("BinaryIO", open(found.gdal_name, "rb"))  # noqa: PTH123  the caller closes it
    return cast("BinaryIO", io.BufferedReader(RemoteFile(found), _BUFFER))


def _looked_up(name: str) -> Reached:
    origin = origin_of(name)
    opened = signed(origin.url, hosts=origin.hosts)
    ask = Ask(url=opened.url, hosts=origin.hosts, headers={**opened.headers, **RAW, "Range": "bytes=0-0"})
    until = min(opened.until or float("inf"), time.time() + _GOOD_S)
    try:
        with answered(ask) as response:
            url = str(response.url)
            headers = dict(opened.headers) if host_of(url) == host_of(opened.url) else {}
            hosts = origin.hosts
            version = _version(response)
            if response.status_code == PARTIAL:
                size = _size(response)
                return Reached(asked=origin.url, url=url, headers=headers, hosts=hosts, size=size, version=version, until=until)
            copy, size = _copied(response)
            # The copy is the file: it does not end.
            return Reached(
                asked=origin.url, url=url, headers=headers, hosts=hosts, size=size, version=version, until=float("inf"), copy=copy
            )
    except FetchError as error:
        if error.status != _NO_SUCH_RANGE:
            raise
        return Reached(asked=origin.url, url=opened.url, headers=opened.headers, hosts=origin.hosts, size=0, until=until)


def stamp_of_remote(name: str) -> str | None:
    """What vouches for the bytes behind an address, by one request: length and ETag, or length and date; None where nothing does.

    Signatures and redirects are no part of it.
    """
    try:
        found = reached(name)
    except SceneError:  # who reads it tells why
        return None
    return f"{found.size}.{found.version}" if found.version else None


def _version(response: "Response") -> str:
    """A weak ETag may stay although bytes change (RFC 9110, 8.8.1): the date counts then."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def _size(response: "Response") -> int:
    """Size of the whole file [bytes], by the answer to a part of it (RFC 9110, 14.4)."""
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if not total.isdigit():
        msg = f"{response.url} does not say how large the file is"
        raise FetchError(msg)
    return int(total)


def _copied(response: "Response") -> tuple[IO[bytes], int]:
    """The whole file, where a server sends nothing else."""
    from requests.exceptions import RequestException  # noqa: PLC0415

    copy, size = tempfile.TemporaryFile(prefix="swath-"), 0  # noqa: SIM115  kept open
    try:
        for chunk in response.iter_content(1 << 20):
            size += copy.write(chunk)
            if size > MOST_COPIED:
                break
        copy.flush()
    except RequestException as error:
        copy.close()
        msg = f"{response.url} broke off after {size} bytes: {error}"
        raise FetchError(msg) from error
    if size > MOST_COPIED:
        copy.close()
        msg = f"{response.url} serves no ranges, and the whole file is larger than {MOST_COPIED >> 30} GiB"
        raise FetchError(msg)
    return copy, size


def _make_room() -> None:
    copies = [name for name, known in _REACHED.items() if known.copy is not None]
    old = [*copies[: max(len(copies) - _MOST_COPIES, 0)], *list(_REACHED)[: max(len(_REACHED) - _MOST_KNOWN, 0)]]
    for name in old:
        known = _REACHED.pop(name, None)
        if known is not None and known.copy is not None:
            known.copy.close()


def _unreadable(name: str, error: FetchError) -> SceneError:
    host = urlsplit(name).hostname
    remedy = "Check the address; tokens come from a signer, .netrc, or the item's own address."
    if error.refused:
        remedy = f"Name the host: search.hosts of the site, SWATH_HOSTS={host}, or hosts={host} in the search."
    return ReadError(
        "a file cannot be fetched",
        expected="an address that is answered",
        got=f"{without_query(name)}: {error}",
        remedy=remedy,
    )
