"""What a registry takes as a model, and what it does not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from swath.cli.models import models_group
from swath.errors import ConfigError
from swath.inference.admission import AdmissionTerms, admit, findings_of
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


def _device(model: Path) -> None:
    os.mkfifo(model / "pipe")


def _huge(model: Path) -> None:
    """Two gigabytes that take no room on the disk."""
    with (model / "forest.npz").open("r+b") as file:
        file.truncate(2 << 30)


def _python(model: Path) -> None:
    (model / "forest.npz").rename(model / "forest.pkl")
    (model / "manifest.json").write_text((model / "manifest.json").read_text().replace("forest.npz", "forest.pkl"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_empty, "the weights are empty"),
        (_missing, "there is no such file"),
        (_linked, "plain files only"),
        (_device, r"pipe: a model directory may hold plain files only, no links, devices or caches; remove it"),
        (_huge, r"3 files of 2147\d+ bytes; a model has at most 32 files of 1073741824 bytes together"),
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


def test_all_that_is_wrong_is_told_at_once_by_the_name_that_the_user_gave(model: Path) -> None:
    (model / "extra.py").write_text("import os")
    _wider(model)
    (model / "card.md").unlink()
    found = findings_of(model, called="models:/comb@production", terms=AdmissionTerms(licences=("MIT",)))
    assert [(f.check, f.grave) for f in found] == [("files", True), ("files", False), ("licence", True), ("weights", True)]
    assert all(str(f).startswith("models:/comb@production: ") for f in found)
    with pytest.raises(ConfigError, match=r"(?s)remove extra\.py\n.*the site allows MIT, the manifest states 'Apache-2\.0'"):
        admit(model, terms=AdmissionTerms(licences=("MIT",)))


def test_a_folder_is_checked_from_the_command_line(model: Path) -> None:
    good = CliRunner().invoke(models_group, ["check", str(model)])
    assert good.exit_code == 0
    assert good.output.endswith(f"{model}: a run may use it\n")
    (model / "lib.so").write_bytes(b"\x7fELF")
    bad = CliRunner().invoke(models_group, ["check", str(model)])
    assert "refused: " in bad.output
    assert "remove lib.so" in bad.output
    assert isinstance(bad.exception, ConfigError)


def test_a_site_allows_its_licences_only(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_MODEL_LICENCES", "MIT, Apache-2.0")
    assert admit(model).licence == "Apache-2.0"
    monkeypatch.setenv("SWATH_MODEL_LICENCES", "MIT")
    with pytest.raises(ConfigError, match=r"comb: licence: the site allows MIT, the manifest states 'Apache-2.0'; use another"):
        admit(model, called="comb")
