"""An item that a command line names."""

import json
from typing import Any

from swath.errors import ConfigError
from swath.stores.registry import open_store


def item_of(item: str) -> dict[str, Any]:
    """The JSON object of a product's item.

    Args:
        item: Path or URI of the item.

    Raises:
        ConfigError: There is no such item.
    """
    folder, _, name = item.rpartition("/")
    data = open_store(folder or ".", create=False).read(name)
    if data is None:
        msg = f"{item}: there is no such item"
        raise ConfigError(msg)
    told: dict[str, Any] = json.loads(data)
    return told
