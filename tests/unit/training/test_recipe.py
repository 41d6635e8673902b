from pathlib import Path
from typing import Any

import pytest

from swath.errors import ConfigError
from swath.training.recipe import TrainingRecipe

ROOT = Path(__file__).resolve().parents[3]


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "name": "landcover",
        "title": "Land cover",
        "licence": "Apache-2.0",
        "features": {"of": "toa", "bands": ["red", "nir08"]},
        "classes": [{"value": 1, "name": "a", "title": "A"}, {"value": 2, "name": "b", "title": "B", "rgb": [1, 2, 3]}],
        **changes,
    }


@pytest.mark.parametrize("path", sorted(ROOT.glob("models/*/recipe.yaml")), ids=lambda p: p.parent.name)
def test_the_recipes_that_come_with_swath_can_be_read(path: Path) -> None:
    recipe = TrainingRecipe.read(path)
    assert recipe.name == path.parent.name
    assert len(recipe.manifest().classes) >= 4


def test_the_manifest_promises_what_the_recipe_asks_for() -> None:
    manifest = TrainingRecipe.of(plain()).manifest(metrics={"accuracy": 1.0})
    assert manifest.layers == ("toa:red", "toa:nir08")
    assert manifest.classes[1].rgb == (1, 2, 3)
    assert manifest.metrics == {"accuracy": 1.0}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clases": []}, r"recipe: unknown key 'clases'; did you mean 'classes'\?"),
        ({"features": {"of": "toa", "band": ["red"]}}, r"features: unknown key 'band'; did you mean 'bands'\?"),
        ({"features": ["red"]}, "features: expected keys and values"),
        ({"forest": {"leafs": 3}}, r"forest: unknown key 'leafs'; did you mean 'leaves'\?"),
        ({"forest": {"leaves": 1}}, "leaves >= 2"),
        ({"features": {"of": "radiance", "bands": ["red"]}}, "of must be sr, toa or dn"),
        ({"splits": 0}, "splits >= 1"),
        ({"held_out": 1.0}, "held_out < 1"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        TrainingRecipe.of(plain(**changes))


def test_a_missing_key_is_named() -> None:
    given = plain()
    del given["licence"]
    with pytest.raises(ConfigError, match=r"incomplete or malformed.*licence"):
        TrainingRecipe.of(given)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("a: [", encoding="utf-8")
    for path in (tmp_path / "recipe.yaml", tmp_path / "missing.yaml"):
        with pytest.raises(ConfigError, match=f"{path.name}: the training recipe cannot be read"):
            TrainingRecipe.read(path)
