"""A small multi-resolution scene through strips, parts and files: the cut never shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import rasterio

from swath.engine import cut as cutting
from swath.engine.cut import cut
from swath.engine.frame import Frame
from swath.engine.graph import Graph, resolve
from swath.engine.preview import Preview, load
from swath.engine.strip import StripJob, StripResult, run_strip
from swath.engine.supplies import Supplies
from swath.errors import ReadError
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import LayerName, LayerSpec, bit_field
from swath.readers.pixels.bands import BandReader
from swath.scene import Scene
from swath.sinks.cog.assemble import CogTarget, Written, assemble
from swath.sinks.cog.strip_part import PartManifest
from swath.sinks.cog.validate import problems_of
from swath.steps.classes import Classes
from swath.steps.ndvi import Ndvi
from swath.steps.toa import Toa
from swath.stores.local import LocalStore

PREVIEWS = ("toa:red", "toa:nir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wet:
    """Bits on the 20 m grid, from 10 m averages with a halo, and from the 60 m band interpolated."""

    name: ClassVar[str] = "wet"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("wet",)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        on = scene.assets["swir16"].grid
        made = LayerSpec(name="wet", asset="wet", title="Wet", grid=on, encoding=bit_field(()))
        needs = {
            "toa:swir16": Need(halo_px=2), "toa:red": Need(on=on, halo_px=2), "toa:coastal": Need(on=on), "dn:nir": Need(on=on),
        }  # fmt: skip
        return (Recipe(makes=(made,), needs={n: v for n, v in needs.items() if n.partition(":")[2] in scene.assets}),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        bits = np.zeros(window.shape, dtype=np.uint16)
        for number, name in enumerate(recipe.needs):
            layer = layers[name]
            physical = layer.physical
            if recipe.needs[name].halo_px:
                padded = window.pad(2)
                full = np.full(padded.shape, np.nan)
                full[padded.slices_of(layer.window)] = physical
                physical = full[4:, 2:-2] - full[:-4, 2:-2]
            bits |= ((np.nan_to_num(physical) > 0.05) << number).astype(np.uint16)
        return {"wet": Layer(values=bits, grid=recipe.grid, window=window)}


@dataclass(frozen=True, slots=True)
class Made:
    """What one cut of a scene gave."""

    files: Mapping[str, bytes]
    written: Mapping[str, Written]
    previews: Mapping[str, Preview]
    strips: int


def _graph(make: Any, scene: Scene) -> Graph:
    steps = (Toa(), Ndvi(size=5), Classes(), Wet())
    return resolve(make.pipeline(*steps, assets=("toa", "ndvi", "classes", "wet")), scene)


def _strips(graph: Graph, store: LocalStore, *, rows: int | None, order: int = 1) -> list[StripResult]:
    grids = tuple(dict.fromkeys(s.grid for s in graph.outputs.values()))
    made = cut(Frame.around(graph.scene.reference, grids=grids), rows=rows, split=rows is not None)
    with BandReader() as reader:
        return [
            run_strip(
                StripJob(graph=graph, cut=made, number=number, previews=PREVIEWS, folder="parts"),
                store=store, supplies=Supplies(), reader=reader,
            )
            for number in range(made.strips)[::order]
        ]  # fmt: skip


def _make(graph: Graph, folder: Path, *, rows: int | None, order: int = 1) -> Made:
    store = LocalStore(folder)
    results = _strips(graph, store, rows=rows, order=order)
    written = {}
    for name, spec in graph.outputs.items():
        plain = [json.loads(json.dumps(p.to_plain())) for r in results for p in r.parts if p.asset == name]
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description=spec.title, tags={})
        parts = [PartManifest.from_plain(p) for p in plain]
        written[name] = assemble(parts, target, open_part=lambda p: store.open(p.href), output=folder / f"{name}.tif")
    found = [load(store.read(r.preview) or b"") for r in results if r.preview]
    previews = {n: reduce(Preview.merged, (f[n] for f in found)) for n in PREVIEWS}
    files = {name: (folder / f"{name}.tif").read_bytes() for name in written}
    return Made(files=files, written=written, previews=previews, strips=len(results))


def _same(one: Made, other: Made) -> bool:
    """Whether files, what is said of them, and pictures are equal."""
    pictures = all(np.array_equal(one.previews[n].pixels, other.previews[n].pixels) for n in PREVIEWS)
    return one.written == other.written and one.files == other.files and pictures


SCENES = {
    "sentinel-2-like": ({"red": 10, "nir": 10, "swir16": 20, "coastal": 60}, (3180, 240), (3072, None)),
    "odd": ({"red": 10, "nir": 10, "swir16": 20}, (2111, 333), (1024, 2048, None)),
    "pan": ({"red": 30, "nir": 30, "swir16": 30, "pan": 15}, (1301, 301), (512, 1024, None)),
}


def _scene(make: Any, kind: str, folder: Path) -> tuple[Scene, tuple[int | None, ...]]:
    pixels, (height, width), heights = SCENES[kind]
    finest = min(p for name, p in pixels.items() if name != "pan")
    grids = {
        name: make.grid(float(p), height=-(-height * finest // p), width=-(-width * finest // p)) for name, p in pixels.items()
    }
    folder.mkdir()
    return make.scene(grids, folder=folder), heights


@pytest.mark.parametrize("kind", SCENES)
def test_files_statistics_and_pictures_are_equal_for_every_legal_cut(
    make: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, heights = _scene(make, kind, tmp_path / "scene")
    graph = _graph(make, scene)
    whole = _make(graph, tmp_path / "whole", rows=None)
    assert whole.strips == 1
    for rows in heights[:-1]:
        cut_up = _make(graph, tmp_path / str(rows), rows=rows, order=-1)
        assert cut_up.strips > 1
        assert _same(cut_up, whole)
    for number, piece in enumerate(((96, 70), (512, 128), (700, 4000))):
        monkeypatch.setattr(cutting, "PIECE", piece)
        assert _same(_make(graph, tmp_path / f"pieces-{number}", rows=heights[0]), whole)


def test_a_band_that_ends_early_is_missed_alike_in_every_cut(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "scene"
    folder.mkdir()
    grids = {"red": make.grid(10.0, height=1100, width=700), "nir": make.grid(10.0, height=900, width=300)}
    grids["swir16"] = make.grid(20.0, height=550, width=350)
    graph = _graph(make, make.scene(grids, folder=folder))
    monkeypatch.setattr(cutting, "PIECE", (2048, 2048))
    whole = _make(graph, tmp_path / "whole", rows=None)
    monkeypatch.setattr(cutting, "PIECE", (256, 128))
    assert _same(_make(graph, tmp_path / "pieces", rows=None), whole)


def test_files_are_right(make: Any, tmp_path: Path) -> None:
    scene, _ = _scene(make, "odd", tmp_path / "scene")
    graph = _graph(make, scene)
    made = _make(graph, tmp_path / "out", rows=1024)
    with rasterio.open(scene.assets["red"].href) as source:
        dn = source.read(1).astype(np.float64)
    expected = np.where(dn == 0, -9999, np.rint(np.round((dn * 1e-4 - 0.1) * 1e4, 6))).astype(np.int16)
    with rasterio.open(tmp_path / "out" / "red.tif") as ours:
        np.testing.assert_array_equal(ours.read(1), expected)
        assert ours.transform == rasterio.Affine(*scene.assets["red"].grid.transform)
    assert made.written["red"].statistics.valid == np.count_nonzero(dn)
    for name in graph.outputs:
        assert problems_of(tmp_path / "out" / f"{name}.tif") == []
    stride = 2111 // 1440
    assert stride == 1
    picture = made.previews["toa:red"].pixels
    block = expected[9:12, 300:303].astype(np.float64)
    assert picture[3, 100] == np.rint(block[block != -9999].mean())


def test_assets_that_exist_are_skipped(make: Any, tmp_path: Path) -> None:
    scene, _ = _scene(make, "pan", tmp_path / "scene")
    graph = _graph(make, scene)
    grids = tuple(dict.fromkeys(s.grid for s in graph.outputs.values()))
    skip = frozenset(graph.outputs) - {"ndvi"}
    made = cut(Frame.around(scene.reference, grids=grids), rows=512)
    job = StripJob(graph=graph, cut=made, number=0, previews=(), folder="parts", skip=skip)
    with BandReader() as reader:
        result = run_strip(job, store=LocalStore(tmp_path / "out"), supplies=Supplies(), reader=reader)
    assert [p.asset for p in result.parts] == ["ndvi"]
    assert result.preview is None
    assert set(result.seconds) == {"read", "resample", "toa", "ndvi", "encode", "preview", "write"}


def test_a_previews_grid_may_end_before_the_last_piece(make: Any, tmp_path: Path) -> None:
    # 1025 rows of 10 m are 512.5 of 20 m; this delivery rounds down.
    folder = tmp_path / "scene"
    folder.mkdir()
    grids = {"red": make.grid(20.0, height=512, width=40), "nir": make.grid(20.0, height=512, width=40)}
    grids["swir16"] = make.grid(10.0, height=1025, width=80)
    scene = make.scene(grids, folder=folder)
    graph = _graph(make, scene)
    assert _same(_make(graph, tmp_path / "a", rows=1024), _make(graph, tmp_path / "b", rows=None))


def test_nothing_stays_behind_when_a_strip_fails(make: Any, tmp_path: Path) -> None:
    scene, _ = _scene(make, "odd", tmp_path / "scene")
    file = Path(scene.assets["nir"].href)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    store = LocalStore(tmp_path / "out")
    with pytest.raises(ReadError, match=r"S1: band nir \(B1\) cannot be read: expected an intact raster; got .*nir\.tif"):
        _strips(_graph(make, scene), store, rows=None)
    assert list(store.list("")) == []
