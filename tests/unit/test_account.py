"""The account: everything that went in came out, by scene, by asset, and by pair of a source and a product."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.account import Account, Count, Fate

FATES = st.lists(st.sampled_from(list(Fate)), max_size=20)


@given(FATES, FATES)
def test_counts_of_parts_add_up_to_the_count_of_the_whole(one: list[Fate], other: list[Fate]) -> None:
    assert Count.of(one) + Count.of(other) == Count.of([*one, *other])
    assert Count.of(one).balanced


@pytest.mark.parametrize("kind", ["scenes", "assets", "edges"])
def test_a_remainder_of_any_kind_means_no_balance(kind: str) -> None:
    account = Account(scenes=Count.of([Fate.MADE]), edges=Count.of([Fate.MADE]))
    assert account.balanced
    lost = replace(account, **{kind: Count(taken_in=3, made=1, quarantined=1)})
    assert not lost.balanced
    assert f"{kind}: 3 in = 1 made + 0 skipped + 1 quarantined" in str(lost)


def test_of_several_fates_of_one_scene_the_worst_counts() -> None:
    assert max(Fate.SKIPPED, Fate.MADE) == Fate.MADE
    assert max(Fate.QUARANTINED, Fate.MADE) == Fate.QUARANTINED
