"""How fast this machine is beside the one that the rates of ``estimate`` were measured on."""

from time import process_time
from typing import Final

import numpy as np

from swath.encoding import REFLECTANCE
from swath.sinks.cog.blocks import encode_rows

#: CPU seconds of ``_once`` there (docs/benchmarks.md).
REFERENCE_S: Final = 0.013
_TRIES: Final = 5
_WIDTH: Final = 5120


def slowness() -> float:
    """CPU time of a row of blocks here, through predictor and DEFLATE, over its time there: 2.0 is half as fast.

    Takes less than a second, most of it for loading compiled code.
    """
    rows = np.random.default_rng(1).normal(2000.0, 40.0, (512, _WIDTH)).astype(np.int16)
    return min(_once(rows) for _ in range(_TRIES)) / REFERENCE_S


def _once(rows: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> float:
    since = process_time()
    encode_rows(rows, REFLECTANCE)
    return process_time() - since
