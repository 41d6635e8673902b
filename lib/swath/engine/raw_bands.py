"""Steps that mix bands of raw images with models of their own: they work on the map, where each band comes by its own model.

Pixels of a pan and of a multispectral image are nowhere one grid before they are on the ground; so pan-sharpening a raw delivery
reads both on the product's grid at the pan band's sampling, each in one warp over the terrain.
"""

from collections.abc import Mapping
from dataclasses import replace

from swath.engine.target import Target
from swath.grid import Grid
from swath.layer_name import DELIVERED
from swath.pipeline import Need, Recipe, Step
from swath.product import LayerName, LayerSpec
from swath.scene import Scene


def mixes_images(recipe: Recipe, *, scene: Scene, given: Mapping[LayerName, LayerSpec]) -> bool:
    """Whether a call of a step reads layers of several raw images.

    Args:
        recipe: The call.
        scene: The scene.
        given: Layers that are made before it.
    """
    grids = [_grid_of(name, scene=scene, given=given) for name in recipe.needs]
    systems = {g.crs for g in grids if g is not None}
    return len(systems) > 1 and any(g is not None and g.raw for g in grids)


def on_the_map(step: Step, *, scene: Scene, given: Mapping[LayerName, LayerSpec], target: Target) -> tuple[Recipe, ...]:
    """The calls of a step whose layers come onto the product's grid first, at the finest sampling of the scene's bands.

    Bands that are coarser are interpolated by the cubic kernel, which is what sharpening expects.

    Raises:
        SceneError: The step cannot work on the scene.
    """
    finest = min((a.grid for a in scene.assets.values()), key=lambda g: g.resolution_m)
    grid = target.grid_for(finest, scene=scene)
    placed = replace(scene, assets={name: replace(a, grid=grid) for name, a in scene.assets.items()})
    recipes = step.recipes(placed, given={name: replace(spec, grid=grid) for name, spec in given.items()})
    return tuple(
        replace(
            r, needs={n: _need(n, need, finest, on=grid, scene=scene, given=given, target=target) for n, need in r.needs.items()}
        )
        for r in recipes
    )


def _need(
    name: LayerName, need: Need, finest: Grid, *, on: Grid, scene: Scene, given: Mapping[LayerName, LayerSpec], target: Target
) -> Need:
    source = _grid_of(name, scene=scene, given=given)
    coarser = source is not None and source.resolution_m > finest.resolution_m
    return replace(need, on=on, kernel="cubic" if coarser else target.choice.interpolation)


def _grid_of(name: LayerName, *, scene: Scene, given: Mapping[LayerName, LayerSpec]) -> Grid | None:
    if name in given:
        return given[name].grid
    asset = scene.assets.get(name.removeprefix(DELIVERED))
    return asset.grid if asset is not None else None
