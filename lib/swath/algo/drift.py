"""The distance between the counts of a run and of the training data."""

from collections.abc import Sequence
from math import log
from typing import Final

#: Shares below this count as this: an empty bin would be infinitely far from any other.
_LEAST: Final = 1e-4


def stability_index(expected: Sequence[int], found: Sequence[int]) -> float:
    """Population stability index of two histograms over the same bins (Siddiqi 2006, Credit Risk Scorecards, chapter 8).

    Below 0.1 nothing moved, above 0.25 much did, by the usual rule.

    Raises:
        ValueError: The numbers of bins differ, or a histogram is empty.
    """
    if len(expected) != len(found) or not sum(expected) or not sum(found):
        msg = f"two histograms over the same bins are needed, got {len(expected)} and {len(found)} bins"
        raise ValueError(msg)
    pairs = zip(_shares(expected), _shares(found), strict=True)
    return sum((now - then) * log(now / then) for then, now in pairs)


def outside_share(found: Sequence[int]) -> float:
    """Share of the pixels in the first and the last bin, which are beyond the training data's 0.1 and 99.9 %."""
    return (found[0] + found[-1]) / sum(found)


def share_change(expected: Sequence[int], found: Sequence[int]) -> float:
    """Share of pixels that have another class: half the sum of the absolute differences of the shares."""
    one, other = sum(expected), sum(found)
    return sum(abs(a / one - b / other) for a, b in zip(expected, found, strict=True)) / 2.0


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts)
    return [max(n / whole, _LEAST) for n in counts]
