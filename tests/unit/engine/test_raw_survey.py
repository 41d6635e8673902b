"""A raw image whose model is off by a known move, against an orthoimage of where it was: the move is found in the image."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swath.algo.raw_image import RawModel, Refinement, model_of
from swath.config import load_pipeline, prepare, with_settings
from swath.coregister import Coregister
from swath.engine.child.tasks import do
from swath.engine.messages import MakeProduct
from swath.engine.product_plan import ProductPlan, plan_product
from swath.engine.subject import Cutting, Subject
from swath.engine.survey import placement_of
from swath.errors import GeometryError, MissingInputError
from swath.inference.registry import Registry
from swath.inputs import RasterSource
from swath.readers.registry import read_scene
from swath.scene import Scene
from swath.simulator.raw_image import RawScene, simulate_raw
from swath.simulator.raw_truth import measured

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> RawScene:
    return simulate_raw(tmp_path_factory.mktemp("raw"), seed=7)


@pytest.fixture(scope="module")
def rasters(raw: RawScene) -> dict[str, RasterSource]:
    return {"dem": RasterSource(path=str(raw.dem), datum="ellipsoid")}


def made(scene: Scene, output: Path, *, rasters: dict[str, RasterSource], settings: tuple[str, ...] = ()) -> ProductPlan:
    """The orthoimage of a scene."""
    asked = with_settings(load_pipeline("ortho"), list(settings))
    text = json.dumps(prepare(asked, registry=Registry.beside(output / "registry"), rasters=rasters).plain)
    output.mkdir(exist_ok=True)
    subject = Subject(scene=scene.to_json(), scene_id=scene.scene_id, pipeline=text, output=str(output))
    do(MakeProduct(product=subject, cut=Cutting(split=False, strip_rows=None, folder=".scratch/x"), attempt="a"))
    return plan_product(subject.scene, text)


@pytest.fixture(scope="module")
def reference(raw: RawScene, rasters: dict[str, RasterSource], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The item of the scene's own orthoimage, which has reflectance at the top of the atmosphere alone."""
    folder = tmp_path_factory.mktemp("reference")
    plan = made(read_scene(str(raw.item)), folder, rasters=rasters)
    return str(next((folder / plan.folder).glob("*.json")))


def aside(scene: Scene, wrong: Refinement) -> Scene:
    """The scene with a model that is off."""
    assets = {}
    for name, asset in scene.assets.items():
        crs = RawModel(rpc=model_of(asset.grid.crs).rpc, refinement=wrong).crs
        assets[name] = replace(asset, grid=replace(asset.grid, crs=crs))
    return replace(scene, assets=assets)


def shifted(*, down: float, right: float) -> Refinement:
    return Refinement(columns=(-right, 0.0, 0.0), rows=(-down, 0.0, 0.0))


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (0.05, -0.05), (0.5, 2.25), (-7.5, 7.5)])
def test_a_shift_that_was_put_in_is_found(
    raw: RawScene, rasters: dict[str, Any], reference: str, down: float, right: float
) -> None:
    scene = aside(read_scene(str(raw.item)), shifted(down=down, right=right))
    found = placement_of(scene, Coregister(to=(reference,)), rasters=rasters)
    assert (found.down_px, found.right_px) == pytest.approx((down, right), abs=0.05 if down else 0.03)
    assert found.applied == bool(down or right)
    # Later rounds ask windows to agree within hundredths of a pixel, so many with a peak drop out.
    assert found.windows[0] >= 0.5 * found.windows[1]


def test_an_affine_that_was_put_in_is_taken_away(raw: RawScene, rasters: dict[str, Any], reference: str) -> None:
    """What is left of it is three hundredths of a pixel in the mean over the image, and a tenth at most."""
    wrong = Refinement(columns=(1.5, 0.002, 0.001), rows=(-1.0, -0.001, 0.003))
    scene = aside(read_scene(str(raw.item)), wrong)
    found = placement_of(scene, Coregister(to=(reference,), model="affine"), rasters=rasters)
    left = model_of(found.scene(scene).assets["nir"].grid.crs).refinement
    columns, rows = np.meshgrid(np.linspace(0.0, 448.0, 9), np.linspace(0.0, 448.0, 9))
    off = np.hypot(*(a - b for a, b in zip(left.apply(columns, rows), (columns, rows), strict=True)))
    assert off.mean() < 0.03
    assert off.max() < 0.1


def test_another_image_of_the_scene_is_moved_by_as_much_on_the_ground(
    raw: RawScene, rasters: dict[str, Any], reference: str
) -> None:
    """A band of half the sampling, with a model of its own, and as far off."""
    plain = read_scene(str(raw.item))
    scene = aside(plain, shifted(down=2.0, right=-3.0))
    rpc = model_of(scene.assets["nir"].grid.crs).rpc
    fine = replace(
        rpc, samp_off=2.0 * rpc.samp_off + 0.5, line_off=2.0 * rpc.line_off + 0.5, samp_scale=2.0 * rpc.samp_scale,
        line_scale=2.0 * rpc.line_scale,
    )  # fmt: skip
    grid = scene.assets["nir"].grid
    other = replace(
        grid, crs=RawModel(rpc=fine).crs, dx=grid.dx / 2, dy=grid.dy / 2, width=2 * grid.width, height=2 * grid.height
    )
    scene = replace(scene, assets={**scene.assets, "nir": replace(scene.assets["nir"], grid=other)})
    found = placement_of(scene, Coregister(to=(reference,)), rasters=rasters)
    own, its = (model_of(found.scene(scene).assets[name].grid.crs).refinement for name in ("red", "nir"))
    assert (own.columns[0], own.rows[0]) == pytest.approx((0.0, 0.0), abs=0.05)
    assert (its.columns[0], its.rows[0]) == pytest.approx((-6.0, 4.0), abs=0.1)


def test_an_image_that_is_too_far_off_is_refused_with_numbers(raw: RawScene, rasters: dict[str, Any], reference: str) -> None:
    scene = aside(read_scene(str(raw.item)), shifted(down=12.0, right=0.0))
    with pytest.raises(GeometryError, match=r"expected windows that agree on a shift of at most 4 px; got .*\d+ of \d+ windows"):
        placement_of(scene, Coregister(to=(reference,), max_shift_px=4.0), rasters=rasters)
    with pytest.raises(MissingInputError, match=r"simulated-raw-20240607: the image is raw .* and the site has no elevation"):
        placement_of(scene, Coregister(to=(reference,)))


def test_the_orthoimage_is_moved_in_its_one_warp(raw: RawScene, rasters: dict[str, Any], reference: str, tmp_path: Path) -> None:
    """Marks on the ground are where they are, by another grid than the survey's; the item and the keys say what was done."""
    scene, asked = aside(read_scene(str(raw.item)), shifted(down=-3.0, right=5.5)), ("grid.resolution_m=2.0",)
    off = made(scene, tmp_path / "off", rasters=rasters, settings=asked)
    right = made(scene, tmp_path / "right", rasters=rasters, settings=(*asked, f"coregister.to={reference}"))
    before, _ = measured(tmp_path / "off" / off.folder / off.href("red"), raw=raw)
    after, _ = measured(tmp_path / "right" / right.folder / right.href("red"), raw=raw)
    assert before.most_m > 10.0
    assert after.points == 16
    # A twentieth of a pixel of 2 m beside what an orthoimage of a right model is off.
    assert after.most_m < 0.06 + 0.1
    assert off.keys["red"] != right.keys["red"]
    assert len([c for c in right.graph.calls if c.step.name == "onto"]) == len(
        [c for c in off.graph.calls if c.step.name == "onto"]
    )
    item = next((tmp_path / "right" / right.folder).glob("*.json"))
    told = json.loads(item.read_text(encoding="utf-8"))["properties"]["swath:coregistration"]
    assert (told["down_px"], told["right_px"]) == pytest.approx((-3.0, 5.5), abs=0.05)
    assert told["moved"][2] == pytest.approx(5.5, abs=0.05)
