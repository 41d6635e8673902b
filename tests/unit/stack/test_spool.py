"""The stack of a strip: pixels are equal in memory and in a file, whole or piece by piece, in whatever numbers sources come."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.grid import Window
from swath.stack.packed import Plane, SourcePart
from swath.stack.spool import Spool

STRIP = Window(512, 0, 30, 300)


def packed(seed: int) -> SourcePart:
    """A source that covers a part of the strip: one band of its own type and scale, and one that was resampled."""
    random = np.random.default_rng(seed)
    window = (STRIP, Window(520, 7, 11, 90), Window(512, 250, 30, 50))[seed % 3]
    kind = (np.uint8, np.int16, np.uint16)[seed % 3]
    numbers: NDArray[np.integer] = random.integers(0, 200, window.shape).astype(kind)
    floats = random.normal(0.0, 1.0, window.shape).astype(np.float32)
    planes = (Plane(numbers=numbers, gain=2.75e-5 * (seed + 1), offset=-0.2), Plane(numbers=floats))
    return SourcePart(window=window, usable=random.random(window.shape) < 0.6, planes=planes)


def expected(sources: list[SourcePart | None]) -> NDArray[np.float32]:
    whole = np.full((len(sources), 2, *STRIP.shape), np.nan, dtype=np.float32)
    for into, source in zip(whole, sources, strict=True):
        for channel in range(2) if source is not None else ():
            assert source is not None
            plane = source.planes[channel]
            values = (plane.numbers.astype(np.float64) * plane.gain + plane.offset).astype(np.float32)
            into[(channel, *STRIP.slices_of(source.window))] = np.where(source.usable, values, np.nan)
    return whole


@pytest.mark.parametrize(("memory_mb", "copies"), [(512, 1), (1, 1), (1, 60)], ids=["memory", "file", "columns"])
def test_pieces_hold_what_was_put(tmp_path: Path, memory_mb: int, copies: int) -> None:
    sources = [*([None, packed(0), packed(1), packed(2), None, packed(3)] * copies), packed(4)]
    found = np.full((len(sources), 2, *STRIP.shape), np.nan, dtype=np.float32)
    seen = np.zeros(STRIP.shape, dtype=np.int64)
    with Spool(STRIP, channels=2, sources=len(sources), memory_mb=memory_mb, scratch=tmp_path) as spool:
        for source in sources:
            spool.put(source)
        for piece in spool.pieces():
            part = STRIP.slices_of(piece.window)
            seen[part] += 1
            for number, values in zip(piece.present, piece.stack, strict=True):
                found[(number, slice(None), *part)] = values
    assert (seen == 1).all()
    assert np.array_equal(found, expected(sources), equal_nan=True)
    assert not list(tmp_path.iterdir())


def test_thirty_times_as_many_sources_take_no_more_memory(tmp_path: Path) -> None:
    strip, peaks = Window(0, 0, 4, 300), {}
    numbers = np.ones(strip.shape, dtype=np.int16)
    one = SourcePart(window=strip, usable=numbers > 0, planes=(Plane(numbers=numbers), Plane(numbers=numbers)))
    for count in (10, 300):
        tracemalloc.start()
        with Spool(strip, channels=2, sources=count, memory_mb=1, scratch=tmp_path) as spool:
            for _ in range(count):
                spool.put(one)
            pixels = sum(piece.stack[0, 0].size for piece in spool.pieces())
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert pixels == strip.height * strip.width
    # What is said of each source is a kilobyte.
    assert peaks[300] < peaks[10] + 1_000_000
