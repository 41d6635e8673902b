"""What must not be shown or kept of an address: passwords, and queries, which may carry a signature.

Everything that swath says or stores passes here: messages of errors, logs, reports, rows of tables. A query is taken
off whole, because no list has the names of all parameters that are secret; a search keeps those that it is made of.
"""

import re
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

#: Replaces what was taken off.
HIDDEN: Final = "..."
#: Parameters of a STAC search that say what is looked for; no other is shown.
SEARCH_PARAMETERS: Final = frozenset(
    {"collections", "ids", "bbox", "datetime", "query", "filter", "sortby", "limit", "max_items", "hosts"}
)
_SEARCH: Final = "/search"
_STAC: Final = "stac+"
#: An address is not longer than this.
_LONGEST: Final = 4096

#: user:password@ of an address; a token in the user's place goes too.
_USER = re.compile(r"(?<=://)[^\s/?#'\"]{1,1024}@")
#: ?a=b&c=d behind anything: libraries tell an address without its host too.
_QUERY = re.compile(r"\?([^\s\"<>]+)")
#: Where an address that is quoted in a sentence ends.
_QUOTED = re.compile(r"'(?=[\s,;:.)\]}]|$)")
_START = re.compile(r"[\s\"'<>()\[\]{}]")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", flags=re.IGNORECASE)
#: password=... of a connection string, with or without quotes.
_KEYWORD = re.compile(r"\b(password|passwd|pwd|secret|token)(\s{0,3}=\s{0,3})('[^']*'|[^\s&;,'\"]+)", flags=re.IGNORECASE)
_SIGNS: Final = ("?", "@", "=", "earer ", "asic ")


def redacted(text: str) -> str:
    """A text with the passwords and queries of the addresses in it taken off; cost is linear in its length."""
    if not any(sign in text for sign in _SIGNS):
        return text
    text = _without_queries(_USER.sub(f"{HIDDEN}@", text))
    return _BEARER.sub(rf"\1 {HIDDEN}", _KEYWORD.sub(rf"\1\2{HIDDEN}", text))


def without_query(href: str) -> str:
    """An http address without user, query and fragment: what it names, without its signature. Other hrefs unchanged."""
    if not href.startswith(("http://", "https://")):
        return href
    parts = urlsplit(href)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _without_queries(text: str) -> str:
    done, at = [], 0
    for found in _QUERY.finditer(text):
        query = _QUOTED.split(found[1], maxsplit=1)[0]
        if "=" not in query:
            continue
        done += [text[at : found.start()], _shown(_address(text, found.start()), query)]
        at = found.start() + 1 + len(query)
    return "".join([*done, text[at:]])


def _address(text: str, end: int) -> str:
    """What precedes a query."""
    before = text[max(end - _LONGEST, 0) : end]
    return _START.split(before)[-1]


def _shown(address: str, query: str) -> str:
    """What may be said of a query."""
    if not (address.startswith(_STAC) or address.endswith(_SEARCH)):
        return f"?{HIDDEN}"
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [f"{k}={quote(v, safe=',:/<>=.+-')}" for k, v in pairs if k in SEARCH_PARAMETERS]
    return f"?{'&'.join([*kept, *([HIDDEN] if len(kept) < len(pairs) else [])])}"
