"""A second land-cover model beside the one in use: where the two disagree. No key of the map in use depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from swath.errors import ModelContractError
from swath.grid import Window
from swath.inference.features import feature, model_grid
from swath.inference.step_model import StepModel
from swath.inputs import Inputs, ModelInput
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.place import Place
from swath.product import Category, LayerName, LayerSpec, class_map
from swath.scene import Scene
from swath.steps.landcover import MAP, classify, classify_around

DISAGREEMENT: Final = "landcover_disagreement"
_NODATA: Final = 255
#: Pairs of classes that a byte can tell apart, beside nodata.
_MOST_PAIRS: Final = 255
#: Fact of a recipe: codes of the classes of the model in use.
_CODES: Final = "champion_codes"
_SAME_RGB: Final = (226, 226, 226)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandcoverShadow:
    """``landcover_disagreement``: the pair of classes of the model in use and of a challenger, grey where both say the same.

    Args:
        model: Challenger, pinned; the parameter ``shadow`` of the step ``landcover`` names it.
    """

    name: ClassVar[str] = "landcover_shadow"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = (DISAGREEMENT,)

    model: StepModel

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The challenger by name and digest."""
        return self.model.parameters

    @property
    def asked(self) -> ModelInput:
        """The challenger's predictor; models of one name are told apart, for champion and challenger usually share theirs."""
        return ModelInput(name=shadow_name(self.model.name), digest=self.model.digest)

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call on the grid of the map, or none where there is no map.

        Raises:
            ModelContractError: The challenger works on another grid, needs bands that are not there, or has too many classes.
        """
        champion = given.get(MAP)
        if champion is None:
            return ()
        manifest = self.model.manifest
        missing = [n for n in manifest.layers if n not in given and n not in {f"dn:{b}" for b in scene.assets}]
        pairs = len(champion.encoding.categories) * len(manifest.classes)
        for wrong, problem in (
            (bool(missing), f"the scene lacks {', '.join(missing)}, which it was trained on"),
            (model_grid(scene, manifest.resolution_m) != champion.grid, "it works on another grid than the model in use"),
            (pairs > _MOST_PAIRS, f"{pairs} pairs of classes do not fit a map of bytes, which holds {_MOST_PAIRS}"),
        ):
            if wrong:
                told = f"no shadow by model {self.model.name} {self.model.version}: {problem}"
                raise ModelContractError(told, scene_id=scene.scene_id)
        needs = {name: Need(on=champion.grid, halo_px=manifest.margin_px) for name in manifest.layers}
        made = LayerSpec(
            name=DISAGREEMENT,
            asset=DISAGREEMENT,
            title="Land cover, where a challenger disagrees",
            grid=champion.grid,
            encoding=class_map(pairs_of(champion.encoding.categories, manifest.classes)),
            roles=("data", "classification"),
            model=self.model.ref,
        )
        codes = {_CODES: [c.value for c in champion.encoding.categories]}
        needs = {MAP: Need(on=champion.grid), **needs}
        return (Recipe(makes=(made,), needs=needs, facts=codes, inputs=(self.asked,)),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Classify by the challenger and pair with the map; nodata where one of them has no class."""
        del scene
        manifest, predictor = self.model.manifest, inputs.of(self.asked)
        given = window.pad(manifest.margin_px).clip(recipe.grid.window)
        stacked = [feature(layers[n].crop(given), scale=manifest.scale, offset=manifest.offset) for n in manifest.layers]
        numbers = np.arange(len(manifest.classes), dtype=np.uint8)
        if manifest.margin_px:
            place = Place(given=given, wanted=window, grid=recipe.grid.window)
            ours, _ = classify_around(np.stack(stacked), predictor=predictor, codes=numbers, place=place)
        else:
            ours, _ = classify([f.ravel() for f in stacked], predictor=predictor, codes=numbers)
        champion = layers[MAP].crop(window)
        ordinals = np.full(_NODATA + 1, _NODATA, dtype=np.uint8)
        ordinals[list(recipe.facts[_CODES])] = np.arange(len(recipe.facts[_CODES]), dtype=np.uint8)
        theirs = ordinals[champion.values]
        paired = paired_codes(theirs, ours.reshape(window.shape), classes=len(manifest.classes), usable=champion.usable)
        return {DISAGREEMENT: Layer(values=paired, grid=recipe.grid, window=window, valid=paired != _NODATA)}


def shadow_name(name: str) -> str:
    """Name of a challenger in the pipeline."""
    return f"{name}~shadow"


def paired_codes(
    theirs: NDArray[np.uint8], ours: NDArray[np.uint8], *, classes: int, usable: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """``theirs * classes + ours``, (y, x), of ordinals of classes; 255 where one of them is, or where the map is not usable."""
    known = usable & (theirs != _NODATA) & (ours != _NODATA)
    paired = theirs.astype(np.int64) * classes + ours
    return np.where(known, paired, _NODATA).astype(np.uint8)


def pairs_of(champion: tuple[Category, ...], challenger: tuple[Category, ...]) -> tuple[Category, ...]:
    """Classes of the disagreement map, in the order of their codes."""
    size = len(challenger)
    return tuple(
        Category(
            value=row * size + column,
            name=f"{one.name}__{other.name}",
            title=one.title if one.name == other.name else f"{one.title}, challenger: {other.title}",
            rgb=_SAME_RGB if one.name == other.name else other.rgb,
        )
        for row, one in enumerate(champion)
        for column, other in enumerate(challenger)
    )
