from collections.abc import Callable
from dataclasses import replace

import numpy as np

from swath.algo.qa import qa_flag
from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer, Step
from swath.product import LayerSpec, class_map
from swath.scene import Scene
from swath.steps.clouds import CATEGORIES, Clouds
from swath.steps.qa import Qa

WINDOW = Window(0, 0, 2, 3)
CLEAR, CLOUD, WATER = 21824, 22280, 21952


def run(scene: Scene, **values: list[list[int]]) -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    (recipe,) = Qa().recipes(scene, given={})
    layers = {}
    for name in recipe.needs:
        band = name.removeprefix("dn:")
        if name in recipe.optional and band not in values:
            continue
        numbers = np.array(values.get(band, [[100] * 3] * 2), dtype=np.uint16)
        nodata = scene.assets[band].nodata
        valid = None if nodata is None else numbers != nodata
        layers[name] = Layer(values=numbers, grid=recipe.grid, window=WINDOW, valid=valid)
    found = Qa().run(recipe, layers, window=WINDOW, scene=scene, inputs=Inputs())["qa"].values
    assert found.dtype == np.uint16
    return found


def test_it_is_a_step() -> None:
    assert isinstance(Qa(), Step)


def test_reflective_bands_on_the_reference_grid_judge_and_quality_bands_are_optional(
    make_scene: Callable[..., Scene],
) -> None:
    scene = make_scene()
    (recipe,) = Qa().recipes(scene, given={})
    assert set(recipe.needs) == {"dn:blue", "dn:red", "dn:nir08", "dn:cirrus", "dn:qa_pixel", "dn:qa_radsat"}
    assert recipe.optional == {"dn:qa_pixel", "dn:qa_radsat"}
    assert all(need.on == scene.reference for need in recipe.needs.values())
    assert recipe.facts["quality"] == {"qa_pixel": "landsat-c2-qa-pixel", "qa_radsat": "landsat-c2-qa-radsat"}


def test_any_band_without_data_makes_a_pixel_nodata(make_scene: Callable[..., Scene]) -> None:
    qa = run(make_scene(), red=[[0, 5, 5], [5, 5, 5]], blue=[[5, 5, 5], [5, 5, 0]])
    assert qa_flag(qa, name="nodata").tolist() == [[True, False, False], [False, False, True]]
    assert np.array_equal(qa_flag(qa, name="nodata_from_pixels"), qa_flag(qa, name="nodata"))
    assert not qa_flag(qa, name="nodata_from_quality").any()


def test_saturation_comes_from_pixels_and_from_the_delivery(make_scene: Callable[..., Scene]) -> None:
    qa = run(make_scene(), red=[[65535, 5, 65534], [5, 5, 5]], qa_radsat=[[0, 4, 0], [0, 0, 2048]])
    assert qa_flag(qa, name="saturated").tolist() == [[True, True, False], [False, False, False]]
    assert qa_flag(qa, name="saturated_from_pixels").tolist() == [[True, False, False], [False, False, False]]
    assert qa_flag(qa, name="saturated_from_quality").tolist() == [[False, True, False], [False, False, False]]


def test_the_delivered_classes_are_kept_with_their_source(make_scene: Callable[..., Scene]) -> None:
    qa = run(make_scene(), qa_pixel=[[CLEAR, CLOUD, WATER], [1, CLEAR, CLEAR]])
    assert qa_flag(qa, name="cloud").tolist() == [[False, True, False], [False, False, False]]
    assert qa_flag(qa, name="water").tolist() == [[False, False, True], [False, False, False]]
    assert qa_flag(qa, name="cloud_from_quality").tolist() == [[True, True, True], [False, True, True]]
    assert qa_flag(qa, name="nodata_from_quality").tolist() == [[False, False, False], [True, False, False]]


def test_beyond_the_edge_of_a_quality_band_nothing_is_known(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    (recipe,) = Qa().recipes(scene, given={})
    quality = Layer(values=np.zeros(WINDOW.shape, np.uint16), grid=recipe.grid, window=WINDOW, valid=np.zeros(WINDOW.shape, bool))
    plain = Layer(values=np.full(WINDOW.shape, 9, np.uint16), grid=recipe.grid, window=WINDOW)
    layers = dict.fromkeys(recipe.needs, plain) | {"dn:qa_pixel": quality}
    layers.pop("dn:qa_radsat")
    assert not Qa().run(recipe, layers, window=WINDOW, scene=scene, inputs=Inputs())["qa"].values.any()


def test_a_thermal_scene_is_judged_by_its_thermal_bands(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    thermal = replace(scene, assets={"lwir11": scene.assets["lwir11"]})
    assert qa_flag(run(thermal, lwir11=[[0, 5, 5], [5, 5, 5]]), name="nodata").sum() == 1


def test_a_cloud_map_judges_where_the_delivery_does_not(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    bare = replace(scene, assets={n: a for n, a in scene.assets.items() if n not in {"qa_pixel", "qa_radsat"}})
    made = Clouds.kinds[0]
    spec = LayerSpec(
        name=made, asset=made, title="Clouds by spectral tests", grid=scene.reference, encoding=class_map(CATEGORIES)
    )
    cloud = np.array([[1, 2, 1], [1, 0, 3]], dtype=np.uint8)
    valid = np.array([[True, True, False], [True, True, True]])
    for delivered, judged in (
        (bare, [[True, True, False], [False, True, True]]),  # (1, 0) has no data
        (scene, [[False, True, False], [False, False, False]]),  # the delivery judges all but (0, 1)
    ):
        (recipe,) = Qa().recipes(delivered, given={made: spec})
        numbers = np.array([[5, 5, 5], [0, 5, 5]], dtype=np.uint16)
        layers = {
            n: Layer(values=numbers, grid=recipe.grid, window=WINDOW, valid=numbers != 0) for n in recipe.needs if n != made
        }
        if delivered is scene:
            quality = np.array([[CLEAR, 0, CLEAR], [CLEAR, CLEAR, CLOUD]], dtype=np.uint16)
            known = np.array([[True, False, True], [True, True, True]])
            layers["dn:qa_pixel"] = Layer(values=quality, grid=recipe.grid, window=WINDOW, valid=known)
            layers.pop("dn:qa_radsat")
        layers[made] = Layer(values=cloud, grid=recipe.grid, window=WINDOW, valid=valid)
        qa = Qa().run(recipe, layers, window=WINDOW, scene=delivered, inputs=Inputs())["qa"].values
        assert qa_flag(qa, name="cloud_from_model").tolist() == judged
        for name, code in (("cloud", 1), ("shadow", 2), ("snow", 3)):
            found = qa_flag(qa, name=name) & qa_flag(qa, name="cloud_from_model")
            assert np.array_equal(found, np.array(judged) & (cloud == code))
        assert recipe.makes[0].encoding.bits[-1].title == "Clouds by spectral tests"


def test_without_a_cloud_map_no_cloud_is_judged_by_us(make_scene: Callable[..., Scene]) -> None:
    assert not qa_flag(run(make_scene()), name="cloud_from_model").any()
