"""U-Nets without PyTorch: what a recipe may say, the ONNX file of given weights, how far its answers look."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from swath.errors import ConfigError
from swath.inference.influence import influence_px
from swath.inference.network import Normalise
from swath.inference.onnx_file import problems_of
from swath.inference.onnx_network import OnnxNetwork
from swath.inference.onnx_runtime import onnxruntime
from swath.training import unet_learner
from swath.training.learner import ForestLearner
from swath.training.recipe import TrainingRecipe
from swath.training.tiles import LabelledTiles
from swath.training.train import check_trainable, learner_of
from swath.training.unet import Unet, _first_weights, normalised
from swath.training.unet_onnx import OPSET, onnx_of
from swath.training.unet_settings import UnetSettings

RECIPES = Path(__file__).resolve().parents[3] / "models"
BANDS, CLASSES = 3, 4


def unet(settings: UnetSettings) -> Unet:
    weights = _first_weights(settings, bands=BANDS, classes=CLASSES, random=np.random.default_rng(0))
    return Unet(settings=settings, weights=weights, normalise=Normalise(mean=(0.0,) * BANDS, std=(1.0,) * BANDS))


@pytest.mark.parametrize("depth", [1, 2])
def test_the_file_is_opset_17_and_its_answers_look_no_further_than_the_settings_say(depth: int, tmp_path: Path) -> None:
    settings = UnetSettings(width=4, depth=depth, patch_px=96)
    file = tmp_path / "network.onnx"
    file.write_bytes(onnx_of(unet(settings), bands=BANDS, classes=CLASSES))
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    assert list(problems_of(file)) == []
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    answer = OnnxNetwork(session, path=file, shape=(BANDS, CLASSES, 96), activation="softmax")
    network = settings.network(Normalise(mean=(0.0,) * BANDS, std=(1.0,) * BANDS))
    measured = influence_px(answer, network=network, bands=BANDS)
    # Greatest values of 2 x 2 pixels may hide the last one.
    assert settings.halo_px - 2 <= measured <= settings.halo_px
    assert settings.halo_px == {1: 9, 2: 23}[depth]


def test_equal_weights_are_equal_bytes() -> None:
    settings = UnetSettings(width=2, depth=1, patch_px=32)
    assert onnx_of(unet(settings), bands=BANDS, classes=CLASSES) == onnx_of(unet(settings), bands=BANDS, classes=CLASSES)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"depth": 5}, r"depth in 1\.\.4"),
        ({"tile_px": 66}, r"tile_px must be a multiple of 2\^depth = 4, got 66"),
        ({"patch_px": 48}, "patch_px 48 leaves nothing between two margins of 24 px"),
    ],
)
def test_settings_that_fit_no_network_are_refused(said: dict[str, int], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        UnetSettings(**said)


def test_the_recipe_promises_a_network_and_says_nothing_of_forests() -> None:
    recipe = TrainingRecipe.read(RECIPES / "landcover-tm-unet" / "recipe.yaml")
    manifest = recipe.manifest()
    assert (manifest.kind, manifest.weights, manifest.halo_px) == ("onnx", "network.onnx", 23)
    assert manifest.network is not None
    assert (manifest.network.reach, manifest.network.align_px, manifest.network.patch_px) == ("convolutional", 4, 256)
    assert "forest" not in recipe.plain()
    assert "unet" not in TrainingRecipe.read(RECIPES / "landcover-tm" / "recipe.yaml").plain()
    assert isinstance(learner_of(TrainingRecipe.read(RECIPES / "landcover-tm" / "recipe.yaml")), ForestLearner)
    with pytest.raises(ConfigError, match="trains a network that looks around: draw its samples with tiles"):
        learner_of(recipe)


def test_a_recipe_of_both_kinds_is_refused() -> None:
    plain = TrainingRecipe.read(RECIPES / "landcover-tm-unet" / "recipe.yaml").plain()
    with pytest.raises(ConfigError, match="forest and unet are two kinds of models; keep one of them"):
        TrainingRecipe.of({**plain, "forest": {"trees": 1}})


def test_without_pytorch_the_remedy_is_said_before_samples_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unet_learner, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs PyTorch, which is not installed: pip install 'swath\[unet\]'"):
        check_trainable(TrainingRecipe.read(RECIPES / "landcover-tm-unet" / "recipe.yaml"))


def test_labels_of_other_polygons_are_hidden_and_pixels_without_a_value_count_in_nothing() -> None:
    features = np.array([[1.0, np.nan], [3.0, 5.0]], dtype=np.float32)[np.newaxis, np.newaxis]
    truth = np.array([[[0, -1], [1, 1]]], dtype=np.int16)
    polygon = np.array([[[0, -1], [1, 2]]], dtype=np.int32)
    tiles = LabelledTiles(
        features=features, truth=truth, polygon=polygon, polygons=("a", "b", "c"), margin_px=0, scenes=("s",),
        origins=np.zeros((1, 2), dtype=np.int64), extents=np.full((1, 2), 2),
    )  # fmt: skip
    assert tiles.of_polygons(["a", "c"]).truth.tolist() == [[[0, -1], [-1, 1]]]
    assert tiles.of_polygons(["a", "c"]).polygon.tolist() == [[[0, -1], [-1, 2]]]
    by = tiles.normalise()
    assert (by.mean, by.std) == ((3.0,), (1.632993,))
    assert normalised(features, by)[0, 0].ravel().tolist() == pytest.approx([-2 / 1.632993, -3 / 1.632993, 0.0, 2 / 1.632993])
