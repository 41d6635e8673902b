"""A file behind an http address: what the address leads to, and its bytes by ranges."""

import io
import os
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from swath.readers.files.fetch import Ask, FetchError, answer_to
from swath.readers.files.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer
    from requests import Response

CURL: Final = "/vsicurl/"
#: Headers of a question for bytes as they are stored.
RAW: Final = {"Accept-Encoding": "identity"}
PARTIAL: Final = 206
_TRIES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a file's address leads to now.

    Args:
        asked: The address that led here.
        url: Signed URL of the last redirect.
        headers: Request headers.
        hosts: Hosts that may be contacted.
        size: Bytes.
        version: Server's version of the bytes: a strong ETag, else the time of the last change; empty if neither is stated.
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
        headers = {**self._found.headers, **RAW, "Range": f"bytes={self._at}-{end}"}
        response = answer_to(Ask(url=self._found.url, hosts=self._found.hosts, headers=headers))
        if response.status_code != PARTIAL and self._at:
            response.close()
            msg = f"{self._found.url} sent the whole file where a part was asked for"
            raise FetchError(msg)
        self._stream, self._stream_at = response, self._at

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
