"""Text from outside (ids, hrefs, messages of libraries), as everything behind the border may keep it.

Tables, items and logs are UTF-8 and are read on terminals. What they cannot hold is spelt the way Python spells it, once, where
the text comes in.
"""

import re
from typing import Any, Final

#: C0 and C1 controls (line feed and tab among them), what turns the direction of text, and halves of surrogate pairs.
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: Longest message that a table keeps [characters].
LONGEST: Final = 4000


def escaped(text: str) -> str:
    """The text with Python's escapes for what does not belong into a table or on a terminal."""
    return _UNFIT.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def is_plain(text: str) -> bool:
    """Nothing in the text needs an escape."""
    return _UNFIT.search(text) is None


def message(text: str, *, longest: int = LONGEST) -> str:
    """One line of bounded length: line feeds become spaces, everything else that is unfit is escaped.

    Args:
        text: Text of an error.
        longest: Most characters; the middle of a longer text is left out.
    """
    line = escaped(" ".join(text.split()))
    if len(line) <= longest:
        return line
    head = longest * 2 // 3
    return f"{line[:head]} ... ({len(line) - longest} characters left out) ... {line[len(line) - (longest - head) :]}"


def escaped_values(value: Any) -> Any:
    """A JSON value with every text in it escaped, keys included."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {escaped(str(k)): escaped_values(v) for k, v in value.items()}
    return [escaped_values(v) for v in value] if isinstance(value, list) else value
