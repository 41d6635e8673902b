"""The product's quality bits: from the pixels of the bands, and from the quality bands of the delivery."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from swath.algo.qa import NODATA_FROM_PIXELS, NODATA_FROM_QUALITY, QA_BITS, SATURATED_FROM_PIXELS, quality_table, with_cloud_map
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import Category, LayerName, LayerSpec, bit_field
from swath.scene import Asset, Quality, Scene
from swath.steps.naming import CLOUD, CLOUD_MAP, SHADOW, SNOW, layer_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Qa:
    """``qa`` on the scene's reference grid.

    The pixels that speak are those of the *judging bands*: the reflective bands on the reference grid itself (of a
    thermal-only scene, its bands there); coarser bands and pan are left aside: their pixels are not the product's.
    A pixel is nodata where any judging band or the delivery's quality band has none, so that a user who stacks those bands
    needs no other mask; it is saturated where any of them is. Where the delivery judges no clouds, the cloud map of an earlier
    step does, with its shadows and snow; the title of the last bit says who judged. What each bit means: ``algo.qa.QA_BITS``.
    """

    name: ClassVar[str] = "qa"
    version: ClassVar[int] = 2
    kinds: ClassVar[tuple[str, ...]] = ("qa",)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call; the delivery's quality bands are optional, a cloud map is used where an earlier step made one."""
        grid = scene.reference
        judging, delivered = _judging(scene), _delivered(scene)
        made = LayerSpec(
            name="qa",
            asset="qa",
            title="Quality bits",
            grid=grid,
            encoding=bit_field(_bits(given.get(CLOUD_MAP))),
            roles=("data-mask", "cloud", "cloud-shadow", "snow-ice", "saturation", "water-mask"),
        )
        maps = [CLOUD_MAP] if CLOUD_MAP in given and given[CLOUD_MAP].grid.same_as(grid) else []
        needs = {name: Need(on=grid) for name in (*(layer_name("dn", band=b) for b in (*judging, *delivered)), *maps)}
        facts = {
            "instrument": scene.instrument,
            "bands": {name: {"nodata": a.nodata, "saturated": a.saturated} for name, a in judging.items()},
            "quality": {name: quality.scheme for name, quality in delivered.items()},
        }
        optional = frozenset(layer_name("dn", band=b) for b in delivered)
        return (Recipe(makes=(made,), needs=needs, optional=optional, facts=facts),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Pack the bits."""
        del inputs
        bits = np.zeros(window.shape, dtype=np.uint16)
        for band, asset in _judging(scene).items():
            bits |= pixel_bits(layers[layer_name("dn", band=band)], saturated=asset.saturated)
        for band, quality in _delivered(scene).items():
            layer = layers.get(layer_name("dn", band=band))
            if layer is not None:
                bits |= delivered_bits(layer, quality=quality, instrument=scene.instrument)
        if CLOUD_MAP in recipe.needs:
            clouds = layers[CLOUD_MAP].crop(window)
            codes = {"cloud": CLOUD, "shadow": SHADOW, "snow": SNOW}
            found = {name: clouds.values == code for name, code in codes.items()}
            bits = with_cloud_map(bits, found=found, judged=clouds.usable)
        return {"qa": Layer(values=bits, grid=recipe.grid, window=window)}


def _bits(clouds: LayerSpec | None) -> tuple[Category, ...]:
    """The bits; the last tells the judge of the cloud map."""
    return QA_BITS if clouds is None else (*QA_BITS[:-1], replace(QA_BITS[-1], title=clouds.title))


def pixel_bits(layer: Layer, *, saturated: int | None) -> NDArray[np.uint16]:
    """The bits that a band's own numbers set: nodata, and saturated from ``saturated`` on; (y, x)."""
    usable = layer.usable
    bits = np.where(usable, np.uint16(0), np.uint16(NODATA_FROM_PIXELS))
    if saturated is not None:
        bits |= ((layer.values >= saturated) & usable) * np.uint16(SATURATED_FROM_PIXELS)
    return bits


def delivered_bits(layer: Layer, *, quality: Quality, instrument: str) -> NDArray[np.uint16]:
    """The bits that a delivered quality band sets; (y, x)."""
    table = quality_table(quality.scheme, instrument=instrument)
    bits: NDArray[np.uint16] = np.take(table, layer.values.astype(np.uint16, copy=False))
    if layer.valid is not None:
        # Its own nodata (Collection 2 fill) still says nodata; beyond its edge it says nothing.
        bits[~layer.valid] &= np.uint16(NODATA_FROM_QUALITY)
    return bits


def _judging(scene: Scene) -> dict[str, Asset]:
    here = {
        name: asset
        for name, asset in scene.assets.items()
        if name != "pan" and asset.calibration.kind != "quality" and asset.grid.same_as(scene.reference)
    }
    reflective = {name: asset for name, asset in here.items() if asset.calibration.kind == "reflectance"}
    return reflective or here


def _delivered(scene: Scene) -> dict[str, Quality]:
    return {name: a.calibration for name, a in scene.assets.items() if isinstance(a.calibration, Quality)}
