"""How long a TIFF must be at least: distinguishes a truncated file from a complete one without reading pixels.

Tags and layouts: TIFF 6.0 (Adobe, 1992) section 2, and the BigTIFF design (Aware Systems, libtiff 4).
"""

from dataclasses import dataclass
from struct import unpack
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

#: Bytes of one value of each TIFF field type.
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_UNSIGNED = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
_OFFSETS = (273, 324)  # StripOffsets, TileOffsets
_COUNTS = (279, 325)  # StripByteCounts, TileByteCounts
BLOCK_TAGS = frozenset((*_OFFSETS, *_COUNTS))
#: More entries than any directory of a delivery has; a hostile header must not make us read gigabytes.
_MAX_ENTRIES = 4096
_MAX_BLOCKS = 1 << 24
#: No file is longer; also what seek takes, and what sums of two still hold.
_MAX_OFFSET = 1 << 60


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes that differ between classic TIFF and BigTIFF, each with its code for ``struct``.

    Args:
        order: Byte order, as ``struct`` spells it.
        big: Whether it is a BigTIFF.
    """

    order: str
    big: bool

    @property
    def count(self) -> tuple[str, int]:
        """Number of a directory's entries."""
        return (f"{self.order}Q", 8) if self.big else (f"{self.order}H", 2)

    @property
    def entry(self) -> tuple[str, int]:
        """An entry: tag, type, number of values, and the value or its place."""
        return (f"{self.order}HHQQ", 20) if self.big else (f"{self.order}HHII", 12)

    @property
    def pointer(self) -> tuple[str, int]:
        """A place in the file."""
        return (f"{self.order}Q", 8) if self.big else (f"{self.order}I", 4)


def bytes_needed(file: BinaryIO) -> int:
    """Where the last of the first directory's values and blocks ends [bytes from the start].

    Args:
        file: A TIFF or BigTIFF, seekable.

    Raises:
        EOFError: Even the directory is cut off.
        ValueError: The directory is absurd.
    """
    layout = layout_of(exactly(file, at=0, size=4))
    pointer, pointer_size = layout.pointer
    (first,) = unpack(pointer, exactly(file, at=8 if layout.big else 4, size=pointer_size))
    count_code, count_size = layout.count
    (count,) = unpack(count_code, exactly(file, at=first, size=count_size))
    if count > _MAX_ENTRIES:
        msg = f"a directory with {count} entries"
        raise ValueError(msg)
    code, size = layout.entry
    entries = exactly(file, at=first + count_size, size=count * size)
    end, ends = first + count_size + count * size, dict[int, NDArray[np.uint64]]()
    for i in range(count):
        tag, kind, number, value = unpack(code, entries[i * size : (i + 1) * size])
        length = TYPE_BYTES.get(kind, 1) * number
        at = value if length > pointer_size else first + count_size + i * size + size - pointer_size
        end = max(end, at + length)
        if tag in BLOCK_TAGS:
            ends[tag] = _numbers(file, at=at, number=number, dtype=layout.order + _UNSIGNED.get(kind, "u4"))
    return int(max(end, *(_last(ends, pair) for pair in zip(_OFFSETS, _COUNTS, strict=True))))


def layout_of(magic: bytes) -> Layout:
    """The layout of a file that begins with these four bytes."""
    order = "<" if magic[:2] == b"II" else ">"
    (version,) = unpack(f"{order}H", magic[2:])
    return Layout(order, bool(version == 43))


def _last(ends: dict[int, NDArray[np.uint64]], pair: tuple[int, int]) -> int:
    if not all(tag in ends and ends[tag].size for tag in pair):
        return 0
    offsets, counts = ends[pair[0]], ends[pair[1]]
    if offsets.size != counts.size:
        msg = f"{offsets.size} block offsets but {counts.size} block sizes"
        raise ValueError(msg)
    if max(offsets.max(), counts.max()) > _MAX_OFFSET:
        return _MAX_OFFSET
    return int((offsets + counts).max())


def _numbers(file: BinaryIO, *, at: int, number: int, dtype: str) -> NDArray[np.uint64]:
    if number > _MAX_BLOCKS:
        msg = f"{number} blocks"
        raise ValueError(msg)
    kind = np.dtype(dtype)
    return np.frombuffer(exactly(file, at=at, size=number * kind.itemsize), kind).astype(np.uint64)


def exactly(file: BinaryIO, *, at: int, size: int) -> bytes:
    """Bytes from a place of a file.

    Raises:
        EOFError: The file ends before them.
    """
    if at > _MAX_OFFSET:
        msg = f"nothing at byte {at}"
        raise EOFError(msg)
    file.seek(at)
    data = file.read(size)
    if len(data) != size:
        msg = f"nothing at byte {at + len(data)}"
        raise EOFError(msg)
    return data
