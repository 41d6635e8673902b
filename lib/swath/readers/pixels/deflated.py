"""Blocks of local GeoTIFFs with DEFLATE, read past GDAL: GDAL gives the offset of a block, libdeflate decodes it.

That takes two thirds of the time of GDAL's own path. Whatever is unusual (other layouts, absent blocks) is left to GDAL; a block
that is not what its checksum says is not, for GDAL looks at no checksum and would give wrong pixels.
"""

import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
import rasterio
from imagecodecs import DeflateError, deflate_decode
from isal import isal_zlib
from isal.isal_zlib import IsalError
from numpy.typing import NDArray

from swath.compiled import compiled

#: Blocks of which no more rows from the top are asked for than one in so many are decoded as far as that.
_PREFIX: Final = 8
#: Larger blocks are left to GDAL, which decodes them window by window [bytes].
LARGEST_BLOCK: Final = 16 << 20
_TYPES: Final = ("uint8", "uint16", "int16")


class DeflatedBand:
    """Decodes blocks of one band of one file.

    Args:
        dataset: The file as GDAL opened it; it must stay open.
        index: Index of the band, from 1.
        file: The same file.
    """

    def __init__(self, dataset: rasterio.DatasetReader, index: int, *, file: BinaryIO) -> None:
        #: What is wrong with the file's bytes, once that is known.
        self.damage = ""
        self._dataset, self._index, self._file = dataset, index, file
        self._block = dataset.block_shapes[index - 1]
        self._differences = dataset.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR", "1") == "2"
        self._dtype = np.dtype(dataset.dtypes[index - 1])

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
        if not usual or size * width > LARGEST_BLOCK:
            return None
        try:
            file = Path(dataset.name).open("rb")  # noqa: SIM115 (open as long as the band)
        except OSError:
            return None
        if file.read(2) != b"II":
            file.close()
            return None
        return cls(dataset, index, file=file)

    def decode(self, row: int, columns: tuple[int, int], *, rows: int) -> NDArray[Any] | None:
        """As ``kept_blocks.Decode`` has it; None where a block is absent or damaged."""
        count = rows if rows * _PREFIX <= self._block[0] else self._block[0]
        decoded = []
        for column in range(*columns):
            data = self._data(row, column)
            values = self._values(data, rows=count) if data is not None else None
            if values is None:
                why = _damage(data, size=self._block[0] * self._block[1] * self._dtype.itemsize) if data is not None else ""
                self.damage = why and f"block {column}, {row} of band {self._index}: {why}"
                return None
            if self._differences:
                add_up(values)
            decoded.append(values)
        return decoded[0] if len(decoded) == 1 else np.concatenate(decoded, axis=1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

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


def _damage(data: bytes, *, size: int) -> str:
    """Why a stream cannot be what was written; empty when it is whole, or only larger than ``size`` bytes."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, size + 1)
    except zlib.error as error:
        return str(error)
    return "" if stream.eof or len(found) > size else f"it ends after {len(found)} of {size} bytes"


@compiled
def add_up(values: NDArray[Any]) -> None:
    """Undo predictor 2 of rows, (y, x), in place: sums that wrap around."""
    for y in range(values.shape[0]):
        row = values[y]
        total = 0
        for x in range(row.size):
            total += row[x]
            row[x] = total
