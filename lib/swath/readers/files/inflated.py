"""Bytes of a file that may be compressed as a whole: catalogues keep items as ``.json.gz`` and ``.json.zst``."""

import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from swath.errors import ReadError
from swath.readers.archives.tars import compression_of
from swath.readers.files.href import open_bytes

_MAGIC_BYTES = 8


@contextmanager
def open_inflated(href: str) -> Iterator[BinaryIO]:
    """Open a file for reading what is in it; compression (gzip, bzip2, xz, zstd, lz4) is judged by its first bytes.

    Args:
        href: Address as ``gdal_href`` spells it.

    Raises:
        ReadError: The file cannot be opened, or its content is cut short or corrupt. What is read is for the caller to bound.
    """
    with open_bytes(href) as file:
        inflate = compression_of(file.read(_MAGIC_BYTES))
        file.seek(0)
        if inflate is None:
            yield file
            return
        try:
            yield inflate(file)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise ReadError(
                "a compressed file cannot be unpacked",
                expected="a whole file",
                got=f"{href}: {error}",
                remedy="Fetch it again; it may be cut short.",
            ) from error
