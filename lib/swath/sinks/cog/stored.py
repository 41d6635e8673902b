"""Read back what was stored in a published file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from imagecodecs import zlib_decode
from isal import isal_zlib
from numpy.typing import NDArray
from rasterio.windows import Window

from swath.algo.overviews import BLOCK
from swath.sinks.cog.tiff import parse
from swath.stores.base import Store

_WIDTH, _HEIGHT, _BITS, _PREDICTOR, _FORMAT, _OFFSETS, _BYTE_COUNTS = 256, 257, 258, 317, 339, 324, 325
_UNSIGNED, _DIFFERENCES = 1, 2
#: Blocks of which no more rows than one in so many belong to the image are decoded as far as that.
_PREFIX = 8
_INTEGERS = {3: "<u2", 4: "<u4", 16: "<u8"}
#: Bits and sample format of the types that swath stores.
_KINDS = {(8, 1): "<u1", (16, 1): "<u2", (16, 2): "<i2"}
#: Tags that our files have with one value: compression, samples, width and length of a block.
_OURS = {259: 8, 277: 1, 322: BLOCK, 323: BLOCK}
#: Rows of one block.
_ROWS = 512


@contextmanager
def stored_raster(path: str, *, store: Store) -> Iterator[rasterio.DatasetReader]:
    """A published raster, open. Its bytes come through the store, with its credentials and certificates."""
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        store.open(path) as file,
        rasterio.open(file, driver="GTiff") as source,
    ):
        yield source


def stored_rows(path: str, *, store: Store) -> Iterator[NDArray[np.integer]]:
    """Stored values, (y, x), a row of blocks at a time."""
    with stored_raster(path, store=store) as source:
        yield from _rows(source)


def rows_of(data: bytes) -> Iterator[NDArray[np.integer]] | None:
    """Stored values of a file of ours, (y, x), a row of blocks at a time, without GDAL; None where only GDAL's way will do.

    GDAL takes some milliseconds to open a small file, which is most of what reading it costs.

    Args:
        data: All bytes of the file.
    """
    if data[:2] != b"II":
        return None
    tags = {t.code: np.frombuffer(t.value, _INTEGERS[t.kind]) for t in parse(data) if t.kind in _INTEGERS}
    one = {code: int(values[0]) for code, values in tags.items() if values.size}
    kind = _KINDS.get((one.get(_BITS, 1), one.get(_FORMAT, _UNSIGNED)))
    if kind is None or any(one.get(code, value) != value for code, value in _OURS.items()) or not _OURS.keys() <= one.keys():
        return None
    return _decoded(data, tags, dtype=np.dtype(kind), differences=one.get(_PREDICTOR) == _DIFFERENCES)


def _decoded(
    data: bytes, tags: Mapping[int, NDArray[np.unsignedinteger]], *, dtype: np.dtype[np.integer], differences: bool
) -> Iterator[NDArray[np.integer]]:
    width, height = int(tags[_WIDTH][0]), int(tags[_HEIGHT][0])
    across = -(-width // BLOCK)
    blocks = list(zip(tags[_OFFSETS].tolist(), tags[_BYTE_COUNTS].tolist(), strict=True))
    for number, top in enumerate(range(0, height, BLOCK)):
        rows = min(BLOCK, height - top)
        row = [
            _block(data[at : at + size], dtype=dtype, shape=(rows, min(BLOCK, width - left)), differences=differences)
            for left, (at, size) in zip(range(0, width, BLOCK), blocks[number * across : (number + 1) * across], strict=True)
        ]
        yield np.concatenate(row, axis=1) if across > 1 else row[0]


def _block(data: bytes, *, dtype: np.dtype[np.integer], shape: tuple[int, int], differences: bool) -> NDArray[np.integer]:
    """The rows and columns of a block that belong to the image."""
    rows, columns = shape
    wanted = rows * BLOCK * dtype.itemsize
    # of an image with few rows a block is mostly filling, which need not be decoded
    few = rows * _PREFIX <= BLOCK
    stream = isal_zlib.decompressobj().decompress(data, wanted) if few else zlib_decode(data, out=BLOCK * BLOCK * dtype.itemsize)
    plain = np.frombuffer(stream, dtype, count=rows * BLOCK).reshape(rows, BLOCK)[:, :columns]
    return np.cumsum(plain, axis=1, dtype=dtype) if differences else plain


def stored_levels(one: Path, other: Path) -> Iterator[Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]]:
    """Two files of one shape side by side: for each level, full resolution first, their rows of blocks, (y, x)."""
    with rasterio.open(one) as source:
        levels = len(source.overviews(1))
    for level in range(levels + 1):
        wanted = {"overview_level": level - 1} if level else {}
        with rasterio.open(one, **wanted) as source, rasterio.open(other, **wanted) as beside:
            yield zip(_rows(source), _rows(beside), strict=True)


def _rows(source: rasterio.DatasetReader) -> Iterator[NDArray[np.integer]]:
    for row in range(0, source.height, _ROWS):
        rows: NDArray[np.integer] = source.read(1, window=Window(0, row, source.width, min(_ROWS, source.height - row)))
        yield rows
