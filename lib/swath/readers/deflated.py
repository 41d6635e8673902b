"""Bands of local, tiled GeoTIFFs with DEFLATE, read past GDAL: it says where a block lies, libdeflate decodes it.

That takes two thirds of the time of GDAL's own path, and little memory: of a band only those blocks are kept, or their last
rows, that windows still to come may ask for. Whatever is unusual (other layouts, absent blocks, bytes that do not decode) is
left to GDAL.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
import rasterio
from imagecodecs import DeflateError, deflate_decode
from isal import isal_zlib
from isal.isal_zlib import IsalError
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.grid import Window

#: Rows and columns that a window may have in common with one before.
_OVERLAP: Final = 64
#: Blocks of which a window needs no more rows from the top than one in so many are decoded as far as that, and not kept.
_PREFIX: Final = 8
#: Larger blocks and rows of blocks are left to GDAL, which decodes them window by window [bytes].
_LARGEST_BLOCK, _LARGEST_ROW = 16 << 20, 64 << 20
_TYPES: Final = ("uint8", "uint16", "int16")


@dataclass(frozen=True, slots=True)
class _Block:
    """A decoded block from its row ``first`` on, (y, x)."""

    values: NDArray[Any]
    first: int = 0


class DeflatedBand:
    """One band of one file; windows go across the scene, then down.

    Args:
        dataset: The file as GDAL opened it; it must stay open.
        index: Of the band, from 1.
        file: The same file.
    """

    def __init__(self, dataset: rasterio.DatasetReader, index: int, *, file: BinaryIO) -> None:
        self._dataset, self._index, self._file = dataset, index, file
        self._block = dataset.block_shapes[index - 1]
        self._differences = dataset.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR", "1") == "2"
        self._dtype = np.dtype(dataset.dtypes[index - 1])
        self._kept: dict[tuple[int, int], _Block] = {}

    @classmethod
    def of(cls, dataset: rasterio.DatasetReader, index: int) -> Self | None:
        """The band, or None where only GDAL's own path will do."""
        structure, own = dataset.tags(ns="IMAGE_STRUCTURE"), dataset.tags(index, ns="IMAGE_STRUCTURE")
        dtype, (height, width) = dataset.dtypes[index - 1], dataset.block_shapes[index - 1]
        usual = (
            dataset.driver == "GTiff"
            # Tiles; strips are left to GDAL.
            and height % 16 == width % 16 == 0
            and structure.get("COMPRESSION") == "DEFLATE"
            and structure.get("PREDICTOR", "1") in {"1", "2"}
            and (dataset.count == 1 or structure.get("INTERLEAVE") == "BAND")
            and dtype in _TYPES
            and "NBITS" not in own
        )
        size = np.dtype(dtype).itemsize * height if usual else 0
        if not usual or size * width > _LARGEST_BLOCK or size * (dataset.width + width) > _LARGEST_ROW:
            return None
        try:
            file = Path(dataset.name).open("rb")  # noqa: SIM115 (open as long as the band)
        except OSError:
            return None
        if file.read(2) != b"II":
            file.close()
            return None
        return cls(dataset, index, file=file)

    def read(self, window: Window) -> NDArray[Any] | None:
        """Pixels of a window, (y, x); None where a block is absent or cannot be decoded, or beyond the edge of the file."""
        if min(window.row, window.col) < 0 or window.row_stop > self._dataset.height or window.col_stop > self._dataset.width:
            return None
        pixels = np.empty(window.shape, dtype=self._dtype)
        height, width = self._block
        for row in range(window.row // height, -(-window.row_stop // height)):
            for column in range(window.col // width, -(-window.col_stop // width)):
                place = Window(row * height, column * width, height, width).clip(window)
                block = self._decoded(row, column, stop=place.row_stop - row * height, start=place.row - row * height)
                if block is None:
                    return None
                top, left = place.row - row * height - block.first, place.col - column * width
                pixels[window.slices_of(place)] = block.values[top : top + place.height, left : left + place.width]
        self._forget(window)
        return pixels

    @property
    def kept_pixels(self) -> int:
        """How many are held for windows to come."""
        return sum(b.values.size for b in self._kept.values())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _decoded(self, row: int, column: int, *, start: int, stop: int) -> _Block | None:
        """A block with its rows ``start`` to ``stop``; None where that cannot be had."""
        kept = self._kept.get((row, column))
        if kept is not None and kept.first <= start:
            return kept
        data = self._data(row, column)
        rows = stop if stop * _PREFIX <= self._block[0] else self._block[0]
        values = self._values(data, rows=rows) if data is not None else None
        if values is None:
            return None
        if self._differences:
            _add_up(values)
        block = _Block(values)
        if rows == self._block[0]:
            self._kept[row, column] = block
        return block

    def _data(self, row: int, column: int) -> bytes | None:
        """A block as it is stored."""
        where = [self._dataset.get_tag_item(f"BLOCK_{n}_{column}_{row}", "TIFF", bidx=self._index) for n in ("OFFSET", "SIZE")]
        if None in where:
            return None
        offset, size = (int(w) for w in where)
        if not 0 < size <= 2 * self._block[0] * self._block[1] * self._dtype.itemsize + 1024:
            return None
        try:
            return os.pread(self._file.fileno(), size, offset)
        except OSError:
            return None

    def _values(self, data: bytes, *, rows: int) -> NDArray[Any] | None:
        """The first rows of a block, differences not added up yet."""
        values = np.empty((rows, self._block[1]), dtype=self._dtype)
        if rows < self._block[0]:
            try:
                found = isal_zlib.decompressobj().decompress(data, values.nbytes)
            except IsalError:  # type: ignore[misc]  # the stub says that the class is an instance
                return None
            if len(found) != values.nbytes:
                return None
            values.reshape(-1)[:] = np.frombuffer(found, dtype=self._dtype)
            return values
        try:
            whole = deflate_decode(data, out=values.view(np.uint8).reshape(-1).data)
        except DeflateError:
            return None
        return values if len(whole) == values.nbytes else None

    def _forget(self, window: Window) -> None:
        """Keep of the blocks met so far what the next window on the right, or one of the next row of windows, may ask for."""
        height, width = self._block
        for (row, column), block in list(self._kept.items()):
            bottom, right = (row + 1) * height, (column + 1) * width
            met = column * width < window.col_stop
            if not met or _needed(right, stop=window.col_stop, size=self._dataset.width):
                continue
            below = row * height < window.row_stop and _needed(bottom, stop=window.row_stop, size=self._dataset.height)
            if not below:
                del self._kept[row, column]
            elif bottom < window.row_stop and not block.first:
                self._kept[row, column] = _Block(block.values[-_OVERLAP:].copy(), height - min(_OVERLAP, height))


def _needed(edge: int, *, stop: int, size: int) -> bool:
    """Whether windows after one that ends at ``stop`` may ask for what ends at ``edge``: not when both end in one place."""
    return stop < size and edge > stop - _OVERLAP and edge != stop


@compiled
def _add_up(values: NDArray[Any]) -> None:
    """Undo predictor 2 in place."""
    for y in range(values.shape[0]):
        row = values[y]
        total = 0
        for x in range(row.size):
            total += row[x]
            row[x] = total
