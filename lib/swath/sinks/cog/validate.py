"""Whether a file is a cloud-optimised GeoTIFF whose blocks decode."""

from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import rasterio
from imagecodecs import ZlibError, zlib_decode
from rasterio.errors import RasterioError
from rio_cogeo.cogeo import cog_validate

from swath.sinks.cog.tiff import parse

_COMPRESSION, _OFFSETS, _BYTE_COUNTS = 259, 324, 325
_DEFLATE = (8, 32946)
_INTEGERS = {3: "<u2", 4: "<u4", 16: "<u8"}


def problems_of(file: Path) -> list[str]:
    """What is wrong with a COG, in words; empty when nothing is.

    The layout is checked strictly, and every block is decoded: validators alone look at no pixel.
    """
    try:
        _, errors, warnings = cog_validate(file, strict=True, quiet=True)
        problems = [*errors, *warnings]
        with rasterio.open(file) as source:
            for _, window in source.block_windows(1):
                source.read(1, window=window)
    except RasterioError as error:
        return [f"cannot be read: {error.__cause__ or error}"]
    return problems or _broken_sums(file)


def _broken_sums(file: Path) -> list[str]:
    """Blocks of the full resolution whose checksum is wrong: GDAL stops at the last pixel and never looks at it."""
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as data:
        if data[:2] != b"II":
            return []
        tags = {t.code: np.frombuffer(t.value, _INTEGERS[t.kind]).tolist() for t in parse(data) if t.kind in _INTEGERS}
        if tags.get(_COMPRESSION, [0])[0] not in _DEFLATE:
            return []
        blocks = zip(tags.get(_OFFSETS, []), tags.get(_BYTE_COUNTS, []), strict=True)
        broken = sum(not _whole(data[at : at + size]) for at, size in blocks if size)
    return [f"cannot be read: {broken} blocks are damaged (their checksum is wrong)"] if broken else []


def _whole(block: bytes) -> bool:
    try:
        zlib_decode(block)
    except ZlibError:
        return False
    return True
