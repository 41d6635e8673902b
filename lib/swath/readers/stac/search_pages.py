"""The pages of a search, by POST or GET, bounded in number and bytes."""

import json
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode, urljoin, urlsplit, urlunsplit

from pystac_client import Client
from pystac_client.stac_api_io import StacApiIO
from pystac_client.warnings import PystacClientWarning

from swath.readers.files.fetch import Ask, FetchError, answered, read_bounded
from swath.readers.files.hosts import host_of
from swath.redaction import redacted
from swath.settings import SEARCH_GIB, SEARCH_PAGES, Settings

if TYPE_CHECKING:
    from swath.readers.stac.search import Search

#: Of one answer; a page of 1,000 items has some 20 MB.
MAX_PAGE_BYTES: Final = 256 << 20
#: So many pages one after the other without a feature end a search: some APIs have empty pages between others.
MAX_EMPTY: Final = 20
_NOT_ALLOWED: Final = frozenset({405, 501})
Json = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A request for a page."""

    method: str
    url: str
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Io(StacApiIO):
    """Asks for pystac-client, at named hosts only.

    Args:
        search: Names the hosts and the user.
        say: Hears why we wait.
    """

    def __init__(self, search: "Search", *, say: Say | None) -> None:
        super().__init__()
        self._search, self._say, self._bytes = search, say, 0
        self._most_gib = Settings.of().search_gib

    def request(  # noqa: PLR0917  pystac-client's own
        self, href: str, method: str | None = None, headers: Json | None = None, parameters: Json | None = None
    ) -> str:
        """The text of an answer."""
        body = parameters if method == "POST" else None
        url = href if body is not None else _with(href, parameters or {})
        own = {"Authorization": f"Basic {b64encode(unquote(self._search.user).encode()).decode()}"} if self._search.user else {}
        if host_of(url) != host_of(self._search.root):
            own = {}
        asked = Ask(
            url=url, hosts=self._search.hosts, method=method or "GET", body=body, say=self._say,
            headers={"Accept": "application/geo+json, application/json", **(headers or {}), **own},
        )  # fmt: skip
        with answered(asked) as response:
            data = read_bounded(response, most=MAX_PAGE_BYTES)
        self._bytes += len(data)
        if self._bytes > self._most_gib * (1 << 30):
            raise FetchError(
                f"the answer has more than {self._most_gib:g} GiB; narrow the search, give max_items, or allow more: search.gib "
                f"of the site, {SEARCH_GIB}"
            )
        return data.decode()


def items_of(search: "Search", *, say: Say | None) -> Iterator[list[Any]]:
    """Features of each page, at most ``max_items`` in all.

    Raises:
        FetchError: A server says no, or pages have no end.
        APIError: The root is no STAC API.
        ValueError: An answer is no page of features.
    """
    io = _Io(search, say=say)
    most, pages, left = search.parameters.get("max_items"), _pages(search, io=io), None
    for page in pages:
        left = (most if left is None else left) if most is not None else None
        features = page if left is None else page[:left]
        left = None if left is None else left - len(features)
        yield features
        if left == 0:
            return


def _pages(search: "Search", *, io: _Io) -> Iterator[list[Any]]:
    client = _client(search, io=io)
    page: _Page | None = _first(client, search, method=_method(client))
    asked: set[str] = set()
    empty, most = 0, Settings.of().search_pages
    while page is not None:
        fingerprint = json.dumps([page.method, page.url, page.body], sort_keys=True)
        if fingerprint in asked:
            raise FetchError(f"page {len(asked) + 1} of the answer has the address of an earlier one: the pages go in a circle")
        if empty >= MAX_EMPTY:
            raise FetchError(f"the answer has {empty} pages without a feature; narrow the search, or give limit and max_items")
        if len(asked) >= most:
            raise FetchError(
                f"the answer has more than {most} pages; narrow the search, give limit and max_items, or allow more: "
                f"search.pages of the site, {SEARCH_PAGES}"
            )
        asked.add(fingerprint)
        try:
            document = _document(io, page, number=len(asked))
        except FetchError as error:
            if error.status in _NOT_ALLOWED and page.method == "POST" and len(asked) == 1:
                page = _first(client, search, method="GET")
                continue
            raise
        features = document["features"]
        empty = 0 if features else empty + 1
        yield features
        page = _next(document, page)


def _client(search: "Search", *, io: _Io) -> Client:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PystacClientWarning)  # what an API does not declare may work all the same
        return Client.open(search.root, stac_io=io)


def _document(io: _Io, page: _Page, *, number: int) -> Json:
    """A page as it came.

    Raises:
        ValueError: The page is not a collection of features.
    """
    text = io.request(page.url, method=page.method, parameters=page.body, headers=dict(page.headers))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"page {number} is not JSON: it begins with {redacted(text[:80])!r}"
        raise ValueError(msg) from error
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        has = ", ".join(sorted(map(str, document))[:8]) if isinstance(document, dict) else type(document).__name__
        msg = f"page {number} has no list of features; it has {redacted(has) or 'nothing'}"
        raise ValueError(msg)  # noqa: TRY004  the answer's fault, not its type's
    return document


def _method(client: Client) -> str:
    """POST where the API has it, or does not say."""
    links = [link.extra_fields.get("method", "GET") for link in client.get_links("search")]
    return "GET" if links and "POST" not in links else "POST"


def _first(client: Client, search: "Search", *, method: str) -> _Page:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PystacClientWarning)
        asked = client.search(method=method, **search.parameters)
        parameters = asked.get_parameters()
    if method == "POST":
        return _Page(method=method, url=asked.url, body=parameters)
    return _Page(method=method, url=_with(asked.url, parameters))


def _next(document: Json, page: _Page) -> _Page | None:
    """What asks for the following page (STAC API, item search, paging)."""
    links = document.get("links")
    link = next((k for k in links if isinstance(k, dict) and k.get("rel") == "next"), None) if isinstance(links, list) else None
    if link is None or not link.get("href"):
        return None
    url = urljoin(page.url, str(link["href"]))
    method = str(link.get("method", "GET")).upper()
    same = host_of(url) == host_of(page.url)
    told = link.get("headers") if same else None
    headers = {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}
    following = _Page(method=method, url=url, headers=headers)
    if method != "POST":
        return following
    given = link.get("body")
    body: Json = given if isinstance(given, dict) else {}
    return replace(following, body={**(page.body or {}), **body} if link.get("merge") else body)


def _with(url: str, parameters: Mapping[str, Any]) -> str:
    """An address with further parameters in its query."""
    if not parameters:
        return url
    parts = urlsplit(url)
    return urlunsplit((*parts[:3], "&".join(q for q in (parts.query, urlencode(parameters)) if q), ""))
