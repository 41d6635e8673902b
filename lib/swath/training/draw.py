"""Samples of many scenes; a scene that cannot be used is reported and left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import pandas as pd

from swath.errors import SceneError
from swath.inference.manifest import FeatureKind
from swath.pipeline import Step
from swath.readers.registry import read_scene
from swath.steps.smac import Smac
from swath.steps.toa import Toa
from swath.training.polygons import Polygons
from swath.training.recipe import TrainingRecipe
from swath.training.samples import FeatureRequest, empty_samples, samples_of
from swath.training.tiles import LabelledTiles, tiles_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What drawing gave.

    Args:
        samples: Samples of all scenes, from ``samples_of``.
        refused: Why a scene gave none, by scene id.
        tiles: What is around the samples, for networks that look around; None for models of single pixels.
    """

    samples: pd.DataFrame
    refused: Mapping[str, str]
    tiles: LabelledTiles | None = None

    def with_tiles(self, hrefs: Iterable[str], *, recipe: TrainingRecipe) -> Self:
        """The same with the tiles that the recipe asks for, read in this process; as it is where it asks for none.

        Args:
            hrefs: The scenes, as ``discover`` yields them.
            recipe: The recipe.
        """
        if recipe.unet is None or self.samples.empty:
            return self
        told = [h for h in hrefs if h not in self.refused]
        steps = steps_for(recipe.features.of)
        return replace(self, tiles=tiles_of(told, self.samples, recipe=recipe, settings=recipe.unet, steps=steps))

    @classmethod
    def together(cls, parts: Iterable[Self], *, request: FeatureRequest) -> Self:
        """Several drawings as one, in an order that does not depend on who drew first."""
        every = list(parts)
        filled = [p.samples for p in every if len(p.samples)]
        samples = pd.concat(filled, ignore_index=True) if filled else empty_samples(request)
        samples = samples.sort_values(["scene_id", "polygon_id", "row", "col"], kind="stable", ignore_index=True)
        return cls(samples=samples, refused={k: v for p in every for k, v in p.refused.items()})


def steps_for(of: FeatureKind) -> tuple[Step, ...]:
    """The steps that make features of a kind, with their defaults."""
    chains: Mapping[FeatureKind, tuple[Step, ...]] = {"dn": (), "toa": (Toa(),), "sr": (Toa(), Smac())}
    return chains[of]


def draw_one(href: str, polygons: Polygons, *, request: FeatureRequest, steps: tuple[Step, ...] | None = None) -> Drawn:
    """Samples of one scene, or why there are none.

    Args:
        href: The scene, as ``discover`` yields it.
        polygons: Labelled polygons, in any coordinate system.
        request: The features.
        steps: Steps that make the layers; ``steps_for(request.of)`` by default.
    """
    chain = steps_for(request.of) if steps is None else steps
    try:
        scene = read_scene(href)
    except SceneError as error:
        return Drawn(samples=empty_samples(request), refused={error.scene_id or href: str(error)})
    try:
        return Drawn(samples=samples_of(scene, polygons, request=request, steps=chain), refused={})
    except SceneError as error:
        return Drawn(samples=empty_samples(request), refused={scene.scene_id: str(error.of(scene.scene_id))})


def draw(hrefs: Iterable[str], polygons: Polygons, *, request: FeatureRequest, steps: tuple[Step, ...] | None = None) -> Drawn:
    """Samples of many scenes, one after the other in this process."""
    parts = (draw_one(href, polygons, request=request, steps=steps) for href in hrefs)
    return Drawn.together(parts, request=request)
