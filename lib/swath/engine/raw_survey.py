"""Shifts that were found on the ground, as moves of raw images: what is off is the image's model, so it is refined in the image.

Windows are compared on a map of the whole scene. A shift there is the way from one place of the image to another, by the model
and over the terrain under both; the shift or affine on which these ways agree is a refinement such as ground control gives.
Bands with models of their own (a panchromatic one beside four) are moved by as much on the ground.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.raw_image import RawModel, Refinement, model_of
from swath.algo.registration import Agreement, Tie
from swath.engine.target import target_of
from swath.engine.terrain import mapping_to
from swath.grid import Grid
from swath.grid_choice import GridChoice
from swath.inputs import DEM, RasterSource
from swath.scene import Scene

Floats = NDArray[np.float64]
#: Places along a side of a window, and of an image, whose moves stand for all.
_ALONG: Final = 9


def ground_grid(scene: Scene, image: Grid, *, dem: RasterSource) -> Grid:
    """The map on which windows of a raw image are compared: the scene's UTM zone at the image's sampling, whatever is made of it.

    Raises:
        SceneError: The scene has no place on the ground.
    """
    target = target_of(scene, GridChoice(crs="utm"), rasters={DEM: dem})
    return image if target is None else target.grid_for(image, scene=scene)  # None only for scenes on a map


def in_image(tie: Tie, image: Grid, *, over: Grid, side: int, dem: RasterSource) -> Tie | None:
    """The way in the image that a shift on the ground means, in pixels of the ground's grid; None where no terrain is known.

    Args:
        tie: Shift of a window on the ground.
        image: Grid of the image, by the model with which it was compared.
        over: Grid of the window.
        side: Side of the window [px].
        dem: Elevation.
    """
    steps = ((np.arange(_ALONG) + 0.5) / _ALONG - 0.5) * side
    columns, rows = (v.ravel() for v in np.meshgrid(tie.col + steps, tie.row + steps))
    mapping = mapping_to(image, crs=over.crs, dem=dem)
    here = np.array(mapping.locate(over.left + columns * over.dx, over.top - rows * over.dy))
    there = np.array(mapping.locate(over.left + (columns + tie.right) * over.dx, over.top - (rows + tie.down) * over.dy))
    known = np.isfinite(here + there).all(axis=0)
    if not known.any():
        return None
    scale = _scale(image, over)
    col, row = here[:, known].mean(axis=1) / scale
    right, down = (there - here)[:, known].mean(axis=1) / scale
    return Tie(row=float(row), col=float(col), down=float(down), right=float(right), ratio=tie.ratio)


def refinement_of(found: Agreement, image: Grid, *, over: Grid) -> Refinement:
    """What windows agree on in pixels of the ground's grid, as a refinement of places in the image [px]."""
    scale, centre = _scale(image, over), np.array(found.centre)
    rows, columns = (
        (scale * (off - float(np.array(slope) @ centre)), slope[1], slope[0])
        for off, slope in zip(found.offset, found.slope, strict=True)
    )
    return Refinement(columns=columns, rows=rows)


def total_of(before: Refinement, more: Refinement) -> Refinement:
    """Both refinements, to a ten-thousandth of a pixel: last bits of a Fourier transform differ between machines."""
    both = before.then(more)
    (a, b, c), (d, e, f) = both.columns, both.rows
    return Refinement(columns=(round(a, 4), round(b, 9), round(c, 9)), rows=(round(d, 4), round(e, 9), round(f, 9)))


def moves(refinement: Refinement, image: Grid, *, over: Grid) -> Floats:
    """Rows and columns by which an image lies aside, in pixels of the ground's grid: its middle and corners, (5, 2)."""
    height, width = image.height, image.width
    columns = np.array([width / 2.0, 0.0, width, 0.0, width])
    rows = np.array([height / 2.0, 0.0, 0.0, height, height])
    right, down = (a - b for a, b in zip(refinement.apply(columns, rows), (columns, rows), strict=True))
    return np.stack([down, right], axis=1) / _scale(image, over)


def systems_of(scene: Scene, image: Grid, refinement: Refinement) -> Mapping[str, str]:
    """The system of each grid of a scene, and the one that takes its place when one of its images is refined."""
    grids = {asset.grid.crs: asset.grid for asset in scene.assets.values()}
    found: dict[str, str] = {}
    for crs, grid in grids.items():
        model = model_of(crs)
        own = refinement if crs == image.crs else _carried(refinement, image, grid)
        found[crs] = RawModel(rpc=model.rpc, refinement=model.refinement.then(own)).crs
    return found


def refined(scene: Scene, systems: Mapping[str, str]) -> Scene:
    """A scene whose grids have other systems."""
    assets = {name: replace(a, grid=replace(a.grid, crs=systems[a.grid.crs])) for name, a in scene.assets.items()}
    return replace(scene, assets=assets)


def _carried(refinement: Refinement, image: Grid, other: Grid) -> Refinement:
    """The refinement of another image by as much on the ground, at the middle height of the model."""
    columns, rows = (
        v.ravel() for v in np.meshgrid(np.linspace(0.0, image.width, _ALONG), np.linspace(0.0, image.height, _ALONG))
    )
    here, there = (_seen_by(other, image, places=places) for places in ((columns, rows), refinement.apply(columns, rows)))
    shift = not any((*refinement.columns[1:], *refinement.rows[1:]))
    terms = np.column_stack([np.ones_like(columns), *([] if shift else here)])
    shares = np.zeros((2, 3))
    shares[:, : terms.shape[1]] = np.linalg.lstsq(terms, (there - here).T, rcond=None)[0].T
    (a, b, c), (d, e, f) = shares.tolist()
    return total_of(Refinement(), Refinement(columns=(a, b, c), rows=(d, e, f)))


def _seen_by(other: Grid, image: Grid, *, places: tuple[Floats, Floats]) -> Floats:
    """Columns and rows of another image that show what places of an image do, (2, n)."""
    columns, rows = places
    model, its = model_of(image.crs), model_of(other.crs)
    # A refinement is a few pixels, and all but constant: taken off once, it is off by less than a thousandth of itself.
    off = model.refinement.apply(columns, rows)
    heights = np.full(columns.shape, model.rpc.height_off)
    lon, lat = model.rpc.ground_of(2.0 * columns - off[0] - 0.5, 2.0 * rows - off[1] - 0.5, heights)
    samples, lines = its.rpc.image_of(lon, lat, heights)
    return np.array(its.refinement.apply(samples + 0.5, lines + 0.5))


def _scale(image: Grid, over: Grid) -> float:
    """Pixels of the image along one of the ground's grid."""
    return over.resolution_m / image.resolution_m
