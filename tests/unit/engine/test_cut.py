"""Strips and pieces: legal heights, and rows that line up on every grid."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.engine.cut import Cut, cut
from swath.engine.frame import Frame
from swath.errors import ConfigError, GeometryError
from swath.grid import Grid


def _grid(pixel_m: float, *, rows: int, columns: int = 10) -> Grid:
    return Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=pixel_m, dy=pixel_m, width=columns, height=rows)


def _frame(*grids: Grid) -> Frame:
    return Frame.around(grids[0], grids=grids)


def _check_partition(made: Cut, grid: Grid) -> None:
    """All pieces of all strips are all of the grid, from left to right, then down; strips begin at blocks."""
    row, col = 0, 0
    for number in range(made.strips):
        start, stop = made.rows_on(grid, made.strip(number))
        assert start == row
        assert start % 512 == 0 or start >= grid.height
        for window in made.pieces(number):
            found = made.window_on(grid, window)
            if found is None:
                continue
            assert (found.row, found.col) == (row, col)
            row, col = (found.row_stop, 0) if found.col_stop == grid.width else (row, found.col_stop)
        assert (row, col) == (stop, 0)
    assert row == grid.height


LANDSAT = _frame(_grid(30.0, rows=7811), _grid(15.0, rows=15621, columns=20))
SENTINEL = _frame(_grid(10.0, rows=10980, columns=60), _grid(20.0, rows=5490, columns=30), _grid(60.0, rows=1830))


@pytest.mark.parametrize("rows", [512, 1024, 2048, 7811, 9000])
def test_landsats_legal_heights_keep_whole_blocks_of_pan_too(rows: int) -> None:
    made = cut(LANDSAT, rows=rows)
    assert made.strip_rows == min(rows, 7811)
    assert made.rows_on(LANDSAT.grids[1], made.strip(0)) == (0, min(2 * rows, 15621))


@pytest.mark.parametrize("rows", [256, 513, 0, -512])
def test_other_heights_are_refused_with_the_legal_ones(rows: int) -> None:
    legal = r"multiples of 512, or 7811 \(the whole scene\)"
    with pytest.raises(ConfigError, match=rf"a strip height of {rows} rows would cut a block of some asset; legal here: {legal}"):
        cut(LANDSAT, rows=rows)


def test_sentinels_legal_height_is_3072_with_60_m_bands() -> None:
    assert SENTINEL.unit == 3072
    assert _frame(*SENTINEL.grids[:2]).unit == 1024
    assert cut(SENTINEL, rows=3072).strips == 4
    with pytest.raises(ConfigError, match=r"2048 rows .* legal here: multiples of 3072, or 10980 \(the whole scene\)"):
        cut(SENTINEL, rows=2048)


def test_without_a_wish_strips_are_about_3072_rows() -> None:
    assert cut(LANDSAT, rows=None).strip_rows == 3072
    assert cut(SENTINEL, rows=None).strip_rows == 3072
    assert cut(SENTINEL, rows=None, split=False).strips == 1


@pytest.mark.parametrize(
    "odd",
    [
        # A few pixels larger, shifted, of another pixel size, of a band that ends early, much finer, far beyond.
        replace(_grid(10.0, rows=3100, columns=2600), left=-500.0, top=500.0),
        replace(_grid(10.0, rows=3000, columns=2500), left=5_003.0, top=-4_007.0),
        _grid(10.0 * 3000 / 999.3, rows=999, columns=830),
        _grid(10.0, rows=900, columns=300),
        _grid(3.3, rows=9090, columns=7575),
        replace(_grid(30.0, rows=9000, columns=9000), left=-90_000.0, top=120_000.0),
    ],
)
def test_a_grid_that_does_not_line_up_is_cut_by_map_extent(odd: Grid) -> None:
    band = _grid(10.0, rows=3000, columns=2500)
    made = cut(_frame(band, odd), rows=None)
    for one in (band, odd):
        _check_partition(made, one)
    for number in range(made.strips):
        for piece in made.pieces(number):
            for one in (band, odd):
                found = made.window_on(one, piece)
                if found is None:
                    continue
                # Strips begin at blocks: an edge may be off by half a block, no more.
                slack = 256 * one.dx + made.frame.grid.dx
                inner, outer = one.extent_of(found), made.frame.grid.extent_of(piece)
                assert inner[0] >= outer[0] - slack
                assert inner[1] >= outer[1] - slack
                assert inner[2] <= outer[2] + slack
                assert inner[3] <= outer[3] + slack
                assert found.height * found.width <= 6 << 20


def test_the_frame_covers_what_is_written() -> None:
    band = _grid(10.0, rows=300)
    assert _frame(band, _grid(10.0, rows=300)).grid == band
    far = replace(_grid(10.0, rows=300), left=-25.0, top=95.0)
    assert _frame(band, far).grid == replace(band, left=-30.0, top=100.0, width=13, height=310)
    with pytest.raises(GeometryError, match="assets of one product are in different coordinate systems"):
        _frame(band, replace(band, crs="EPSG:32634"))


def test_pieces_shrink_where_a_layer_is_much_finer() -> None:
    frame = _grid(900.0, rows=4000, columns=4000)
    assert cut(_frame(frame), rows=None).piece == (1024, 1024)
    fine = replace(_grid(30.0, rows=120_000, columns=120_000))
    assert cut(Frame.around(frame, grids=[frame], layers=[fine]), rows=None).piece == (64, 64)


@given(
    height=st.integers(1, 12_000), width=st.integers(1, 9_000),
    ratios=st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0, 6.0, 0.7, 4.33]), max_size=3),
    multiple=st.integers(1, 4), short=st.integers(0, 1), piece=st.tuples(st.integers(700, 2000), st.integers(700, 2000)),
)  # fmt: skip
def test_strips_and_pieces_partition_every_grid(
    height: int, width: int, ratios: list[float], multiple: int, short: int, piece: tuple[int, int]
) -> None:
    def grid(ratio: float, more: int) -> Grid:
        rows, columns = (max(int(n / ratio) + more, 1) for n in (height, width))
        return _grid(30.0 * ratio, rows=rows, columns=columns)

    frame = _frame(grid(1.0, 0), *(grid(r, short) for r in ratios))
    made = cut(frame, rows=min(frame.unit * multiple, frame.grid.height), piece=piece)
    for one in frame.grids:
        _check_partition(made, one)
