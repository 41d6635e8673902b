"""How fast this machine is beside the one that the rates of ``estimate`` were measured on."""

from time import process_time
from typing import Final

import numpy as np
from isal import igzip_lib

#: CPU seconds of ``_once`` there (docs/benchmarks.md).
REFERENCE_S: Final = 0.0058
_TRIES: Final = 5
_WIDTH: Final = 2560


def slowness() -> float:
    """CPU time of DEFLATE over differences of pixels here, over its time there: 2.0 is half as fast.

    Takes a tenth of a second: a run spends most on such streams, and no machine code has to be loaded for one.
    """
    rows = np.random.default_rng(1).normal(2000.0, 40.0, (512, _WIDTH)).astype(np.int16)
    plain = np.diff(rows, axis=1, prepend=rows[:, :1]).tobytes()
    return min(_once(plain) for _ in range(_TRIES)) / REFERENCE_S


def _once(plain: bytes) -> float:
    since = process_time()
    igzip_lib.compress(plain, 2, igzip_lib.COMP_ZLIB)
    return process_time() - since
