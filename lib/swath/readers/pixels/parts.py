"""Bands in several files: the tiles (R1C1, R1C2 ...) in which providers cut large images."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from swath.grid import Window
from swath.pipeline import Layer
from swath.scene import Asset


def of_parts(asset: Asset, window: Window, *, read: Callable[[Asset, Window], Layer]) -> Layer:
    """A window of a band whose pixels are in several files.

    Args:
        asset: The band; its parts do not overlap, and cover it.
        window: Window of the whole band.
        read: Reads a window of one file as of a band of its own.
    """
    values = np.zeros(window.shape, dtype=asset.dtype)
    valid = np.zeros(window.shape, dtype=np.bool_)
    for part in asset.parts:
        whole = Window(part.row, part.col, part.height, part.width)
        row, col = max(window.row, whole.row), max(window.col, whole.col)
        stop, right = min(window.row_stop, whole.row_stop), min(window.col_stop, whole.col_stop)
        if row >= stop or col >= right:
            continue
        own = replace(asset, href=part.href, grid=replace(asset.grid, height=part.height, width=part.width), parts=())
        layer = read(own, Window(row - whole.row, col - whole.col, stop - row, right - col))
        at = window.slices_of(Window(row, col, stop - row, right - col))
        values[at], valid[at] = layer.values, layer.usable
    return Layer(values=values, grid=asset.grid, window=window, valid=valid)
