"""Suggestions for unknown words."""

import pytest

from swath.suggestion import did_you_mean, nearest

KNOWN = ("toa", "surface-reflectance", "Ard")


@pytest.mark.parametrize(
    ("word", "near"),
    [("surface-reflectanse", "surface-reflectance"), ("ARD", "Ard"), ("tao", "toa"), ("landcover", None), ("", None)],
)
def test_the_nearest_known_word_is_found_whatever_its_case(word: str, near: str | None) -> None:
    assert nearest(word, KNOWN) == near


def test_a_hint_is_part_of_a_sentence_or_nothing() -> None:
    assert did_you_mean("aird", KNOWN) == "; did you mean 'Ard'?"
    assert did_you_mean("zzz", KNOWN) == ""
