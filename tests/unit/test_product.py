"""Statistics: exact, equal to NumPy's, and the same however the pixels come in."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.product import (
    PROBABILITY,
    REFLECTANCE,
    TEMPERATURE,
    AssetRecord,
    Category,
    Encoding,
    ModelRef,
    Statistics,
    Tally,
    bit_field,
    class_map,
)

ENCODINGS = {
    "reflectance": REFLECTANCE,
    "temperature": TEMPERATURE,
    "probability": PROBABILITY,
    "classes": class_map((Category(value=1, name="a", title="A"),)),
    "bits": bit_field((Category(value=0, name="fill", title="Fill"),)),
}


def _pixels(encoding: Encoding, *, seed: int, shape: tuple[int, int] = (40, 30)) -> NDArray[np.integer[Any]]:
    rng = np.random.default_rng(seed)
    info = np.iinfo(encoding.dtype)
    stored = rng.integers(info.min, info.max, shape, endpoint=True).astype(encoding.dtype)
    if encoding.nodata is not None:
        stored[rng.random(shape) < 0.2] = encoding.nodata
    return stored


def _by_numpy(stored: NDArray[np.integer[Any]], encoding: Encoding) -> Statistics:
    wide = stored.astype(np.int64)
    valid = wide if encoding.nodata is None else wide[wide != encoding.nodata]
    shift = 0 if encoding.bits or encoding.dtype == "uint8" else 6
    slots, numbers = np.unique(valid >> shift, return_counts=True)
    return Statistics(
        count=stored.size,
        valid=valid.size,
        minimum=int(valid.min()),
        maximum=int(valid.max()),
        total=int(valid.sum()),
        squares=int((valid * valid).sum()),
        histogram=dict(zip(slots.tolist(), numbers.tolist(), strict=True)),
    )


def _counted(*parts: NDArray[np.integer[Any]], encoding: Encoding) -> Statistics:
    tally = Tally(encoding)
    for part in parts:
        tally.add(part)
    return tally.statistics()


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("shape", [(40, 30), (1, 1), (3, 600_000), (1200, 700)])
def test_statistics_equal_numpys(encoding: Encoding, shape: tuple[int, int]) -> None:
    stored = _pixels(encoding, seed=1, shape=shape)
    stored[0, 0] = 1
    found = _counted(stored, encoding=encoding)
    assert found == _by_numpy(stored, encoding)
    valid = stored.astype(np.float64)[stored != encoding.nodata]
    assert found.mean == pytest.approx(valid.mean(), rel=1e-12)
    assert found.standard_deviation == pytest.approx(valid.std(), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    encoding=st.sampled_from(list(ENCODINGS.values())),
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(1, 39), unique=True, max_size=5).map(sorted),
    data=st.data(),
)
def test_merging_any_parts_in_any_order_gives_the_whole(
    encoding: Encoding, seed: int, cuts: list[int], data: st.DataObject
) -> None:
    stored = _pixels(encoding, seed=seed)
    parts = data.draw(st.permutations(np.split(stored, cuts)))
    whole = _counted(stored, encoding=encoding)
    assert sum((_counted(p, encoding=encoding) for p in parts), Statistics()) == whole
    assert _counted(*parts, encoding=encoding) == whole


def test_views_are_counted_like_copies() -> None:
    stored = _pixels(REFLECTANCE, seed=3)
    view = stored[::2, 5:20]
    assert _counted(view, encoding=REFLECTANCE) == _counted(view.copy(), encoding=REFLECTANCE)


def test_clamped_pixels_are_added_up() -> None:
    tally = Tally(REFLECTANCE)
    tally.add(np.zeros((2, 2), dtype=np.int16), clamped=3)
    tally.add(np.zeros((2, 2), dtype=np.int16), clamped=1)
    found = tally.statistics()
    assert (found.clamped, found.count, (found + found).clamped) == (4, 8, 8)


def test_nothing_valid_has_no_extremes() -> None:
    found = _counted(np.full((3, 3), -9999, dtype=np.int16), encoding=REFLECTANCE)
    assert found == Statistics(count=9)
    assert (found.mean, found.standard_deviation, found.minimum) == (None, None, None)
    some = _counted(np.full((3, 3), 5, dtype=np.int16), encoding=REFLECTANCE)
    assert (found + some).minimum == 5
    assert (found + some).count == 18


def test_sums_of_large_scenes_stay_exact() -> None:
    one = Statistics(count=2**40, valid=2**40, minimum=65535, maximum=65535, total=65535 * 2**40, squares=65535**2 * 2**40)
    many = one + one + one
    assert many.squares == 3 * 65535**2 * 2**40 > 2**63
    assert many.standard_deviation == 0.0


def test_a_record_survives_json() -> None:
    record = AssetRecord(
        name="red", layer="sr:red", href="x.tif", key="ab", bytes=3, digest="cd",
        statistics=_counted(_pixels(REFLECTANCE, seed=2), encoding=REFLECTANCE),
        model=ModelRef(name="m", version="1", digest="d"),
    )  # fmt: skip
    assert AssetRecord.from_plain(json.loads(json.dumps(record.to_plain()))) == record
