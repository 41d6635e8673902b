"""When this process began to work: the zero of the clock in its messages."""

import time
from typing import Final

BEGAN: Final = time.monotonic()


def since_began() -> float:
    """Seconds."""
    return time.monotonic() - BEGAN
