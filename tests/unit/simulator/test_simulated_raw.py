"""A raw image over simulated hills: marks are where its model has them, and an orthoimage shows them in their places."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from swath.config import load_pipeline, prepare, with_settings
from swath.engine.child.tasks import do
from swath.engine.messages import MakeProduct
from swath.engine.product_plan import plan_product
from swath.engine.subject import Cutting, Subject
from swath.inference.registry import Registry
from swath.inputs import RasterSource
from swath.readers.registry import read_scene
from swath.simulator.raw_image import MAP, SIDE, RawScene, simulate_raw
from swath.simulator.raw_truth import measured

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> RawScene:
    return simulate_raw(tmp_path_factory.mktemp("raw"), seed=7)


def test_pixels_show_the_marks_where_the_model_has_them(raw: RawScene) -> None:
    with rasterio.open(raw.rasters["red"]) as source:
        values, rpcs = source.read(1), source.rpcs
    assert rpcs is not None
    lon, lat = transform(MAP, "EPSG:4326", [p.x_m for p in raw.points], [p.y_m for p in raw.points])[:2]
    samples, lines = raw.rpc.image_of(np.array(lon), np.array(lat), np.array([p.height_m for p in raw.points]))
    assert len(raw.points) == 16
    for sample, line in zip(samples, lines, strict=True):
        assert 0 < sample < SIDE - 1
        row, column = round(line), round(sample)
        around = values[row - 4 : row + 5, column - 4 : column + 5]
        # The brightest pixel is the one that holds the mark, or one beside it on a slope.
        assert np.abs(np.array(np.unravel_index(around.argmax(), around.shape)) - 4).max() <= 1
        assert around.max() > 6000


def test_the_same_seed_writes_the_same_pixels(raw: RawScene, tmp_path: Path) -> None:
    again = simulate_raw(tmp_path, seed=7)
    for name, path in raw.rasters.items():
        assert path.read_bytes() == again.rasters[name].read_bytes()
    assert raw.dem.read_bytes() == again.dem.read_bytes()


def test_an_orthoimage_shows_the_marks_in_their_places_and_the_raw_image_does_not(raw: RawScene, tmp_path: Path) -> None:
    dem = RasterSource(path=str(raw.dem), datum="ellipsoid")
    asked = with_settings(load_pipeline("ortho"), [])
    text = json.dumps(prepare(asked, registry=Registry.beside(tmp_path / "registry"), rasters={"dem": dem}).plain)
    scene, output = read_scene(str(raw.item)), tmp_path / "out"
    output.mkdir()
    subject = Subject(scene=scene.to_json(), scene_id=scene.scene_id, pipeline=text, output=str(output))
    do(MakeProduct(product=subject, cut=Cutting(split=False, strip_rows=None, folder=".scratch/x"), attempt="a"))
    plan = plan_product(subject.scene, text)
    ortho, flat = measured(output / plan.folder / plan.href("red"), raw=raw)
    assert (ortho.points, flat.points) == (16, 16)
    # A fortieth of a pixel of 2 m; hills of 100 m under a view of 24 degrees.
    assert ortho.most_m < 0.06
    assert flat.most_m > 20.0
