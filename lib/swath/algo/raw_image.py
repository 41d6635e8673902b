"""Grids of raw images: the image itself is the map, and its model of the ground is the coordinate system.

The system of such a grid is the text ``RPC00B {...}``: the coefficients, and what ground control found. So a grid says everything
that the places of its pixels depend on, travels as any other, and belongs to the asset keys with all its numbers. Its units are
metres of nominal ground sampling; x grows with the columns, y falls with the rows, and 0, 0 is the outer corner of the image.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from math import cos, floor, log10, radians

import numpy as np
from numpy.typing import NDArray

from swath.algo.rpc import Rpc
from swath.grid import RAW, Grid

#: Metres of a degree of latitude, of the sphere: nominal ground sampling needs no better.
_METRES_A_DEGREE = 111_195.0
Shares = tuple[float, float, float]
_NONE: Shares = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """What ground control or another image adds to places in the image [px]: constant, per column, per row.

    Args:
        columns: Columns that are added.
        rows: Rows that are added.
    """

    columns: Shares = _NONE
    rows: Shares = _NONE

    def apply(self, columns: NDArray[np.float64], rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Refined columns and rows [px], of the same shape."""
        (a, b, c), (d, e, f) = self.columns, self.rows
        if self == _UNREFINED:
            return columns, rows
        return columns + (a + b * columns + c * rows), rows + (d + e * columns + f * rows)

    def then(self, after: "Refinement") -> "Refinement":
        """This refinement, and another one of the places that it gives."""
        (a, b, c), (d, e, f) = (_matrix(after) @ _matrix(self) - np.eye(3))[1:].tolist()
        return Refinement(columns=(a, b, c), rows=(d, e, f))


_UNREFINED = Refinement()


def _matrix(refinement: Refinement) -> NDArray[np.float64]:
    """From 1, column and row to the same three, refined."""
    return np.asarray(np.eye(3) + np.array([_NONE, refinement.columns, refinement.rows]), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawModel:
    """The model of a raw image.

    Args:
        rpc: Coefficients; the centre of the first pixel is (0, 0).
        refinement: Correction that is added to the coordinates of the model.
    """

    rpc: Rpc
    refinement: Refinement = field(default_factory=Refinement)

    @property
    def crs(self) -> str:
        """The coordinate system of grids in this image."""
        plain = {**asdict(self.rpc), **({"refinement": asdict(self.refinement)} if self.refinement != _UNREFINED else {})}
        return RAW + json.dumps(plain, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=64)
def model_of(crs: str) -> RawModel:
    """The model in the system of a raw grid.

    Raises:
        MetadataError: The coefficients cannot be used.
    """
    plain = json.loads(crs.removeprefix(RAW))
    refined = plain.pop("refinement", None)
    lists = {f.name: tuple(plain[f.name]) for f in fields(Rpc) if isinstance(plain[f.name], list)}
    refinement = Refinement(**{k: tuple(v) for k, v in refined.items()}) if refined else Refinement()
    return RawModel(rpc=Rpc(**{**plain, **lists}), refinement=refinement)


def raw_grid(model: RawModel, *, height: int, width: int, check: bool = True) -> Grid:
    """The grid of a whole raw image.

    Args:
        model: Model.
        height: Lines.
        width: Samples.
        check: Whether the model must fit the size; False for a part of an image.

    Raises:
        MetadataError: The model has lines and samples swapped.
    """
    if check:
        model.rpc.check_size(height=height, width=width)
    pixel = sampling_m(model.rpc)
    return Grid(crs=model.crs, left=0.0, top=0.0, dx=pixel, dy=pixel, width=width, height=height)


def sampling_m(rpc: Rpc) -> float:
    """Nominal ground sampling at the centre of a model [m]: the root of a pixel's area, to two digits."""
    samples, lines = np.array([0.0, 1.0, 0.0]) + rpc.samp_off, np.array([0.0, 0.0, 1.0]) + rpc.line_off
    lon, lat = rpc.ground_of(samples, lines, np.full(3, rpc.height_off))
    east, north = np.diff(lon[[1, 0, 2]]) * cos(radians(rpc.lat_off)), np.diff(lat[[1, 0, 2]])
    metres = float(abs(east[0] * north[1] - east[1] * north[0])) ** 0.5 * _METRES_A_DEGREE
    return float(round(metres, 1 - floor(log10(metres))))
