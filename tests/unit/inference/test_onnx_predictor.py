"""ONNX networks of single pixels."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.onnx_bytes import field, node, outside, port, tensor

from swath.errors import ConfigError
from swath.inference.onnx import PATCH_PX, OnnxPredictor

FEATURES, CLASSES = 4, 3
WEIGHTS = np.random.default_rng(0).normal(0.0, 1.0, (FEATURES, CLASSES)).astype(np.float32)
BIAS = np.array([0.1, -0.2, 0.3], dtype=np.float32)


def network(*, last: str = "Softmax", weights: bytes | None = None) -> bytes:
    """softmax(x W + b), in ONNX opset 13."""
    graph = (
        field(1, node("Gemm", ["x", "w", "b"], "scores"))
        + field(1, node(last, ["scores"], "probabilities"))
        + field(2, "tiny")
        + field(5, weights or tensor("w", WEIGHTS))
        + field(5, tensor("b", BIAS))
        + field(11, port("x", "rows", FEATURES))
        + field(12, port("probabilities", "rows", CLASSES))
    )
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "network.onnx"
    file.write_bytes(network())
    return file


def features(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).normal(0.0, 1.0, (FEATURES, count)).astype(np.float32)


def test_probabilities_are_those_of_numpy(path: Path) -> None:
    given = features(1000)
    scores = WEIGHTS.T.astype(np.float64) @ given + BIAS[:, None]
    expected = np.exp(scores) / np.exp(scores).sum(axis=0)
    mine = OnnxPredictor(path, features=FEATURES, classes=CLASSES).predict(given)
    assert mine.shape == (CLASSES, 1000)
    assert mine.dtype == np.float32
    assert np.abs(mine - expected).max() < 1e-6


def test_a_pixel_has_the_same_answer_however_pixels_are_grouped(path: Path) -> None:
    predictor = OnnxPredictor(path, features=FEATURES, classes=CLASSES)
    given = features(PATCH_PX + 777)
    whole = predictor.predict(given)
    parts = [predictor.predict(given[:, a:b]) for a, b in ((0, 1), (1, 4000), (4000, PATCH_PX + 777))]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_a_job_with_gpus_is_not_silently_computed_on_the_cpu(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_GPUS", "0")
    with pytest.raises(ConfigError, match="the job has GPUs, and the onnxruntime of the image has no CUDAExecutionProvider"):
        OnnxPredictor(path, features=FEATURES, classes=CLASSES)


def test_a_network_of_another_width_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must take float32 \(pixel, 5\)"):
        OnnxPredictor(path, features=5, classes=CLASSES)
    with pytest.raises(ConfigError, match=r"give float32 \(pixel, 7\)"):
        OnnxPredictor(path, features=FEATURES, classes=7)


def test_features_of_another_number_are_refused(path: Path) -> None:
    predictor = OnnxPredictor(path, features=FEATURES, classes=CLASSES)
    with pytest.raises(ValueError, match=r"expected float32 \(4, pixels\), got float32 \(3, 2\)"):
        predictor.predict(np.zeros((3, 2), dtype=np.float32))


@pytest.mark.parametrize("content", [b"", b"not onnx", network(last="NoSuchOperator")])
def test_a_file_that_does_not_run_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.onnx: onnxruntime cannot load it"):
        OnnxPredictor(file, features=FEATURES, classes=CLASSES)


@pytest.mark.parametrize("location", ["../weights.bin", "{folder}/weights.bin"])
def test_weights_outside_of_the_models_folder_are_not_read(tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "network.onnx"
    where = location.format(folder=tmp_path)
    file.write_bytes(network(weights=outside("w", WEIGHTS.shape, location=where)))
    with pytest.raises(ConfigError, match="onnxruntime cannot load it"):
        OnnxPredictor(file, features=FEATURES, classes=CLASSES)


def test_weights_beside_the_network_are_read(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    file = tmp_path / "network.onnx"
    file.write_bytes(network(weights=outside("w", WEIGHTS.shape, location="weights.bin")))
    inside = tmp_path / "inside.onnx"
    inside.write_bytes(network())
    one, other = (OnnxPredictor(f, features=FEATURES, classes=CLASSES).predict(features(50)) for f in (file, inside))
    assert np.array_equal(one, other)
