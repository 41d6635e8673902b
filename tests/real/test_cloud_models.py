"""Cloud models of others against their own packages, on real scenes. The wheels are downloaded, without what they depend on."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.engine.evaluate import Clock, evaluate
from swath.engine.graph import Graph, resolve
from swath.engine.supplies import Supplies
from swath.grid import Window
from swath.inference.admission import AdmissionTerms, findings_of
from swath.inference.digest import model_digest
from swath.inference.loader import predictor_of
from swath.inference.manifest import Manifest
from swath.inference.network import Decision
from swath.inference.step_model import StepModel
from swath.inputs import Predictor
from swath.pipeline import AssetRule, Layer, Pipeline
from swath.place import Place
from swath.product import LayerName
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene
from swath.steps.clouds import Clouds
from swath.steps.toa import Toa
from swath.training.fetched.csmask import fetch_csmask
from swath.training.fetched.s2cloudless import FOREST, fetch_s2cloudless

pytestmark = [pytest.mark.real, pytest.mark.tools]
LANDSAT8 = "sat_image/image_test/lc8_image"
SENTINEL2 = "eodatasets/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip"
PACKAGES = ("ukis-csmask==1.0.0", "s2cloudless==1.7.3", "opencv-python-headless==5.0.0.93")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages in a folder of their own."""
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{', '.join(PACKAGES)} cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return folder


def pinned(folder: Path, manifest: Manifest) -> StepModel:
    assert not [f for f in findings_of(folder, terms=AdmissionTerms()) if f.grave]
    return StepModel(name=manifest.name, version="1", digest=model_digest(folder), manifest=manifest)


def graph_of(scene: Scene, step: Clouds) -> Graph:
    rules = (AssetRule(layers="cloud", required=True), AssetRule(layers="toa"))
    return resolve(Pipeline(name="c", title="", steps=(Toa(), step), assets=rules), scene)


def layers(graph: Graph, windows: dict[LayerName, Window], *, by: Predictor, name: str) -> dict[LayerName, Layer]:
    reader = BandReader()

    def read(band: str, window: Window) -> Layer:
        return reader.read(graph.scene, band, window)

    return evaluate(graph, windows, read=read, supplies=Supplies(models={name: by}), clock=Clock())


def test_csmask_has_the_map_of_its_package(scenes: Path, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(packages))
    manifest = fetch_csmask(tmp_path / "csmask")
    scene = read_scene(str(scenes / LANDSAT8))
    graph = graph_of(scene, Clouds(by="model", model=pinned(tmp_path / "csmask", manifest)))
    predictor, whole = predictor_of(tmp_path / "csmask", manifest), scene.reference.window
    made = layers(graph, dict.fromkeys(("cloud", *manifest.layers), whole), by=predictor, name="csmask")
    image = np.stack([made[n].physical.astype(np.float32) for n in manifest.layers], axis=-1)
    image[~np.isfinite(image)] = 0.0
    package: Any = import_module("ukis_csmask.mask")
    bands = ["blue", "green", "red", "nir", "swir16", "swir22"]
    theirs = package.CSmask(image, bands, intra_op_num_threads=1, inter_op_num_threads=1).csm[..., 0]
    assert np.array_equal(made["cloud"].values[made["cloud"].usable], theirs[made["cloud"].usable])
    part = Window(200, 100, 150, 333)
    found = layers(graph, {"cloud": part}, by=predictor, name="csmask")["cloud"]
    assert np.array_equal(found.values, made["cloud"].crop(part).values)


class Kept:
    """A predictor that keeps what it was fed."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.fed = predictor, np.empty(0, dtype=np.float32)

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        self.fed = features
        return self.predictor.predict(features, place=place)


# the wider mean of the small scene's thin clouds is 0.29 at most
@pytest.mark.parametrize(("resolution_m", "radii", "threshold"), [(60.0, (1, 1), 0.4), (20.0, (4, 2), 0.2)])
def test_s2cloudless_has_the_mask_of_its_package(
    scenes: Path,
    packages: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    resolution_m: float,
    radii: tuple[int, int],
    threshold: float,
) -> None:
    monkeypatch.syspath_prepend(str(packages))
    average, dilation = radii
    decision = Decision(threshold=threshold, average_px=average, dilation_px=dilation)
    manifest = fetch_s2cloudless(tmp_path / "s2cloudless", resolution_m=resolution_m, decision=decision)
    scene = read_scene(str(scenes / SENTINEL2))
    model = pinned(tmp_path / "s2cloudless", manifest)
    graph = graph_of(scene, Clouds(by="model", model=model, highest_m=0.0))
    (own, *_) = [c.recipe for c in graph.calls if c.step.name == "clouds"]
    kept = Kept(predictor_of(tmp_path / "s2cloudless", manifest))
    mask = layers(graph, {own.makes[0].name: own.grid.window}, by=kept, name="s2cloudless")[own.makes[0].name]
    # What s2cloudless 1.7.3 does, without its import of Sentinel Hub's client.
    booster, cv2 = import_module("lightgbm").Booster(model_file=str(packages / FOREST)), import_module("cv2")
    fed = np.moveaxis(np.nan_to_num(kept.fed), 0, -1)
    probability = booster.predict(fed.reshape(-1, fed.shape[-1]), num_threads=1).reshape(fed.shape[:2]).astype(np.float32)

    def disk(radius: int) -> Any:
        side = 2 * radius + 1
        return cv2.circle(np.zeros((side, side), np.uint8), (radius, radius), radius, color=1, thickness=-1)

    mean = cv2.filter2D(probability, -1, disk(average) / disk(average).sum(), borderType=cv2.BORDER_REFLECT)
    theirs = cv2.dilate((mean > threshold).astype(np.uint8), disk(dilation))
    assert 0 < theirs.mean() < 1
    assert np.array_equal((mask.values == 1)[mask.usable], (theirs == 1)[mask.usable])


@pytest.mark.usefixtures("packages")
def test_a_model_is_not_asked_about_pixels_that_it_was_not_made_for(scenes: Path, tmp_path: Path) -> None:
    manifest = fetch_csmask(tmp_path / "csmask")
    scene = read_scene(str(scenes / SENTINEL2))
    step = Clouds(model=StepModel(name="csmask", version="1", digest="a" * 64, manifest=manifest))
    (call, *_) = [c for c in graph_of(scene, step).calls if c.step.name == "clouds"]
    assert call.recipe.facts["by"] == "rule"
    assert "made for pixels of 20 to 40 m" in call.recipe.facts["because"]
