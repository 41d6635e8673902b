"""Strips and pieces: legal heights, and rows that line up on every grid."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.engine.cut import cut, legal_unit
from swath.errors import ConfigError
from swath.grid import Grid, Window


def _grid(pixel_m: float, *, rows: int) -> Grid:
    return Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=pixel_m, dy=pixel_m, width=10, height=rows)


LANDSAT = (_grid(30.0, rows=7811), _grid(15.0, rows=15621))
SENTINEL = (_grid(10.0, rows=10980), _grid(20.0, rows=5490), _grid(60.0, rows=1830))


@pytest.mark.parametrize("rows", [512, 1024, 2048, 7811, 9000])
def test_landsats_legal_heights_keep_whole_blocks_of_pan_too(rows: int) -> None:
    made = cut(LANDSAT[0], LANDSAT, rows=rows)
    assert made.strip_rows == min(rows, 7811)
    assert made.rows_on(LANDSAT[1], made.strip(0)) == (0, min(2 * rows, 15621))


@pytest.mark.parametrize("rows", [256, 513, 0, -512])
def test_other_heights_are_refused_with_the_legal_ones(rows: int) -> None:
    legal = r"multiples of 512, or 7811 \(the whole scene\)"
    with pytest.raises(ConfigError, match=rf"a strip height of {rows} rows would cut a block of some asset; legal here: {legal}"):
        cut(LANDSAT[0], LANDSAT, rows=rows)


def test_sentinels_legal_height_is_3072_with_60_m_bands() -> None:
    assert legal_unit(SENTINEL[0], SENTINEL) == 3072
    assert legal_unit(SENTINEL[0], SENTINEL[:2]) == 1024
    assert cut(SENTINEL[0], SENTINEL, rows=3072).strips == 4
    with pytest.raises(ConfigError, match=r"2048 rows .* legal here: multiples of 3072, or 10980 \(the whole scene\)"):
        cut(SENTINEL[0], SENTINEL, rows=2048)


def test_without_a_wish_strips_are_about_3072_rows() -> None:
    assert cut(LANDSAT[0], LANDSAT, rows=None).strip_rows == 3072
    assert cut(SENTINEL[0], SENTINEL, rows=None).strip_rows == 3072
    assert cut(SENTINEL[0], SENTINEL, rows=None, split=False).strips == 1


def test_grids_that_do_not_line_up_are_cut_nowhere() -> None:
    odd = (_grid(10.0, rows=1000), _grid(10.0 * 1000 / 333.3, rows=333))
    assert legal_unit(odd[0], odd) is None
    made = cut(odd[0], odd, rows=None)
    assert (made.strips, made.pieces(0), made.rows_on(odd[1], (0, 1000))) == (1, [Window(0, 0, 1000, 10)], (0, 333))
    with pytest.raises(ConfigError, match="legal here: only the whole scene"):
        cut(odd[0], odd, rows=512)


def test_columns_that_do_not_line_up_are_not_cut() -> None:
    odd = _grid(10.0, rows=3000), replace(_grid(10.0, rows=3000), width=8, dx=13.0)
    wide = tuple(replace(g, width=g.width * 500) for g in odd)
    made = cut(wide[0], wide, rows=1024)
    assert made.pieces(1)[0] == Window(1024, 0, 1024, 5000)
    assert made.window_on(wide[1], made.pieces(1)[0]) == Window(1024, 0, 1024, 4000)


@given(
    height=st.integers(1, 12_000), width=st.integers(1, 9_000),
    ratios=st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0, 6.0]), max_size=3),
    multiple=st.integers(1, 4), short=st.integers(0, 1), piece=st.tuples(st.integers(700, 2000), st.integers(700, 2000)),
)  # fmt: skip
def test_strips_and_pieces_partition_every_grid(
    height: int, width: int, ratios: list[float], multiple: int, short: int, piece: tuple[int, int]
) -> None:
    def grid(ratio: float, more: int) -> Grid:
        rows, columns = (max(int(n / ratio) + more, 1) for n in (height, width))
        return replace(_grid(30.0 * ratio, rows=rows), width=columns)

    reference = grid(1.0, 0)
    grids = (reference, *(grid(r, short) for r in ratios))
    unit = legal_unit(reference, grids)
    assert unit is not None
    made = cut(reference, grids, rows=min(unit * multiple, height), piece=piece)
    for one in grids:
        row, col = 0, 0
        for number in range(made.strips):
            start, stop = made.rows_on(one, made.strip(number))
            assert start == row
            assert start % 512 == 0 or start >= one.height
            for window in made.pieces(number):
                found = made.window_on(one, window)
                if found is None:
                    continue
                assert (found.row, found.col) == (row, col)
                row, col = (found.row_stop, 0) if found.col_stop == one.width else (row, found.col_stop)
            assert (row, col) == (stop, 0)
        assert row == one.height
