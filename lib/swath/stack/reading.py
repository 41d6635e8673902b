"""One source on the grid of a tile: its bands, where they may be used, and its score where one is asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.algo.clear import distance_to, leave_out, unusable_table
from swath.algo.resample import nearest, resample, source_window
from swath.errors import GeometryError
from swath.grid import Grid, Window
from swath.readers.pixels.bands import BandReader
from swath.scene import Asset, Quality, Reflectance
from swath.source import MASK, Source
from swath.stack.packed import Plane, SourcePart
from swath.stack.recipe import CompositeRecipe
from swath.stack.score import Scoring
from swath.stack.warping import Warp, bounds_in

#: Flags around which a margin is kept, and whose distance counts.
CLOUDY = ("cloud", "shadow", "cirrus")
#: A shift between two grids that is less than this is none [px].
_SAME_PX = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class TileReader:
    """Reads sources for one tile.

    Args:
        recipe: Recipe of the composite.
        grid: The tile's.
        reader: Reader of rasters.
        scoring: Weights of the pixel score; None if no reducer needs it.
    """

    recipe: CompositeRecipe
    grid: Grid
    reader: BandReader
    scoring: Scoring | None = None

    @property
    def channels(self) -> int:
        """Layers of a read: the bands, and the score."""
        return len(self.recipe.bands) + (self.scoring is not None)

    def touches(self, source: Source, window: Window) -> bool:
        """Whether a source may have a pixel in a window of the tile."""
        left, bottom, right, top = self.grid.extent_of(window)
        there = bounds_in(source.assets[self.recipe.bands[0]].grid, self.grid.crs)
        return there is not None and there[0] < right and there[2] > left and there[1] < top and there[3] > bottom

    def read(self, source: Source, window: Window) -> SourcePart | None:
        """Bands, and the score where one is asked for, on the part of a window where the source may have pixels.

        Returns:
            None where it has none.

        Raises:
            SceneError: A file cannot be read.
        """
        inside = self._inside(source, window)
        return None if inside is None else self._read(source, inside)

    def _inside(self, source: Source, window: Window) -> Window | None:
        """The part of a window in which a source has pixels."""
        try:
            bounds = bounds_in(source.assets[self.recipe.bands[0]].grid, self.grid.crs)
            return None if bounds is None else self.grid.covering(bounds, halo_px=1).clip(window)
        except (GeometryError, ValueError):
            return None

    def _read(self, source: Source, window: Window) -> SourcePart:
        usable = np.ones(window.shape, dtype=np.bool_)
        planes = []
        for name in self.recipe.bands:
            plane, valid = self._band(source, name, window)
            planes.append(plane)
            if valid is not None:
                usable &= valid
        far = None
        if self.recipe.flags is not None:
            far = self._far(source, window, usable=usable)
        if self.scoring is not None:
            blue = planes[self.scoring.blue].values if self.scoring.blue is not None else None
            score = self.scoring.score(source, window.shape, blue=blue, cloud_distance_m=far)
            planes.append(Plane(numbers=score))
        return SourcePart(window=window, usable=usable, planes=tuple(planes))

    def _band(self, source: Source, name: str, window: Window) -> tuple[Plane, NDArray[np.bool_] | None]:
        """A band and where it is valid; None: everywhere."""
        asset = source.assets[name]
        same = _offset(asset.grid, self.grid)
        if same is None:
            values = self._resampled(source, name, window).astype(np.float32)
            return Plane(numbers=values), np.isfinite(values)
        scale = _calibration(source, name)
        here = _shifted(window, rows=same[0], cols=same[1], grid=asset.grid)
        if here is None:
            return Plane(numbers=np.zeros(window.shape, dtype=np.uint8)), np.zeros(window.shape, dtype=np.bool_)
        layer = self.reader.read(source, name, here)
        numbers, valid = layer.values, layer.valid
        if here.shape != window.shape:
            inside = window.slices_of(Window(here.row - same[0], here.col - same[1], here.height, here.width))
            numbers, there = np.zeros(window.shape, dtype=layer.values.dtype), np.zeros(window.shape, dtype=np.bool_)
            numbers[inside], there[inside] = layer.values, True if valid is None else valid
            valid = there
        return Plane(numbers=numbers, gain=scale.gain, offset=scale.offset), valid

    def _resampled(self, source: Source, name: str, window: Window) -> NDArray[np.float64]:
        own = source.assets[name].grid
        if not _alike(own, self.grid):
            warp = Warp.of(own, self.grid)
            if warp is None:
                return np.full(window.shape, np.nan)
            part = warp.needs(window)
            return warp.values(self._physical(source, name, part), part, window=window)
        try:
            have = source_window(own, target=self.grid, window=window)
        except GeometryError as error:
            raise error.of(source.scene_id) from None
        values = self._physical(source, name, have)
        return resample(values, have, source=own, target=self.grid, window=window)

    def _physical(self, source: Source, name: str, window: Window) -> NDArray[np.float64]:
        scale = _calibration(source, name)
        layer = self.reader.read(source, name, window)
        values = layer.values * np.float64(scale.gain) + scale.offset
        if layer.valid is not None:
            values[~layer.valid] = np.nan
        return values

    def _far(self, source: Source, window: Window, *, usable: NDArray[np.bool_]) -> NDArray[np.float32] | None:
        """Leave out what the mask does; distance from what hides the ground [m], (y, x), where a margin or a score asks for it.

        Args:
            source: Whose mask.
            window: Which pixels.
            usable: (y, x); becomes False where the mask says so.
        """
        asset = source.assets[MASK]
        margin = self._margin_px
        wide = window.pad(margin)
        codes = self._codes(source, asset, wide)
        own = wide.slices_of(window)
        leave_out(codes[own], unusable=_table(asset, source, self.recipe.flags or ()), usable=usable)
        if not margin:
            return None if self.scoring is None else np.zeros(window.shape, dtype=np.float32)
        hidden = _table(asset, source, CLOUDY) & ~_table(asset, source, ())
        far: NDArray[np.float32] = distance_to(hidden[codes], most_px=margin)[own] * np.float32(self.grid.dx)
        usable &= far >= self.recipe.buffer_m
        return far

    @property
    def _margin_px(self) -> int:
        """Pixels beyond a window in which a cloud matters."""
        reach = self.scoring.reach_m if self.scoring is not None else 0.0
        return int(np.ceil(max(self.recipe.buffer_m, reach) / self.grid.dx))

    def _codes(self, source: Source, asset: Asset, window: Window) -> NDArray[np.integer]:
        """The mask's numbers under the pixels of a window, which may leave the tile; its fill where it has none."""
        own = asset.grid
        fill = _FILL[asset.calibration.scheme] if isinstance(asset.calibration, Quality) else 0
        if not _alike(own, self.grid):
            warp = Warp.of(own, self.grid)
            if warp is None:
                return np.full(window.shape, fill)
            part = warp.needs(window)
            return warp.codes(self.reader.read(source, MASK, part).values, part, window=window, fill=fill)
        same = _offset(own, self.grid)
        if same is not None:
            return self._same(source, window, same=same, fill=fill)
        grid = _moved(self.grid, window)
        have = own.nearest(grid.bounds)
        layer = self.reader.read(source, MASK, have)
        plain = Window(0, 0, window.height, window.width)
        picked = nearest(layer.values, have, source=own, target=grid, window=plain)
        there = nearest(np.ones(have.shape, dtype=np.bool_), have, source=own, target=grid, window=plain)
        return np.where(there, picked, fill)

    def _same(self, source: Source, window: Window, *, same: tuple[int, int], fill: int) -> NDArray[np.integer]:
        """The mask's numbers where its pixels are the tile's."""
        own = source.assets[MASK].grid
        here = _shifted(window, rows=same[0], cols=same[1], grid=own)
        if here is None:
            return np.full(window.shape, fill)
        values = self.reader.read(source, MASK, here).values
        if here.shape == window.shape:
            return values
        found = np.full(window.shape, fill, dtype=np.int32)
        found[window.slices_of(Window(here.row - same[0], here.col - same[1], here.height, here.width))] = values
        return found


#: A number of each mask that says that there is no data.
_FILL = {"sentinel2-scl": 0, "hls-fmask": 255, "swath-qa": 1, "landsat-c2-qa-pixel": 1, "landsat-c1-bqa": 1, "landsat-pre-bqa": 1}


def _calibration(source: Source, name: str) -> Reflectance:
    scale = source.assets[name].calibration
    if not isinstance(scale, Reflectance):
        raise TypeError(name)
    return scale


def _table(asset: Asset, source: Source, flags: tuple[str, ...]) -> NDArray[np.bool_]:
    if not isinstance(asset.calibration, Quality):
        raise TypeError(source.scene_id)
    return unusable_table(asset.calibration.scheme, instrument=source.instrument, flags=flags)


def _moved(grid: Grid, window: Window) -> Grid:
    """A grid of a window's own pixels, wherever it is."""
    left, _, _, top = grid.extent_of(window)
    return Grid(crs=grid.crs, left=left, top=top, dx=grid.dx, dy=grid.dy, width=window.width, height=window.height)


def _alike(own: Grid, tile: Grid) -> bool:
    """Whether both are north-up in one CRS: then rows and columns are resampled one after the other."""
    return own.crs == tile.crs and own.upright


def _offset(own: Grid, tile: Grid) -> tuple[int, int] | None:
    """Rows and columns by which a source's pixels are numbered from the tile's; None when they are other pixels."""
    if not _alike(own, tile):
        return None
    off = max(
        abs(own.dx / tile.dx - 1.0) * max(own.width, tile.width), abs(own.dy / tile.dy - 1.0) * max(own.height, tile.height)
    )
    if off > _SAME_PX:
        return None
    rows, cols = (own.top - tile.top) / tile.dy, (tile.left - own.left) / tile.dx
    near = round(rows), round(cols)
    return near if max(abs(rows - near[0]), abs(cols - near[1])) < _SAME_PX else None


def _shifted(window: Window, *, rows: int, cols: int, grid: Grid) -> Window | None:
    """A window of the tile on a source's grid, as far as it has it."""
    moved = Window(window.row + rows, window.col + cols, window.height, window.width)
    try:
        return moved.clip(grid.window)
    except ValueError:
        return None
