"""Colours of the map's page, light and dark: contrast as WCAG 2.2, level AA, asks it of text (1.4.3) and of controls (1.4.11)."""

import re
from pathlib import Path

import pytest

import swath.view

STYLE = (Path(swath.view.__file__).parent / "page" / "style.css").read_text(encoding="utf-8")
THEMES = {
    name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", rules))
    for name, rules in re.findall(r"\{\s*color-scheme: (light|dark);(.*?)\}", STYLE, flags=re.DOTALL)
}
#: Colours of text, and what is behind them.
TEXT = [
    *((text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "card", "void", "sea")),
    ("on-accent", "accent"),
]
#: Edges of fields, tracks of sliders and switches, bars of the account.
CONTROLS = [(mark, ground) for mark in ("edge", "made", "reused", "quarantined", "accent") for ground in ("paper", "card")]


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in bytes.fromhex(colour[1:]))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Ratio of two colours, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_controls_can_be_told_from_their_ground(theme: str) -> None:
    colours = THEMES[theme]
    faint = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}
    faint = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in CONTROLS}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 3.0} == {}


def test_fields_and_switches_are_drawn_in_the_colour_that_is_checked() -> None:
    for control in (
        "#search",
        'input[type="number"], select',
        ".switch::before",
        'input[type="range"]::-webkit-slider-runnable-track',
    ):
        rule = next(line for line in STYLE.splitlines() if line.startswith(f"{control} {{"))
        assert "var(--edge)" in rule, control
