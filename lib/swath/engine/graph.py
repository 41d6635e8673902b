"""What a pipeline can make of a scene: the calls in order, the assets, and what is left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from swath.coregister import Registered
from swath.engine.offer import Offer, chosen_layers
from swath.engine.onto import Onto
from swath.engine.raw_bands import mixes_images, on_the_map
from swath.engine.target import Target, target_of
from swath.engine.terrain import elevation_for
from swath.errors import (
    GeometryError,
    MetadataError,
    MissingBandError,
    MissingInputError,
    ModelContractError,
    SceneError,
    UnsupportedSensorError,
)
from swath.grid import Grid
from swath.grid_choice import GridChoice
from swath.inputs import DEM, RasterInput, RasterSource
from swath.layer_name import DELIVERED, LayerId
from swath.pipeline import Pipeline, Recipe, Step, Writer
from swath.product import LayerName, LayerSpec
from swath.scene import Scene

#: Reasons for which a step may leave its optional assets out; any other SceneError quarantines the scene.
_TOLERATED = (UnsupportedSensorError, MissingBandError, ModelContractError, MetadataError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recipe of one step, with the needs that this scene can fill."""

    step: Step
    recipe: Recipe
    reads: tuple[LayerName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The calls that the assets need, in order.

    Args:
        scene: The scene.
        calls: Every call comes after those whose layers it reads.
        outputs: Layers to write, by asset key.
        left_out: Reasons why assets are not written, by asset key or layer kind.
        reference: The grid of the product: the scene's reference, or what its pipeline chose.
        placed: Position of the scene after co-registration; None without one.
        writer: Writer of the files.
        rasters: Rasters of the site, by name.
        footprint: Ring of (longitude, latitude) [deg] around a raw scene on the ground; empty for scenes on a map.
    """

    scene: Scene
    calls: tuple[Call, ...]
    outputs: Mapping[str, LayerSpec]
    left_out: Mapping[str, str]
    reference: Grid
    writer: Writer = "swath"
    placed: Registered | None = None
    rasters: Mapping[str, RasterSource] = field(default_factory=dict)
    footprint: tuple[tuple[float, float], ...] = ()

    @property
    def gridded(self) -> bool:
        """Whether the product is on a grid of its own."""
        return bool(self.footprint) or any(spec.name != spec.layer for spec in self.outputs.values())

    def grid_of(self, name: LayerName) -> Grid:
        """The grid that a layer is on."""
        if name.startswith(DELIVERED):
            return self.scene.assets[name.removeprefix(DELIVERED)].grid
        return self.maker_of(name).recipe.grid

    def dem_of(self, name: LayerName) -> RasterSource | None:
        """The elevation that places of a layer depend on; None where it is on a map."""
        return elevation_for(self.grid_of(name), self.rasters)

    def maker_of(self, name: LayerName) -> Call:
        """The call that makes a layer.

        Raises:
            KeyError: No call makes the layer.
        """
        for call in self.calls:
            if any(spec.name == name for spec in call.recipe.makes):
                return call
        raise KeyError(name)

    def has(self, name: LayerName) -> bool:
        """Whether some call makes the layer."""
        return any(spec.name == name for call in self.calls for spec in call.recipe.makes)


def resolve(pipeline: Pipeline, scene: Scene, *, placed: Registered | None = None) -> Graph:
    """Match a pipeline with a scene.

    Args:
        pipeline: The pipeline.
        scene: The scene, at the position that its metadata states.
        placed: Position of the scene after co-registration.

    Raises:
        SceneError: The scene cannot give what the pipeline must have.
    """
    claimed, scene = scene, scene if placed is None else placed.scene(scene)
    # Of where the scene claims to be: what is found of it decides where pixels come from, not what the product covers.
    choice, raw = _choice(pipeline, claimed, placed), _is_raw(claimed)
    target = target_of(claimed, choice, rasters=pipeline.rasters) if raw else None
    calls, offer = _offered(pipeline, scene, target=target)
    written = chosen_layers(pipeline, scene=scene, offer=offer)
    if not raw:
        target = target_of(claimed, choice, rasters=pipeline.rasters)
    outputs = dict(written.outputs)
    for asset, call in _moves(outputs, scene=scene, target=target, raw=raw).items():
        calls.append(call)
        outputs[asset] = call.recipe.makes[0]
    graph = Graph(
        scene=scene,
        calls=_needed(calls, {spec.name for spec in outputs.values()}),
        outputs=outputs,
        left_out=written.left_out,
        reference=claimed.reference if target is None else target.reference,
        writer=pipeline.writer,
        placed=placed,
        rasters=pipeline.rasters,
        footprint=target.footprint if target is not None else (),
    )
    _check_systems(graph)
    return graph


def _moves(outputs: Mapping[str, LayerSpec], *, scene: Scene, target: Target | None, raw: bool) -> dict[str, Call]:
    """Calls that bring assets onto the product's own grid, by asset; none for assets that are made on it."""
    if target is None:
        return {}
    onto = Onto(target=target)
    recipes = {a: onto.recipe_of(spec, scene=scene) for a, spec in outputs.items() if not raw or spec.grid.raw}
    return {a: Call(step=onto, recipe=r, reads=(outputs[a].name,)) for a, r in recipes.items() if r.grid != outputs[a].grid}


def _choice(pipeline: Pipeline, scene: Scene, placed: Registered | None) -> GridChoice | None:
    """The grid that a pipeline chooses; for a scene that co-registration moves, the pixels that its metadata claims."""
    native = scene.reference
    if pipeline.grid is not None or placed is None or not placed.applied or native.raw or not native.upright:
        return pipeline.grid
    return GridChoice(crs=native.crs, origin=(native.left, native.top))


def _check_systems(graph: Graph) -> None:
    """Refuse calls that make layers in another coordinate system than they read them in.

    Raises:
        GeometryError: Names the step, the layer and both systems.
    """
    for call in graph.calls:
        for name in call.reads:
            wanted = call.recipe.needs[name].on or graph.grid_of(name)
            if wanted.crs != call.recipe.grid.crs:
                raise GeometryError(
                    f"the step {call.step.name} reads {name} in another coordinate system than it makes its layers in",
                    expected=f"a grid in {call.recipe.grid.crs[:60]}, which its layers are in",
                    got=f"a grid in {wanted.crs[:60]}",
                    remedy="Let the step ask for the layer on the grid that it makes (Need.on): it is warped there.",
                    scene_id=graph.scene.scene_id,
                )


def _is_raw(scene: Scene) -> bool:
    return any(asset.grid.raw for asset in scene.assets.values())


def _offered(pipeline: Pipeline, scene: Scene, *, target: Target | None) -> tuple[list[Call], Offer]:
    """Every call that the scene allows, in order, and the layers that they make."""
    calls: list[Call] = []
    specs: dict[LayerName, LayerSpec] = {}
    failures: dict[str, SceneError] = {}
    for step in pipeline.steps:
        try:
            recipes = step.recipes(scene, given=specs)
            if target is not None and any(mixes_images(r, scene=scene, given=specs) for r in recipes):
                recipes = on_the_map(step, scene=scene, given=specs, target=target)
        except _TOLERATED as error:
            failures.update(dict.fromkeys(step.kinds, error))
            continue
        for recipe in recipes:
            there = tuple(n for n in recipe.needs if n in specs or n.removeprefix(DELIVERED) in scene.assets)
            missing = [n for n in recipe.needs if n not in there and n not in recipe.optional]
            lacking = _lacking(step, recipe, rasters=pipeline.rasters)
            if lacking is not None:
                failures.update({LayerId.of(s.name).kind: lacking for s in recipe.makes})
            elif not missing:
                calls.append(Call(step=step, recipe=recipe, reads=there))
                specs.update({s.name: s for s in recipe.makes})
    return calls, Offer(specs=specs, failures=failures)


def _lacking(step: Step, recipe: Recipe, *, rasters: Mapping[str, RasterSource]) -> MissingInputError | None:
    """What to say of a call that asks for a raster that the site does not have; None when it has all."""
    lacks = [a.name for a in recipe.inputs if isinstance(a, RasterInput) and a.name not in rasters]
    if not lacks:
        return None
    return MissingInputError(
        f"the step {step.name} needs the raster {lacks[0]}, which the site does not have",
        expected=f"`{lacks[0]}` in the site's file or on the command line",
        got=f"rasters {', '.join(sorted(rasters)) or 'none'}",
        remedy="Give `--dem PATH --dem-datum DATUM`, or `dem:` in the site's file."
        if lacks[0] == DEM
        else f"Give `--raster {lacks[0]}=PATH`, or `rasters: {{{lacks[0]}: PATH}}` in the site's file.",
    )


def _needed(calls: list[Call], names: set[LayerName]) -> tuple[Call, ...]:
    wanted = set(names)
    kept: list[Call] = []
    for call in reversed(calls):
        if any(s.name in wanted for s in call.recipe.makes):
            wanted.update(call.reads)
            kept.append(call)
    return tuple(reversed(kept))
