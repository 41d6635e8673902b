"""Overviews against GDAL (average, nearest), against a count by hand (mode), and against themselves cut in rows."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.shutil import copy

from swath.algo.overviews import first_row_from, level_sizes, reduce_rows, rows_needed
from swath.product import Resampling

Stored = NDArray[np.integer[Any]]
SIZES = [(1811, 1681), (1098, 1098), (513, 600)]
TYPES = [("int16", None), ("int16", -9999), ("uint16", None), ("uint16", 0), ("uint8", None), ("uint8", 0), ("uint8", 255)]


def _waves(height: int, width: int, *, dtype: str, nodata: int | None) -> Stored:
    rng = np.random.default_rng(height)
    y, x = np.mgrid[:height, :width]
    waves = (np.sin(x / 37) + np.cos(y / 23)) * 2000 + rng.normal(0, 300, (height, width))
    shift, scale = {"int16": (0, 1), "uint16": (5000, 1), "uint8": (4000, 40)}[dtype]
    info = np.iinfo(dtype)
    stored: Stored = np.clip((waves + shift) / scale, info.min, info.max).astype(dtype)
    if nodata is not None:
        stored[(y + x < height // 3) | (rng.random((height, width)) < 0.02)] = nodata
    return stored


def _whole(stored: Stored, *, target: tuple[int, int], rule: Resampling, nodata: int | None) -> Stored:
    return reduce_rows(
        stored,
        first=0,
        start=0,
        stop=target[0],
        source=(stored.shape[0], stored.shape[1]),
        target=target,
        rule=rule,
        nodata=nodata,
    )


def _gdal(stored: Stored, *, rule: str, nodata: int | None, folder: Path) -> list[Stored]:
    profile = {"driver": "GTiff", "height": stored.shape[0], "width": stored.shape[1], "count": 1, "dtype": stored.dtype,
               "nodata": nodata, "crs": "EPSG:32633", "transform": rasterio.Affine(30, 0, 0, 0, -30, 0)}  # fmt: skip
    file = folder / "gdal.tif"
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(stored, 1)
        copy(memory.name, file, driver="COG", blocksize=512, overview_resampling=rule, compress="DEFLATE", level=1)
    with rasterio.open(file) as dataset:
        count = len(dataset.overviews(1))
    levels = []
    for level in range(count):
        with rasterio.open(file, overview_level=level) as dataset:
            levels.append(dataset.read(1))
    return levels


#: Three odd levels under each other, for the two encodings of most files.
LARGE = [((3001, 2900), "int16", -9999), ((3001, 2900), "uint16", 0)]


@pytest.mark.parametrize(("size", "dtype", "nodata"), [*((s, *t) for s in SIZES for t in TYPES), *LARGE])
@pytest.mark.parametrize("rule", ["average", "nearest"])
def test_every_level_equals_gdals(
    size: tuple[int, int], dtype: str, nodata: int | None, rule: Resampling, tmp_path: Path
) -> None:
    level = _waves(*size, dtype=dtype, nodata=nodata)
    expected = _gdal(level, rule=rule, nodata=nodata, folder=tmp_path)
    assert [e.shape for e in expected] == list(level_sizes(*size))
    for reference in expected:
        level = _whole(level, target=(reference.shape[0], reference.shape[1]), rule=rule, nodata=nodata)
        np.testing.assert_array_equal(level, reference)


def test_valid_pixels_never_become_nodata_where_gdal_lets_them(tmp_path: Path) -> None:
    # GDAL compares the mean of signed integers with nodata before it rounds: 0.25 then becomes nodata 0. Ours becomes 1.
    stored = _waves(1098, 1098, dtype="int16", nodata=0)
    theirs = _gdal(stored, rule="average", nodata=0, folder=tmp_path)[0]
    ours = _whole(stored, target=(549, 549), rule="average", nodata=0)
    other = ours != theirs
    assert 0 < other.sum() < 1000
    assert set(ours[other].tolist()) == {1}
    assert set(theirs[other].tolist()) == {0}


@pytest.mark.parametrize("size", [(512, 512), (300, 300), (1, 512)])
def test_an_image_of_one_block_has_no_overviews(size: tuple[int, int]) -> None:
    assert level_sizes(*size) == ()


def test_sizes_halve_by_floor() -> None:
    assert level_sizes(10980, 10980) == tuple((n, n) for n in (5490, 2745, 1372, 686, 343))
    assert level_sizes(1, 1100) == ((1, 550), (1, 275))


def _mode_by_hand(stored: Stored, *, target: tuple[int, int], nodata: int | None) -> Stored:
    """Pixel by pixel, in whole numbers: what [i n/m, (i+1) n/m) touches, counted; of equals, the first to reach the count."""
    spans = [[(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(stored.shape, target, strict=True)]
    out = np.empty(target, dtype=stored.dtype)
    for i, (top, bottom) in enumerate(spans[0]):
        for j, (left, right) in enumerate(spans[1]):
            votes: Counter[int] = Counter()
            winner, best = (int(stored[top, left]) if nodata is None else nodata), 0
            for value in stored[top:bottom, left:right].ravel().tolist():
                votes[value] += value != nodata
                if votes[value] > best:
                    winner, best = value, votes[value]
            out[i, j] = winner
    return out


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(2, 40), width=st.integers(2, 40), classes=st.integers(2, 5), nodata=st.sampled_from([None, 0, 255]),
    seed=st.integers(0, 2**16),
)  # fmt: skip
def test_the_mode_is_the_most_frequent_class_and_the_first_of_equals(
    height: int, width: int, classes: int, nodata: int | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(0, classes, (height, width)).astype(np.uint8)
    stored[rng.random((height, width)) < 0.2] = 255
    target = (height // 2, width // 2)
    np.testing.assert_array_equal(
        _whole(stored, target=target, rule="mode", nodata=nodata), _mode_by_hand(stored, target=target, nodata=nodata)
    )


def test_a_mean_that_happens_to_be_nodata_moves_aside() -> None:
    stored = np.array([[-1, 1], [-2, 2]], dtype=np.int16)
    assert _whole(stored, target=(1, 1), rule="average", nodata=0).tolist() == [[1]]
    stored = np.array([[254, 255], [255, 255]], dtype=np.uint8)
    assert _whole(stored, target=(1, 1), rule="average", nodata=None).tolist() == [[255]]
    assert _whole(stored, target=(1, 1), rule="average", nodata=255).tolist() == [[254]]


def test_means_round_half_away_from_zero() -> None:
    stored = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]], dtype=np.int16)
    assert _whole(stored, target=(2, 1), rule="average", nodata=None).tolist() == [[1], [-1]]


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(2, 300), width=st.integers(1, 60), seed=st.integers(0, 2**16), data=st.data(),
    rule=st.sampled_from(["average", "nearest", "mode"]), nodata=st.sampled_from([None, 7]),
)  # fmt: skip
def test_any_cut_in_rows_gives_the_same_rows(
    height: int, width: int, seed: int, data: st.DataObject, rule: Resampling, nodata: int | None
) -> None:
    stored = np.random.default_rng(seed).integers(0, 20, (height, width)).astype(np.uint16)
    source, target = (height, width), (max(height // 2, 1), max(width // 2, 1))
    whole = _whole(stored, target=target, rule=rule, nodata=nodata)
    cuts = data.draw(st.lists(st.integers(0, target[0]), max_size=4).map(sorted))
    rows = []
    for start, stop in zip([0, *cuts], [*cuts, target[0]], strict=True):
        first = int(start * height / target[0])
        part = stored[first : rows_needed(stop, source=height, target=target[0])]
        rows.append(
            reduce_rows(part, first=first, start=start, stop=stop, source=source, target=target, rule=rule, nodata=nodata)
        )
    np.testing.assert_array_equal(np.concatenate(rows), whole)


@given(row=st.integers(0, 20_000), source=st.integers(2, 20_000))
def test_the_first_row_from_needs_nothing_above(row: int, source: int) -> None:
    target = source // 2
    row = min(row, source)
    first = first_row_from(row, source=source, target=target)
    assert first == min(-(-row * target // source), target)
    assert rows_needed(first, source=source, target=target) >= min(row, source)
