"""Counts for the radiometric guard, of bands that the strip reads anyway: every n-th row and column, on the band's grid."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.algo.darkest import bin_count, bins_of, sparse
from swath.algo.radiometric_guard import BANDS
from swath.engine.cut import Cut
from swath.engine.frame import ratios
from swath.engine.warping import centres, lattice_of
from swath.grid import Grid, Window
from swath.pipeline import Layer
from swath.scene import Reflectance, Scene
from swath.sensors import SENSORS
from swath.steps.toa import CODED_TYPES, calibrate, calibration_table

#: Columns of a band that are counted, about: a million pixels show its darkest thousandth.
_COLUMNS = 1024


class DarkCounts:
    """What the bands of a strip have at their dark end.

    Args:
        scene: The scene.
        cut: Cut of the product: each piece counts its own pixels, whatever margin was read with it.
    """

    def __init__(self, scene: Scene, cut: Cut) -> None:
        self._scene, self._cut = scene, cut
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._tables: dict[str, NDArray[np.int32]] = {}
        # The guard knows the bands of these; a sensor of the user's own may fly below the air.
        self._guarded = scene.family in SENSORS

    def take(self, band: str, layer: Layer, *, piece: Window) -> None:
        """Count a band as it was delivered, where the piece is."""
        calibration = self._scene.assets[band].calibration
        if not self._guarded or band not in BANDS or not isinstance(calibration, Reflectance):
            return
        index = self._index(layer, piece=piece)
        values = layer.values[index]
        if not values.size:
            return
        bins = self._bins(band, values, calibration=calibration)
        if layer.valid is not None:
            bins = np.where(layer.valid[index], bins, bin_count() - 1)
        found = np.bincount(bins.ravel(), minlength=bin_count())
        self._counts[band] = self._counts[band] + found if band in self._counts else found

    def _index(self, layer: Layer, *, piece: Window) -> Any:
        """Which pixels of a layer the piece counts: its own, wherever the product is cut."""
        frame = self._cut.frame.grid
        if ratios(frame, layer.grid) is None:
            return _picked(layer, piece, frame=frame, step=max(frame.width // _COLUMNS, 1))
        own = self._cut.window_on(layer.grid, piece)
        return _places(own, layer, step=max(layer.grid.width // _COLUMNS, 1)) if own else (slice(0), slice(0))

    def _bins(self, band: str, values: NDArray[Any], *, calibration: Reflectance) -> NDArray[np.int32]:
        sun, dtype = self._scene.angles.sun_elevation_deg, values.dtype.name
        if dtype not in CODED_TYPES:
            return bins_of(calibrate(values, calibration=calibration, sun_elevation_deg=sun))
        if band not in self._tables:
            nodata = self._scene.assets[band].nodata
            table = calibration_table(dtype, nodata=nodata, calibration=calibration, sun_elevation_deg=sun)
            self._tables[band] = bins_of(table)
        codes = np.ascontiguousarray(values).view(np.uint16) if dtype == "int16" else values
        return np.take(self._tables[band], codes)

    def by_band(self) -> dict[str, Mapping[int, int]]:
        """Pixels by bin, by band."""
        return {band: sparse(numbers) for band, numbers in self._counts.items()}


def _picked(layer: Layer, piece: Window, *, frame: Grid, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns in a layer of the pixels under every n-th pixel of the frame, where the two do not line up."""
    columns, rows = centres(lattice_of(layer.grid, frame), piece, exact_at_edges=False)
    every = _every(piece.row, piece.row_stop, origin=piece.row, step=step)
    nth = _every(piece.col, piece.col_stop, origin=piece.col, step=step)
    down, across = rows[every, nth].ravel(), columns[every, nth].ravel()
    with np.errstate(invalid="ignore"):
        inside = (down >= layer.window.row) & (down < layer.window.row_stop)
        inside &= (across >= layer.window.col) & (across < layer.window.col_stop)
    return (
        np.floor(down[inside]).astype(np.int64) - layer.window.row,
        np.floor(across[inside]).astype(np.int64) - layer.window.col,
    )


def _places(own: Window, layer: Layer, *, step: int) -> tuple[slice, slice]:
    """Rows and columns of the layer to look at: multiples of ``step`` on the grid, inside the piece and what was read."""
    read = layer.window
    return (
        _every(max(own.row, read.row), min(own.row_stop, read.row_stop), origin=read.row, step=step),
        _every(max(own.col, read.col), min(own.col_stop, read.col_stop), origin=read.col, step=step),
    )


def _every(start: int, stop: int, *, origin: int, step: int) -> slice:
    first = -(-start // step) * step
    return slice(first - origin, max(stop, first) - origin, step)
