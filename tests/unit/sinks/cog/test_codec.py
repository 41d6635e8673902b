"""Which codec a block gets: by its own numbers, and by nothing else."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from imagecodecs import deflate_encode
from isal import igzip_lib
from numpy.typing import NDArray

from swath.product import REFLECTANCE
from swath.sinks.cog import literals
from swath.sinks.cog.blocks import encode_rows
from swath.sinks.cog.codec import compressed

RANDOM = np.random.default_rng(0)


def _differences(sigma: float, *, zeros: float = 0.0) -> NDArray[np.int16]:
    block = np.rint(RANDOM.normal(0, sigma, (512, 512))).astype(np.int16)
    block[RANDOM.random(block.shape) < zeros] = 0
    return block


def _by_literals(block: NDArray[np.int16]) -> bytes:
    return literals.encoded(block, literals.counted(block))


def _by_isal(block: NDArray[np.int16]) -> bytes:
    return bytes(igzip_lib.compress(block, 2, igzip_lib.COMP_ZLIB))


def _by_libdeflate(block: NDArray[np.int16]) -> bytes:
    return bytes(deflate_encode(block, level=1))  # type: ignore[arg-type]  # it takes any buffer


@pytest.mark.parametrize(
    ("block", "codec"),
    [
        pytest.param(_differences(60.0), _by_literals, id="noise"),
        pytest.param(_differences(400.0, zeros=0.05), _by_literals, id="noise and some repeats"),
        pytest.param(_differences(400.0, zeros=0.2), _by_isal, id="noise and many repeats"),
        pytest.param(_differences(4.0), _by_isal, id="smooth"),
        pytest.param(_differences(2.0, zeros=0.8), _by_libdeflate, id="repeats"),
    ],
)
def test_a_block_gets_the_codec_that_suits_it(block: NDArray[np.int16], codec: object) -> None:
    assert callable(codec)
    assert compressed(block, level=1) == codec(block)


def test_small_files_are_libdeflates() -> None:
    block = _differences(60.0)
    assert compressed(block, level=6) == bytes(deflate_encode(block, level=5))  # type: ignore[arg-type]  # see above


def test_a_block_is_the_same_bytes_in_any_window() -> None:
    """Noise, repeats and nodata side by side: each block is what it is alone."""
    stored = np.concatenate([np.cumsum(_differences(s, zeros=z), axis=1) for s, z in ((90, 0), (60, 0.5), (2, 0.9))], axis=1)
    stored = np.clip(stored, -9998, 32767).astype(np.int16)
    encoding = replace(REFLECTANCE, compression_level=1)
    together = encode_rows(stored, encoding)
    assert together == [encode_rows(stored[:, left : left + 512], encoding)[0] for left in (0, 512, 1024)]
    for number, stream in enumerate(together):
        plain = np.frombuffer(zlib.decompress(stream), np.int16).reshape(512, 512)
        np.testing.assert_array_equal(np.cumsum(plain, axis=1, dtype=np.int16), stored[:, 512 * number : 512 * (number + 1)])
