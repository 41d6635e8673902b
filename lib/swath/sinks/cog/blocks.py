"""TIFF blocks: predictor, fill, and the frame that GDAL's COG readers use."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK
from swath.compiled import compiled
from swath.product import Encoding
from swath.sinks.cog.codec import compressed


@lru_cache(maxsize=64)
def _constant_block(value: int, *, dtype: str, predictor: int, level: int) -> bytes:
    plain: NDArray[np.integer] = np.full((BLOCK, BLOCK), value, dtype=dtype)
    if predictor == 2:
        plain[:, 1:] = 0
    return compressed(plain, level=level)


def frame(*blocks: bytes) -> list[bytes]:
    """Blocks with GDAL's leader (its size) and trailer (its last four bytes again), as pieces to write one after the other."""
    return [part for block in blocks for part in (len(block).to_bytes(4, "little"), block, block[-4:])]


def encode_rows(rows: NDArray[np.integer], encoding: Encoding) -> list[bytes]:
    """One row of blocks from up to ``BLOCK`` full-width pixel rows; edges are filled with nodata or 0.

    Args:
        rows: Stored values, (y <= BLOCK, x).
        encoding: Says predictor and level.

    Returns:
        Zlib streams (TIFF compression 8) from left to right, unframed: the same bytes for the same pixels.
    """
    native = np.ascontiguousarray(rows, dtype=rows.dtype.newbyteorder("="))
    fill = encoding.nodata if encoding.nodata is not None else 0
    block = np.empty_like(native, shape=(BLOCK, BLOCK))
    encoded = []
    for left in range(0, rows.shape[1], BLOCK):
        if _predict(native, left, encoding.predictor, fill, block):
            value: Any = native[0, left]
            encoded.append(
                _constant_block(int(value), dtype=encoding.dtype, predictor=encoding.predictor, level=encoding.compression_level)
            )
        else:
            encoded.append(compressed(block, level=encoding.compression_level))
    return encoded


@compiled
def _predict(  # noqa: PLR0917 (compiled functions take positions)
    rows: NDArray[np.integer], left: int, predictor: int, fill: int, block: NDArray[np.integer]
) -> bool:
    """Fill a block with the pixels from column ``left`` on, or (predictor 2) their differences; True when all are equal."""
    height, width = rows.shape[0], min(block.shape[1], rows.shape[1] - left)
    first = rows[0, left]
    constant = (height == block.shape[0] and width == block.shape[1]) or first == fill
    for y in range(height):
        row, out = rows[y, left : left + width], block[y]
        other = False
        for x in range(width):
            other |= row[x] != first
        constant &= not other
        if predictor == 2:
            out[0] = row[0]
            for x in range(1, width):
                out[x] = row[x] - row[x - 1]
        else:
            for x in range(width):
                out[x] = row[x]
        for x in range(width, block.shape[1]):
            out[x] = fill
        if predictor == 2 and width < block.shape[1]:
            out[width] = fill - row[width - 1]
            out[width + 1 :] = 0
    for y in range(height, block.shape[0]):
        block[y] = fill
        if predictor == 2:
            block[y, 1:] = 0
    return bool(constant)
