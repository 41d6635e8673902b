import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import STUMPS

from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.loader import load_predictor
from swath.inference.manifest import Manifest
from swath.inference.pinned import pin
from swath.product import Category


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    manifest = Manifest(
        name="stumps",
        kind="forest",
        weights="forest.npz",
        bands=("red", "nir08"),
        of="toa",
        classes=(Category(value=1, name="low", title="Low"), Category(value=2, name="high", title="High")),
        licence="Apache-2.0",
    )
    (directory / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (directory / "forest.npz").write_bytes(STUMPS.to_bytes())
    (directory / "card.md").write_text("# Stumps\n", encoding="utf-8")
    return directory


def test_a_pinned_model_predicts(model: Path) -> None:
    predictor = load_predictor(model, model_digest(model))
    answer = predictor.predict(np.array([[0.0, 0.0, 0.0], [0.5, 0.6, np.nan]], dtype=np.float32))
    sure = 1.0 / (1.0 + np.exp(-4.0))
    assert answer[0] == pytest.approx([sure, 1 - sure, sure], abs=1e-6)


def test_a_process_loads_a_model_once(model: Path) -> None:
    digest = model_digest(model)
    assert load_predictor(model, digest) is load_predictor(str(model), digest)


def test_a_changed_model_is_not_loaded(model: Path) -> None:
    digest = model_digest(model)
    (model / "card.md").write_text("# Better stumps\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"not the one that was pinned: expected digest {digest}"):
        load_predictor(model, digest)


def test_weights_that_break_the_manifests_promise_are_refused(model: Path) -> None:
    text = (model / "manifest.json").read_text(encoding="utf-8").replace('"nir08"', '"nir08", "blue"')
    (model / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"promises 3 bands and 2 classes, the forest has 2 and 2"):
        load_predictor(model, model_digest(model))


def test_missing_weights_are_named(model: Path) -> None:
    (model / "forest.npz").unlink()
    with pytest.raises(ConfigError, match=r"forest\.npz: the manifest names these weights"):
        load_predictor(model, model_digest(model))


def test_a_worker_loads_neither_mlflow_nor_what_another_kind_of_model_needs(model: Path) -> None:
    code = (
        "import sys; from swath.inference.loader import load_predictor; load_predictor(*sys.argv[1:]);"
        "print([m for m in ('mlflow', 'lightgbm', 'onnxruntime', 'sklearn', 'pyspark') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model), model_digest(model)], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[3] / "lib")},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_pinning_copies_by_content(model: Path, tmp_path: Path) -> None:
    pinned = pin(model, cache=tmp_path / "cache")
    assert (pinned.name, pinned.version, pinned.digest) == ("stumps", "local", model_digest(model))
    assert pinned.path == tmp_path / "cache" / pinned.digest
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [pinned.digest]
    assert pin(model, cache=tmp_path / "cache") == pinned


def test_what_happens_to_the_original_later_does_not_touch_the_pinned_copy(model: Path, tmp_path: Path) -> None:
    pinned = pin(model, cache=tmp_path / "cache")
    (model / "forest.npz").write_bytes(b"evil")
    assert model_digest(pinned.path) == pinned.digest


def test_a_pinned_copy_that_was_changed_is_not_used_again(model: Path, tmp_path: Path) -> None:
    pinned = pin(model, cache=tmp_path / "cache")
    (pinned.path / "card.md").write_text("changed", encoding="utf-8")
    with pytest.raises(ConfigError, match="the pinned copy was changed"):
        pin(model, cache=tmp_path / "cache")
