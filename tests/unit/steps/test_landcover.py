import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import resolve
from swath.engine.pipeline_json import pipeline_of
from swath.engine.supplies import Supplies
from swath.errors import ModelContractError
from swath.grid import Grid, Window
from swath.inference.features import feature, model_grid
from swath.inference.forest import Forest
from swath.inference.forest_predictor import ForestPredictor
from swath.inference.manifest import Manifest
from swath.inference.step_model import StepModel
from swath.pipeline import AssetRule, Layer, Pipeline
from swath.place import Place
from swath.product import REFLECTANCE, Category, LayerSpec
from swath.scene import Angles, Asset, Band, Reflectance, Scene
from swath.steps import landcover as landcover_module
from swath.steps.landcover import Landcover, classify
from swath.steps.toa import Toa

FINE = Grid(crs="EPSG:32631", left=0.0, top=0.0, dx=10.0, dy=10.0, width=6, height=4)
COARSE = Grid(crs="EPSG:32631", left=0.0, top=0.0, dx=20.0, dy=20.0, width=3, height=2)
DIGEST = "d" * 64
SPEC = LayerSpec(name="toa:red", asset="red", title="", grid=COARSE, encoding=REFLECTANCE)


class Brightest:
    """Probability of class k is the share of feature k: easily told beforehand."""

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        assert place is None
        assert features.dtype == np.float32
        assert np.isfinite(features).all()
        shares: NDArray[np.float32] = features / features.sum(axis=0)
        return shares


def manifest(**changes: Any) -> Manifest:
    given: dict[str, Any] = {
        "name": "brightest",
        "kind": "forest",
        "weights": "forest.npz",
        "bands": ("red", "nir"),
        "of": "toa",
        "classes": (Category(value=3, name="red", title="Red"), Category(value=9, name="nir", title="Infrared")),
        "licence": "Apache-2.0",
    }
    return Manifest(**(given | changes))


def landcover(**changes: Any) -> Landcover:
    return Landcover(model=StepModel(name="brightest", version="4", digest=DIGEST, manifest=manifest(**changes)))


def scene(**grids: Grid) -> Scene:
    assets = {
        name: Asset(
            band=Band(name=name, native_id=name, resolution_m=grid.dx),
            href=f"/nowhere/{name}.tif",
            grid=grid,
            dtype="uint16",
            nodata=0,
            saturated=None,
            calibration=Reflectance(gain=0.001, offset=0.0, sun_normalised=True),
            digest="0" * 64,
        )
        for name, grid in grids.items()
    }
    return Scene(
        scene_id="S1",
        platform="test-1",
        instrument="test",
        family="test",
        acquired=datetime(2024, 8, 1, 10, tzinfo=UTC),
        assets=assets,
        angles=Angles(sun_elevation_deg=50.0, sun_azimuth_deg=150.0),
        reader="stac",
        source_href="/nowhere",
        metadata_href="/nowhere/item.json",
        digest="1" * 64,
    )


def made(of: Scene, numbers: dict[str, NDArray[np.uint16]], step: Landcover, window: Window) -> dict[str, Layer]:
    """Both layers of a window, through the engine."""
    rules = tuple(AssetRule(layers=name, required=True) for name in ("landcover", "landcover_probability"))
    graph = resolve(Pipeline(name="p", title="P", steps=(Toa(), step), assets=rules), of)

    def read(band: str, part: Window) -> Layer:
        grid = of.assets[band].grid
        values = numbers[band][grid.window.slices_of(part)]
        return Layer(values=values, grid=grid, window=part, valid=values != 0)

    supplies = Supplies(models={"brightest": Brightest()})
    return evaluate(graph, {"landcover": window, "landcover_probability": window}, read=read, supplies=supplies, clock=Clock())


def test_the_most_probable_class_is_on_the_map_with_its_probability() -> None:
    red = np.array([[100, 300, 0], [200, 500, 250]], dtype=np.uint16)
    nir = np.array([[300, 100, 100], [200, 0, 750]], dtype=np.uint16)
    layers = made(scene(red=COARSE, nir=COARSE), {"red": red, "nir": nir}, landcover(), COARSE.window)
    assert layers["landcover"].values.tolist() == [[9, 3, 255], [3, 255, 9]]
    assert layers["landcover"].usable.tolist() == [[True, True, False], [True, False, True]]
    percent = layers["landcover_probability"].physical
    assert percent == pytest.approx(np.array([[75, 75, np.nan], [50, np.nan, 75]]), abs=1e-4, nan_ok=True)


def test_a_scene_without_any_valid_pixel_has_no_class_anywhere() -> None:
    nothing = np.zeros((2, 3), dtype=np.uint16)
    layers = made(scene(red=COARSE, nir=COARSE), {"red": nothing, "nir": nothing + 300}, landcover(), COARSE.window)
    assert layers["landcover"].values.tolist() == [[255] * 3] * 2
    assert not layers["landcover"].usable.any()
    assert np.isnan(layers["landcover_probability"].physical).all()


def test_a_scene_of_another_pixel_size_is_refused_with_both_sizes() -> None:
    of = scene(red=COARSE, nir=COARSE)
    told = r"model brightest was not made for the scene's pixels: expected 25 to 35 m; got 20 m. Use a model for this pixel size"
    with pytest.raises(ModelContractError, match=told):
        landcover(pixel_m=(25.0, 35.0)).recipes(of, given={"toa:red": SPEC, "toa:nir": SPEC})
    assert landcover(pixel_m=(20.0, 35.0)).recipes(of, given={"toa:red": SPEC, "toa:nir": SPEC}) != ()


def test_bands_of_other_resolutions_come_to_the_models_grid() -> None:
    red = np.repeat(np.repeat(np.array([[100, 300, 100], [300, 100, 300]], dtype=np.uint16), 2, axis=0), 2, axis=1)
    nir = np.full((2, 3), 200, dtype=np.uint16)
    of = scene(red=FINE, nir=COARSE)
    layers = made(of, {"red": red, "nir": nir}, landcover(resolution_m=20.0), COARSE.window)
    assert layers["landcover"].values.tolist() == [[9, 3, 9], [3, 9, 3]]
    assert made(of, {"red": red, "nir": nir}, landcover(), FINE.window)["landcover"].values.shape == FINE.window.shape


@given(row=st.integers(0, 1), rows=st.integers(1, 2), col=st.integers(0, 2), cols=st.integers(1, 3))
def test_a_part_of_the_map_equals_the_map_of_the_part(row: int, rows: int, col: int, cols: int) -> None:
    random = np.random.default_rng(0)
    numbers = {n: random.integers(0, 900, COARSE.window.shape).astype(np.uint16) for n in ("red", "nir")}
    of, part = scene(red=COARSE, nir=COARSE), Window(row, col, min(rows, 2 - row), min(cols, 3 - col))
    whole, piece = (made(of, numbers, landcover(), w) for w in (COARSE.window, part))
    for name, layer in whole.items():
        assert np.array_equal(layer.crop(part).values, piece[name].values, equal_nan=name != "landcover")


def test_the_layers_name_the_pinned_model_and_its_classes() -> None:
    (recipe,) = landcover().recipes(scene(red=COARSE, nir=COARSE), given=dict.fromkeys(("toa:red", "toa:nir"), SPEC))
    land, confidence = recipe.makes
    assert (land.asset, confidence.asset) == ("landcover", "landcover_probability")
    assert [(c.value, c.name) for c in land.encoding.categories] == [(3, "red"), (9, "nir")]
    assert confidence.encoding.unit == "percent"
    assert land.model is not None
    assert (land.model.name, land.model.version, land.model.digest) == ("brightest", "4", DIGEST)


def test_a_missing_band_is_named() -> None:
    with pytest.raises(ModelContractError, match=r"S1: the scene lacks bands.*expected toa:red, toa:nir; got no toa:nir"):
        landcover().recipes(scene(red=COARSE), given={"toa:red": SPEC})


def test_delivered_numbers_can_be_features() -> None:
    (recipe,) = landcover(of="dn").recipes(scene(red=COARSE, nir=COARSE), given={})
    assert list(recipe.needs) == ["dn:red", "dn:nir"]


def test_parameters_pin_the_digest_and_not_the_movable_version() -> None:
    model = landcover().model
    assert landcover().parameters == Landcover(model=replace(model, version="5")).parameters
    assert landcover().parameters != Landcover(model=replace(model, digest="e" * 64)).parameters
    json.dumps(landcover().parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"model": landcover().model.to_plain()},
        # As plans of earlier versions have it.
        {"model": "brightest", "manifest": manifest().to_json(), "digest": DIGEST, "model_version": "4"},
    ],
)
def test_a_plan_in_json_builds_the_same_step(parameters: dict[str, Any]) -> None:
    plan = {"name": "p", "steps": [{"name": "landcover", "parameters": parameters}], "assets": [{"layers": "landcover"}]}
    assert pipeline_of(plan).steps == (landcover(),)


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    features = [random.uniform(0.1, 1.0, 1000).astype(np.float32) for _ in range(2)]
    features[0][::13] = np.nan
    codes = np.array([3, 9], dtype=np.uint8)
    whole = classify(features, predictor=Brightest(), codes=codes)
    monkeypatch.setattr(landcover_module, "CHUNK_PX", 77)
    parts = classify(features, predictor=Brightest(), codes=codes)
    assert np.array_equal(whole[0], parts[0])
    assert np.array_equal(whole[1], parts[1], equal_nan=True)


def test_features_of_a_coded_layer_equal_those_of_a_plain_one() -> None:
    numbers = np.array([[0, 1, 7], [65535, 4, 0]], dtype=np.uint16)
    table = np.arange(65536, dtype=np.float64) * 1e-4 / 3.0
    table[0] = np.nan
    coded = Layer(values=numbers, grid=COARSE, window=COARSE.window, table=table)
    plain = coded.with_physical(coded.physical)
    for scale, offset in ((1.0, 0.0), (0.3, -0.1)):
        one, other = (feature(x, scale=scale, offset=offset) for x in (coded, plain))
        assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize(("resolution_m", "expected"), [(None, FINE), (10.0, FINE), (13.0, FINE), (15.0, COARSE), (30.0, COARSE)])
def test_the_nearest_band_grid_is_the_models(resolution_m: float | None, expected: Grid) -> None:
    assert model_grid(scene(red=FINE, nir=COARSE), resolution_m) == expected


def test_the_same_forest_and_pixels_give_what_they_gave_when_the_version_was_set() -> None:
    """Whoever changes this result must raise ``Landcover.version`` and add a line here."""
    golden = {1: "543716ba478e7e64"}
    random = np.random.default_rng(3)
    trees, nodes = 6, 7  # full trees of two levels; the third level are leaves
    forest = Forest(
        child=np.tile([1, 3, 5, 3, 4, 5, 6], trees).astype(np.uint16),
        feature=np.tile([0, 1, 1, 0, 0, 0, 0], trees).astype(np.uint8),
        threshold=np.tile([1, 0, 2, 255, 255, 255, 255], trees).astype(np.uint8),
        value=(np.tile([0, 0, 0, 1, 1, 1, 1], trees) * random.integers(-8, 9, trees * nodes)).astype(np.float64) / 4.0,
        tree_offset=np.arange(trees + 1, dtype=np.int64) * nodes,
        cut=np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.3], dtype=np.float32),
        cut_offset=np.array([0, 3, 6], dtype=np.int64),
        outputs=2,
    )
    features = [random.uniform(0.0, 0.4, 4000).astype(np.float32) for _ in range(2)]
    features[0][::9] = np.nan
    mapped, percent = classify(features, predictor=ForestPredictor(forest), codes=np.array([3, 9], dtype=np.uint8))
    stored = np.where(np.isfinite(percent), np.rint(percent), 255).astype(np.uint8)
    assert hashlib.sha256(mapped.tobytes() + stored.tobytes()).hexdigest()[:16] == golden[Landcover.version]
