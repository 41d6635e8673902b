"""One TIFF block: predictor, DEFLATE, and the frame that GDAL's COG readers use."""

from functools import lru_cache

import numpy as np
from imagecodecs import deflate_encode, delta_encode
from isal import isal_zlib
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK
from swath.product import Encoding

#: ISA-L level for files whose profile says DEFLATE 1: by measurement the fastest whose files stay within 2 % of GDAL's.
ISAL_LEVEL = 2
#: GDAL's LEVEL=6 is libdeflate's 7.
LIBDEFLATE_LEVEL = 7


def encode_block(pixels: NDArray[np.integer], encoding: Encoding) -> bytes:
    """Compress one full block.

    Args:
        pixels: Stored values, (BLOCK, BLOCK), contiguous.
        encoding: Says predictor and level.

    Returns:
        A zlib stream (TIFF compression 8), the same bytes for the same pixels.
    """
    if pixels.min() == pixels.max():
        return _constant_block(
            int(pixels.flat[0]), encoding.dtype, predictor=encoding.predictor, level=encoding.compression_level
        )
    return _compress(pixels, predictor=encoding.predictor, level=encoding.compression_level)


@lru_cache(maxsize=64)
def _constant_block(value: int, dtype: str, *, predictor: int, level: int) -> bytes:
    return _compress(np.full((BLOCK, BLOCK), value, dtype=dtype), predictor=predictor, level=level)


def _compress(pixels: NDArray[np.integer], *, predictor: int, level: int) -> bytes:
    # TIFF headers here say little-endian; an array of the other order would pass every validator with wrong pixels.
    plain = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    if predictor == 2:
        plain = delta_encode(plain, axis=-1)
    if level <= 1:
        return bytes(isal_zlib.compress(plain, ISAL_LEVEL))
    return bytes(deflate_encode(plain.tobytes(), level=LIBDEFLATE_LEVEL))


def frame(block: bytes) -> bytes:
    """The block with GDAL's leader (its size) and trailer (its last four bytes again)."""
    return len(block).to_bytes(4, "little") + block + block[-4:]


def encode_rows(rows: NDArray[np.integer], encoding: Encoding) -> list[bytes]:
    """One row of blocks from up to ``BLOCK`` full-width pixel rows; edges are filled with nodata or 0.

    Args:
        rows: Stored values, (y <= BLOCK, x).
        encoding: How to compress.

    Returns:
        Unframed blocks from left to right.
    """
    height, width = rows.shape
    fill = encoding.nodata if encoding.nodata is not None else 0
    encoded = []
    for left in range(0, width, BLOCK):
        part = rows[:, left : left + BLOCK]
        if part.shape != (BLOCK, BLOCK):
            block = np.full((BLOCK, BLOCK), fill, dtype=rows.dtype)
            block[:height, : part.shape[1]] = part
        else:
            block = np.ascontiguousarray(part)
        encoded.append(encode_block(block, encoding))
    return encoded
