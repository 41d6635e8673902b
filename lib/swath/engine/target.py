"""The grid of a product by its pipeline's choice and its scene: which system, where it begins, how large it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, isfinite
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.engine.terrain import Ring, elevation_for, ring_of
from swath.errors import GeometryError, SceneError
from swath.grid import EDGE_TOLERANCE_PX, Grid
from swath.grid_choice import GridChoice
from swath.inputs import RasterSource
from swath.mapping import inexact, is_geographic, project, stretch, utm_zone
from swath.scene import Scene

#: Resolutions that far below or above the scene's are a mistake: of units, mostly.
_FINER, _COARSER = 100.0, 10_000.0
_MAX_SIDE_PX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The grids of a product.

    Args:
        reference: Grid that strips are counted on.
        choice: Grid that the pipeline chose.
        dem: The elevation that the scene's places depend on; None for scenes on a map.
        footprint: Ring of (longitude, latitude) [deg] around a raw scene on the ground; empty for scenes on a map.
    """

    reference: Grid
    choice: GridChoice
    dem: RasterSource | None = None
    footprint: tuple[tuple[float, float], ...] = ()

    def grid_for(self, source: Grid, *, scene: Scene) -> Grid:
        """The grid that a layer of the scene comes to: the reference, or one of its own resolution over the same extent.

        Args:
            source: The layer's own grid.
            scene: The scene.
        """
        if self.choice.resolution is not None or self.choice.fixed is not None:
            return self.reference
        ratio = _ratio(source, scene)
        pixel = self.reference.dx * float(ratio)
        left, bottom, right, top = self.reference.bounds
        columns, rows = round((right - left) / pixel), round((top - bottom) / pixel)
        return Grid(crs=self.reference.crs, left=left, top=top, dx=pixel, dy=pixel, width=columns, height=rows)


def target_of(
    scene: Scene, choice: GridChoice | None, *, rasters: Mapping[str, RasterSource] = MappingProxyType({})
) -> Target | None:
    """The grids of a product of the scene; None where it keeps the grids of its bands.

    A raw scene (an image with RPC) comes onto the grid of its UTM zone where the pipeline chooses none.

    Args:
        scene: The scene.
        choice: Grid that the pipeline chose.
        rasters: Rasters of the site: raw scenes need its elevation.

    Raises:
        MissingInputError: The scene is raw, and the site has no elevation.
        GeometryError: The scene does not meet the grid, the grid's map tears or distorts it, or the resolution is absurd.
    """
    native = scene.reference
    turned = native.raw or any(not a.grid.upright for a in scene.assets.values())
    if choice is None and not turned:
        return None
    chosen = choice or GridChoice(crs="utm" if native.raw else native.crs)
    try:
        dem = elevation_for(native, rasters)
        free = chosen.resolution is None and chosen.origin is None and chosen.fixed is None
        ring = ring_of(native, dem=dem)
        if free and not turned and _system(chosen, ring) == native.crs:
            return None
        if chosen.fixed is not None:
            _check_meets(ring, chosen.fixed)
            reference = chosen.fixed
        else:
            reference = _reference(scene, chosen, ring=ring)
        _check_datum(ring.crs, reference)
        if not is_geographic(reference.crs):
            _check_distortion(ring, reference, limit=chosen.distortion_percent)
    except SceneError as error:
        raise error.of(scene.scene_id) from None
    footprint = tuple(zip(ring.x[::16].tolist(), ring.y[::16].tolist(), strict=True)) if native.raw else ()
    return Target(reference=reference, choice=chosen, dem=dem, footprint=footprint)


def _system(choice: GridChoice, ring: Ring) -> str:
    return choice.crs if choice.crs != "utm" else utm_zone(*_centre(ring))


def _reference(scene: Scene, choice: GridChoice, *, ring: Ring) -> Grid:
    native = scene.reference
    crs = _system(choice, ring)
    outline = _outline(ring, crs=crs)
    # A turn leaves rounding noise in a pixel's length.
    pixel = choice.resolution if choice.resolution is not None else float(f"{native.resolution_m:.9g}")
    _check_resolution(pixel, native=native, crs=crs, given=choice.resolution is not None)
    ratios = [_ratio(a.grid, scene) for a in scene.assets.values()] if choice.resolution is None else []
    # Whole pixels of every asset, so that they all have one extent.
    step = pixel * float(_common(ratios))
    x, y = choice.origin or (0.0, 0.0)
    west, north = floor(_steps(outline[0].min() - x, step)), ceil(_steps(outline[1].max() - y, step))
    east, south = ceil(_steps(outline[0].max() - x, step)), floor(_steps(outline[1].min() - y, step))
    width, height = (round((b - a) * step / pixel) for a, b in ((west, east), (south, north)))
    if max(width, height) > _MAX_SIDE_PX:
        raise GeometryError(
            "the product's grid is too large",
            expected=f"at most {_MAX_SIDE_PX} pixels a side",
            got=f"{width} x {height} pixels of {pixel:g}",
            remedy="Choose a coarser resolution.",
        )
    return Grid(crs=crs, left=x + west * step, top=y + north * step, dx=pixel, dy=pixel, width=width, height=height)


def _steps(distance: float, step: float) -> float:
    """A distance in steps; what is a whole number but for rounding noise is one."""
    steps = distance / step
    return float(round(steps)) if abs(steps - round(steps)) < EDGE_TOLERANCE_PX else steps


def _ratio(source: Grid, scene: Scene) -> Fraction:
    """Pixels of the reference along one of another grid; 1 where that is no simple number."""
    ratio = source.resolution_m / scene.reference.resolution_m
    if source.raw:
        # Raw bands tell their sampling to two digits; those of one instrument are whole multiples of each other.
        return Fraction(round(ratio)) if ratio >= 1.0 else Fraction(1, round(1.0 / ratio))
    found = Fraction(ratio).limit_denominator(8)
    return found if found and abs(float(found) / ratio - 1.0) < 1e-6 and source.crs == scene.reference.crs else Fraction(1)


def _common(ratios: list[Fraction]) -> Fraction:
    """The smallest length that is a whole number of each."""
    common = Fraction(1)
    for ratio in ratios:
        share = common / ratio
        common *= share.denominator
    return common


def _centre(ring: Ring) -> tuple[float, float]:
    """Longitude and latitude of the middle of an outline [deg]."""
    middle = [np.array([(v.min() + v.max()) / 2]) for v in (ring.x, ring.y)]
    x, y = project(*middle, source=ring.crs, target="EPSG:4326")
    if not (isfinite(x[0]) and isfinite(y[0])):
        raise GeometryError(
            "the scene has no place on the globe",
            expected=f"bounds that {ring.crs[:40]} can map to longitude and latitude",
            got=f"a middle at {float(middle[0][0]):g}, {float(middle[1][0]):g}",
            remedy="Check the coordinate reference system of the delivery.",
        )
    return float(x[0]), float(y[0])


def _outline(ring: Ring, *, crs: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The outline in another system, in one piece.

    Raises:
        GeometryError: The other system has no place for it, tears it, or has its pole inside.
    """
    x, y = project(ring.x, ring.y, source=ring.crs, target=crs)
    lost = not (np.isfinite(x).all() and np.isfinite(y).all())
    if not lost and is_geographic(crs):
        x = np.rad2deg(np.unwrap(np.deg2rad(x)))
    # A line that a map tears at its edge jumps; a pole inside keeps the ring of longitudes from closing.
    jumps = np.hypot(np.diff(x), np.diff(y)).reshape(4, -1)
    around = abs(x[-1] - x[0]) > 1e-6 * max(float(np.ptp(x)), 1e-12)
    if lost or around or (jumps.max(axis=1) > 20.0 * np.median(jumps, axis=1) + 1e-12).any():
        raise GeometryError(
            "the map of the product's grid has no one place for the scene",
            expected=f"a coordinate system in which the scene is in one piece, not {crs[:60]}",
            got="a scene that contains a pole of that system" if around and not lost else "a scene at or beyond its edge",
            remedy="Choose another system for this region, for example the scene's UTM zone or a polar one.",
        )
    return x, y


def _check_resolution(pixel: float, *, native: Grid, crs: str, given: bool) -> None:
    """Refuse a resolution that only another unit explains."""
    metres = pixel * (111_319.49 if is_geographic(crs) else 1.0)
    own = native.resolution_m * (111_319.49 if is_geographic(native.crs) else 1.0)
    if not own / _FINER <= metres <= own * _COARSER or (is_geographic(crs) != is_geographic(native.crs) and not given):
        raise GeometryError(
            "the resolution of the product's grid does not fit the scene",
            expected=f"about {own:g} m, in {'degrees' if is_geographic(crs) else 'metres'}",
            got=f"{pixel:g}" if given else "none",
            remedy="Give resolution_m for systems in metres, resolution_deg for systems in degrees.",
        )


def _check_meets(ring: Ring, fixed: Grid) -> None:
    x, y = _outline(ring, crs=fixed.crs)
    if is_geographic(fixed.crs):
        x = x + 360.0 * np.round(((fixed.bounds[0] + fixed.bounds[2]) / 2 - x.mean()) / 360.0)
    left, bottom, right, top = fixed.bounds
    if x.max() <= left or x.min() >= right or y.max() <= bottom or y.min() >= top:
        raise GeometryError(
            "the scene does not meet the product's grid",
            expected=f"an overlap with {fixed.bounds} in {fixed.crs[:60]}",
            got=f"({x.min():g}, {y.min():g}, {x.max():g}, {y.max():g})",
            remedy="Choose another grid, or leave the scene out.",
        )


def _check_datum(native: str, reference: Grid) -> None:
    """Refuse a shift between datums that is known worse than to half a pixel, where PROJ lacks the grid for a better one."""
    found = inexact(native, reference.crs)
    metres = reference.resolution_m * (111_319.49 if is_geographic(reference.crs) else 1.0)
    if found is not None and not 0.0 <= found[0] <= metres / 2.0:
        accuracy = f"to {found[0]:g} m" if found[0] >= 0.0 else "to an unknown distance"
        raise GeometryError(
            "the shift between the datums of the scene and of the product's grid is not known well enough",
            expected=f"to half a pixel ({metres / 2.0:g} m)",
            got=f"{accuracy}, without PROJ's grid {found[1]}",
            remedy="Install the grid where PROJ finds it (PROJ_DATA), or choose a system of the scene's own datum.",
        )


def _check_distortion(ring: Ring, grid: Grid, *, limit: float) -> None:
    """Refuse a map that stretches the scene too far: a pixel is then no longer the size that it says."""
    x, y = _outline(ring, crs=grid.crs)
    worst = max(abs(s - 1.0) * 100.0 for s in stretch(x[::16], y[::16], crs=grid.crs, step=max(grid.dx, 100.0)))
    if worst > limit:
        raise GeometryError(
            "the map of the product's grid distorts the scene",
            expected=f"lengths within {limit:g} % of those on the ground",
            got=f"{worst:.3g} % in {grid.crs[:60]}",
            remedy="Choose a system for this region (`grid: utm` takes the scene's own zone), or raise grid.distortion_percent.",
        )
