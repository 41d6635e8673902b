"""Clouds, their shadows and snow: by a model, by the delivery, or by a spectral rule; the map says by which."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from swath.algo.shadows import around_px, darker, grown, reach_px, thrown
from swath.errors import ConfigError, MissingBandError, ModelContractError
from swath.grid import Grid, Window
from swath.inference.step_model import StepModel
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import PROBABILITY, Category, LayerName, LayerSpec, ModelRef, class_map
from swath.scene import Scene
from swath.steps.judges.delivered import DeliveredJudge
from swath.steps.judges.judge import Judge, Judged
from swath.steps.judges.model import ModelJudge
from swath.steps.judges.rule import RuleJudge, near_infrared
from swath.steps.naming import CLEAR, CLOUD, CLOUD_MAP, SHADOW, SNOW

PROBABILITY_MAP: Final = "cloud_probability"
#: The map on the grid of its judge, where that is not the product's.
OWN: Final = "cloud_judged"
CATEGORIES: Final = (
    Category(value=CLEAR, name="clear", title="Clear", rgb=(196, 208, 196)),
    Category(value=CLOUD, name="cloud", title="Cloud", rgb=(250, 250, 250)),
    Category(value=SHADOW, name="shadow", title="Cloud shadow", rgb=(70, 70, 90)),
    Category(value=SNOW, name="snow", title="Snow or ice", rgb=(140, 220, 255)),
)
TITLES: Final = {"model": "Clouds by a model", "rule": "Clouds by spectral tests", "delivered": "Clouds as delivered"}
#: The longest shadow that is looked for [px]: the margin that every piece is read with.
_MAX_REACH_PX: Final = 400
By = Literal["auto", "model", "rule", "delivered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clouds:
    """``cloud`` on the scene's reference grid: clear, cloud, cloud shadow, snow.

    ``auto`` takes the model where one is pinned and fits the scene, otherwise what the delivery judged, otherwise the rule.
    Shadows that the judge does not know are projected from its clouds along the sun. A pixel without data in a band that was
    looked at, or saturated in one and not cloud or snow, is nodata: never clear.

    Args:
        by: Judge of the clouds.
        model: The pinned cloud model; None for none.
        dilate_m: Distance by which clouds and shadows are grown [m].
        highest_m: Highest cloud whose shadow is looked for [m above the ground]; 0 for no shadows.

    Raises:
        ConfigError: A value that it cannot be.
    """

    name: ClassVar[str] = "clouds"
    version: ClassVar[int] = 2
    kinds: ClassVar[tuple[str, ...]] = (CLOUD_MAP, PROBABILITY_MAP, OWN)

    by: By = "auto"
    model: StepModel | None = None
    dilate_m: float = 0.0
    highest_m: float = 4000.0

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.by not in ("auto", *TITLES):
            msg = f"clouds.by must be auto, model, rule or delivered, got {self.by!r}"
            raise ConfigError(msg)
        if self.by == "model" and self.model is None:
            msg = "clouds: {by: model} needs a model: clouds: {by: model, model: csmask@production} (swath models fetch csmask)"
            raise ConfigError(msg)
        if not 0 <= self.dilate_m <= 3000 or not 0 <= self.highest_m <= 12000:
            msg = f"clouds.dilate_m must be in 0..3000 m and highest_m in 0..12000 m, got {self.dilate_m} and {self.highest_m}"
            raise ConfigError(msg)
        if self.model is not None:
            ModelJudge(model=self.model)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As given; the model by name and digest."""
        own = {"by": self.by, "dilate_m": self.dilate_m, "highest_m": self.highest_m}
        return own if self.model is None else {**own, **self.model.parameters}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """The map on the judge's grid, and where that is another one than the product's, the map on the product's.

        Raises:
            SceneError: The judge that was asked for cannot judge this scene, or under ``auto`` none can.
        """
        judge, because = self._judge(scene, given)
        grid = judge.grid(scene, given=given)
        ref = self.model.ref if self.model is not None and judge.by == "model" else None
        facts = {"by": judge.by, "because": because, "pixel_m": grid.resolution_m, "shadows": self._shadows(judge, given)}
        here = grid.same_as(scene.reference)
        needs = self._needs(judge, scene, given=given, grid=grid)
        made = [_map(CLOUD_MAP if here else OWN, grid=grid, by=judge.by, ref=ref)]
        if judge.by == "model":
            made.append(_probability(grid, ref=ref))
        inputs = (self.model.asked,) if self.model is not None and judge.by == "model" else ()
        own = Recipe(makes=tuple(made), needs=needs, facts=facts, inputs=inputs)
        if here:
            return (own,)
        moved = _map(CLOUD_MAP, grid=scene.reference, by=judge.by, ref=ref)
        return (own, Recipe(makes=(moved,), needs={OWN: Need(on=scene.reference, kernel="nearest")}, facts=facts))

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Judge, project shadows, grow, and leave out what cannot be judged."""
        if OWN in recipe.needs:
            found = layers[OWN].crop(window)
            return {CLOUD_MAP: Layer(values=found.values, grid=recipe.grid, window=window, valid=found.usable)}
        grid, name = recipe.grid, recipe.makes[0].name
        judge = self._of(recipe.facts["by"], scene)
        wide = window.pad(self._margin(judge, scene, grid)).clip(grid.window)
        judged = judge.judge(layers, window=wide, grid=grid, scene=scene, inputs=inputs)
        codes = self._codes(judged, layers, grid=grid, window=wide, scene=scene)
        part = wide.slices_of(window)
        valid = judged.usable[part] & _usable(layers, codes=codes[part], window=window, scene=scene)
        made = {name: Layer(values=codes[part], grid=grid, window=window, valid=valid)}
        if judged.percent is not None:
            percent = np.where(valid, judged.percent[part], np.nan)
            made[PROBABILITY_MAP] = Layer(values=percent, grid=grid, window=window, valid=valid)
        return made

    def _judge(self, scene: Scene, given: Mapping[LayerName, LayerSpec]) -> tuple[Judge, str]:
        """The judge of this scene, and why the judges before it do not apply."""
        if self.by != "auto":
            judge = self._of(self.by, scene)
            judge.needs(scene, given=given, grid=judge.grid(scene, given=given))
            return judge, "asked for"
        because: list[str] = ["no model is pinned"] if self.model is None else []
        for by in ("model", "delivered", "rule") if self.model is not None else ("delivered", "rule"):
            try:
                judge = self._of(by, scene)
                judge.needs(scene, given=given, grid=judge.grid(scene, given=given))
            except (ModelContractError, MissingBandError) as error:
                if by == "rule":
                    raise
                because.append(str(error).removeprefix(f"{error.scene_id}: "))
            else:
                return judge, "; ".join(because)
        msg = "no judge of clouds"
        raise MissingBandError(msg, scene_id=scene.scene_id)

    def _of(self, by: str, scene: Scene) -> Judge:
        if by == "model" and self.model is not None:
            return ModelJudge(model=self.model)
        return DeliveredJudge.of(scene) if by == "delivered" else RuleJudge()

    def _shadows(self, judge: Judge, given: Mapping[LayerName, LayerSpec]) -> str:
        if judge.finds_shadows:
            return judge.by
        return "projected" if self.highest_m and near_infrared(given) else "not looked for"

    def _margin(self, judge: Judge, scene: Scene, grid: Grid) -> int:
        """Pixels around a window whose judgement its map depends on."""
        grow = ceil(self.dilate_m / grid.resolution_m)
        if judge.finds_shadows or not self.highest_m:
            return grow
        return grow + max(self._reach(scene, grid), around_px(pixel_m=grid.resolution_m))

    def _reach(self, scene: Scene, grid: Grid) -> int:
        elevation = scene.angles.sun_elevation_deg
        return min(reach_px(sun_elevation_deg=elevation, highest_m=self.highest_m, pixel_m=grid.resolution_m), _MAX_REACH_PX)

    def _needs(self, judge: Judge, scene: Scene, *, given: Mapping[LayerName, LayerSpec], grid: Grid) -> dict[LayerName, Need]:
        margin = self._margin(judge, scene, grid)
        needs = {
            n: Need(on=grid, halo_px=need.halo_px + margin) for n, need in judge.needs(scene, given=given, grid=grid).items()
        }
        nir = near_infrared(given)
        if nir and not judge.finds_shadows and self.highest_m:
            needs.setdefault(nir, Need(on=grid, halo_px=margin))
        # A number at the end of a band's range says nothing of the ground.
        for band in _judging(scene, grid):
            needs.setdefault(f"dn:{band}", Need(on=grid))
        return needs

    def _codes(self, judged: Judged, layers: Layers, *, grid: Grid, window: Window, scene: Scene) -> NDArray[np.uint8]:
        shadowed = judged.shadowed
        nir = next((layers[n] for n in ("toa:nir08", "toa:nir") if n in layers), None)
        if shadowed is None and nir is not None and self.highest_m:
            shadowed = self._projected(judged, nir.crop(window).physical, grid=grid, scene=scene)
        grow = int(self.dilate_m / grid.resolution_m)
        codes = np.zeros(window.shape, dtype=np.uint8)
        if judged.snowy is not None:
            codes[judged.snowy] = SNOW
        if shadowed is not None:
            codes[grown(shadowed, by_px=grow)] = SHADOW
        codes[grown(judged.cloudy, by_px=grow)] = CLOUD
        return codes

    def _projected(self, judged: Judged, nir: NDArray[np.float64], *, grid: Grid, scene: Scene) -> NDArray[np.bool_]:
        angles, pixel_m = scene.angles, grid.resolution_m
        cast = thrown(
            judged.cloudy,
            sun_elevation_deg=angles.sun_elevation_deg,
            sun_azimuth_deg=angles.sun_azimuth_deg,
            highest_m=self.highest_m,
            pixel_m=pixel_m,
            most_px=_MAX_REACH_PX,
        )
        return cast & ~judged.cloudy & darker(nir, cloudy=judged.cloudy, around=around_px(pixel_m=pixel_m))


def _judging(scene: Scene, grid: Grid) -> list[str]:
    """The reflective bands on a grid."""
    return [
        name
        for name, a in scene.assets.items()
        if name not in ("pan", "cirrus") and a.calibration.kind == "reflectance" and a.grid.same_as(grid)
    ]


def _usable(layers: Layers, *, codes: NDArray[np.uint8], window: Window, scene: Scene) -> NDArray[np.bool_]:
    """Pixels with data in all bands that were looked at; a saturated one is neither clear nor in shadow."""
    usable = np.ones(window.shape, dtype=np.bool_)
    for name, layer in layers.items():
        asset = scene.assets.get(name.removeprefix("dn:")) if name.startswith("dn:") else None
        if asset is not None and asset.calibration.kind == "reflectance":
            part = layer.crop(window)
            usable &= part.usable
            if asset.saturated is not None:
                usable &= (part.values < asset.saturated) | (codes == CLOUD) | (codes == SNOW)
    return usable


def _map(name: str, *, grid: Grid, by: str, ref: ModelRef | None) -> LayerSpec:
    roles = ("data-mask", "cloud", "cloud-shadow", "snow-ice")
    return LayerSpec(name=name, asset=name, title=TITLES[by], grid=grid, encoding=class_map(CATEGORIES), roles=roles, model=ref)


def _probability(grid: Grid, *, ref: ModelRef | None) -> LayerSpec:
    return LayerSpec(
        name=PROBABILITY_MAP,
        asset=PROBABILITY_MAP,
        title="Probability of cloud",
        grid=grid,
        encoding=PROBABILITY,
        roles=("data", "probability"),
        model=ref,
    )
