"""What is to be made of one scene, without reading a pixel."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import lru_cache
from typing import Any

from swath import __version__
from swath.engine.cut import FAR_PIECE, Cut, cut
from swath.engine.frame import Frame
from swath.engine.graph import Graph, resolve
from swath.engine.keys import asset_keys
from swath.engine.pipeline_json import pipeline_of_json
from swath.engine.survey import placement_of
from swath.plain import digest_of
from swath.product import COREGISTERED, AppliedStep, AssetRecord, LayerName, Product
from swath.scene import Scene
from swath.sinks.stac.renders import TRUE_COLOUR
from swath.source_ref import Identity

#: In GDAL's names of files that are read over a network.
_FAR = "/vsis3/"
#: What the checks found, among the facts of a published product.
CHECKED = "checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPlan:
    """One product to be made.

    Args:
        product_id: ``<scene_id>.<pipeline>``, or of one tile ``<scene_id>_<tile>.<pipeline>``.
        collection: ``<pipeline>-<sensor family>``.
        folder: Folder of the product's files, relative to the output.
        graph: Graph of the computation.
        keys: Asset keys, by STAC asset name.
        previews: Layers for the pictures.
        frame: Frame that the product is cut on.
    """

    product_id: str
    collection: str
    folder: str
    graph: Graph
    keys: Mapping[str, str]
    previews: tuple[LayerName, ...]
    frame: Frame

    @property
    def product_key(self) -> str:
        """One digest for all assets: the product exists when it does."""
        return digest_of(dict(self.keys))

    def href(self, asset: str) -> str:
        """File name of an asset."""
        return f"{self.product_id}.{asset}.{self.keys[asset][:12]}.tif"

    @property
    def pixels(self) -> int:
        """Pixels of all assets."""
        return sum(s.grid.width * s.grid.height for s in self.graph.outputs.values())

    @property
    def _piece(self) -> tuple[int, int] | None:
        """None: as the engine has it."""
        return FAR_PIECE if any(_FAR in asset.href for asset in self.graph.scene.assets.values()) else None

    def cut(self, *, rows: int | None, split: bool, piece: tuple[int, int] | None = None) -> Cut:
        """Strips and pieces.

        Raises:
            ConfigError: ``rows`` is not legal.
        """
        return cut(self.frame, rows=rows, split=split, piece=piece or self._piece)


def plan_product(scene_json: str, pipeline_json: str) -> ProductPlan:
    """Plan one product; cached, because a process meets the same scene strip after strip.

    Raises:
        SceneError: The scene cannot give what the pipeline must have.
        ConfigError: The pipeline names an unknown step or parameter.
    """
    return _plan(scene_json, pipeline_json)


@lru_cache(maxsize=16)
def _plan(scene_json: str, pipeline_json: str) -> ProductPlan:
    plain: dict[str, Any] = json.loads(pipeline_json)
    scene = Scene.from_json(scene_json)
    pipeline = pipeline_of_json(pipeline_json)
    if pipeline.grid is not None:
        pipeline = replace(pipeline, grid=pipeline.grid.on_tile(scene.tile))
    chosen = pipeline.coregister
    placed = placement_of(scene, chosen, rasters=pipeline.rasters) if chosen is not None else None
    graph = resolve(pipeline, scene, placed=placed)
    # What the configuration knew to be missing (a model that is not registered) is listed where others are.
    graph = replace(graph, left_out={**graph.left_out, **plain.get("absent", {})})
    product_id = Identity(pipeline=plain["name"], scene_id=scene.scene_id, tile=scene.tile).product_id
    collection = f"{plain['name']}-{scene.family}"
    day = scene.acquired.astimezone(UTC)
    previews = _previews(graph)
    return ProductPlan(
        product_id=product_id,
        collection=collection,
        folder=f"products/{collection}/{day:%Y/%m/%d}/{product_id}",
        graph=graph,
        keys=asset_keys(graph),
        previews=previews,
        frame=_frame(graph, previews),
    )


def _frame(graph: Graph, previews: tuple[LayerName, ...]) -> Frame:
    written = [*(spec.grid for spec in graph.outputs.values()), *(graph.grid_of(name) for name in previews)]
    layers = [graph.grid_of(name) for call in graph.calls for name in call.reads]
    return Frame.around(graph.reference, grids=written, layers=[*layers, *(c.recipe.grid for c in graph.calls)])


def _previews(graph: Graph) -> tuple[LayerName, ...]:
    """True colour of the reflectance that is written, and of TOA too when it was corrected (before and after).

    Bands on different grids (a sensor of its own kind, a file in another's place) make no picture.
    """
    found: list[LayerName] = []
    written = {spec.layer: spec.name for spec in graph.outputs.values()}
    for kind in ("sr", "toa"):
        # On a grid of its own a product shows what is written: nothing else comes onto that grid.
        layers = [f"{kind}:{band}" for band in TRUE_COLOUR]
        names = [written.get(layer, "") for layer in layers] if graph.gridded else layers
        if all(graph.has(name) for name in names) and len({graph.grid_of(name) for name in names}) == 1:
            found += names
    return tuple(found)


def _placed(graph: Graph) -> Scene:
    """The scene with its outline on the ground, which of a raw one only the elevation tells."""
    return replace(graph.scene, footprint=graph.footprint) if graph.footprint else graph.scene


def product_of(
    plan: ProductPlan, pipeline_json: str, *, records: Sequence[AssetRecord], checked: Mapping[str, Any] | None = None
) -> Product:
    """The product as its item describes it.

    Args:
        plan: Plan of the product.
        pipeline_json: The pipeline that it was planned with.
        records: Records of its published assets.
        checked: Findings of the checks before publishing.
    """
    plain: dict[str, Any] = json.loads(pipeline_json)
    steps: dict[str, AppliedStep] = {}
    facts: dict[str, Any] = {}
    for call in plan.graph.calls:
        name = call.step.name
        steps[name] = AppliedStep(name=name, version=call.step.version, parameters=dict(call.step.parameters))
        facts.setdefault(name, dict(call.recipe.facts))
    if plan.graph.placed is not None:
        facts[COREGISTERED] = plan.graph.placed.facts
    return Product(
        product_id=plan.product_id,
        pipeline=plain["name"],
        pipeline_version=plain.get("version", 1),
        collection=plan.collection,
        scene=_placed(plan.graph),
        grid=plan.graph.reference,
        layers=plan.graph.outputs,
        assets=tuple(records),
        left_out=plan.graph.left_out,
        steps=tuple(steps.values()),
        code=__version__,
        facts=facts,
        checked=dict(checked or {}),
    )
