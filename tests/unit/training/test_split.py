import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swath.errors import ConfigError
from swath.training.split import split_by_polygon


def samples(polygons: dict[str, int], *, pixels: int = 3) -> pd.DataFrame:
    rows = [(f"{label}{n}", label) for label, count in polygons.items() for n in range(count) for _ in range(pixels)]
    return pd.DataFrame(rows, columns=["polygon_id", "label"])


@settings(deadline=None)  # the first call loads what pandas needs
@given(
    counts=st.dictionaries(st.sampled_from("abcd"), st.integers(2, 12), min_size=1),
    seed=st.integers(0, 99),
    held_out=st.floats(0.05, 0.95),
)
def test_no_polygon_both_teaches_and_judges(counts: dict[str, int], seed: int, held_out: float) -> None:
    given = samples(counts)
    split = split_by_polygon(given, seed=seed, held_out=held_out)
    teaching, judging = set(split.training["polygon_id"]), set(split.held_out["polygon_id"])
    assert not teaching & judging
    assert len(split.training) + len(split.held_out) == len(given)
    for label, count in counts.items():
        held = len({p for p in judging if p.startswith(label)})
        assert held == min(max(round(count * held_out), 1), count - 1)


def test_the_order_of_the_rows_does_not_matter() -> None:
    given = samples({"a": 9, "b": 7})
    shuffled = given.sample(frac=1.0, random_state=3)
    one, other = (split_by_polygon(s, seed=4, held_out=0.5) for s in (given, shuffled))
    assert set(one.held_out["polygon_id"]) == set(other.held_out["polygon_id"])


def test_another_seed_is_another_split() -> None:
    given = samples({"a": 20})
    sets = {frozenset(split_by_polygon(given, seed=s, held_out=0.5).held_out["polygon_id"]) for s in range(5)}
    assert len(sets) == 5


def test_a_class_with_one_polygon_cannot_be_judged() -> None:
    with pytest.raises(ConfigError, match="class 'b' has 1 polygon"):
        split_by_polygon(samples({"a": 3, "b": 1}), seed=0, held_out=0.5)
