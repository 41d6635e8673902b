"""Tasks of a stage: as many requests each, or about as many pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.spark.stage import evenly, grouped

PIXELS = st.lists(st.integers(1, 10**8), min_size=1, max_size=200).map(lambda sizes: sorted(sizes, reverse=True))


@pytest.mark.parametrize(("requests", "tasks", "groups"), [(7, 3, [2, 2, 3]), (2, 8, [1, 1]), (3, None, [1, 1, 1]), (5, 1, [5])])
def test_tasks_get_as_many_requests(requests: int, tasks: int | None, groups: list[int]) -> None:
    assert evenly(requests, tasks=tasks) == groups


@given(pixels=PIXELS, most=st.integers(1, 10**8), least=st.integers(1, 60))
def test_groups_hold_every_request_and_large_ones_are_alone(pixels: list[int], most: int, least: int) -> None:
    groups = grouped(pixels, most=most, least_groups=least)
    wanted = min(max(-(-sum(pixels) // most), least), len(pixels))
    share = sum(pixels) / wanted
    assert sum(groups) == len(pixels)
    assert 1 <= len(groups) <= wanted
    at = 0
    for number in groups:
        own = pixels[at : at + number]
        # Without its last request, a task has less than its share.
        assert sum(own[:-1]) < share
        at += number


def test_equal_scenes_are_spread_over_all_tasks() -> None:
    assert grouped([100] * 12, most=10**9, least_groups=6) == [2] * 6
    assert grouped([10**8] * 5, most=8 * 10**6, least_groups=6) == [1] * 5
