"""Suggestions for a word that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

#: Similarity from which a known word is suggested, 0 to 1: one wrong letter in three of a short word still counts.
_CUTOFF = 0.5


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like ``word``, whatever its case; None if none is like it."""
    folded = {k.casefold(): k for k in known}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=_CUTOFF)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'known'?``, to be put behind a message about ``word``; empty if no known word is like it."""
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near is not None else ""
