"""Cloud masks beside the quality bands that came with real scenes: one table, one picture a scene.

``python -m benchmarks.clouds SCENES [--models FOLDER] [--pictures FOLDER]``: SCENES is looked through for scenes with a quality
band or polygons that judge clouds; ``--models`` has model folders of ``swath models fetch`` (csmask, s2cloudless), asked where they apply.

Sentinel-2 Level 1C of before baseline 04.00 has polygons of clouds instead (a zip of a delivery is looked into).

Quality bands of USGS are made by a relative of Fmask: agreement with them favours rules like ours and is no accuracy.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element
from zipfile import ZipFile

import numpy as np
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from scipy.ndimage import binary_dilation, binary_erosion
from shapely import Polygon

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import resolve
from swath.engine.supplies import Supplies
from swath.errors import SwathError
from swath.grid import Window
from swath.inference.digest import model_digest
from swath.inference.loader import load_predictor
from swath.inference.manifest import read_manifest
from swath.inference.step_model import StepModel
from swath.pipeline import AssetRule, Layer, Pipeline
from swath.readers.discover import discover
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene
from swath.sinks.quicklook import class_png
from swath.steps.clouds import Clouds
from swath.steps.toa import Toa

Mask = NDArray[np.bool_]
#: Pixels to each side of a cloud's edge that count as its edge.
EDGE_PX = 2
CLOUD, SHADOW = 1, 2
_CLOUD = ("cloud IoU", "precision", "recall", "missed at edges")
COLUMNS = ("scene", "m", "method", *_CLOUD, "shadow IoU", "precision", "recall", "reference")


@dataclass(frozen=True)
class Judged:
    """What a method says, on the pixels of which the reference says something."""

    cloud: Mask
    shadow: Mask
    usable: Mask


@dataclass(frozen=True)
class Scores:
    """Agreement of two masks."""

    iou: float
    precision: float
    recall: float

    @classmethod
    def of(cls, found: Mask, reference: Mask) -> "Scores":
        """Of what a method found."""
        both, either = np.count_nonzero(found & reference), np.count_nonzero(found | reference)
        return cls(_share(both, either), _share(both, np.count_nonzero(found)), _share(both, np.count_nonzero(reference)))

    def cells(self) -> tuple[str, ...]:
        """Of a table."""
        return tuple("-" if np.isnan(v) else f"{v:.3f}" for v in (self.iou, self.precision, self.recall))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def judged(scene: Scene, step: Clouds, *, model: Path | None = None) -> tuple[Judged, str]:
    """The mask of a step on the reference grid, and who judged."""
    pipeline = Pipeline(name="c", title="c", steps=(Toa(), step), assets=(AssetRule(layers="cloud", required=True),))
    graph = resolve(pipeline, scene)
    recipe = graph.maker_of("cloud").recipe
    loaded = {} if model is None else {read_manifest(model).name: load_predictor(model, model_digest(model))}
    with BandReader() as reader:

        def read(band: str, window: Window) -> Layer:
            return reader.read(scene, band, window)

        window = graph.grid_of("cloud").window
        found = evaluate(graph, {"cloud": window}, read=read, supplies=Supplies(models=loaded), clock=Clock())["cloud"]
    return Judged(found.values == CLOUD, found.values == SHADOW, found.usable), str(dict(recipe.facts).get("by", ""))


def rows(scene: Scene, *, models: list[Path], pictures: Path | None) -> Iterator[tuple[str, ...]]:
    """A row for each method that applies."""
    reference = _delivered(scene)
    if reference is None or not reference.cloud.any():
        return
    tried: list[tuple[str, Clouds, Path | None]] = [("rule", Clouds(by="rule"), None)]
    for folder in models:
        manifest = read_manifest(folder)
        step = StepModel(name=manifest.name, version="1", digest=model_digest(folder), manifest=manifest)
        tried.append((manifest.name, Clouds(by="model", model=step), folder))
    shown = [reference]
    for name, step, folder in tried:
        try:
            found, _ = judged(scene, step, model=folder)
        except SwathError as error:
            sys.stderr.write(f"{scene.scene_id}: {name} is not asked: {error}\n")
            continue
        if found.cloud.shape != reference.cloud.shape:
            sys.stderr.write(f"{scene.scene_id}: {name} judges on another grid\n")
            continue
        shown.append(found)
        yield _row(scene, name, found, reference=reference)
    if pictures is not None:
        _draw(pictures / f"{scene.scene_id}.png", shown)


def _delivered(scene: Scene) -> Judged | None:
    """What the delivery itself says of clouds: its quality band, or ESA's polygons; None where it has neither."""
    cloud = _polygons(scene)
    if cloud is not None:
        # Every judge knows where the scene has data.
        return Judged(cloud, np.zeros_like(cloud), judged(scene, Clouds(by="rule"))[0].usable)
    found, by = judged(scene, Clouds(by="delivered"))
    return found if by == "delivered" else None


def _polygons(scene: Scene) -> Mask | None:
    """Clouds of ``MSK_CLOUDS_B00.gml`` in a zip of Sentinel-2 Level 1C (before baseline 04.00), on the reference grid."""
    if not scene.source_href.endswith(".zip"):
        return None
    with ZipFile(scene.source_href) as archive:
        name = next((n for n in archive.namelist() if n.endswith("MSK_CLOUDS_B00.gml")), "")
        features = fromstring(archive.read(name)).iterfind(".//{*}Polygon") if name else ()
        shapes = [Polygon(_ring(f, "exterior")[0], _ring(f, "interior")) for f in features]
    grid = scene.reference
    if not shapes:
        return None
    found: Mask = geometry_mask(shapes, (grid.height, grid.width), Affine(*grid.transform), invert=True)
    return found


def _ring(polygon: Element, side: str) -> list[NDArray[np.float64]]:
    """Rings of a polygon, (corner, 2)."""
    texts = (p.text or "" for p in polygon.iterfind(f"{{*}}{side}//{{*}}posList"))
    return [np.array(t.split(), dtype=np.float64).reshape(-1, 2) for t in texts]


def _row(scene: Scene, name: str, found: Judged, *, reference: Judged) -> tuple[str, ...]:
    both = found.usable & reference.usable
    theirs, ours = reference.cloud & both, found.cloud & both
    square = np.ones((2 * EDGE_PX + 1,) * 2, dtype=bool)
    edge = theirs & ~binary_erosion(theirs, square) & binary_dilation(~theirs, square)
    missed = _share(np.count_nonzero(edge & ~ours), np.count_nonzero(edge))
    # ESA's polygons know no shadows.
    shadow = Scores.of(found.shadow & both, reference.shadow & both).cells() if reference.shadow.any() else ("-",) * 3
    size, share = f"{scene.reference.resolution_m:g}", "-" if np.isnan(missed) else f"{missed:.3f}"
    return (
        scene.scene_id, size, name, *Scores.of(ours, theirs).cells(), share, *shadow,
        "QA band, USGS" if "landsat" in scene.family else "polygons, ESA",
    )  # fmt: skip


def _draw(path: Path, shown: list[Judged]) -> None:
    """Reference, then each method, side by side: cloud white, shadow dark, clear green, no data black."""
    longest = max(shown[0].cloud.shape)
    step = max(longest // 220, 1)
    parts = []
    for one in shown:
        codes = np.where(one.usable, np.where(one.cloud, 1, np.where(one.shadow, 2, 3)), 0).astype(np.uint8)
        parts += [codes[::step, ::step], np.zeros((codes[::step].shape[0], 4), dtype=np.uint8)]
    colours = {0: (0, 0, 0), 1: (245, 245, 245), 2: (40, 40, 90), 3: (110, 150, 90)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(np.concatenate(parts[:-1], axis=1), colours))


def picture(codes: NDArray[np.uint8], colours: dict[int, tuple[int, int, int]]) -> bytes:
    """A PNG of codes."""
    from swath.product import Category  # noqa: PLC0415

    categories = tuple(Category(value=v, name=str(v), title=str(v), rgb=rgb) for v, rgb in colours.items())
    return class_png(codes, categories)


def main() -> None:
    """Print the table; draw the pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clouds", description=__doc__)
    parser.add_argument("scenes", type=Path)
    parser.add_argument("--models", type=Path, help="folder of model folders")
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    models = sorted(p.parent for p in given.models.glob("*/manifest.json")) if given.models else []
    lines = [COLUMNS]
    for href in sorted(discover((str(given.scenes),))):
        try:
            scene = read_scene(href)
            lines += rows(scene, models=models, pictures=given.pictures)
        except SwathError as error:
            sys.stderr.write(f"{href}: {error}\n")
    sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in (lines[0], ("---",) * len(COLUMNS), *lines[1:])))


if __name__ == "__main__":
    main()
