"""Files behind http addresses: what GDAL is given to open, and their bytes as a file that can be sought in."""

import io
import os
import re
import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from importlib import import_module
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast
from urllib.parse import urlsplit

from swath.errors import ReadError, SceneError, ServiceError
from swath.readers.files.fetch import BUSY, Ask, FetchError, answer_to, answered
from swath.readers.files.hosts import Hosts, host_of
from swath.readers.files.origin import is_newer, opened_by, origin_of
from swath.readers.files.signing import signed
from swath.redaction import without_query
from swath.scene import Delivered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer
    from requests import Response

CURL: Final = "/vsicurl/"
#: What an address leads to is looked up again after so long [s].
_GOOD_S: Final = 600.0
_MOST_KNOWN: Final = 256
#: A server without ranges sends whole files: those are kept, this many of at most so many bytes.
_MOST_COPIES: Final = 16
MOST_COPIED: Final = 4 << 30
_TRIES: Final = 4
_BUFFER: Final = 1 << 16
_PARTIAL, _NO_SUCH_RANGE = 206, 416
_NAME = re.compile(r"/vsicurl/(https?://[^{}]+)")
_RAW: Final = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a file's address leads to now.

    Args:
        asked: The address that led here.
        url: Signed URL of the last redirect.
        headers: For it.
        hosts: That may be asked.
        size: Bytes.
        version: What the server calls these bytes: a strong ETag, else when they were last changed; empty where it says neither.
        until: Good so long, in seconds since the epoch.
        copy: The whole file, where the server sends no parts of it.
    """

    asked: str = field(repr=False)
    url: str = field(repr=False)
    headers: "Mapping[str, str]" = field(repr=False)
    hosts: Hosts
    size: int
    version: str = ""
    until: float
    copy: IO[bytes] | None = None

    @property
    def gdal_name(self) -> str:
        """What GDAL opens."""
        # Unlinked already: it goes with this process, however that ends.
        return f"/proc/self/fd/{self.copy.fileno()}" if self.copy is not None else f"{CURL}{self.url}"


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
        ReadError: As ``openable_remote``.
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
        ReadError: As ``openable_remote``.
    """
    found = reached(name)
    if found.copy is not None:
        return cast("BinaryIO", open(found.gdal_name, "rb"))  # noqa: PTH123  the caller closes it
    return cast("BinaryIO", io.BufferedReader(RemoteFile(found), _BUFFER))


class RemoteFile(io.RawIOBase):
    """Bytes by ranges: a look here and there asks for what is wanted, reading on is one stream."""

    def __init__(self, found: Reached) -> None:
        super().__init__()
        self._found = found
        self._at = self._stream_at = 0
        self._stream: Response | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._found.size}[whence]
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer, as far as one answer goes."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._found.size - self._at)
        if wanted <= 0:
            return 0
        data = self._read(wanted)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Leave the stream."""
        self._leave()
        super().close()

    def _read(self, wanted: int) -> bytes:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415  with requests

        told = ""
        for attempt in range(_TRIES):
            try:
                if self._stream is None or self._stream_at != self._at:
                    self._ask(wanted, sequential=bool(attempt) or self._stream_at == self._at)
                data = bytes(self._stream.raw.read(wanted)) if self._stream is not None else b""
            except HTTPError as error:
                told, data = str(error), b""
            if data:
                self._stream_at = self._at + len(data)
                return data
            self._leave()
        msg = f"{self._found.url} broke off at byte {self._at} of {self._found.size}{f': {told}' if told else ''}"
        raise FetchError(msg)

    def _ask(self, wanted: int, *, sequential: bool) -> None:
        self._leave()
        end = "" if sequential and self._at else str(self._at + wanted - 1)
        headers = {**self._found.headers, **_RAW, "Range": f"bytes={self._at}-{end}"}
        response = answer_to(Ask(url=self._found.url, hosts=self._found.hosts, headers=headers))
        if response.status_code != _PARTIAL and self._at:
            response.close()
            msg = f"{self._found.url} sent the whole file where a part was asked for"
            raise FetchError(msg)
        self._stream, self._stream_at = response, self._at

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _looked_up(name: str) -> Reached:
    origin = origin_of(name)
    opened = signed(origin.url, hosts=origin.hosts)
    ask = Ask(url=opened.url, hosts=origin.hosts, headers={**opened.headers, **_RAW, "Range": "bytes=0-0"})
    until = min(opened.until or float("inf"), time.time() + _GOOD_S)
    try:
        with answered(ask) as response:
            url = str(response.url)
            headers = dict(opened.headers) if host_of(url) == host_of(opened.url) else {}
            hosts = origin.hosts
            version = _version(response)
            if response.status_code == _PARTIAL:
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
    """Of the whole file, by the answer to a part of it (RFC 9110, 14.4)."""
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
