"""Calibration: TOA reflectance and brightness temperature of every band."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.radiometry import brightness_temperature_k, linear, toa_reflectance
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.plain import plain_of
from swath.product import REFLECTANCE, TEMPERATURE, LayerName, LayerSpec
from swath.scene import Asset, Quality, Reflectance, Scene, Thermal, Uncalibrated
from swath.steps.naming import layer_name

#: Types with few enough numbers that calibrating all of them is cheaper than calibrating the pixels.
_CALIBRATED: Final = ("reflectance", "thermal")
CODED_TYPES: Final = ("uint8", "uint16", "int16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toa:
    """``toa:<band>`` of each reflective band and ``bt:<band>`` of each thermal one, on the band's own grid."""

    name: ClassVar[str] = "toa"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("toa", "bt")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """None: the metadata says everything."""
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call a band."""
        del given
        return tuple(_recipe(scene, asset) for asset in scene.assets.values() if asset.calibration.kind in _CALIBRATED)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Calibrate one band; coded where the type allows it."""
        del window, inputs
        (source,), (made,) = recipe.needs, recipe.makes
        asset = scene.assets[made.asset]
        return {made.name: _calibrated(layers[source], asset=asset, sun_elevation_deg=scene.angles.sun_elevation_deg)}


def calibrate(dn: NDArray[np.generic], *, calibration: Reflectance | Thermal, sun_elevation_deg: float) -> NDArray[np.float64]:
    """Physical values of DN, any shape: reflectance [1] or temperature [K]."""
    gain, offset = calibration.gain, calibration.offset
    if isinstance(calibration, Thermal):
        radiance = linear(dn, gain=gain, offset=offset)
        return brightness_temperature_k(radiance, k1=calibration.k1, k2_k=calibration.k2_k)
    if calibration.sun_normalised:
        return linear(dn, gain=gain, offset=offset)
    return toa_reflectance(dn, gain=gain, offset=offset, sun_elevation_deg=sun_elevation_deg)


@lru_cache(maxsize=64)
def calibration_table(
    dtype: str, *, nodata: int | None, calibration: Reflectance | Thermal, sun_elevation_deg: float
) -> NDArray[np.float64]:
    """The physical value of each number that ``dtype`` (one of ``CODED_TYPES``) can hold; NaN at nodata.

    Signed numbers are found at their two's complement, as ``values.view("uint16")`` gives them.
    Read-only: it is shared.
    """
    width = np.dtype(dtype).itemsize
    codes = np.arange(1 << (8 * width), dtype=f"uint{8 * width}")
    numbers = codes.view(dtype)
    table = calibrate(numbers, calibration=calibration, sun_elevation_deg=sun_elevation_deg)
    if nodata is not None:
        table[numbers.astype(np.int64) == nodata] = np.nan
    table.setflags(write=False)
    return table


def _calibrated(layer: Layer, *, asset: Asset, sun_elevation_deg: float) -> Layer:
    calibration = asset.calibration
    if isinstance(calibration, Quality | Uncalibrated):
        msg = f"{asset.band.name} has no calibration; no recipe of this step names it"
        raise TypeError(msg)
    dtype = layer.values.dtype.name
    # A table marks nodata by its number alone; pixels that are invalid for another reason need their own array.
    masked_otherwise = asset.nodata is None and layer.valid is not None and not layer.valid.all()
    if dtype not in CODED_TYPES or masked_otherwise:
        physical = calibrate(layer.values, calibration=calibration, sun_elevation_deg=sun_elevation_deg)
        if layer.valid is not None:
            physical[~layer.valid] = np.nan
        return layer.with_physical(physical)
    table = calibration_table(dtype, nodata=asset.nodata, calibration=calibration, sun_elevation_deg=sun_elevation_deg)
    codes = layer.values.view(np.uint16) if dtype == "int16" else layer.values
    return Layer(values=codes, grid=layer.grid, window=layer.window, table=table)


def _recipe(scene: Scene, asset: Asset) -> Recipe:
    thermal = asset.calibration.kind == "thermal"
    band = asset.band
    made = LayerSpec(
        name=layer_name("bt" if thermal else "toa", band=band.name),
        asset=band.name,
        title=f"Brightness temperature, {band.name}" if thermal else f"TOA reflectance, {band.name}",
        grid=asset.grid,
        encoding=TEMPERATURE if thermal else REFLECTANCE,
        band=band,
        roles=("data", "temperature" if thermal else "reflectance"),
    )
    facts: dict[str, Any] = {"calibration": plain_of(asset.calibration), "nodata": asset.nodata}
    if isinstance(asset.calibration, Reflectance) and not asset.calibration.sun_normalised:
        facts["sun_elevation_deg"] = scene.angles.sun_elevation_deg
    return Recipe(makes=(made,), needs={layer_name("dn", band=band.name): Need()}, facts=facts)
