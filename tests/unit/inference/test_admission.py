"""What a registry takes as a model, and what it does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from swath.errors import ConfigError
from swath.inference.admission import admit
from swath.inference.digest import model_digest
from swath.inference.forest_predictor import _comb
from swath.inference.manifest import Manifest
from swath.inference.registry import Registry
from swath.product import Category


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    names = ("low", "high")
    classes = tuple(Category(value=i, name=n, title=n, rgb=(i, i, i)) for i, n in enumerate(names))
    manifest = Manifest(
        name="comb", kind="forest", weights="forest.npz", bands=("red",), of="toa", classes=classes, licence="Apache-2.0"
    )
    (directory / "manifest.json").write_text(manifest.to_json())
    (directory / "card.md").write_text("# Comb\n")
    (directory / "forest.npz").write_bytes(_comb(3, outputs=1).to_bytes())
    return directory


def test_a_model_of_manifest_weights_and_card_is_admitted(model: Path) -> None:
    before = model_digest(model)
    assert admit(model).name == "comb"
    assert model_digest(model) == before


@pytest.mark.parametrize("name", ["extra.pkl", "lib.so", "code/inference.py", "MLmodel", ".hidden"])
def test_a_file_beside_is_refused_by_name(model: Path, name: str) -> None:
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ConfigError, match=rf"nothing else; remove .*{name}"):
        admit(model)


def _empty(model: Path) -> None:
    (model / "forest.npz").write_bytes(b"")


def _missing(model: Path) -> None:
    (model / "forest.npz").unlink()


def _linked(model: Path) -> None:
    (model / "forest.npz").rename(model.parent / "elsewhere.npz")
    (model / "forest.npz").symlink_to(model.parent / "elsewhere.npz")


def _wider(model: Path) -> None:
    (model / "manifest.json").write_text((model / "manifest.json").read_text().replace('"red"', '"red",\n    "nir08"'))


def _python(model: Path) -> None:
    (model / "forest.npz").rename(model / "forest.pkl")
    (model / "manifest.json").write_text((model / "manifest.json").read_text().replace("forest.npz", "forest.pkl"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_empty, "the weights are empty"),
        (_missing, "there is no such file"),
        (_linked, "plain files only"),
        (_wider, "promises 2 bands and 2 classes, the forest has 1 and 2"),
        (_python, r"weights of kind forest are a \.npz file, the manifest names 'forest\.pkl'"),
    ],
)
def test_what_a_run_could_not_load_is_not_registered(model: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(model)
    registry = Registry.beside(model.parent, uri=f"sqlite:///{model.parent / 'mlflow.db'}")
    with pytest.raises(ConfigError, match=said):
        registry.register(model)
    assert not (model.parent / "mlflow.db").exists()
