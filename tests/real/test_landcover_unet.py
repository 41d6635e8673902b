"""A U-Net of a real Landsat 5 scene: fitted by PyTorch in an environment of its own, admitted, and run through Spark."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.deploy.environments import environment

from swath.inference.admission import AdmissionTerms, findings_of
from swath.inference.manifest import Manifest
from swath.inference.registry import Registry
from swath.training.draw import Drawn, draw
from swath.training.polygons import read_polygons
from swath.training.recipe import TrainingRecipe

pytestmark = pytest.mark.real
RECIPE = Path(__file__).resolve().parents[2] / "models" / "landcover-tm-unet" / "recipe.yaml"
#: Less than the recipe says, for a test: two splits, half of the epochs.
SHORT = (("splits: 5", "splits: 2"), ("epochs: 40", "epochs: 20"))
PIPELINE = """
name: land
title: Land cover by a U-Net
steps: [toa, {landcover: {model: landcover-tm-unet@production}}]
assets: {required: [landcover, landcover_probability]}
"""
#: PyTorch is behind everything that is locked: nothing else of its environment is taken.
COMMAND = "import sys; sys.path.append(sys.argv.pop(1)); from swath.cli.main import main; main()"


@pytest.fixture(scope="module")
def folder(scenes: Path) -> Path:
    return scenes / "rstoolbox" / "inst" / "external" / "landsat"


@pytest.fixture(scope="module")
def labels(scenes: Path) -> Path:
    return scenes / "rstoolbox" / "converted" / "trainingPolygons_lsat.geojson"


def drawn_of(folder: Path, labels: Path) -> Drawn:
    recipe = TrainingRecipe.read(RECIPE)
    return draw([str(folder)], read_polygons(str(labels)), request=recipe.features).with_tiles([str(folder)], recipe=recipe)


def test_tiles_hold_what_samples_are_with_what_is_around_them(folder: Path, labels: Path) -> None:
    """Each labelled pixel once, its features equal to the last bit, whichever window was read."""
    drawn = drawn_of(folder, labels)
    assert drawn.tiles is not None
    tiles, recipe = drawn.tiles, TrainingRecipe.read(RECIPE)
    names = [c.name for c in recipe.classes]
    core = slice(tiles.margin_px, tiles.margin_px + tiles.truth.shape[1])
    found = []
    for number, truth in enumerate(tiles.truth):
        there = truth >= 0
        values, polygons = tiles.features[number][:, core, core][:, there], tiles.polygon[number][there]
        found += [(tiles.polygons[p], names[t], *v) for p, t, v in zip(polygons, truth[there], values.T.tolist(), strict=True)]
    rows = drawn.samples[["polygon_id", "label", *recipe.features.bands]].itertuples(index=False, name=None)
    assert sorted(found) == sorted(rows)
    # The scene is small: a fifth of the tiles is beyond it.
    assert 0.7 < np.isfinite(tiles.features).mean() < 0.85


@pytest.fixture(scope="module")
def trained(folder: Path, labels: Path, java: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An output with a registered U-Net, and what the command says of it."""
    home = tmp_path_factory.mktemp("unet")
    text = RECIPE.read_text(encoding="utf-8")
    for said, short in SHORT:
        assert said in text
        text = text.replace(said, short)
    (home / "recipe.yaml").write_text(text, encoding="utf-8")
    return home / "out", told(train(home, folder=folder, labels=labels, recipe="recipe.yaml"))


def train(home: Path, *, folder: Path, labels: Path, recipe: str) -> "subprocess.CompletedProcess[str]":
    words = ("--input", folder, "--polygons", labels, "--recipe", home / recipe, "--output", home / "out")
    return swath("train", *words, "--master", "local[1]", cwd=home)


def swath(*words: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    torch = environment("torch").parent.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    command = [sys.executable, "-c", COMMAND, str(torch), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.tools
@pytest.mark.timeout(1800)
def test_a_u_net_is_judged_on_held_out_polygons_and_admitted(trained: tuple[Path, dict[str, Any]]) -> None:
    output, said = trained
    assert said["aliases"] == ["production"]
    assert said["metrics"]["accuracy"] >= 0.95
    assert said["metrics"]["calibration_error"] <= 0.05
    registry = Registry.beside(output)
    pinned = registry.resolve("landcover-tm-unet@production")
    assert findings_of(pinned.path, terms=AdmissionTerms()) == ()
    assert sorted(p.name for p in pinned.path.iterdir()) == ["card.md", "manifest.json", "network.onnx", "reference.npz"]
    assert "a fully convolutional U-Net" in (pinned.path / "card.md").read_text(encoding="utf-8")
    names = {a.path for a in registry.client().list_artifacts(said["run_id"])}
    assert {"confusion.json", "reliability.json", "reliability.png", "recipe.json", "model"} <= names
    params = registry.client().get_run(said["run_id"]).data.params
    assert (params["unet.depth"], params["unet.epochs"]) == ("2", "20")


@pytest.mark.tools
@pytest.mark.timeout(1800)
def test_a_second_version_is_judged_beside_the_first_on_frozen_tiles(
    folder: Path, labels: Path, java: None, tmp_path: Path
) -> None:
    text = RECIPE.read_text(encoding="utf-8").replace("splits: 5", "splits: 1\nfrozen: 0.2")
    for name, epochs in (("patient.yaml", 8), ("hasty.yaml", 1)):
        (tmp_path / name).write_text(text.replace("epochs: 40", f"epochs: {epochs}"), encoding="utf-8")
    said = told(train(tmp_path, folder=folder, labels=labels, recipe="patient.yaml"))
    assert said["aliases"] == ["production"]
    done = train(tmp_path, folder=folder, labels=labels, recipe="hasty.yaml")
    assert done.returncode == 3, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["not_promoted"].startswith("landcover-tm-unet 2 is not promoted: macro F1 falls by 0.")
    assert Registry.beside(tmp_path / "out").version_of("landcover-tm-unet", alias="production") == "1"


@pytest.mark.tools
@pytest.mark.timeout(1800)
def test_a_halo_that_promises_less_is_refused(trained: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    output, _ = trained
    source = Registry.beside(output).resolve("landcover-tm-unet@production").path
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    plain = Manifest.from_json((tmp_path / "manifest.json").read_text(encoding="utf-8")).to_plain()
    (tmp_path / "manifest.json").write_text(json.dumps({**plain, "halo_px": 12}), encoding="utf-8")
    problems = [f.problem for f in findings_of(tmp_path, terms=AdmissionTerms())]
    assert any("px away, the manifest promises a halo of 12 px" in p for p in problems), problems


@pytest.mark.tools
@pytest.mark.timeout(1800)
def test_its_map_through_spark_is_the_same_for_every_strip_height_and_agrees_with_the_polygons(
    trained: tuple[Path, dict[str, Any]], folder: Path, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, _ = trained
    (tmp_path / "land.yaml").write_text(PIPELINE, encoding="utf-8")
    # One registry for both outputs.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{output / 'models' / 'mlflow.db'}")
    maps = []
    for rows in ("512", "1024"):
        kept = tmp_path / rows
        words = ("run", tmp_path / "land.yaml", "--input", folder, "--output", kept, "--tile-size", rows, "--json")
        said = told(swath(*words, "--master", "local[2,4]", cwd=tmp_path))
        assert (said["made"], said["quarantined"]) == (1, 0)
        (file,) = (kept / "products").rglob("*.landcover.*.tif")
        with rasterio.open(file) as source:
            maps.append(source.read(1))
    assert np.array_equal(*maps)
    drawn, recipe = drawn_of(folder, labels), TrainingRecipe.read(RECIPE)
    codes = {c.name: c.value for c in recipe.classes}
    truth = np.array([codes[label] for label in drawn.samples["label"]])
    # These pixels taught the network: it shows that training and mapping are one path, and is no measure of quality.
    assert np.mean(maps[0][drawn.samples["row"], drawn.samples["col"]] == truth) > 0.97
