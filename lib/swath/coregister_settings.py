"""The ``coregister`` of a pipeline file: what a user writes, checked, its items found, and made a ``Coregister``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from swath.coregister import Coregister
from swath.errors import ConfigError
from swath.readers.discover import discover
from swath.suggestion import did_you_mean

_KEYS: Final = ("to", "max_shift_px", "model")
#: More are looked through for every scene: a collection of that size is named by its items.
_MOST_ITEMS: Final = 1000


def coregister_choice(said: Mapping[str, Any] | None) -> Coregister | None:
    """The choice that a pipeline file makes; None for none.

    Raises:
        ConfigError: An unknown key, a value that it cannot be, or a reference that does not exist.
    """
    if not said:
        return None
    for key in said:
        if key not in _KEYS:
            msg = f"coregister: unknown key {key!r}{did_you_mean(str(key), _KEYS)} (known: {', '.join(_KEYS)})"
            raise ConfigError(msg)
    to = said.get("to")
    if not isinstance(to, str) or not to:
        msg = f"coregister.to must name an item, or a folder or collection of items, got {to!r}"
        raise ConfigError(msg)
    hrefs = tuple(discover([to if "://" in to else str(Path(to).absolute())]))
    if len(hrefs) > _MOST_ITEMS:
        msg = f"coregister.to: {to} holds {len(hrefs)} items; expected at most {_MOST_ITEMS}: name a smaller collection"
        raise ConfigError(msg)
    return Coregister(**{**said, "to": hrefs})
