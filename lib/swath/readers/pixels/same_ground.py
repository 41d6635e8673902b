"""Whether the bands of one scene cover the same ground."""

from collections import Counter
from collections.abc import Mapping

from swath.algo.raw_image import model_of
from swath.errors import GeometryError
from swath.grid import Grid
from swath.scene import Asset


def check_extents(assets: Mapping[str, Asset]) -> None:
    """Raise if a band covers other ground than most.

    Edges may differ by one pixel of the coarser of two grids: Landsat's pan band starts half a pixel inside the others,
    and a decimated delivery cuts each band where its own last pixel ends.

    Raises:
        GeometryError: Another CRS, or edges farther apart; names both bands.
    """
    if not assets:
        return
    if any(a.grid.raw for a in assets.values()):
        _check_raw(list(assets.values()))
        return
    usual, _ = Counter((a.grid.crs, a.grid.bounds) for a in assets.values()).most_common(1)[0]
    reference = next(a for a in assets.values() if (a.grid.crs, a.grid.bounds) == usual)
    for asset in assets.values():
        if asset.grid.crs != reference.grid.crs or _apart(asset.grid, reference.grid):
            raise GeometryError(
                "bands of one scene have different extents",
                expected=f"{_words(reference)} and {asset.band.native_id} over the same ground",
                got=f"{_words(asset)}",
                remedy="Fetch both files again; they are not of the same delivery.",
            )


def _check_raw(assets: list[Asset]) -> None:
    """Raw bands have models of their own: their centres must be on the same ground."""
    first = assets[0]
    for asset in assets:
        if not (asset.grid.raw and first.grid.raw) or _far(first.grid, asset.grid):
            raise GeometryError(
                "bands of one scene are not of one raw image",
                expected=f"{asset.band.native_id} over the ground of {first.band.native_id}, with a model of its own",
                got="another place" if asset.grid.raw else "a raster on a map",
                remedy="Fetch both files again; they are not of the same delivery.",
            )


def _far(one: Grid, other: Grid) -> bool:
    a, b = model_of(one.crs).rpc, model_of(other.crs).rpc
    return abs(a.long_off - b.long_off) > a.long_scale or abs(a.lat_off - b.lat_off) > a.lat_scale


def _apart(one: Grid, other: Grid) -> bool:
    # Of turned grids the boxes around them are compared.
    dx, dy = max(one.resolution_m, other.resolution_m), max(one.dy, other.dy)
    if not (one.upright and other.upright):
        dy = dx
    gaps = [abs(a - b) for a, b in zip(one.bounds, other.bounds, strict=True)]
    return max(gaps[0], gaps[2]) > dx or max(gaps[1], gaps[3]) > dy


def _words(asset: Asset) -> str:
    left, bottom, right, top = asset.grid.bounds
    crs = asset.grid.crs if asset.grid.crs.startswith("EPSG:") else "a custom CRS"
    return f"{asset.band.native_id} {crs} ({left:.1f}, {bottom:.1f}, {right:.1f}, {top:.1f})"
