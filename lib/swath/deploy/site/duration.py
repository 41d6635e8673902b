"""Durations as people write them in a job file: ``90m``, ``6h``, ``2d``."""

import re

from swath.errors import ConfigError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> int:
    """The seconds that ``text`` names.

    Raises:
        ConfigError: Not a whole number followed by s, m, h or d.
    """
    match = re.fullmatch(r"([1-9]\d*)([smhd])", text.strip())
    if match is None:
        msg = f"duration {text!r}: write a whole number with s, m, h or d, for example 6h"
        raise ConfigError(msg)
    return int(match[1]) * _SECONDS[match[2]]
