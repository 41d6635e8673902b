"""What each version of a step makes, to the stored count: whoever changes a result must raise the step's version.

When a test here fails and the change is meant, raise ``version`` of the step and add a line; never edit one.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.grid import Window
from swath.inputs import Inputs
from swath.pipeline import Layer
from swath.product import REFLECTANCE, LayerName, LayerSpec
from swath.scene import Scene
from swath.steps.registry import step

_SAME = {"toa 1": "841890e8874a5923", "qa 2": "c9be5b4dd5258a9b"}
GOLDEN = {
    "scene": {**_SAME, "smac 1": "ca1d52345f225baf", "ndvi 1": "0e236a628c7b9adf", "classes 1": "7ce8e9869e83fd7d"},
    "per-pixel": {**_SAME, "smac 1": "3c101b546277ac24", "ndvi 1": "be1d11aaba81ed35", "classes 1": "685807b9217ec9ec"},
}
ORDER = ("toa", "smac", "ndvi", "classes", "qa")


class Slanted:
    """Angles that vary over the scene."""

    def sample(
        self, *, x: NDArray[np.float64], y: NDArray[np.float64], band: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        across, down = (x[None, :] - 500000.0) / 1e4, (5000000.0 - y[:, None]) / 1e4
        both = across + down
        return 35.0 + both, 140.0 + 2.0 * both, 4.0 + 3.0 * across + 0.0 * down, 100.0 + 5.0 * both


def delivered(scene: Scene) -> dict[LayerName, Layer]:
    layers = {}
    for name, asset in scene.assets.items():
        row, col = np.indices(asset.grid.window.shape)
        values = (row * 7919 + col * 104729 + len(name) * 977) % 65536
        values[3:6, 4:9] = asset.nodata or 0
        if asset.calibration.kind == "quality":
            values = np.where(values % 3 == 0, 21824, values)
        numbers = values.astype(np.uint16)
        valid = None if asset.nodata is None else numbers != asset.nodata
        layers[f"dn:{name}"] = Layer(values=numbers, grid=asset.grid, window=asset.grid.window, valid=valid)
    return layers


def stored(layer: Layer, *, spec: LayerSpec) -> bytes:
    """The layer as its encoding would write it, near enough for a fingerprint."""
    encoding = spec.encoding
    physical = layer.physical
    counts = np.clip(np.rint(physical / encoding.scale), encoding.lowest, encoding.highest)
    filled = np.where(layer.usable, np.nan_to_num(counts), 0 if encoding.nodata is None else encoding.nodata)
    return filled.astype(encoding.dtype).tobytes()


def results(scene: Scene) -> dict[str, str]:
    """Digest of all layers that each step makes of the whole scene, one step upon the other."""
    layers = delivered(scene)
    given: dict[LayerName, LayerSpec] = {}
    digests: dict[str, str] = {}
    for name in ORDER:
        made, hashed = step(name, {}), hashlib.sha256()
        for recipe in made.recipes(scene, given=given):
            read = {n: layers[n] for n in recipe.needs}
            inputs = Inputs(given={a: Slanted() for a in recipe.inputs})
            found = made.run(recipe, read, window=recipe.grid.window, scene=scene, inputs=inputs)
            for spec in recipe.makes:
                hashed.update(stored(found[spec.name], spec=spec))
                given[spec.name] = spec
            layers.update(found)
        digests[f"{name} {made.version}"] = hashed.hexdigest()[:16]
    return digests


@pytest.mark.parametrize("angles", ["scene", "per-pixel"])
def test_results_are_those_of_the_steps_versions(make_scene: Callable[..., Scene], angles: str) -> None:
    scene = make_scene(angles_href=None if angles == "scene" else "/data/MTD_TL.xml")
    assert results(scene) == GOLDEN[angles]


def test_the_fingerprint_sees_a_single_count(make_scene: Callable[..., Scene]) -> None:
    grid = make_scene().reference
    spec = LayerSpec(name="ndvi", asset="ndvi", title="NDVI", grid=grid, encoding=REFLECTANCE)
    one, other = (Layer(values=np.full((1, 1), v), grid=grid, window=Window(0, 0, 1, 1)) for v in (0.2, 0.2001))
    assert stored(one, spec=spec) != stored(other, spec=spec)
