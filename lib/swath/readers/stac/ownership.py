"""Licence and providers of a sensor of the user's own, as its item says; those of others are facts of the sensor."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from swath.readers.stac.item import Item, list_of
from swath.redaction import redacted, without_query
from swath.sensors import Provider

_LICENSE = re.compile(r"[\w.+-]{1,100}")
_ROLES: Final = ("licensor", "producer", "processor", "host")
_MOST: Final = 20


def license_of(item: Item) -> str:
    """``license`` of the item where it is one that STAC allows (an SPDX name, ``other``); empty otherwise."""
    said = item.text("license").strip()
    return said if _LICENSE.fullmatch(said) else ""


def providers_of(item: Item) -> tuple[Provider, ...]:
    """``providers`` of the item, those without a name left out."""
    return tuple(_providers(item))[:_MOST]


def _providers(item: Item) -> Iterator[Provider]:
    for said in list_of(item.properties.get("providers")):
        name = said.get("name") if isinstance(said, Mapping) else None
        if isinstance(said, Mapping) and isinstance(name, str) and name.strip():
            yield Provider(name=redacted(name.strip()), roles=_roles(said), url=_url(said))


def _roles(said: Mapping[str, Any]) -> tuple[str, ...]:
    told = list_of(said.get("roles"))
    return tuple(role for role in _ROLES if role in told)


def _url(said: Mapping[str, Any]) -> str:
    url = said.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return ""
    try:
        return without_query(url)
    except ValueError:  # no URL
        return ""
