"""The header of a cloud-optimised TIFF: IFDs taken from a twin that GDAL writes, with our own sizes and offsets."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetWriter, MemoryFile
from rasterio.transform import Affine

from swath.algo.overviews import BLOCK
from swath.grid import Grid
from swath.product import Encoding, Statistics

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LONG, _LONG8 = 4, 16
_SUBFILE, _WIDTH, _HEIGHT, _OFFSETS, _BYTE_COUNTS = 254, 256, 257, 324, 325
#: Georeferencing and metadata: only the full-resolution IFD has them.
_MAIN_ONLY = frozenset({33550, 33922, 34264, 34735, 34736, 34737, 42112})
_GHOST_BODY = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_GHOST_BODY) + _GHOST_BODY
#: Classic TIFF addresses this many bytes, less what a header takes besides its tables of blocks.
CLASSIC_LIMIT = 2**32 - 2**16


@dataclass(frozen=True, slots=True)
class Tag:
    """One entry of an IFD, its value as little-endian bytes."""

    code: int
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffLevel:
    """Full resolution or an overview: its size and its blocks' compressed sizes in row order."""

    height: int
    width: int
    sizes: NDArray[np.uint32]

    @property
    def framed_bytes(self) -> int:
        """Bytes that the framed blocks take."""
        return int(self.sizes.astype(np.int64).sum()) + 8 * self.sizes.size

    @property
    def table_bytes(self) -> int:
        """Bytes that the offsets and sizes of its blocks take in a classic header."""
        return 8 * self.sizes.size


def twin_tags(
    grid: Grid, encoding: Encoding, *, statistics: Statistics, description: str, tags: Mapping[str, str], big: bool
) -> tuple[Tag, ...]:
    """Let GDAL write a sparse one-block file of the same profile, and return its IFD."""
    with MemoryFile() as memory:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), memory.open(
            driver="GTiff", height=BLOCK, width=BLOCK, count=1, dtype=encoding.dtype, nodata=encoding.nodata,
            crs=rasterio.CRS.from_user_input(grid.crs), transform=Affine(*grid.transform), tiled=True,
            blockxsize=BLOCK, blockysize=BLOCK, compress="DEFLATE", predictor=encoding.predictor, sparse_ok=True,
            bigtiff="YES" if big else "NO", interleave="pixel",
            photometric="PALETTE" if encoding.categories else "MINISBLACK",
        ) as dataset:  # fmt: skip
            describe(dataset, encoding, statistics=statistics, description=description, tags=tags)
        return parse(bytes(memory.getbuffer()))


def describe(
    dataset: DatasetWriter, encoding: Encoding, *, statistics: Statistics, description: str, tags: Mapping[str, str]
) -> None:
    """Let a dataset in the making say what its numbers mean."""
    dataset.set_band_description(1, description)
    if encoding.scale != 1.0:
        dataset.scales = (encoding.scale,)
        dataset.offsets = (0.0,)
    dataset.units = (encoding.unit,)
    if encoding.categories:
        dataset.write_colormap(1, {c.value: (*c.rgb, 255) for c in encoding.categories})
    dataset.update_tags(**tags)
    dataset.update_tags(1, **gdal_statistics(statistics))


def gdal_statistics(statistics: Statistics) -> dict[str, str]:
    """Band metadata that GDAL reads as statistics of the stored values."""
    if statistics.valid == 0 or statistics.mean is None or statistics.standard_deviation is None:
        return {"STATISTICS_VALID_PERCENT": "0"}
    return {
        "STATISTICS_MINIMUM": str(statistics.minimum),
        "STATISTICS_MAXIMUM": str(statistics.maximum),
        "STATISTICS_MEAN": f"{statistics.mean:.15g}",
        "STATISTICS_STDDEV": f"{statistics.standard_deviation:.15g}",
        "STATISTICS_VALID_PERCENT": f"{100.0 * statistics.valid / statistics.count:.4g}",
    }


def parse(data: bytes | mmap) -> tuple[Tag, ...]:
    """The tags of the first IFD of a little-endian TIFF or BigTIFF."""
    big = data[2] == 43
    entry, inline = (20, 8) if big else (12, 4)
    first = struct.unpack_from("<Q" if big else "<I", data, 8 if big else 4)[0]
    number = struct.unpack_from("<Q" if big else "<H", data, first)[0]
    start = first + (8 if big else 2)
    tags = []
    for i in range(number):
        at = start + i * entry
        code, kind = struct.unpack_from("<HH", data, at)
        count = struct.unpack_from("<Q" if big else "<I", data, at + 4)[0]
        size, where = _SIZES[kind] * count, at + entry - inline
        if size > inline:
            where = struct.unpack_from("<Q" if big else "<I", data, where)[0]
        tags.append(Tag(code, kind, count, data[where : where + size]))
    return tuple(tags)


def header(tags: tuple[Tag, ...], levels: tuple[TiffLevel, ...], *, big: bool) -> bytes:
    """Everything before the blocks.

    Args:
        tags: The twin's IFD.
        levels: Full resolution first, then overviews from fine to coarse.
        big: BigTIFF.

    Returns:
        The file's first bytes. Blocks follow it, framed: the coarsest overview first, full resolution last.
    """
    length = len(_render(tags, levels, big=big, data_at=0))
    return _render(tags, levels, big=big, data_at=length)


def _render(tags: tuple[Tag, ...], levels: tuple[TiffLevel, ...], *, big: bool, data_at: int) -> bytes:
    first = (16 if big else 8) + len(GHOST)
    first += first % 2
    start = struct.pack("<2sHHHQ", b"II", 43, 8, 0, first) if big else struct.pack("<2sHI", b"II", 42, first)
    out = bytearray(start + GHOST)
    offsets = _offsets(levels, data_at=data_at)
    for number, level in enumerate(levels):
        last = number == len(levels) - 1
        out += _ifd(_level_tags(tags, level, main=number == 0, offsets=offsets[number], big=big), at=len(out), last=last, big=big)
    return bytes(out)


def _offsets(levels: tuple[TiffLevel, ...], *, data_at: int) -> list[NDArray[np.uint64]]:
    starts: list[NDArray[np.uint64]] = []
    for level in reversed(levels):
        spans = level.sizes.astype(np.uint64) + np.uint64(8)
        ends = np.cumsum(spans, dtype=np.uint64)
        starts.append(np.uint64(data_at) + ends - spans + np.uint64(4))
        data_at += level.framed_bytes
    return starts[::-1]


def _level_tags(tags: tuple[Tag, ...], level: TiffLevel, *, main: bool, offsets: NDArray[np.uint64], big: bool) -> list[Tag]:
    wide = _LONG8 if big else _LONG
    ours = {
        _WIDTH: Tag(_WIDTH, _LONG, 1, struct.pack("<I", level.width)),
        _HEIGHT: Tag(_HEIGHT, _LONG, 1, struct.pack("<I", level.height)),
        _OFFSETS: Tag(_OFFSETS, wide, offsets.size, offsets.astype("<u8" if big else "<u4").tobytes()),
        _BYTE_COUNTS: Tag(_BYTE_COUNTS, _LONG, level.sizes.size, level.sizes.astype("<u4").tobytes()),
    }
    if not main:
        ours[_SUBFILE] = Tag(_SUBFILE, _LONG, 1, struct.pack("<I", 1))
    kept = {t.code: t for t in tags if main or t.code not in _MAIN_ONLY}
    return sorted({**kept, **ours}.values(), key=lambda t: t.code)


def _ifd(tags: list[Tag], *, at: int, last: bool, big: bool) -> bytes:
    entry, inline, counter = (20, 8, "<Q") if big else (12, 4, "<H")
    pointer = "<Q" if big else "<I"
    pad = at % 2
    at += pad
    body_at = at + struct.calcsize(counter) + entry * len(tags) + inline
    entries, body = bytearray(), bytearray()
    for tag in tags:
        entries += struct.pack("<HH", tag.code, tag.kind) + struct.pack(pointer, tag.count)
        if len(tag.value) <= inline:
            entries += tag.value.ljust(inline, b"\0")
        else:
            entries += struct.pack(pointer, body_at + len(body))
            body += tag.value + b"\0" * (len(tag.value) % 2)
    follow = 0 if last else body_at + len(body)
    return b"\0" * pad + struct.pack(counter, len(tags)) + bytes(entries) + struct.pack(pointer, follow) + bytes(body)
