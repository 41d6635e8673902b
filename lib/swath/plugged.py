"""Objects by name: those of swath, and those that a user's package plugs in by entry points."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from swath.errors import ConfigError


def plugged_targets(group: str, *, builtin: Mapping[str, str], noun: str) -> dict[str, str]:
    """``module:object`` of each name. A plug-in may not replace what is swath's own: nobody could tell the two apart.

    Args:
        group: Group of the entry points.
        builtin: ``module:object`` of what is swath's own, by name; first in the answer.
        noun: What the objects are, for messages: ``step``.

    Raises:
        ConfigError: A plug-in takes the name of one of swath's own.
    """
    plugged = {point.name: point.value for point in entry_points(group=group)}
    for name, value in plugged.items():
        if builtin.get(name, value) != value:
            msg = f"the plug-in {value!r} takes the name of swath's own {noun} {name!r}; rename it"
            raise ConfigError(msg)
    return {**builtin, **plugged}


def load_plugged(name: str, target: str, *, noun: str) -> Any:
    """The object behind a name.

    Args:
        name: Name of the object.
        target: Its ``module:object``.
        noun: What it is, for messages.

    Raises:
        ConfigError: Its module is not there or cannot be imported, or has no such object.
    """
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = f"{noun} {name!r} cannot be loaded from {target!r}: {error}"
        raise ConfigError(msg) from error
