"""Table entries of coded pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled


def looked_up(table: NDArray[Any], codes: NDArray[np.unsignedinteger]) -> NDArray[Any]:
    """Table entries of codes, (y, x).

    Args:
        table: One entry for each number that the type of ``codes`` can hold.
        codes: 8 or 16 bits.

    Raises:
        ValueError: The table does not have as many entries as the type has numbers.
    """
    check_table(table, codes)
    found = np.empty(codes.shape, dtype=table.dtype)
    _look_up(table, np.ascontiguousarray(codes), found)
    return found


def check_table(table: NDArray[Any], codes: NDArray[Any]) -> None:
    """Refuse a table that does not have an entry for each number that the type of the codes can hold.

    Raises:
        ValueError: The table has too few or too many entries, or the codes are not unsigned.
    """
    if table.size != 1 << 8 * codes.dtype.itemsize or not np.issubdtype(codes.dtype, np.unsignedinteger):
        msg = f"a table of {table.size} entries for codes of {codes.dtype}"
        raise ValueError(msg)


@compiled
def _look_up(table: NDArray[Any], codes: NDArray[np.unsignedinteger], found: NDArray[Any]) -> None:
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            found[y, x] = table[codes[y, x]]
