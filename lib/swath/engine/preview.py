"""Small pictures of layers, gathered while the pixels pass: exact sums over a fixed sampling of the grid."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.engine.encode import encode_layer
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
        part = (_picked(rows, start=window.row, grid=grid), _picked(cols, start=window.col, grid=grid))
        sampled = Layer(
            values=np.ascontiguousarray(layer.values[part]),
            grid=grid,
            window=Window(0, 0, rows.size, cols.size),
            valid=None if layer.valid is None else layer.valid[part],
            table=layer.table,
        )
        stored = encode_layer(sampled, REFLECTANCE).stored
        cell = stride_of(grid) * _samples(grid)
        _add(np.ascontiguousarray(stored), rows // cell, cols // cell, self.total, self.count)

    def merged(self, other: "Preview") -> "Preview":
        """Both together."""
        return Preview(self.total + other.total, self.count + other.count)

    @property
    def pixels(self) -> NDArray[np.int16]:
        """Mean reflectance counts, (y, x), nodata -9999."""
        mean = np.rint(self.total / np.maximum(self.count, 1))
        return np.where(self.count > 0, mean, _NODATA).astype(np.int16)


def _picked(positions: NDArray[np.int64], *, start: int, grid: Grid) -> slice:
    return slice(int(positions[0]) - start, int(positions[-1]) - start + 1, stride_of(grid))


@compiled
def _add(  # noqa: PLR0917 (compiled functions take positions)
    stored: NDArray[np.int16],
    down: NDArray[np.int64],
    across: NDArray[np.int64],
    total: NDArray[np.int32],
    count: NDArray[np.uint16],
) -> None:
    """Add samples, (y, x), to the cells that their rows and columns lie in."""
    for y in range(stored.shape[0]):
        for x in range(stored.shape[1]):
            if stored[y, x] != _NODATA:
                total[down[y], across[x]] += stored[y, x]
                count[down[y], across[x]] += 1


def _samples(grid: Grid) -> int:
    return SAMPLES if max(grid.height, grid.width) > SIDE_PX * SAMPLES else -(-max(grid.height, grid.width) // SIDE_PX)


def _sampled(start: int, stop: int, grid: Grid) -> NDArray[np.int64]:
    stride = stride_of(grid)
    return np.arange(-(-start // stride) * stride, stop, stride, dtype=np.int64)


def save(previews: Mapping[LayerName, Preview], file: BinaryIO) -> None:
    """Write previews as one archive: the rows of each that anything went into. It lives for seconds: compression costs more."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, preview in previews.items():
        used = np.flatnonzero(preview.count.any(axis=1))
        rows = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 0)
        arrays[f"{name}|total"], arrays[f"{name}|count"] = preview.total[rows], preview.count[rows]
        arrays[f"{name}|place"] = np.array([rows.start, len(preview.count)], dtype=np.int64)
    np.savez(file, allow_pickle=False, **arrays)


def load(data: bytes) -> dict[LayerName, Preview]:
    """The inverse of ``save``."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        names = sorted({key.rpartition("|")[0] for key in archive.files})
        return {name: _placed(archive[f"{name}|total"], archive[f"{name}|count"], archive[f"{name}|place"]) for name in names}


def _placed(total: NDArray[np.int32], count: NDArray[np.uint16], place: NDArray[np.int64]) -> Preview:
    start, height = place.tolist()
    margins = ((start, height - start - len(total)), (0, 0))
    return Preview(np.pad(total, margins), np.pad(count, margins))
