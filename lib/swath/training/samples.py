"""Samples: the features of the pixels under labelled polygons, made the way that prediction makes them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import bounds as geometry_bounds
from rasterio.features import geometry_mask
from rasterio.transform import Affine

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import Graph, resolve
from swath.engine.supplies import Supplies
from swath.errors import GeometryError, ModelContractError
from swath.grid import Grid, Window
from swath.inference.features import feature, model_grid
from swath.inference.manifest import FeatureKind
from swath.inputs import AngleField, Inputs
from swath.pipeline import AssetRule, Layer, Layers, Need, Pipeline, Recipe, Step
from swath.product import REFLECTANCE, LayerName, LayerSpec
from swath.readers.angles import angle_field
from swath.readers.pixels.bands import BandReader
from swath.scene import Scene
from swath.training.polygons import LabelledPolygon, Polygons

#: Columns beside the features, which are named after their bands.
KEYS = ("scene_id", "polygon_id", "label", "row", "col")
_KIND = "feature"
#: Reads the features of a window, (feature, y, x); NaN where there is no value.
ReadFeatures = Callable[[Window], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRequest:
    """What the features are: the part of a manifest that is settled before there is a model.

    Args:
        bands: Common band names, in order.
        of: ``sr``, ``toa`` or ``dn``.
        scale: See ``Manifest``.
        offset: See ``Manifest``.
        resolution_m: See ``Manifest``.
        limit: Most pixels taken of one polygon in one scene, spread evenly over it; None for all.
    """

    bands: tuple[str, ...]
    of: FeatureKind
    scale: float = 1.0
    offset: float = 0.0
    resolution_m: float | None = None
    limit: int | None = None

    @property
    def layers(self) -> tuple[LayerName, ...]:
        """Layer names, in order."""
        return tuple(f"{self.of}:{band}" for band in self.bands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A step that brings each band's feature to the model's grid, unquantised, as ``Landcover`` sees it."""

    name: ClassVar[str] = "features"
    kinds: ClassVar[tuple[str, ...]] = ("features",)
    version: ClassVar[int] = 1

    request: FeatureRequest

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The request."""
        return {"layers": list(self.request.layers), "scale": self.request.scale, "offset": self.request.offset}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call a band, all on the model's grid.

        Raises:
            ModelContractError: The scene lacks a band.
        """
        delivered = {f"dn:{b}" for b in scene.assets}
        missing = [n for n in self.request.layers if n not in given and n not in delivered]
        if missing:
            raise ModelContractError(
                "the scene lacks bands that training asks for",
                expected=", ".join(self.request.layers),
                got=f"no {', '.join(missing)}",
                remedy="Train on bands that all scenes have, or leave the scene out.",
                scene_id=scene.scene_id,
            )
        grid = model_grid(scene, self.request.resolution_m)
        return tuple(
            Recipe(
                makes=(LayerSpec(name=f"{_KIND}:{b}", asset=f"{_KIND}_{b}", title=b, grid=grid, encoding=REFLECTANCE),),
                needs={name: Need(on=grid)},
            )
            for b, name in zip(self.request.bands, self.request.layers, strict=True)
        )

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Scale one band; the values stay float32."""
        del scene, inputs
        (source,), (made,) = recipe.needs, recipe.makes
        values = feature(layers[source].crop(window), scale=self.request.scale, offset=self.request.offset)
        return {made.name: Layer(values=values, grid=recipe.grid, window=window, valid=np.isfinite(values))}


def samples_of(
    scene: Scene, polygons: Polygons, *, request: FeatureRequest, steps: tuple[Step, ...], angles: AngleField | None = None
) -> pd.DataFrame:
    """Draw the pixels of one scene whose centre is in a polygon and whose features are all valid.

    Args:
        scene: The scene; its bands are read around the polygons only.
        polygons: Polygons in any coordinate system.
        request: The features.
        steps: Steps that make the requested layers (``Toa``, ``Smac``).
        angles: Angle grids; the scene's own by default.

    Returns:
        A row a pixel: ``KEYS``, then a float32 column for each band. Empty when no polygon is in the scene.

    Raises:
        SceneError: The scene lacks a band or cannot be read.
    """
    grid = model_grid(scene, request.resolution_m)
    frames = [empty_samples(request)]
    with feature_windows(scene, request=request, steps=steps, angles=angles) as features:
        for polygon in polygons.reprojected(grid.crs).items:
            pixels = _pixels_in(polygon, grid)
            if pixels is None:
                continue
            window, inside = pixels
            frames.append(_rows(features(window), inside, window=window, polygon=polygon, request=request))
    samples = pd.concat([f for f in frames if len(f)] or frames, ignore_index=True)
    samples["scene_id"] = scene.scene_id
    return samples


@contextmanager
def feature_windows(
    scene: Scene, *, request: FeatureRequest, steps: tuple[Step, ...], angles: AngleField | None = None
) -> Iterator[ReadFeatures]:
    """Features of any window of the model's grid, (feature, y, x), NaN where there is no value; files are kept open meanwhile.

    Args:
        scene: The scene.
        request: The features.
        steps: Steps that make the requested layers.
        angles: Angle grids; the scene's own by default.

    Raises:
        SceneError: The scene lacks a band or cannot be read.
    """
    pipeline = Pipeline(
        name="samples",
        title="Training samples",
        steps=(*steps, Features(request=request)),
        assets=(AssetRule(layers=_KIND, required=True),),
    )
    _refuse_missing(pipeline, scene)
    graph = resolve(pipeline, scene)
    supplies = Supplies(angles=angles or (angle_field(scene) if scene.angles_href else None))
    with BandReader() as reader:
        yield lambda window: _stack(graph, window, request=request, reader=reader, supplies=supplies)


def empty_samples(request: FeatureRequest) -> pd.DataFrame:
    """No samples, with the columns and types that samples have."""
    text = {k: pd.Series(dtype=object) for k in KEYS[:3]}
    places = {k: pd.Series(dtype="int32") for k in KEYS[3:]}
    return pd.DataFrame({**text, **places, **{b: pd.Series(dtype="float32") for b in request.bands}})


def _refuse_missing(pipeline: Pipeline, scene: Scene) -> None:
    """Let a step's own reason for refusing the scene through, instead of the absence that follows from it."""
    given: dict[LayerName, LayerSpec] = {}
    for step in pipeline.steps:
        for recipe in step.recipes(scene, given=given):
            given.update({s.name: s for s in recipe.makes})


def _pixels_in(polygon: LabelledPolygon, grid: Grid) -> tuple[Window, NDArray[np.bool_]] | None:
    try:
        window = grid.covering(geometry_bounds(polygon.geometry))
    except GeometryError:  # the polygon is outside of the scene
        return None
    transform = Affine(*grid.transform) @ Affine.translation(window.col, window.row)
    inside: NDArray[np.bool_] = geometry_mask([polygon.geometry], out_shape=window.shape, transform=transform, invert=True)
    return (window, inside) if inside.any() else None


def _stack(
    graph: Graph, window: Window, *, request: FeatureRequest, reader: BandReader, supplies: Supplies
) -> NDArray[np.float32]:
    """Features of a window, (feature, y, x)."""
    targets = {f"{_KIND}:{b}": window for b in request.bands}

    def read(band: str, part: Window) -> Layer:
        return reader.read(graph.scene, band, part)

    layers = evaluate(graph, targets, read=read, supplies=supplies, clock=Clock())
    return np.stack([layers[name].values for name in targets])


def _rows(
    stack: NDArray[np.float32],
    inside: NDArray[np.bool_],
    *,
    window: Window,
    polygon: LabelledPolygon,
    request: FeatureRequest,
) -> pd.DataFrame:
    usable = inside & np.isfinite(stack).all(axis=0)
    rows, cols = np.nonzero(usable)
    if request.limit is not None and rows.size > request.limit:
        # Evenly spread and without chance: the same polygon gives the same pixels on every machine.
        kept = np.linspace(0, rows.size - 1, request.limit).round().astype(np.int64)
        rows, cols = rows[kept], cols[kept]
    keys = {
        "scene_id": "",
        "polygon_id": polygon.polygon_id,
        "label": polygon.label,
        "row": (rows + window.row).astype(np.int32),
        "col": (cols + window.col).astype(np.int32),
    }
    return pd.DataFrame({**keys, **{b: stack[i, rows, cols] for i, b in enumerate(request.bands)}})
