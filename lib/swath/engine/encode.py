"""Physical values to the integers of a file."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from swath.lookup import looked_up
from swath.pipeline import Layer
from swath.product import Encoding


@dataclass(frozen=True, slots=True)
class Encoded:
    """Stored values, (y, x), and how many of them were clamped."""

    stored: NDArray[np.integer]
    clamped: int


def encode_values(physical: NDArray[np.float64], encoding: Encoding) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """Round half to even, clamp, and put nodata where the value is not finite.

    Returns:
        Stored values, and True where a finite value was clamped; both of the shape given.
    """
    with np.errstate(invalid="ignore"):
        counts = np.rint(physical / encoding.scale)
    finite = np.isfinite(physical)
    outside = finite & ((counts < encoding.lowest) | (counts > encoding.highest))
    fill = encoding.nodata if encoding.nodata is not None else 0
    held = np.where(finite, np.clip(counts, encoding.lowest, encoding.highest), fill)
    return held.astype(encoding.dtype), outside


class _Table:
    """A table, recognised by identity: an array that a layer has is never changed."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Table) and self.values is other.values

    def __hash__(self) -> int:
        return id(self.values)


@lru_cache(maxsize=8)
def _encode_table(table: _Table, encoding: Encoding) -> tuple[NDArray[np.integer], NDArray[np.bool_] | None]:
    """Encode a table, and keep the result: a layer is written and pictured, and all pieces of a scene share some tables."""
    stored, outside = encode_values(table.values, encoding)
    return stored, outside if outside.any() else None


def encode_layer(layer: Layer, encoding: Encoding) -> Encoded:
    """Encode a layer; a coded layer's 65,536 table entries instead of its pixels, with equal results."""
    if layer.table is not None:
        table, outside = _encode_table(_Table(layer.table), encoding)
        clamped = int(np.count_nonzero(looked_up(outside, layer.values))) if outside is not None else 0
        return Encoded(looked_up(table, layer.values), clamped)
    if np.issubdtype(layer.values.dtype, np.integer) and encoding.scale == 1.0:
        stored = layer.values.astype(encoding.dtype, copy=False)
        if layer.valid is not None and encoding.nodata is not None:
            stored = np.where(layer.valid, stored, np.array(encoding.nodata, dtype=encoding.dtype))
        return Encoded(np.ascontiguousarray(stored), 0)
    stored, outside = encode_values(layer.physical, encoding)
    return Encoded(stored, int(np.count_nonzero(outside)))
