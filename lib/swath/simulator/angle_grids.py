"""The angle grids of a Sentinel-2 granule: the sun every 5 km, the view by band and detector."""

from typing import Final
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.simulator.noise import F64
from swath.simulator.overpass import Geometry
from swath.simulator.sentinel2_bands import BANDS, view_offset_deg

#: Nodes a side, and their distance [m]: 110 km, the size of a full tile.
NODES: Final = 23
STEP_M: Final = 5_000.0
#: Width of a detector's stripe on the ground, and how far it leans to the west on the way south.
STRIPE_M: Final = 24_000.0
LEAN: Final = 0.21


def add_tile_angles(parent: Element, *, grid: Grid, geometry: Geometry) -> None:
    """Fill ``Tile_Angles``: grids from the upper left corner on, and means over the grid."""
    nodes = np.arange(NODES, dtype=np.float64)
    x: F64 = grid.left + STEP_M * nodes[None, :]
    y: F64 = grid.top - STEP_M * nodes[:, None]
    sun_zenith, sun_azimuth, view_zenith, view_azimuth = geometry.at(x, y)
    _grids(SubElement(parent, "Sun_Angles_Grid"), zenith=sun_zenith, azimuth=sun_azimuth)
    mean = SubElement(parent, "Mean_Sun_Angle")
    _angles(mean, zenith=geometry.sun_zenith.centre, azimuth=geometry.sun_azimuth.centre)
    detector = _detectors(x, y, grid=grid)
    for band in BANDS:
        zenith = view_zenith + view_offset_deg(band)
        for number in np.unique(detector):
            node = SubElement(parent, "Viewing_Incidence_Angles_Grids", bandId=str(band.number), detectorId=str(number))
            inside = detector == number
            _grids(node, zenith=np.where(inside, zenith, np.nan), azimuth=np.where(inside, view_azimuth, np.nan))
    means = SubElement(parent, "Mean_Viewing_Incidence_Angle_List")
    for band in BANDS:
        node = SubElement(means, "Mean_Viewing_Incidence_Angle", bandId=str(band.number))
        centre = geometry.view_zenith.centre + view_offset_deg(band)
        _angles(node, zenith=centre, azimuth=geometry.view_azimuth.centre)


def _detectors(x: F64, y: F64, *, grid: Grid) -> NDArray[np.int64]:
    """Which detector saw each node, (y, x), numbered as the instrument does."""
    east = x - grid.left - LEAN * (grid.top - y) + 30_000.0
    return np.clip(7 - np.floor(east / STRIPE_M).astype(np.int64), 1, 12)


def _grids(parent: Element, *, zenith: F64, azimuth: F64) -> None:
    for name, values in (("Zenith", zenith), ("Azimuth", azimuth)):
        node = SubElement(parent, name)
        for step in ("COL_STEP", "ROW_STEP"):
            SubElement(node, step, unit="m").text = f"{STEP_M:.0f}"
        rows = SubElement(node, "Values_List")
        for row in values:
            # More digits than ESA writes, so that the grid holds what the pixels were made with.
            SubElement(rows, "VALUES").text = " ".join("NaN" if np.isnan(v) else f"{v:.7g}" for v in row)


def _angles(parent: Element, *, zenith: float, azimuth: float) -> None:
    SubElement(parent, "ZENITH_ANGLE", unit="deg").text = f"{zenith:.12f}"
    SubElement(parent, "AZIMUTH_ANGLE", unit="deg").text = f"{azimuth:.12f}"
