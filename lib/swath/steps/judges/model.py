"""A cloud model: a network with cloud and shadow, or a forest whose probability is averaged and cut."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.algo.disks import grown_by_disk, mean_over_disk
from swath.errors import ConfigError, ModelContractError
from swath.grid import Grid, Window
from swath.inference.features import feature, model_grid
from swath.inference.manifest import Manifest
from swath.inference.network import Decision
from swath.inference.step_model import StepModel
from swath.inputs import Inputs
from swath.pipeline import Layers, Need
from swath.place import Place
from swath.product import LayerName, LayerSpec
from swath.scene import Scene
from swath.steps.judges.judge import By, Judged, within

#: What a class of a cloud model may be called, and what the map makes of it.
NAMES = ("clear", "cloud", "shadow", "snow")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelJudge:
    """Clouds by a pinned model.

    Args:
        model: The pinned model.

    Raises:
        ConfigError: The model's classes are not those of clouds.
    """

    model: StepModel

    def __post_init__(self) -> None:
        """Refuse models of something else."""
        names = [c.name for c in self.manifest.classes]
        if not {"clear", "cloud"} <= set(names) <= set(NAMES):
            known = ", ".join(NAMES)
            msg = f"model {self.model.name} is not a cloud model: its classes must be of {known}, they are {', '.join(names)}"
            raise ConfigError(msg)

    @property
    def manifest(self) -> Manifest:
        """What the model takes and gives."""
        return self.model.manifest

    @property
    def by(self) -> By:
        """A model."""
        return "model"

    @property
    def finds_shadows(self) -> bool:
        """Whether it has such a class."""
        return any(c.name == "shadow" for c in self.manifest.classes)

    def grid(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> Grid:
        """The grid that the model was made for.

        Raises:
            ModelContractError: The scene's pixels are too large, or it lacks a band.
        """
        manifest = self.manifest
        missing = [n for n in manifest.layers if self._layer(n, given) is None]
        if missing:
            raise ModelContractError(
                f"the scene lacks bands of model {self.model.name}",
                expected=", ".join(manifest.layers),
                got=f"no {', '.join(missing)}",
                remedy="Use the spectral rule (clouds: {by: rule}), or a model for the bands of this sensor.",
                scene_id=scene.scene_id,
            )
        if manifest.pixel_m is None:
            return model_grid(scene, manifest.resolution_m)
        middle = manifest.resolution_m or sum(manifest.pixel_m) / 2
        return within(scene, pixel_m=manifest.pixel_m, wanted_m=middle, model=self.model.name)

    def needs(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec], grid: Grid) -> dict[LayerName, Need]:
        """The model's bands, with its margin."""
        del scene
        margin = self.manifest.margin_px + self._decision.margin_px
        return {layer: Need(on=grid, halo_px=margin) for n in self.manifest.layers if (layer := self._layer(n, given))}

    def judge(self, layers: Layers, *, window: Window, grid: Grid, scene: Scene, inputs: Inputs) -> Judged:
        """Ask the model; what a class has no name for is False."""
        del scene
        manifest, decision = self.manifest, self._decision
        asked = window.pad(decision.margin_px).clip(grid.window)
        given = asked.pad(manifest.margin_px).clip(grid.window)
        names = [next(a for a in _names(n) if a in layers) for n in manifest.layers]
        stacked = np.stack([feature(layers[n].crop(given), scale=manifest.scale, offset=manifest.offset) for n in names])
        here = Place(given=given, wanted=asked, grid=grid.window)
        answer = inputs.of(self.model.asked).predict(stacked, place=here)
        usable = np.asarray(np.isfinite(stacked[:, *given.slices_of(window)]).all(axis=0), dtype=np.bool_)
        classes = [c.name for c in manifest.classes]
        cloud = answer[classes.index("cloud")]
        own = asked.slices_of(window)
        if manifest.decision is not None:
            cloudy = decided(cloud, decision=decision, asked=asked, window=window)
            return Judged(cloudy=cloudy, usable=usable, percent=cloud[own] * np.float32(100.0))
        winner = answer[:, *own].argmax(axis=0)
        found = {n: winner == i for i, n in enumerate(classes)}
        return Judged(
            cloudy=found["cloud"],
            usable=usable,
            shadowed=found.get("shadow"),
            snowy=found.get("snow"),
            percent=cloud[own] * np.float32(100.0),
        )

    @property
    def _decision(self) -> Decision:
        return self.manifest.decision or Decision(threshold=0.5)

    def _layer(self, name: LayerName, given: Mapping[LayerName, LayerSpec]) -> LayerName | None:
        return next((n for n in _names(name) if n in given), None)


def _names(layer: LayerName) -> tuple[LayerName, ...]:
    """A layer, and its counterpart at other sensors: Sentinel-2 has two near infrareds, the narrow one is Landsat's."""
    kind, _, band = layer.partition(":")
    return (layer, f"{kind}:nir") if band == "nir08" else (layer,)


def decided(probability: NDArray[np.float32], *, decision: Decision, asked: Window, window: Window) -> NDArray[np.bool_]:
    """Average, cut and grow a probability as s2cloudless does; (y, x) of ``window``.

    Args:
        probability: Probability over ``asked``, (y, x): ``window`` with the decision's margin, less at the scene's edge.
        decision: Threshold and radii.
        asked: Window of the probability.
        window: Window to decide.
    """
    mean = probability
    if decision.average_px:
        # Beyond the scene the mean sees it mirrored, the dilation sees nothing: OpenCV's rules.
        mean = mean_over_disk(np.pad(probability, decision.average_px, mode="symmetric"), radius=decision.average_px)
    cloudy = mean > np.float32(decision.threshold)
    if decision.dilation_px:
        cloudy = grown_by_disk(np.pad(cloudy, decision.dilation_px), radius=decision.dilation_px)
    found: NDArray[np.bool_] = cloudy[asked.slices_of(window)]
    return found
