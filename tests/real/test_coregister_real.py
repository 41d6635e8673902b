"""A real scene that is put aside, against a product of where it was: the shift is found, and one warp takes it away."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from swath.coregister import Coregister
from swath.engine.survey import placement_of
from swath.errors import GeometryError
from swath.readers.registry import read_scene
from swath.scene import Scene

pytestmark = [pytest.mark.real, pytest.mark.spark, pytest.mark.slow]
_SCENE = "sat_image/image_test/lc8_image"


@pytest.fixture(scope="module")
def reference(scenes: Path, run_job: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The item of the scene's own product."""
    output = tmp_path_factory.mktemp("reference")
    (product,) = run_job("surface-reflectance", scenes / _SCENE, output=output).products
    return Path(output / product.item)


@pytest.fixture
def aside(scenes: Path, tmp_path: Path) -> Callable[..., Path]:
    """The scene with other transforms: a copy that says to lie elsewhere."""

    def put(*, down: float, right: float, turn: float = 0.0) -> Path:
        folder = tmp_path / "aside"
        shutil.copytree(scenes / _SCENE, folder)
        for path in folder.glob("*.TIF"):
            with rasterio.open(path, "r+") as raster:
                a = raster.transform
                raster.transform = a * Affine(1.0 + turn, 0.0, right, 0.0, 1.0 + turn, down)
        return folder

    return put


def choice(reference: Path, **more: Any) -> Coregister:
    return Coregister(to=(str(reference),), **more)


def scene_of(folder: Path) -> Scene:
    return read_scene(str(next(folder.glob("*MTL.txt"))))


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (0.05, -0.05), (0.5, 2.25), (-7.5, 7.5), (3.02, -6.9)])
def test_a_shift_that_was_put_in_is_found(reference: Path, aside: Callable[..., Path], down: float, right: float) -> None:
    found = placement_of(scene_of(aside(down=down, right=right)), choice(reference))
    assert (found.down_px, found.right_px) == pytest.approx((down, right), abs=0.05 if down else 0.03)
    assert found.applied == bool(down or right)
    assert found.windows[0] > 0.8 * found.windows[1]


def test_an_affine_that_was_put_in_is_found(reference: Path, aside: Callable[..., Path], scenes: Path) -> None:
    """Corners are where they were, to a seventh of a pixel."""
    moved = scene_of(aside(down=1.0, right=-1.5, turn=0.003))
    found = placement_of(moved, choice(reference, model="affine"))
    mine, its = found.scene(moved).assets["red"].grid, scene_of(scenes / _SCENE).assets["red"].grid
    for (x, y), (u, v) in zip(mine.corners, its.corners, strict=True):
        assert max(abs(x - u), abs(y - v)) < 0.15 * its.dx


def test_without_a_shift_to_find_the_scene_is_refused_with_numbers(reference: Path, aside: Callable[..., Path]) -> None:
    folder = aside(down=12.0, right=0.0)
    with pytest.raises(GeometryError, match=r"expected windows that agree on a shift of at most 4 px; got .*\d+ of \d+ windows"):
        placement_of(scene_of(folder), choice(reference, max_shift_px=4.0))
    scene = scene_of(folder)
    far = {n: replace(a, grid=replace(a.grid, left=a.grid.left + 300_000.0)) for n, a in scene.assets.items()}
    with pytest.raises(GeometryError, match="nothing that the scene could be co-registered to covers it"):
        placement_of(replace(scene, assets=far), choice(reference))


def test_a_product_is_moved_once_and_says_so(
    reference: Path, aside: Callable[..., Path], run_job: Any, scenes: Path, tmp_path: Path
) -> None:
    """On the pixels that the scene claims, two rows and three columns away, everything is where it was."""
    folder, to = aside(down=-2.0, right=3.0), f"coregister.to={reference}"
    (plain,) = run_job("toa", scenes / _SCENE, output=tmp_path / "plain").products
    (moved,) = run_job("toa", folder, output=tmp_path / "moved", settings=(to,)).products
    with rasterio.open(tmp_path / "plain" / plain.to_contract()["assets"]["red"]) as source:
        its, transform = source.read(1).astype(np.int64), source.transform
    with rasterio.open(tmp_path / "moved" / moved.to_contract()["assets"]["red"]) as source:
        mine, other = source.read(1).astype(np.int64), source.transform
    row, col = round((transform.f - other.f) / 30.0), round((other.c - transform.c) / 30.0)
    assert (row, col) == (-2, 3)
    inner = its[20:-20, 20:-20]
    # A hundredth of a pixel that the shift may be off is a count or two where the ground is rough.
    assert np.percentile(np.abs(mine[22:-18, 17:-23] - inner), 99) <= 5
    told = json.loads((tmp_path / "moved" / moved.item).read_text(encoding="utf-8"))["properties"]["swath:coregistration"]
    assert told["reference"] == reference.stem
    assert (told["down_px"], told["right_px"]) == pytest.approx((-2, 3), abs=0.05)
    again = run_job("toa", folder, output=tmp_path / "moved", settings=(to, "coregister.max_shift_px=6"))
    assert again.scenes.skipped == 1, "what is found is in the key, not how far was looked"
