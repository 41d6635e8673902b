"""How one block is compressed: a choice by its own numbers alone, so that equal pixels are equal bytes wherever they are made."""

import numpy as np
from imagecodecs import deflate_encode
from isal import igzip_lib
from numpy.typing import NDArray

from swath.sinks.cog import literals

#: ISA-L's level for what is neither noise nor repeats.
ISAL_LEVEL = 2
#: GDAL's LEVEL=6 is libdeflate's 7. Level 5 takes 0.4 to 0.6 of the time; differences of neighbours get 0.3 to 0.7 % larger,
#: class maps 8 to 36 %, which is next to nothing of a product.
LIBDEFLATE_LEVEL = 5
#: Entropy of two bytes [bits] below which libdeflate's level 1, which is GDAL's, is taken: thermal bands, 8-bit sensors,
#: blocks that are mostly nodata. ISA-L takes up to a fifth more bytes there.
PLAIN_BITS = 4.5
#: Entropy from which literals alone are taken: their files are at most 7 % larger than GDAL's then, and the less the more
#: noise there is (0.2 % at 13 bits).
NOISE_BITS = 9.0
#: Share of zeros, which are pixels that equal their neighbour, up to which literals alone are taken: matches make use of more.
REPEATS = 1 / 16


def compressed(block: NDArray[np.integer], *, level: int) -> bytes:
    """A zlib stream (TIFF compression 8) of a block.

    Args:
        block: Stored numbers or, with a predictor, their differences, (y, x).
        level: DEFLATE level of the file: 1 for fast, others for small.
    """
    # TIFF headers here say little-endian; an array of the other order would pass every validator with wrong pixels.
    plain = block.astype(block.dtype.newbyteorder("<"), copy=False)
    if level > 1:
        return bytes(deflate_encode(plain, level=LIBDEFLATE_LEVEL))  # type: ignore[arg-type]  # it takes any buffer
    counts = literals.counted(plain)
    bits = counts.bits
    if bits < PLAIN_BITS:
        return bytes(deflate_encode(plain, level=1))  # type: ignore[arg-type]  # as above
    if bits >= NOISE_BITS and counts.repeats <= REPEATS * counts.words:
        return literals.encoded(plain, counts)
    return bytes(igzip_lib.compress(plain, ISAL_LEVEL, igzip_lib.COMP_ZLIB))
