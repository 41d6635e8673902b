"""``python -m benchmarks.two_views``: why two orthorectified views of Mont Ventoux differ: gdalwarp, their models, or the elevation.

Needs the Pleiades pair of ../shared/scenes (shareloc). Both views are orthorectified by swath and by gdalwarp over one elevation with
ellipsoidal heights; then windows of the right view are compared with the left one. What the elevation is wrong moves a window along
the epipolar line, what the models are off across it.
"""

import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from tests.conftest import SHARED
from tests.real.test_ortho import Raw, crop, gdals, target

from swath.algo.warp import Image, sampled
from swath.engine.raw_lattice import RawLattice
from swath.grid import Grid, Window
from swath.mapping import project
from swath.readers.elevation.model import Elevation, open_elevation
from swath.readers.rpc.mapping import RpcMapping

Floats = NDArray[np.float64]
_FOLDER = SHARED / "scenes" / "shareloc"
_SIZE, _REACH, _WINDOWS = 1000, 12, (32, 24, 16)
#: Moves across and along the epipolar line that are tried [px].
_ACROSS, _ALONG = np.arange(-8.0, 8.01, 0.25), np.arange(-18.0, 12.0, 0.5)


@dataclass(frozen=True, kw_only=True)
class View:
    """One view on the map; NaN where it shows nothing."""

    raw: Raw
    ours: Floats
    theirs: Floats


def ellipsoidal(path: Path, elevation: Elevation) -> Path:
    """The SRTM tile with heights above the ellipsoid, which is what gdalwarp takes heights for."""
    with rasterio.open(_FOLDER / "dtm" / "N44E005.hgt") as source:
        heights, profile, t = source.read(1).astype(np.float64), source.profile, source.transform
    lon, lat = np.meshgrid(t.c + (np.arange(heights.shape[1]) + 0.5) * t.a, t.f + (np.arange(heights.shape[0]) + 0.5) * t.e)
    profile.update(driver="GTiff", dtype="float32", nodata=None)
    with rasterio.open(path, "w", **profile) as made:
        made.write((heights + elevation.datum_m(lon, lat)).astype(np.float32), 1)
    return path


def view(side: str, *, grid: Grid, elevation: Elevation, dem: Path, home: Path) -> View:
    """One view by swath and by gdalwarp."""
    raw = crop(_FOLDER, side)
    height, width = raw.values.shape
    mapping = RpcMapping(crs=grid.crs, rpc=raw.rpc, size=(height, width), elevation=elevation)
    columns, rows = RawLattice.of(mapping, grid=grid, over=grid.window).centres(grid.window)
    image = Image(values=raw.values.astype(np.float64), window=Window(0, 0, height, width), size=(height, width))
    made = sampled(image, columns=columns, rows=rows, kernel="bilinear")
    shape: dict[str, Any] = {"width": width, "height": height, "count": 1, "dtype": "uint16"}
    with rasterio.open(home / "raw.tif", "w", driver="GTiff", rpcs=gdals(raw.rpc), **shape) as written:
        written.write(raw.values, 1)
    options = ["-overwrite", "-rpc", "-to", f"RPC_DEM={dem}", "-et", "0", "-r", "bilinear", "-t_srs", grid.crs]
    options += ["-te", *(repr(v) for v in grid.bounds), "-tr", "0.5", "0.5", "-srcnodata", "0", "-dstnodata", "0"]
    subprocess.run(
        [sys.executable, "-m", "benchmarks.gdalwarp", *options, str(home / "raw.tif"), str(home / "map.tif")],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with rasterio.open(home / "map.tif") as source:
        theirs = source.read(1).astype(np.float64)
    return View(raw=raw, ours=np.where(made.valid, made.values, np.nan), theirs=np.where(theirs > 0, theirs, np.nan))


def likeness(one: Floats, other: Floats) -> float:
    """Normalised correlation where both are."""
    both = np.isfinite(one) & np.isfinite(other)
    return float(np.corrcoef(one[both], other[both])[0, 1])


def epipolar(left: View, right: View, *, grid: Grid, elevation: Elevation) -> Floats:
    """By how many columns and rows the views part for a metre of height."""
    x, y = np.array([grid.left + grid.width / 4]), np.array([grid.top - grid.height / 4])
    lon, lat = project(x, y, source=grid.crs, target="EPSG:4326")
    height, moved = elevation.heights_m(lon, lat), []
    for raw in (left.raw, right.raw):
        there = raw.rpc.ground_of(*raw.rpc.image_of(lon, lat, height), height + 1.0)
        u, v = project(*there, source="EPSG:4326", target=grid.crs)
        moved.append(np.array([u[0] - x[0], y[0] - v[0]]) / grid.dx)
    return np.asarray(moved[1] - moved[0])


def shifted(image: Floats, row: int, col: int, *, side: int, by: Floats) -> Floats:
    """A window of an image, bilinear, some columns and rows beside its place."""
    i, j = int(np.floor(by[1])), int(np.floor(by[0]))
    down, right = by[1] - i, by[0] - j
    part = image[row + i : row + i + side + 1, col + j : col + j + side + 1]
    above = part[:, :-1] * (1 - right) + part[:, 1:] * right
    return np.asarray(above[:-1] * (1 - down) + above[1:] * down)


def fitted(left: Floats, right: Floats, *, side: int, along: Floats, across: Floats) -> tuple[float, Floats]:
    """Correlation of all windows, each moved to its best place along the line; and the moves."""
    rows, cols = np.nonzero(np.isfinite(left) & np.isfinite(right))
    pairs, moves = [], []
    for row in range(rows.min() + _REACH, rows.max() - side - _REACH, side):
        for col in range(cols.min() + _REACH, cols.max() - side - _REACH, side):
            mine = left[row : row + side, col : col + side]
            if not np.isfinite(mine).all():
                continue
            tried = [(shifted(right, row, col, side=side, by=across + t * along), t) for t in _ALONG]
            whole = [(likeness(mine, v), t, v) for v, t in tried if v.shape == mine.shape and np.isfinite(v).all()]
            if whole:
                _, move, best = max(whole, key=lambda found: found[0])
                pairs.append((mine.ravel(), best.ravel()))
                moves.append(move)
    one, other = (np.concatenate(v) for v in zip(*pairs, strict=True))
    return likeness(one, other), np.array(moves)


def main() -> None:
    """Print what each cause is worth."""
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    tile = str(_FOLDER / "dtm" / "N44E005.hgt")
    elevation = open_elevation(tile, datum="egm96", geoid=str(_FOLDER / "dtm" / "egm96_15.gtx"))
    places = [target(crop(_FOLDER, side), dem=tile, size=_SIZE) for side in ("left", "right")]
    left, top = (float(np.floor(np.mean(v))) for v in zip(*((g.left, g.top) for g in places), strict=True))
    grid = replace(places[0], left=left, top=top)
    with tempfile.TemporaryDirectory() as name:
        dem = ellipsoidal(Path(name) / "dem.tif", elevation)
        one, other = (view(s, grid=grid, elevation=elevation, dem=dem, home=Path(name)) for s in ("left", "right"))
    same = [np.abs(np.rint(v.ours) - v.theirs)[np.isfinite(v.ours) & np.isfinite(v.theirs)] <= 1 for v in (one, other)]
    print(f"pixels within one count of gdalwarp -et 0: {min(float(s.mean()) for s in same):.4f}")
    print(
        f"correlation of the views: swath {likeness(one.ours, other.ours):.3f}, gdalwarp {likeness(one.theirs, other.theirs):.3f}"
    )
    line = epipolar(one, other, grid=grid, elevation=elevation)
    along = line / np.hypot(*line)
    across = np.array([-along[1], along[0]])
    found = [(fitted(one.ours, other.ours, side=48, along=along, across=across * t)[0], t) for t in _ACROSS]
    pointing = max(found)[1]
    print(f"a metre of height parts them by {np.hypot(*line):.2f} px; their models are {pointing:.2f} px off across that line")
    for side in _WINDOWS:
        value, moves = fitted(one.ours, other.ours, side=side, along=along, across=across * pointing)
        metres = moves / np.hypot(*line)
        spread = 1.4826 * float(np.median(np.abs(metres - np.median(metres))))
        print(
            f"windows of {side} px ({side / 2:.0f} m): {value:.3f} with heights {np.median(metres):.1f} m off, spread {spread:.1f} m"
        )
    alone, _ = fitted(one.ours, other.ours, side=24, along=along, across=np.zeros(2))
    print(f"windows of 24 px without the models' shift: {alone:.3f}")


if __name__ == "__main__":
    main()
