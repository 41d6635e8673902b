"""How many products a wave has: enough for every core three times over, so that a slow scene holds up few of them."""

from typing import Final

#: Fewer would be many commits for little work; more would be minutes of work lost, and a driver that grows.
LEAST: Final = 32
MOST: Final = 4096
_TIMES: Final = 3


def wave_width(cores: int) -> int:
    """Products of a wave on a cluster.

    Args:
        cores: Number of executor cores when all executors are there.
    """
    return min(max(_TIMES * cores, LEAST), MOST)
