"""Land cover: the most probable class of each pixel and how probable it is, from a pinned model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from swath.errors import ModelContractError
from swath.grid import Grid, Window
from swath.inference.features import feature, model_grid
from swath.inference.step_model import StepModel
from swath.inputs import Inputs, Predictor
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.place import Place
from swath.product import PROBABILITY, LayerName, LayerSpec, class_map
from swath.scene import Scene

#: Pixels predicted at once: features and probabilities of so many stay small beside the layers themselves.
CHUNK_PX: Final = 1 << 16
_NODATA: Final = 255
MAP: Final = "landcover"
CONFIDENCE: Final = "landcover_probability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landcover:
    """``landcover`` (class codes) and ``landcover_probability`` (percent, of the class on the map).

    Args:
        model: The pinned model. In a pipeline file, `shadow: REFERENCE` beside it runs a challenger over the same layers, for the
            map `landcover_disagreement`.
    """

    name: ClassVar[str] = "landcover"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = (MAP, CONFIDENCE)

    model: StepModel

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The model by name and digest; the version is a label that may move, the digest cannot."""
        return self.model.parameters

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call, on the model's grid.

        Raises:
            ModelContractError: The scene lacks a band that the model was trained on, or its pixels are not of the model's size.
        """
        manifest = self.model.manifest
        missing = [n for n in manifest.layers if n not in given and n not in {f"dn:{b}" for b in scene.assets}]
        if missing:
            raise ModelContractError(
                f"the scene lacks bands that model {self.model.name} was trained on",
                expected=", ".join(manifest.layers),
                got=f"no {', '.join(missing)}",
                remedy="Use a model for the bands of this sensor, or put the step that makes them before this one.",
                scene_id=scene.scene_id,
            )
        grid = model_grid(scene, manifest.resolution_m)
        self._refuse_other_pixels(scene, grid)
        needs = {name: Need(on=grid, halo_px=manifest.margin_px) for name in manifest.layers}
        return (Recipe(makes=self._makes(grid), needs=needs, inputs=(self.model.asked,)),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Predict the pixels whose features are all valid; the others become nodata."""
        del scene
        manifest, predictor = self.model.manifest, inputs.of(self.model.asked)
        given = window.pad(manifest.margin_px).clip(recipe.grid.window)
        stacked = [feature(layers[n].crop(given), scale=manifest.scale, offset=manifest.offset) for n in manifest.layers]
        codes = np.array([c.value for c in manifest.classes], dtype=np.uint8)
        if manifest.margin_px:
            place = Place(given=given, wanted=window, grid=recipe.grid.window)
            mapped, percent = classify_around(np.stack(stacked), predictor=predictor, codes=codes, place=place)
        else:
            mapped, percent = classify([f.ravel() for f in stacked], predictor=predictor, codes=codes)
        valid = np.isfinite(percent).reshape(window.shape)
        return {
            MAP: Layer(values=mapped.reshape(window.shape), grid=recipe.grid, window=window, valid=valid),
            CONFIDENCE: Layer(values=percent.reshape(window.shape), grid=recipe.grid, window=window, valid=valid),
        }

    def _refuse_other_pixels(self, scene: Scene, grid: Grid) -> None:
        if self.model.manifest.pixel_m is None:
            return
        low, high = self.model.manifest.pixel_m
        if not low <= grid.resolution_m <= high:
            raise ModelContractError(
                f"model {self.model.name} was not made for the scene's pixels",
                expected=f"{low:g} to {high:g} m",
                got=f"{grid.resolution_m:g} m",
                remedy="Use a model for this pixel size, or one whose resolution_m names a band's grid within it.",
                scene_id=scene.scene_id,
            )

    def _makes(self, grid: Grid) -> tuple[LayerSpec, ...]:
        ref = self.model.ref
        return (
            LayerSpec(
                name=MAP,
                asset=MAP,
                title="Land cover",
                grid=grid,
                encoding=class_map(self.model.manifest.classes),
                roles=("data", "classification"),
                model=ref,
            ),
            LayerSpec(
                name=CONFIDENCE,
                asset=CONFIDENCE,
                title="Probability of the land-cover class",
                grid=grid,
                encoding=PROBABILITY,
                roles=("data", "probability"),
                model=ref,
            ),
        )


def classify(
    features: list[NDArray[np.float32]], *, predictor: Predictor, codes: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Class code and probability [percent] of each pixel; 255 and NaN where a feature is not finite.

    Args:
        features: One array, (pixel,), for each feature.
        predictor: The model.
        codes: Class code of each of the model's outputs, (class,).
    """
    pixels = features[0].size
    mapped = np.full(pixels, _NODATA, dtype=np.uint8)
    percent = np.full(pixels, np.nan, dtype=np.float32)
    for start in range(0, pixels, CHUNK_PX):
        part = slice(start, start + CHUNK_PX)
        stack = np.stack([f[part] for f in features])
        usable = np.isfinite(stack).all(axis=0)
        if not usable.any():
            continue
        winner, probability = _winners(predictor.predict(stack if usable.all() else stack[:, usable]))
        mapped[part][usable] = codes[winner]
        percent[part][usable] = probability * np.float32(100.0)
    return mapped, percent


def classify_around(
    features: NDArray[np.float32], *, predictor: Predictor, codes: NDArray[np.uint8], place: Place
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Class code and probability [percent] of each pixel of ``place.wanted``, (pixel,), by a model that looks around.

    Args:
        features: (feature, y, x) of ``place.given``; pixels with a feature that is not finite become 255 and NaN.
        predictor: The model.
        codes: Class code of each of the model's outputs, (class,).
        place: Position of the features.
    """
    usable = np.isfinite(features[:, *place.given.slices_of(place.wanted)]).all(axis=0).ravel()
    mapped = np.full(usable.size, _NODATA, dtype=np.uint8)
    percent = np.full(usable.size, np.nan, dtype=np.float32)
    if usable.any():
        winner, probability = _winners(predictor.predict(features, place=place).reshape(codes.size, -1)[:, usable])
        mapped[usable] = codes[winner]
        percent[usable] = probability * np.float32(100.0)
    return mapped, percent


def _winners(probabilities: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Index of the greatest probability, (pixel,), and the probability; the first of equals wins."""
    best = probabilities[0].copy()
    winner = np.zeros(best.size, dtype=np.uint8)
    for number in range(1, probabilities.shape[0]):
        ahead = probabilities[number] > best
        winner[ahead] = number
        np.maximum(best, probabilities[number], out=best)
    return winner, best
