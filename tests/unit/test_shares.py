"""Shares of pixels against counting them one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.algo.qa import QA_BITS
from swath.product import REFLECTANCE, Category, Statistics, Tally, bit_field, class_map
from swath.shares import class_shares, shares_of

QA = bit_field(QA_BITS)


def tallied(values: list[int]) -> Statistics:
    tally = Tally(QA)
    tally.add(np.array([values], dtype=np.uint16))
    return tally.statistics()


@given(values=st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_shares_are_those_of_the_pixels(values: list[int]) -> None:
    found = shares_of({"qa": (QA, tallied(values))})
    valid = [v for v in values if not v & 1]
    assert found.valid == pytest.approx(100.0 * len(valid) / len(values))
    assert found.saturated == pytest.approx(100.0 * sum(v >> 1 & 1 for v in valid) / max(len(valid), 1))
    judged = any(v >> 11 & 1 or v >> 15 & 1 for v in values)
    cloudy = pytest.approx(100.0 * sum(v >> 2 & 1 for v in valid) / max(len(valid), 1))
    assert found.cloud == (cloudy if judged else None)


def test_without_quality_bits_the_first_data_asset_tells() -> None:
    statistics = Statistics(count=8, valid=2, minimum=1, maximum=1, total=2, squares=2, histogram={0: 2})
    found = shares_of({"red": (REFLECTANCE, statistics)})
    assert found.valid == 25.0
    assert found.cloud is None
    assert shares_of({}).valid is None


def test_class_shares_follow_the_legend() -> None:
    legend = (Category(value=3, name="b", title="B"), Category(value=1, name="a", title="A"))
    statistics = Statistics(count=5, valid=4, histogram={1: 3, 3: 1})
    assert [(c.name, p) for c, p in class_shares(class_map(legend), statistics)] == [("b", 25.0), ("a", 75.0)]
