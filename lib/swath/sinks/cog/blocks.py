"""TIFF blocks: predictor, DEFLATE, and the frame that GDAL's COG readers use."""

from functools import lru_cache
from typing import Any

import numpy as np
from imagecodecs import deflate_encode
from isal import igzip_lib
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK
from swath.compiled import compiled
from swath.product import Encoding

#: ISA-L level for files whose profile says DEFLATE 1: by measurement the fastest whose files stay within 2 % of GDAL's on
#: noisy bands. A smaller window (``hist_bits=12``) takes 0.7 of the time on the simulator's bands and 0.8 to 1.0 on real
#: ones, and makes files larger.
ISAL_LEVEL = 2
#: GDAL's LEVEL=6 is libdeflate's 7. Level 5 takes 0.4 to 0.6 of the time; differences of neighbours get 0.3 to 0.7 % larger,
#: class maps 8 to 36 %, which is next to nothing of a product.
LIBDEFLATE_LEVEL = 5


@lru_cache(maxsize=64)
def _constant_block(value: int, *, dtype: str, predictor: int, level: int) -> bytes:
    plain: NDArray[np.integer] = np.full((BLOCK, BLOCK), value, dtype=dtype)
    if predictor == 2:
        plain[:, 1:] = 0
    return _compressed(plain, level=level)


def _compressed(predicted: NDArray[np.integer], *, level: int) -> bytes:
    # TIFF headers here say little-endian; an array of the other order would pass every validator with wrong pixels.
    plain = predicted.astype(predicted.dtype.newbyteorder("<"), copy=False)
    if level <= 1:
        return bytes(igzip_lib.compress(plain, ISAL_LEVEL, igzip_lib.COMP_ZLIB))
    return bytes(deflate_encode(plain, level=LIBDEFLATE_LEVEL))  # type: ignore[arg-type]  # it takes any buffer


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
            encoded.append(_compressed(block, level=encoding.compression_level))
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
