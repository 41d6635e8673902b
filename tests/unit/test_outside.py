"""Text and names from outside."""

import pytest

from swath.names import name_problem
from swath.outside import LONGEST, escaped, escaped_values, is_plain, message


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("S2A_x", "S2A_x"), ("Łódź", "Łódź"), ("a\ud800b", r"a\ud800b"), ("a\x00b", r"a\x00b"), ("\x1b[2J", r"\x1b[2J"),
        ("\u202e", r"\u202e"),
    ],
)  # fmt: skip
def test_what_a_table_cannot_hold_is_spelt_out_once(given: str, kept: str) -> None:
    assert (escaped(given), escaped(kept), is_plain(kept)) == (kept, kept, True)
    assert escaped_values({given: [given, 1, None]}) == {kept: [kept, 1, None]}


def test_a_message_is_one_line_of_bounded_length() -> None:
    assert message("a\n  b\x00") == r"a b\x00"
    long = message("x" * 100_000)
    assert len(long) < LONGEST + 60
    assert "characters left out" in long


@pytest.mark.parametrize("name", ["S2A_MSIL1C", "urn:ogc:def", "LC09_L1TP.toa", "ü"])
def test_names_that_can_be_parts_of_paths(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../..", "a/b", "a\\b", "a b", "-rf", "a\nb", "a\x00", "s\ud800x", "L" * 256, "ü" * 128]
)
def test_names_that_cannot(name: str) -> None:
    assert name_problem(name)
