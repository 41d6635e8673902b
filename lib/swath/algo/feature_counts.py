"""Pixels of a layer by bins between edges: integer counts, so parts of a scene merge in any order to the same result."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

#: Most edges: the bin of a code fits a byte, beside ``_INVALID``.
MAX_EDGES: Final = 253
_INVALID: Final = 255


def count_values(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pixels by bin, (edge + 1,), of values, (y, x); NaN is not counted. Bin k holds what is above k edges."""
    counts = np.zeros(edges.size + 1, dtype=np.int64)
    _count_values(np.ascontiguousarray(values), edges, counts)
    return counts


def count_codes(codes: NDArray[np.unsignedinteger], bins: NDArray[np.uint8], *, size: int) -> NDArray[np.int64]:
    """Pixels by bin, (size,), of codes, (y, x), whose bins are ``bins_of_table``."""
    counts = np.zeros(_INVALID + 1, dtype=np.int64)
    _count_codes(np.ascontiguousarray(codes), bins, counts)
    return counts[:size]


def bins_of_table(table: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Bin of each entry of a table of physical values; 255 where it is NaN."""
    found = np.searchsorted(edges, table, side="left").astype(np.uint8)
    found[~np.isfinite(table)] = _INVALID
    return found


@compiled
def _count_values(values: NDArray[Any], edges: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            value = values[y, x]
            if not np.isfinite(value):
                continue
            low, high = 0, edges.size
            while low < high:
                middle = (low + high) >> 1
                if edges[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            counts[low] += 1


@compiled
def _count_codes(codes: NDArray[np.unsignedinteger], bins: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            counts[bins[codes[y, x]]] += 1
