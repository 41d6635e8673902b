"""Grids that a pipeline chooses: where they begin, and those that cannot be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from swath.engine.cut import cut
from swath.engine.evaluate import Clock, evaluate
from swath.engine.frame import Frame
from swath.engine.graph import Graph, resolve
from swath.engine.keys import asset_keys
from swath.engine.supplies import Supplies
from swath.engine.target import target_of
from swath.errors import GeometryError
from swath.grid import Grid, Window
from swath.grid_choice import GridChoice
from swath.pipeline import Layer
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene
from swath.simulator.simulate import simulate
from swath.steps.classes import Classes
from swath.steps.ndvi import Ndvi
from swath.steps.qa import Qa
from swath.steps.toa import Toa

RED = Grid(crs="EPSG:32633", left=300_000.0, top=5_000_040.0, dx=10.0, dy=10.0, width=300, height=240)


@pytest.fixture
def scene(make: Any, tmp_path: Path) -> Scene:
    grids = {"red": RED, "nir": RED, "swir16": replace(RED, dx=20.0, dy=20.0, width=150, height=120)}
    found: Scene = make.scene(grids, folder=tmp_path)
    return found


def _graph(make: Any, scene: Scene, choice: GridChoice | None) -> Graph:
    pipeline = make.pipeline(Toa(), Ndvi(), Classes(), Qa(), assets=("toa", "ndvi", "classes", "qa"))
    return resolve(replace(pipeline, grid=choice), scene)


def _layers(graph: Graph, *, piece: tuple[int, int] = (1024, 1024)) -> dict[str, NDArray[np.float64]]:
    """Physical values of every asset, put together from pieces."""
    frame = Frame.around(graph.reference, grids=[s.grid for s in graph.outputs.values()])
    made = {n: np.full((s.grid.height, s.grid.width), np.nan) for n, s in graph.outputs.items()}
    reader = BandReader()
    with reader:

        def read(band: str, window: Window) -> Layer:
            return reader.read(graph.scene, band, window)

        chosen = cut(frame, rows=None, piece=piece)
        for window in (p for n in range(chosen.strips) for p in chosen.pieces(n)):
            wanted = {s.name: chosen.window_on(s.grid, window) for s in graph.outputs.values()}
            found = evaluate(
                graph, {n: w for n, w in wanted.items() if w is not None}, read=read, supplies=Supplies(), clock=Clock()
            )
            for name, spec in graph.outputs.items():
                layer = found[spec.name]
                made[name][spec.grid.window.slices_of(layer.window)] = layer.physical
    return made


def _by_gdal(scene: Scene, band: str, grid: Grid, *, resampling: Resampling) -> NDArray[np.float64]:
    with (
        rasterio.open(scene.assets[band].href) as source,
        WarpedVRT(
            source, crs=grid.crs, transform=rasterio.Affine(*grid.transform), width=grid.width, height=grid.height,
            resampling=resampling, tolerance=1e-9, src_nodata=0, nodata=0, dtype="float64",
        ) as vrt,
    ):  # fmt: skip
        dn: NDArray[np.float64] = vrt.read(1)
    return np.where(dn == 0, np.nan, dn * 1e-4 - 0.1)


def test_every_asset_comes_onto_one_grid(make: Any, scene: Scene) -> None:
    graph = _graph(make, scene, GridChoice(crs="EPSG:32632", resolution=10.0))
    (grid,) = {s.grid for s in graph.outputs.values()}
    assert grid == graph.reference
    assert (grid.left % 10.0, grid.top % 10.0) == (0.0, 0.0)
    assert {s.layer for s in graph.outputs.values()} == {"toa:red", "toa:nir", "toa:swir16", "ndvi", "classes", "qa"}
    layers = _layers(graph)
    for band in ("red", "swir16"):
        expected = _by_gdal(scene, band, grid, resampling=Resampling.bilinear)
        np.testing.assert_array_equal(np.isnan(layers[band]), np.isnan(expected))
        assert np.nanmax(np.abs(layers[band] - expected)) < 1e-4
    # Beyond the scene a bit field says so by its own bit.
    outside = np.isnan(layers["red"])
    assert ((layers["qa"].astype(int) & 1) == 1)[outside].all()
    assert np.isnan(layers["classes"])[outside].mean() > 0.9


@pytest.mark.parametrize("piece", [(61, 47), (200, 90), (1024, 33)])
def test_pieces_never_show_on_a_grid_of_its_own(make: Any, scene: Scene, piece: tuple[int, int]) -> None:
    for choice in (GridChoice(crs="EPSG:32632", resolution=10.0), GridChoice(crs="EPSG:3035", resolution=35.0)):
        graph = _graph(make, scene, choice)
        whole, pieces = _layers(graph), _layers(graph, piece=piece)
        for name, values in whole.items():
            np.testing.assert_array_equal(pieces[name], values)


def test_without_a_resolution_each_asset_keeps_its_own(make: Any, scene: Scene) -> None:
    graph = _graph(make, scene, GridChoice(crs="EPSG:32632"))
    assert {n: s.grid.dx for n, s in graph.outputs.items()} == {
        "red": 10.0, "nir": 10.0, "swir16": 20.0, "ndvi": 10.0, "classes": 10.0, "qa": 10.0,
    }  # fmt: skip
    assert len({s.grid.bounds for s in graph.outputs.values()}) == 1
    assert graph.outputs["red"].grid.left % 20.0 == 0.0


def test_a_choice_that_is_the_scenes_own_grid_changes_nothing(make: Any, scene: Scene) -> None:
    native = _graph(make, scene, None)
    for choice in (GridChoice(crs="utm"), GridChoice(crs="EPSG:32633")):
        assert asset_keys(_graph(make, scene, choice)) == asset_keys(native)


def test_the_grid_is_part_of_the_keys(make: Any, scene: Scene) -> None:
    choices = [
        None, GridChoice(crs="EPSG:32632"), GridChoice(crs="EPSG:32632", resolution=10.0),
        GridChoice(crs="EPSG:32632", resolution=10.0, origin=(5.0, 5.0)),
        GridChoice(crs="EPSG:32632", resolution=10.0, interpolation="cubic"),
        GridChoice(crs="EPSG:32633", fixed=replace(RED, width=100)),
    ]  # fmt: skip
    keys = [asset_keys(_graph(make, scene, c))["red"] for c in choices]
    assert len(set(keys)) == len(keys)
    assert GridChoice.from_plain(choices[3].to_plain() if choices[3] else {}) == choices[3]
    assert GridChoice.from_plain(choices[5].to_plain() if choices[5] else {}) == choices[5]


def test_nearest_keeps_delivered_numbers(make: Any, scene: Scene) -> None:
    graph = _graph(make, scene, GridChoice(crs="EPSG:32632", resolution=10.0, interpolation="nearest"))
    red = _layers(graph)["red"]
    np.testing.assert_array_equal(red, _by_gdal(scene, "red", graph.reference, resampling=Resampling.nearest))


def test_a_coarser_grid_averages(make: Any, scene: Scene) -> None:
    graph = _graph(make, scene, GridChoice(crs="EPSG:32633", resolution=40.0, origin=(300_000.0, 5_000_040.0)))
    with rasterio.open(scene.assets["red"].href) as source:
        dn = source.read(1).astype(np.float64)
    blocks, seen = (a.reshape(60, 4, 75, 4) for a in (dn * 1e-4 - 0.1, dn != 0))
    count = seen.sum(axis=(1, 3))
    mean = np.where(seen, blocks, 0.0).sum(axis=(1, 3)) / np.maximum(count, 1)
    np.testing.assert_allclose(_layers(graph)["red"], np.where(count >= 8, mean, np.nan), atol=1e-12)


def test_turned_and_south_up_rasters_come_out_upright(make: Any, tmp_path: Path) -> None:
    for number, turned in enumerate((replace(RED, rx=3.0, ry=3.0), replace(RED, dy=-10.0, top=4_997_640.0))):
        folder = tmp_path / str(number)
        folder.mkdir()
        scene = make.scene({"red": turned, "nir": turned}, folder=folder)
        graph = _graph(make, scene, None)
        assert all(s.grid.upright for s in graph.outputs.values())
        red = _layers(graph)["red"]
        expected = _by_gdal(scene, "red", graph.reference, resampling=Resampling.bilinear)
        assert np.mean(np.isnan(red) != np.isnan(expected)) < 1e-3
        assert np.nanmax(np.abs(red - expected)) < 2e-4
        assert np.isfinite(red).sum() > 60_000


def test_a_delivery_of_turned_rasters_is_read_and_made_upright(make: Any, tmp_path: Path) -> None:
    made = {}
    for kind in ("as it is", "south-up", "turned"):
        folder = simulate(kind="stac", folder=tmp_path / kind, size=150, truth=False).delivery
        for path in folder.glob("*.tif"):
            with rasterio.open(path, "r+") as dataset:
                own = dataset.transform
                flipped = rasterio.Affine(own.a, 0, own.c, 0, -own.e, own.f + own.e * dataset.height)
                turns = {"as it is": own, "south-up": flipped, "turned": own @ rasterio.Affine.rotation(10)}
                dataset.transform = turns[kind]
        scene = read_scene(str(next(folder.glob("*.json"))))
        graph = resolve(make.pipeline(Toa(), assets=("toa",)), scene)
        assert graph.reference.upright
        assert graph.reference.dx == 10.0
        made[kind] = _layers(graph)["red"]
    np.testing.assert_array_equal(made["south-up"], made["as it is"][::-1])
    assert made["turned"].shape > made["as it is"].shape
    assert np.nanmean(made["turned"]) == pytest.approx(np.nanmean(made["as it is"]), rel=0.01)


AROUND = Grid(crs="EPSG:32601", left=200_000.0, top=5_000_000.0, dx=1000.0, dy=1000.0, width=200, height=100)
POLE = Grid(crs="EPSG:32661", left=1_950_000.0, top=2_050_000.0, dx=1000.0, dy=1000.0, width=100, height=100)


def _of(make: Any, grid: Grid, **choice: Any) -> Grid:
    target = target_of(make.scene({"red": grid}), GridChoice(**choice))
    assert target is not None
    return target.reference


def test_a_grid_in_degrees_goes_on_past_the_antimeridian(make: Any) -> None:
    made = _of(make, AROUND, crs="EPSG:4326", resolution=0.01)
    left, bottom, right, top = made.bounds
    assert left < -180.0 < right or left < 180.0 < right
    assert right - left < 4.0
    assert 43.0 < bottom < top < 46.0
    # The zone on the other side of the line takes the scene in one piece too.
    assert _of(make, AROUND, crs="EPSG:32660", resolution=1000.0).width < 260


def test_a_world_map_that_ends_at_the_antimeridian_is_refused(make: Any) -> None:
    with pytest.raises(GeometryError, match=r"no one place for the scene: .*not EPSG:3857; got a scene at or beyond its edge"):
        _of(make, AROUND, crs="EPSG:3857", resolution=1000.0)


def test_a_pole_fits_polar_maps_alone(make: Any) -> None:
    assert _of(make, POLE, crs="EPSG:3413", resolution=1000.0).width >= 100
    for crs, resolution in (("EPSG:4326", 0.01), ("EPSG:3857", 1000.0)):
        with pytest.raises(GeometryError, match=r"S1: the map of the product's grid has no one place for the scene"):
            _of(make, POLE, crs=crs, resolution=resolution)


def test_a_zone_far_away_is_refused_above_a_stated_distortion(make: Any) -> None:
    assert _of(make, RED, crs="EPSG:32634", resolution=10.0).crs == "EPSG:32634"
    with pytest.raises(GeometryError, match=r"distorts the scene: expected lengths within 3.5 % .* got [3-9]\S* % in EPSG:32637"):
        _of(make, RED, crs="EPSG:32637", resolution=10.0)
    assert _of(make, RED, crs="EPSG:32637", resolution=10.0, distortion_percent=20.0).crs == "EPSG:32637"
    with pytest.raises(GeometryError, match=r"distorts the scene: .* in EPSG:3857"):
        _of(make, RED, crs="EPSG:3857", resolution=10.0)


@pytest.mark.parametrize(("crs", "resolution"), [("EPSG:32633", 1e-4), ("EPSG:4326", 8.0), ("EPSG:32633", 5e5)])
def test_a_resolution_in_another_unit_is_refused(make: Any, crs: str, resolution: float) -> None:
    with pytest.raises(GeometryError, match=r"resolution of the product's grid does not fit the scene: expected about 10 m"):
        _of(make, RED, crs=crs, resolution=resolution)


def test_a_datum_that_needs_a_grid_of_projs_is_refused_by_the_grids_name(make: Any) -> None:
    """pyproj's wheel has no such grids: NAD27 is known to 20 m without."""
    america = replace(RED, crs="EPSG:32617")
    with pytest.raises(
        GeometryError, match=r"expected to half a pixel \(5 m\); got to 20 m, without PROJ's grid us_noaa_conus.tif"
    ):
        _of(make, america, crs="EPSG:26717", resolution=10.0)
    assert _of(make, america, crs="EPSG:26717", resolution=60.0).dx == 60.0


def test_a_grid_elsewhere_is_refused(make: Any) -> None:
    far = replace(RED, left=900_000.0)
    with pytest.raises(GeometryError, match=r"S1: the scene does not meet the product's grid: expected an overlap with"):
        _of(make, RED, crs=far.crs, fixed=far)
    with pytest.raises(GeometryError, match="a coordinate system is unknown"):
        _of(make, RED, crs="EPSG:99999", resolution=10.0)
