"""Small pictures of layers, gathered while the pixels pass: exact sums over a fixed sampling of the grid."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from swath.engine.encode import encode_values
from swath.grid import Grid, Window
from swath.pipeline import Layer
from swath.product import REFLECTANCE, LayerName

#: Longest side of a preview [px].
SIDE_PX = 480
#: Samples a side in each preview pixel.
SAMPLES = 3
_NODATA = -9999


def stride_of(grid: Grid) -> int:
    """Distance between samples [px]."""
    return max(max(grid.height, grid.width) // (SIDE_PX * SAMPLES), 1)


@dataclass(slots=True)
class Preview:
    """Sums of reflectance counts and how many valid samples went into each preview pixel."""

    total: NDArray[np.int32]
    count: NDArray[np.uint16]

    @classmethod
    def of(cls, grid: Grid) -> "Preview":
        """An empty preview of a grid."""
        cell = stride_of(grid) * _samples(grid)
        shape = (-(-grid.height // cell), -(-grid.width // cell))
        return cls(np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.uint16))

    def add(self, layer: Layer) -> None:
        """Count the samples of a window; every sample belongs to one cell, whatever window brings it."""
        grid, window = layer.grid, layer.window
        rows, cols = _sampled(window.row, window.row_stop, grid), _sampled(window.col, window.col_stop, grid)
        if not rows.size or not cols.size:
            return
        values = layer.values[np.ix_(rows - window.row, cols - window.col)]
        part = Window(0, 0, rows.size, cols.size)
        valid = layer.valid[np.ix_(rows - window.row, cols - window.col)] if layer.valid is not None else None
        physical = Layer(values=values, grid=grid, window=part, valid=valid, table=layer.table).physical
        stored, _ = encode_values(physical, REFLECTANCE)
        usable = stored != _NODATA
        cell = stride_of(grid) * _samples(grid)
        where = np.ix_(rows // cell, cols // cell)
        np.add.at(self.total, where, np.where(usable, stored, 0).astype(np.int32))
        np.add.at(self.count, where, usable.astype(np.uint16))

    def merged(self, other: "Preview") -> "Preview":
        """Both together."""
        return Preview(self.total + other.total, self.count + other.count)

    @property
    def pixels(self) -> NDArray[np.int16]:
        """Mean reflectance counts, (y, x), nodata -9999."""
        mean = np.rint(self.total / np.maximum(self.count, 1))
        return np.where(self.count > 0, mean, _NODATA).astype(np.int16)


def _samples(grid: Grid) -> int:
    return SAMPLES if max(grid.height, grid.width) > SIDE_PX * SAMPLES else -(-max(grid.height, grid.width) // SIDE_PX)


def _sampled(start: int, stop: int, grid: Grid) -> NDArray[np.int64]:
    stride = stride_of(grid)
    return np.arange(-(-start // stride) * stride, stop, stride, dtype=np.int64)


def save(previews: Mapping[LayerName, Preview], file: BinaryIO) -> None:
    """Write previews as one compressed archive."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, preview in previews.items():
        arrays[f"{name}|total"], arrays[f"{name}|count"] = preview.total, preview.count
    np.savez_compressed(file, allow_pickle=False, **arrays)


def load(data: bytes) -> dict[LayerName, Preview]:
    """The inverse of ``save``."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        names = sorted({key.rpartition("|")[0] for key in archive.files})
        return {name: Preview(archive[f"{name}|total"], archive[f"{name}|count"]) for name in names}
