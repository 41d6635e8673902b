"""Searches of a STAC API, kept as item files: what was found once is what a run is made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from swath.errors import ConfigError, ServiceError, SwathError
from swath.readers.files.fetch import FetchError
from swath.readers.files.hosts import Hosts, host_of
from swath.readers.stac.answer import SearchAnswer
from swath.redaction import SEARCH_PARAMETERS, redacted, without_query
from swath.settings import HOSTS

_PREFIX: Final = "stac+"
_SEARCH: Final = "/search"
_LISTS: Final = frozenset({"collections", "ids", "sortby", "hosts"})
_NUMBERS: Final = frozenset({"limit", "max_items"})
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search.

    Args:
        href: Address as the user wrote it.
        root: Root of the API, without user and query.
        user: ``user:password`` of the address; empty without one.
        parameters: Keyword arguments of pystac-client's ``Client.search``.
        hosts: Hosts that may be contacted: the site's list, otherwise the API's own host and those of the parameter ``hosts``.
    """

    href: str = field(repr=False)
    root: str
    user: str = field(repr=False)
    parameters: dict[str, Any]
    hosts: Hosts

    @property
    def name(self) -> str:
        """Name of the folder that keeps the answer."""
        return f"search-{sha256(self.href.encode(errors='surrogatepass')).hexdigest()[:12]}"

    def failed(self, why: object) -> SwathError:
        """The error that ends a run: a ``ServiceError`` where the API was away, otherwise a ``ConfigError``."""
        if isinstance(why, FetchError) and why.away:
            return ServiceError(
                f"the STAC search {self.href!r} got no answer: {why}. Check the link and the address, and run again"
            )
        hint = f"Name it: search.hosts of the site, {HOSTS}, or hosts=... in the search." if _is_refusal(why) else ""
        told = " ".join(str(why).split())[:400]
        return ConfigError(f"the STAC search {self.href!r} failed: {told}. {hint or 'Check the address and the parameters.'}")


def is_search(href: str) -> bool:
    """Whether an input is a STAC search: ``stac+https://host/root?...``, or ``https://host/root/search?...``."""
    return href.startswith((f"{_PREFIX}http://", f"{_PREFIX}https://")) or (
        href.startswith(("http://", "https://")) and urlsplit(href).path.endswith(_SEARCH)
    )


def search(href: str, *, folder: Path, say: Say | None = None) -> Iterator[str]:
    """Run a search, keep each item as a file, and yield its path as the pages arrive; a finished answer is read again.

    Args:
        href: Root of the API and, behind ``?``, any of ``collections``, ``ids``, ``bbox``, ``datetime``, ``query``
            (repeatable, ``eo:cloud_cover<20``), ``filter`` (CQL2 text), ``sortby``, ``limit`` (a page's items),
            ``max_items`` (all pages') and ``hosts`` (further hosts that may be asked, for assets too).
        folder: Exists; gets ``search-<digest>/<collection>.<item id>.json`` and, at the end, ``search-<digest>.json``.
        say: Hears of the progress.

    Raises:
        ConfigError: A parameter is unknown or malformed, a host was not named, or the API does not answer as one.
        ServiceError: The API was away for longer than we wait.
    """
    asked = parse_search(href)
    answer = SearchAnswer(folder, asked.name)
    if (kept := answer.finished()) is not None:
        yield from kept
        return
    # A sixth of a second of imports, for searches alone.
    from pystac_client.exceptions import APIError  # noqa: PLC0415

    from swath.readers.stac.search_pages import items_of  # noqa: PLC0415

    try:
        for page in items_of(asked, say=say):
            for item in page:
                if (path := answer.keep(item, root=asked.root, hosts=asked.hosts)) is not None:
                    yield path
            if say is not None:
                say(f"search of {host_of(asked.root)}: {answer.told}")
    except GeneratorExit:
        # Enough for who asked: a run that begins again asks for as many.
        answer.finish(root=asked.root)
        raise
    except (APIError, NotImplementedError, OSError, ValueError, KeyError, TypeError) as error:
        raise asked.failed(error) from error
    answer.finish(root=asked.root)


def parse_search(href: str) -> Search:
    """Take a search apart.

    Raises:
        ConfigError: A parameter is unknown or malformed, or the site does not name the host.
    """
    parts = urlsplit(href.removeprefix(_PREFIX))
    root = urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix(_SEARCH), "", ""))
    parameters: dict[str, Any] = {}
    for key, value in parse_qsl(parts.query):
        if key not in SEARCH_PARAMETERS:
            msg = f"unknown parameter {key!r} in the STAC search {href!r}; expected {', '.join(sorted(SEARCH_PARAMETERS))}"
            raise ConfigError(msg)
        if key == "query":
            parameters.setdefault(key, []).append(value)
        else:
            parameters[key] = _value(key, value=value, href=href)
    hosts = Hosts.of_site(otherwise=[host_of(root), *parameters.pop("hosts", [])])
    user = parts.netloc.rpartition("@")[0]
    asked = Search(href=href, root=without_query(root), user=user, parameters=parameters, hosts=hosts)
    if why := hosts.refusal(root):
        raise asked.failed(FetchError(why, refused=True))
    return asked


def _is_refusal(why: object) -> bool:
    return isinstance(why, FetchError) and why.refused


def _value(key: str, *, value: str, href: str) -> str | int | list[str] | list[float]:
    try:
        if key == "bbox":
            return [float(edge) for edge in value.split(",")]
        if key in _NUMBERS:
            return int(value)
    except ValueError as error:
        msg = f"the parameter {key!r} of the STAC search {href!r} is malformed: {redacted(value)!r}"
        raise ConfigError(msg) from error
    return value.split(",") if key in _LISTS else value
