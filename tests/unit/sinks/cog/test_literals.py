"""Streams of literals alone: whatever is in a block, three decoders give it back; the code is the best there is."""

import heapq
import zlib
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagecodecs import zlib_decode
from isal import isal_zlib
from numpy.typing import NDArray

from swath.sinks.cog import literals

BLOCK = 512
DTYPES = ("int16", "uint16", "uint8")


def _noise(sigma: float, *, dtype: str, seed: int = 0) -> NDArray[np.integer]:
    random = np.random.default_rng(seed)
    made: NDArray[np.integer] = np.rint(random.normal(0, sigma, (BLOCK, BLOCK))).astype(np.int64).astype(dtype)
    return made


def _counts(seed: int) -> NDArray[np.int64]:
    """Counts of bytes, from nearly equal to so far apart that Huffman's codes are too long."""
    random = np.random.default_rng(seed)
    return np.floor(random.random(256) * 2.0 ** random.uniform(0, random.uniform(0, 40), 256)).astype(np.int64)


def _decoded(stream: bytes) -> bytes:
    """What all decoders say, which GDAL and other readers use."""
    plain = zlib.decompress(stream)
    assert isal_zlib.decompress(stream) == plain
    assert bytes(zlib_decode(stream)) == plain
    return plain


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sigma", [0.0, 0.4, 30.0, 9000.0])
def test_three_decoders_give_a_block_back(sigma: float, dtype: str) -> None:
    block = _noise(sigma, dtype=dtype)
    assert _decoded(literals.encoded(block, literals.counted(block))) == block.tobytes()


@given(st.binary(min_size=4, max_size=400).map(lambda b: b[: len(b) // 4 * 4]), st.integers(0, 1 << 32))
def test_any_bytes_can_be_written_with_any_counts(data: bytes, seed: int) -> None:
    block = np.frombuffer(data, dtype="<i2")
    given_counts = literals.ByteCounts(counts=_counts(seed), repeats=0, words=block.size)
    assert _decoded(literals.encoded(block, given_counts)) == data


def test_rows_that_are_not_counted_may_hold_bytes_that_the_others_lack() -> None:
    block = np.zeros((BLOCK, BLOCK), dtype=np.int16)
    block[1] = np.arange(BLOCK) * 127
    counts = literals.counted(block)
    assert (counts.repeats, counts.words) == (BLOCK * BLOCK // 4, BLOCK * BLOCK // 4)
    assert _decoded(literals.encoded(block, counts)) == block.tobytes()


@given(st.integers(0, 1 << 32))
def test_a_code_uses_all_room_and_no_length_is_too_long(seed: int) -> None:
    lengths = literals.code_lengths(_counts(seed)).astype(int)
    assert sum(1 << (literals.LONGEST - n) for n in lengths) == 1 << literals.LONGEST


@pytest.mark.parametrize("seed", range(5))
def test_codes_are_as_short_as_huffmans(seed: int) -> None:
    """Where no code of his is too long for us."""
    counts = np.random.default_rng(seed).integers(0, 60, 256)
    weights = [*(int(n) + 1 for n in counts), 1]
    order = count()
    queue = [(weight, next(order), 0) for weight in weights]
    heapq.heapify(queue)
    bits = 0
    while len(queue) > 1:
        (one, _, a), (other, _, b) = heapq.heappop(queue), heapq.heappop(queue)
        bits += one + other
        heapq.heappush(queue, (one + other, next(order), max(a, b) + 1))
    assert queue[0][2] <= literals.LONGEST
    assert int(literals.code_lengths(counts).astype(int) @ weights) == bits


def test_the_entropy_is_that_of_two_bytes() -> None:
    block = np.zeros((BLOCK, BLOCK), dtype=np.uint16)
    assert literals.counted(block).bits == 0.0
    block[:, ::2] = 0x0101
    assert literals.counted(block).bits == pytest.approx(2.0)
    block[...] = np.arange(BLOCK * BLOCK, dtype=np.uint16).reshape(BLOCK, BLOCK) * np.uint16(40503)
    assert literals.counted(block).bits == pytest.approx(16.0, abs=0.01)


def test_noise_is_written_within_two_percent_of_its_entropy() -> None:
    block = _noise(60.0, dtype="int16")
    counts = literals.counted(block)
    assert 8 * len(literals.encoded(block, counts)) / block.size < 1.02 * counts.bits
