"""Searches of a STAC API, kept as item files: what was found once is what a run is made of."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from swath.errors import ConfigError

_PREFIX = "stac+"
_SEARCH = "/search"
_LISTS = frozenset({"collections", "ids", "sortby"})
_WORDS = frozenset({"datetime", "filter"})
_NUMBERS = frozenset({"limit", "max_items"})
_KNOWN = _LISTS | _WORDS | _NUMBERS | {"bbox", "query"}


def is_search(href: str) -> bool:
    """Whether an input is a STAC search: ``stac+https://host/root?...``, or ``https://host/root/search?...``."""
    return href.startswith((f"{_PREFIX}http://", f"{_PREFIX}https://")) or (
        href.startswith(("http://", "https://")) and urlsplit(href).path.endswith(_SEARCH)
    )


def search(href: str, *, folder: Path) -> Iterator[str]:
    """Run a search, keep each item as a file, and yield its path as the pages arrive.

    Args:
        href: Root of the API and, behind ``?``, any of ``collections``, ``ids``, ``bbox``, ``datetime``, ``query``
            (repeatable, ``eo:cloud_cover<20``), ``filter`` (CQL2 text), ``sortby``, ``limit`` (a page's items) and
            ``max_items`` (all pages').
        folder: Exists; gets ``search-<digest>/<collection>.<item id>.json``.

    Raises:
        ConfigError: A parameter is unknown or malformed, or the API does not answer as one.
    """
    # A sixth of a second of imports, for who searches.
    from pystac_client import Client  # noqa: PLC0415
    from pystac_client.exceptions import APIError  # noqa: PLC0415

    root, parameters = parse_search(href)
    kept = folder / f"search-{sha256(href.encode()).hexdigest()[:12]}"
    kept.mkdir(parents=True, exist_ok=True)
    try:
        for item in Client.open(root).search(**parameters).items_as_dicts():
            name = quote(f"{item.get('collection') or 'items'}.{item['id']}.json", safe="")
            (kept / name).write_text(json.dumps(item, sort_keys=True), encoding="utf-8")
            yield str(kept / name)
    except (APIError, NotImplementedError, OSError, ValueError, KeyError) as error:
        msg = f"the STAC search {href!r} failed: {_told(error)}. Check the address; try it with stac-client search."
        raise ConfigError(msg) from error


def _told(error: Exception) -> str:
    """One line of what went wrong: servers answer with pages of HTML."""
    status = getattr(error, "status_code", None)
    text = " ".join(str(error).split())[:200]
    return f"HTTP {status}, {text}" if status else text


def parse_search(href: str) -> tuple[str, dict[str, Any]]:
    """Take a search apart: root of the API, and keyword arguments of pystac-client's ``Client.search``.

    Raises:
        ConfigError: A parameter is unknown or malformed.
    """
    parts = urlsplit(href.removeprefix(_PREFIX))
    root = urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix(_SEARCH), "", ""))
    parameters: dict[str, Any] = {}
    for key, value in parse_qsl(parts.query):
        if key not in _KNOWN:
            msg = f"unknown parameter {key!r} in the STAC search {href!r}; expected {', '.join(sorted(_KNOWN))}"
            raise ConfigError(msg)
        if key == "query":
            parameters.setdefault(key, []).append(value)
        else:
            parameters[key] = _value(key, value=value, href=href)
    return root, parameters


def _value(key: str, *, value: str, href: str) -> str | int | list[str] | list[float]:
    try:
        if key == "bbox":
            return [float(edge) for edge in value.split(",")]
        if key in _NUMBERS:
            return int(value)
    except ValueError as error:
        msg = f"the parameter {key!r} of the STAC search {href!r} is malformed: {value!r}"
        raise ConfigError(msg) from error
    return value.split(",") if key in _LISTS else value
