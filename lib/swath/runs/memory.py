"""Memory that a driver has let go of, given back: each thread of a wave has an arena of its own, which keeps what it once had."""

import ctypes
from functools import cache
from typing import Any


def give_back() -> None:
    """Give free memory back to the system; nothing where the C library cannot."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
