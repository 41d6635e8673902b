import json
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize
from rasterio.warp import transform_geom

from swath.errors import ReadError
from swath.readers.landsat.scene import read_scene
from swath.simulator.landcover import CODE_OF, LAND_COVER
from swath.simulator.simulate import DemoScenes, simulate_demo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoScenes:
    return simulate_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def features(demo: DemoScenes) -> list[dict[str, Any]]:
    loaded: dict[str, Any] = json.loads(demo.labels.read_text())
    found: list[dict[str, Any]] = loaded["features"]
    return found


def test_there_are_three_deliveries_and_nothing_else(demo: DemoScenes) -> None:
    names = {p.name for p in demo.scenes_folder.iterdir()}
    assert names == {demo.landsat.delivery.name, demo.sentinel.delivery.name, demo.broken.delivery.name}


def test_the_broken_scene_is_refused_as_truncated_under_its_own_name(demo: DemoScenes) -> None:
    assert demo.broken.scene_id != demo.landsat.scene_id
    with pytest.raises(ReadError, match=f"{demo.broken.scene_id}.*truncated"):
        read_scene(str(demo.broken.delivery))


def test_sentinel_scene_lies_within_the_landsat_scene(demo: DemoScenes) -> None:
    inner, outer = demo.sentinel.grid.bounds, demo.landsat.grid.bounds
    assert outer[0] < inner[0] < inner[2] < outer[2]
    assert outer[1] < inner[1] < inner[3] < outer[3]


def test_sentinel_bands_have_several_codestream_tiles_of_the_real_size(demo: DemoScenes) -> None:
    for band, tile in (("red", 1024), ("swir16", 640), ("coastal", 192)):
        with rasterio.open(demo.sentinel.rasters[band]) as source:
            assert source.block_shapes == [(tile, tile)]
            assert source.width > tile


def test_every_class_has_25_polygons(features: list[dict[str, Any]]) -> None:
    counts = {c.name: sum(f["properties"]["class"] == c.name for f in features) for c in LAND_COVER}
    assert counts == {c.name: 25 for c in LAND_COVER}
    assert all(f["properties"]["code"] == CODE_OF[f["properties"]["class"]] for f in features)


@pytest.mark.parametrize("which", ["landsat", "sentinel"])
def test_polygons_lie_in_their_class_under_a_clear_sky(demo: DemoScenes, features: list[dict[str, Any]], which: str) -> None:
    scene = demo.landsat if which == "landsat" else demo.sentinel
    assert scene.truth is not None
    with rasterio.open(scene.truth.landcover) as source, rasterio.open(scene.truth.clouds) as clouds:
        code, state, affine = source.read(1), clouds.read(1), source.transform
    shapes = [(transform_geom("EPSG:4326", scene.grid.crs, f["geometry"]), f["properties"]["code"]) for f in features]
    burnt = rasterize(shapes, out_shape=code.shape, transform=affine, dtype="uint8")
    inside = burnt > 0
    assert int(inside.sum()) > (2000 if which == "landsat" else 18_000)
    assert not state[inside].any()
    for cover in LAND_COVER:
        own = burnt == cover.code
        assert float((code[own] == cover.code).mean()) > 0.93, cover.name


def test_rings_are_closed_and_counter_clockwise(features: list[dict[str, Any]]) -> None:
    for feature in features:
        ring = np.array(feature["geometry"]["coordinates"][0])
        np.testing.assert_array_equal(ring[0], ring[-1])
        x, y = ring[:, 0] - ring[:, 0].mean(), ring[:, 1] - ring[:, 1].mean()
        assert float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) > 0.0
