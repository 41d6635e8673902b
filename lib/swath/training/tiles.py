"""Tiles of scenes with labelled pixels: what a network learns that looks at more than one pixel."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swath.grid import Window
from swath.inference.features import model_grid
from swath.inference.network import Normalise
from swath.pipeline import Step
from swath.readers.registry import read_scene
from swath.training.fit import class_numbers
from swath.training.recipe import TrainingRecipe
from swath.training.samples import ReadFeatures, feature_windows
from swath.training.unet_settings import UnetSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledTiles:
    """Squares on the scenes' grids that hold labelled pixels, with a margin around each.

    Args:
        features: Features, (tile, band, margin + side + margin, the same); NaN where the scene has no value, or ends.
        truth: Index of the class, (tile, side, side); -1 where a pixel has no label.
        polygon: Index of the pixel's polygon in ``polygons``, (tile, side, side); -1 without.
        polygons: Ids.
        margin_px: Pixels around each square.
        scenes: Id of each tile's scene.
        origins: Row and column of each square on its scene's grid, (tile, 2).
        extents: Height and width of that grid [px], (tile, 2).
    """

    features: NDArray[np.float32]
    truth: NDArray[np.int16]
    polygon: NDArray[np.int32]
    polygons: tuple[str, ...]
    margin_px: int
    scenes: tuple[str, ...]
    origins: NDArray[np.int64]
    extents: NDArray[np.int64]

    def numbers_of(self, samples: pd.DataFrame) -> NDArray[np.int64]:
        """The tile of each sample, (pixel,).

        Raises:
            KeyError: No tile holds one of them.
        """
        side = self.truth.shape[1]
        known = {(s, *o): n for n, (s, o) in enumerate(zip(self.scenes, self.origins.tolist(), strict=True))}
        at = samples[["row", "col"]].to_numpy(dtype=np.int64) // side * side
        wanted = zip(samples["scene_id"].tolist(), *at.T.tolist(), strict=True)
        return np.array([known[w] for w in wanted], dtype=np.int64)

    def of_polygons(self, ids: Iterable[str]) -> Self:
        """The same tiles with the labels of some polygons alone."""
        chosen = np.isin(self.polygons, list(ids))
        known = np.append(chosen, False)[self.polygon]
        return replace(self, truth=np.where(known, self.truth, np.int16(-1)), polygon=np.where(known, self.polygon, np.int32(-1)))

    def normalise(self) -> Normalise:
        """Mean and standard deviation of each band over all pixels of the tiles that have a value."""
        valid = np.isfinite(self.features).all(axis=1)
        values = [self.features[:, n][valid].astype(np.float64) for n in range(self.features.shape[1])]
        # Rounded: the manifest states them, and a run computes with what it states.
        mean = tuple(round(float(v.mean()), 6) for v in values)
        return Normalise(mean=mean, std=tuple(max(round(float(v.std()), 6), 1e-6) for v in values))


def tiles_of(
    hrefs: Iterable[str], samples: pd.DataFrame, *, recipe: TrainingRecipe, settings: UnetSettings, steps: tuple[Step, ...]
) -> LabelledTiles:
    """Read the tiles of scenes that samples were drawn from.

    Args:
        hrefs: The scenes; those without samples are left alone.
        samples: Labelled pixels, from ``samples_of``; of a pixel in two polygons the later one counts.
        recipe: Names features and classes.
        settings: Size of the tiles.
        steps: Steps that make the layers.

    Raises:
        SceneError: A scene cannot be read.
    """
    polygons = tuple(sorted(samples["polygon_id"].unique().tolist()))
    number = np.searchsorted(np.array(polygons), samples["polygon_id"].to_numpy(dtype=str))
    labels = {"truth": class_numbers(samples, recipe=recipe), "polygon": number}
    tiles: list[_Tile] = []
    for href in hrefs:
        scene = read_scene(href)
        here = np.flatnonzero(samples["scene_id"].to_numpy() == scene.scene_id)
        if not here.size:
            continue
        grid = model_grid(scene, recipe.features.resolution_m).window
        own, values = samples.iloc[here], {name: labels_of[here] for name, labels_of in labels.items()}
        with feature_windows(scene, request=recipe.features, steps=steps) as read:
            tiles += _tiles_in(scene.scene_id, own, values, read=read, grid=grid, settings=settings)
    return LabelledTiles(
        features=np.stack([t.features for t in tiles]), truth=np.stack([t.labels["truth"] for t in tiles]).astype(np.int16),
        polygon=np.stack([t.labels["polygon"] for t in tiles]), polygons=polygons, margin_px=settings.margin_px,
        scenes=tuple(t.scene_id for t in tiles), origins=np.array([t.origin for t in tiles], dtype=np.int64),
        extents=np.array([t.extent for t in tiles], dtype=np.int64),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tile:
    """One of ``LabelledTiles``; ``labels`` are by name, (side, side)."""

    scene_id: str
    origin: tuple[int, int]
    extent: tuple[int, int]
    features: NDArray[np.float32]
    labels: Mapping[str, NDArray[np.int32]]


def _tiles_in(
    scene_id: str,
    samples: pd.DataFrame,
    labels: Mapping[str, NDArray[np.integer]],
    *,
    read: ReadFeatures,
    grid: Window,
    settings: UnetSettings,
) -> Iterator[_Tile]:
    """Tiles of one scene, in order of their rows and columns.

    Args:
        scene_id: Id of the scene.
        samples: Its samples.
        labels: Numbers that they have, by name, (pixel,).
        read: Reads the features of a window.
        grid: All of the scene.
        settings: Size of the tiles.
    """
    side, margin = settings.tile_px, settings.margin_px
    rows, cols = samples["row"].to_numpy(), samples["col"].to_numpy()
    for row, col in sorted(set(zip((rows // side).tolist(), (cols // side).tolist(), strict=True))):
        wanted = Window(row * side, col * side, side, side).pad(margin)
        there = wanted.clip(grid)
        found = read(there)
        taken = np.full((len(found), *wanted.shape), np.nan, dtype=np.float32)
        taken[:, *wanted.slices_of(there)] = found
        inside = (rows // side == row) & (cols // side == col)
        layers = {name: np.full((side, side), -1, dtype=np.int32) for name in labels}
        for name, layer in layers.items():
            layer[rows[inside] - row * side, cols[inside] - col * side] = labels[name][inside]
        yield _Tile(scene_id=scene_id, origin=(row * side, col * side), extent=grid.shape, features=taken, labels=layers)
