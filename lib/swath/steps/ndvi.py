"""NDVI, smoothed by a mean over the valid pixels around each pixel."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.classify import threshold_classes
from swath.algo.filters import mean_of_valid
from swath.algo.ndvi import coded_ndvi, ndvi
from swath.errors import ConfigError
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import REFLECTANCE, LayerName, LayerSpec
from swath.scene import Scene
from swath.steps.graded import NO_GRADE
from swath.steps.naming import layer_name

_KINDS: Final = ("sr", "toa")
_NIR_BANDS: Final = ("nir", "nir08")
_LARGEST: Final = 31
#: Side of what is worked on at once: its arrays stay in a core's cache, yet are not mostly halo.
_SIDE_PX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Ndvi:
    """``ndvi`` on the grid of the red band.

    Args:
        size: Pixels across the square that is averaged, odd; 1 does not smooth.
        of: ``sr`` or ``toa``; None for surface reflectance where there is one, otherwise TOA reflectance.

    Raises:
        ConfigError: A parameter is unusable.
    """

    name: ClassVar[str] = "ndvi"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("ndvi",)

    size: int = 5
    of: str | None = None

    def __post_init__(self) -> None:
        """Refuse squares without a centre, and unknown kinds."""
        if self.size not in range(1, _LARGEST + 1, 2):
            msg = f"ndvi.size must be an odd whole number from 1 to {_LARGEST}, got {self.size!r}"
            raise ConfigError(msg)
        if self.of is not None and self.of not in _KINDS:
            msg = f"ndvi.of must be one of {', '.join(_KINDS)}, got {self.of!r}"
            raise ConfigError(msg)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As given."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call, or none where the scene has no red and near-infrared layers."""
        del scene
        pair = self._bands(given)
        if pair is None:
            return ()
        red, nir = pair
        made = LayerSpec(
            name="ndvi",
            asset="ndvi",
            title="NDVI" if self.size == 1 else f"NDVI, mean of {self.size} x {self.size}",
            grid=red.grid,
            encoding=REFLECTANCE,
        )
        halo = self.size // 2
        needs = {red.name: Need(halo_px=halo), nir.name: Need(on=red.grid, halo_px=halo)}
        return (Recipe(makes=(made,), needs=needs),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Index first, mean after: what is averaged is the index of each pixel."""
        del scene, inputs
        red, nir = (layers[name] for name in recipe.needs)
        smooth, valid = np.empty(window.shape), np.empty(window.shape, dtype=np.bool_)
        for tile in self._tiles(window):
            part, found = window.slices_of(tile), self._smooth(tile, red=red, nir=nir)
            smooth[part] = found
            np.isfinite(found, out=valid[part])
        return {"ndvi": Layer(values=smooth, grid=recipe.grid, window=window, valid=valid)}

    def grades(self, recipe: Recipe, layers: Layers, *, window: Window, thresholds: tuple[float, ...]) -> NDArray[np.uint8]:
        """Thresholds that the index reaches, tile by tile: none of its own arrays is larger."""
        red, nir = (layers[name] for name in recipe.needs)
        grades = np.empty(window.shape, dtype=np.uint8)
        for tile in self._tiles(window):
            smooth = self._smooth(tile, red=red, nir=nir)
            grades[window.slices_of(tile)] = threshold_classes(smooth, thresholds=thresholds, invalid=NO_GRADE)
        return grades

    def _tiles(self, window: Window) -> list[Window]:
        return _batches(window, side=max(_SIDE_PX, 8 * self.size))

    def _smooth(self, window: Window, *, red: Layer, nir: Layer) -> NDArray[np.float64]:
        wanted = window.pad(self.size // 2)
        # Both layers come on the same window, clipped to the grid.
        held = wanted.clip(red.window)
        index = _index(red.crop(held), nir.crop(held))
        return mean_of_valid(_padded(index, held=held, wanted=wanted), size=self.size) if self.size > 1 else index

    def _bands(self, given: Mapping[LayerName, LayerSpec]) -> tuple[LayerSpec, LayerSpec] | None:
        for kind in (self.of,) if self.of else _KINDS:
            red = given.get(layer_name(kind, band="red"))
            found = [given[n] for n in (layer_name(kind, band=b) for b in _NIR_BANDS) if n in given]
            if red is not None and found:
                # Sentinel-2 has two; the one on red's own grid needs no resampling.
                return red, next((n for n in found if n.grid == red.grid), found[0])
        return None


def _index(red: Layer, nir: Layer) -> NDArray[np.float64]:
    """NDVI of each pixel; of coded layers without their reflectances as arrays."""
    if red.table is not None and nir.table is not None:
        return coded_ndvi(red=(red.values, red.table), nir=(nir.values, nir.table))
    return ndvi(red=red.physical, nir=nir.physical)


def _batches(window: Window, *, side: int) -> list[Window]:
    """The window in squares."""
    return [
        Window(row, col, min(side, window.row_stop - row), min(side, window.col_stop - col))
        for row in range(window.row, window.row_stop, side)
        for col in range(window.col, window.col_stop, side)
    ]


def _padded(values: NDArray[np.float64], *, held: Window, wanted: Window) -> NDArray[np.float64]:
    """The array on ``wanted``, NaN beyond the edges of the scene."""
    if held == wanted:
        return values
    margins = (
        (held.row - wanted.row, wanted.row_stop - held.row_stop),
        (held.col - wanted.col, wanted.col_stop - held.col_stop),
    )
    return np.pad(values, margins, constant_values=np.nan)
