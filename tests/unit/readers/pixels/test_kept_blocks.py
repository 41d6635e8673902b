"""Windows by blocks: the right pixels in any order, nothing decoded twice, nothing kept that nobody will ask for."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.grid import Window
from swath.readers.pixels.kept_blocks import KeptBlocks

HEIGHT, WIDTH = 700, 333
WHOLE = Window(0, 0, HEIGHT, WIDTH)
PIXELS = np.random.default_rng(1).integers(0, 65_536, (HEIGHT, WIDTH)).astype(np.uint16)


@dataclass(slots=True)
class Source:
    """Blocks of an array, clipped at its edges; with ``prefix`` only the rows that are asked for."""

    side: int = 128
    prefix: bool = False
    decoded: list[tuple[int, int]] = field(default_factory=list)
    calls: int = 0
    broken: tuple[int, int] | None = None

    def decode(self, row: int, columns: tuple[int, int], *, rows: int) -> NDArray[Any] | None:
        found = [(row, column) for column in range(*columns)]
        self.decoded += found
        self.calls += 1
        if self.broken in found:
            return None
        count = rows if self.prefix else self.side
        return PIXELS[row * self.side : row * self.side + count, columns[0] * self.side : columns[1] * self.side]

    def blocks(self, *, together: bool = False) -> KeptBlocks:
        return KeptBlocks((HEIGHT, WIDTH), (self.side, self.side), dtype=PIXELS.dtype, decode=self.decode, together=together)


def _expected(window: Window) -> NDArray[Any]:
    return PIXELS[window.row : window.row_stop, window.col : window.col_stop]


def _walk(blocks: KeptBlocks, *, tall: int, wide: int, halo: int = 0) -> list[int]:
    """Read a whole band, and tell how many pixels were kept after each row of windows."""
    kept = []
    for row in range(0, HEIGHT, tall):
        for col in range(0, WIDTH, wide):
            window = Window(row, col, tall, wide).pad(halo).clip(WHOLE)
            np.testing.assert_array_equal(blocks.read(window), _expected(window))
        kept.append(blocks.kept_pixels)
    return kept


@settings(max_examples=60)
@given(
    windows=st.lists(
        st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, 300), st.integers(1, 300)),
        min_size=1, max_size=6,
    ),
    together=st.booleans(), prefix=st.booleans(),
)  # fmt: skip
def test_any_windows_in_any_order(windows: list[tuple[int, int, int, int]], *, together: bool, prefix: bool) -> None:
    blocks = Source(prefix=prefix).blocks(together=together)
    for asked in windows:
        window = Window(*asked).clip(WHOLE)
        np.testing.assert_array_equal(blocks.read(window), _expected(window))


@pytest.mark.parametrize(("tall", "wide"), [(128, 128), (256, 100), (64, 100), (100, 333), (700, 50)])
def test_no_block_is_decoded_twice(tall: int, wide: int) -> None:
    source = Source()
    assert _walk(source.blocks(), tall=tall, wide=wide)[-1] == 0
    assert sorted(source.decoded) == [(row, column) for row in range(6) for column in range(3)]


def test_a_halo_costs_the_first_rows_of_blocks_alone() -> None:
    source = Source(prefix=True)
    kept = _walk(source.blocks(), tall=128, wide=128, halo=2)
    # Each row of windows leaves the last rows of its blocks, not the blocks.
    assert kept == [*[WIDTH * 64] * 5, 0]
    whole = Source()
    assert max(_walk(whole.blocks(), tall=128, wide=128, halo=2)) == WIDTH * (64 + 128)


def test_whole_windows_leave_nothing() -> None:
    assert set(_walk(Source().blocks(), tall=256, wide=128)) == {0}


@pytest.mark.parametrize(("together", "calls"), [(True, 6), (False, 18)])
def test_neighbours_may_be_asked_for_at_once(*, together: bool, calls: int) -> None:
    source = Source()
    _walk(source.blocks(together=together), tall=128, wide=333)
    assert source.calls == calls


def test_only_what_is_missing_is_asked_for() -> None:
    source = Source()
    blocks = source.blocks(together=True)
    for col in (0, 100, 200):
        window = Window(0, col, 100, min(110, WIDTH - col))
        np.testing.assert_array_equal(blocks.read(window), _expected(window))
    assert source.decoded == [(0, 0), (0, 1), (0, 2)]


def test_beyond_the_edge_and_broken_blocks_there_is_nothing() -> None:
    blocks = Source(broken=(1, 1)).blocks()
    assert blocks.read(Window(0, 0, HEIGHT + 1, 1)) is None
    assert blocks.read(Window(0, WIDTH - 1, 1, 2)) is None
    assert blocks.read(Window(100, 100, 100, 100)) is None
    np.testing.assert_array_equal(blocks.read(Window(0, 0, 100, 100)), PIXELS[:100, :100])
