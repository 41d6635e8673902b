import json
from pathlib import Path
from typing import Any

import pytest

from swath.errors import ConfigError
from swath.inference.manifest import Manifest, read_manifest
from swath.product import Category

CLASSES = (
    Category(value=1, name="water", title="Water", rgb=(0, 0, 255)),
    Category(value=7, name="forest", title="Forest", rgb=(0, 128, 0)),
)


def manifest(**changes: Any) -> Manifest:
    given: dict[str, Any] = {
        "name": "landcover",
        "kind": "forest",
        "weights": "forest.npz",
        "bands": ("red", "nir08"),
        "of": "sr",
        "classes": CLASSES,
        "licence": "Apache-2.0",
        "metrics": {"accuracy": 0.97},
        "training": {"scenes": ["a"]},
        **changes,
    }
    return Manifest(**given)


def test_a_manifest_survives_its_file(tmp_path: Path) -> None:
    made = manifest(resolution_m=20.0, scale=2.0, offset=-0.1)
    (tmp_path / "manifest.json").write_text(made.to_json(), encoding="utf-8")
    assert read_manifest(tmp_path) == made


def test_the_file_names_bands_classes_and_colours_in_plain_words() -> None:
    plain = json.loads(manifest().to_json())
    assert plain["bands"] == ["red", "nir08"]
    assert plain["classes"][1] == {"value": 7, "name": "forest", "title": "Forest", "rgb": [0, 128, 0]}


def test_features_are_layers_in_the_order_of_the_bands() -> None:
    assert manifest().layers == ("sr:red", "sr:nir08")


def test_an_unknown_key_is_an_error_with_a_suggestion() -> None:
    plain = manifest().to_plain() | {"licences": "MIT"}
    with pytest.raises(ConfigError, match=r"unknown key 'licences' in a model manifest; did you mean 'licence'\?"):
        Manifest.from_plain(plain)


def test_an_unknown_key_of_a_class_is_an_error() -> None:
    plain = manifest().to_plain()
    plain["classes"][0]["colour"] = "blue"
    with pytest.raises(ConfigError, match="unknown key 'colour' in a class of a model manifest"):
        Manifest.from_plain(plain)


def test_a_missing_key_is_named() -> None:
    plain = manifest().to_plain()
    del plain["licence"]
    with pytest.raises(ConfigError, match=r"malformed.*licence"):
        Manifest.from_plain(plain)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": 2}', "{nope"])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"model manifest (is not JSON|must be a JSON object with format 1)"):
        Manifest.from_json(text)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "a/b"}, "one plain word"),
        ({"kind": "pickle"}, "kind must be forest or onnx, got 'pickle'"),
        ({"halo_px": 3}, "a forest decides by single pixels"),
        ({"kind": "onnx", "halo_px": 3}, "halo_px needs the key network"),
        ({"of": "bt"}, "of must be sr, toa or dn"),
        ({"weights": "../forest.npz"}, "plain file name"),
        ({"bands": ()}, "1 to 255 bands"),
        ({"bands": ("red", "red")}, "named twice"),
        ({"classes": CLASSES[:1]}, "2 to 255 classes"),
        ({"classes": (*CLASSES, Category(value=7, name="x", title="X"))}, "share a code"),
        ({"classes": (*CLASSES, Category(value=255, name="x", title="X"))}, "codes must be in 0..254"),
        ({"scale": 0.0}, "scale and offset"),
        ({"offset": float("nan")}, "scale and offset"),
        ({"halo_px": -1}, "halo_px"),
        ({"resolution_m": 0.0}, "resolution_m"),
        ({"licence": ""}, "licence must be stated"),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        manifest(**changes)


def test_a_directory_without_manifest_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no manifest\.json; a model directory holds"):
        read_manifest(tmp_path)
