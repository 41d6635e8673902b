"""What a strip counts of its models' features, and what a challenger says beside the model in use; without Spark."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from tests.faults.whole_product import MADE, Maker
from tests.tiny_model import BANDS, RECIPE, samples

from swath.config import ReadyPipeline, load_pipeline, prepare
from swath.engine.child.tasks import perform
from swath.engine.feature_counts import merged
from swath.errors import ConfigError
from swath.inference.digest import model_digest
from swath.inference.reference import read_reference
from swath.inference.registry import Registry
from swath.training.train import judge, write_model

PIPELINE = {
    "name": "maps",
    "assets": {"required": ["toa:red", "toa:nir08", "landcover"], "optional": ["landcover_probability"]},
}


@dataclass
class Here:
    """Answers in this process; keeps what strips counted."""

    features: list[dict[str, Any]]

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = perform(request)
        if request["op"] == "strip":
            self.features.append(answer["features"])
        return answer


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models of one name that part the near infrared at other places."""
    home = tmp_path_factory.mktemp("models")
    for number, levels in enumerate(((0.05, 0.25), (0.2, 0.45))):
        drawn = samples({"low": levels[0], "high": levels[1]}, seed=number, polygons=4, pixels=20)
        judgement = judge(drawn, recipe=RECIPE)
        manifest = RECIPE.manifest(metrics=judgement.flat(), training={})
        write_model(home / str(number), drawn, recipe=RECIPE, manifest=manifest, judgement=judgement)
    return home / "0", home / "1"


@pytest.fixture(scope="module")
def delivery(tall_scene: Callable[..., Path]) -> Path:
    """87 columns and 609 rows."""
    return tall_scene("landsat9", side=87, copies=7)


def ready(folder: Path, **parameters: object) -> ReadyPipeline:
    path = folder / "maps.yaml"
    path.write_text(yaml.safe_dump({**PIPELINE, "steps": ["toa", {"landcover": parameters}]}), encoding="utf-8")
    return prepare(load_pipeline(str(path)), registry=Registry.beside(folder))


@dataclass(frozen=True)
class Made:
    item: dict[str, Any]
    folder: Path
    features: dict[str, dict[str, list[int]]]

    def pixels(self, asset: str) -> Any:
        with rasterio.open(self.folder / self.item["assets"][asset]["href"]) as source:
            return source.read(1)


def made(folder: Path, delivery: Path, *, rows: int | None = None, **parameters: object) -> Made:
    folder.mkdir()
    told, here = ready(folder, **parameters), Here(features=[])
    plain = json.dumps(dict(told.plain))
    maker = Maker(child=here, pipeline=plain, models=dict(told.models), output=folder, strip_rows=rows)  # type: ignore[arg-type]
    kind, path = maker.make(str(delivery))
    assert kind == MADE, path
    item = folder / path
    return Made(json.loads(item.read_bytes()), item.parent, merged(tuple(here.features)))


@pytest.fixture(scope="module")
def shadowed(models: tuple[Path, Path], delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("m") / "shadow", delivery, rows=512, model=str(models[0]), shadow=str(models[1]))


@pytest.fixture(scope="module")
def plain(models: tuple[Path, Path], delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    home = tmp_path_factory.mktemp("m")
    return made(home / "a", delivery, model=str(models[0])), made(home / "b", delivery, model=str(models[1]))


def test_counts_are_those_of_the_pixels_whatever_the_cut(shadowed: Made, plain: tuple[Made, Made], models: Any) -> None:
    for own, folder in zip(plain, models, strict=True):
        digest = model_digest(folder)
        assert own.features[digest] == shadowed.features[digest]
        reference = read_reference(folder)
        assert reference is not None
        assert reference.edges is not None
        for number, band in enumerate(BANDS):
            stored = own.pixels(band)
            # Assets are rounded to 1e-4: pixels within that of an edge may be in the next bin.
            physical, edges = stored[stored != -9999] * 1e-4, reference.edges[number]
            expected = np.bincount(np.searchsorted(edges, physical, side="left"), minlength=edges.size + 1)
            found = np.array(own.features[digest][f"toa:{band}"])
            near = (np.abs(physical[:, np.newaxis] - edges).min(axis=1) <= 1e-4).sum()
            assert found.sum() == expected.sum()
            assert np.abs(found - expected).sum() <= 2 * near < found.sum()


def test_a_shadow_changes_no_key_and_no_byte_of_the_map_in_use(shadowed: Made, plain: tuple[Made, Made]) -> None:
    for name, asset in plain[0].item["assets"].items():
        if "swath:key" in asset:
            other = shadowed.item["assets"][name]
            assert (asset["swath:key"], asset["file:checksum"]) == (other["swath:key"], other["file:checksum"]), name
    assert "landcover_disagreement" not in plain[0].item["assets"]


def test_the_disagreement_map_holds_the_pairs_of_both_maps(shadowed: Made, plain: tuple[Made, Made], models: Any) -> None:
    champion, challenger = (p.pixels("landcover") for p in plain)
    expected = np.where(champion == 255, 255, (champion - 1) * 2 + (challenger - 1))
    found = shadowed.pixels("landcover_disagreement")
    assert np.array_equal(found, expected)
    assert np.unique(found).size > 2
    asset = shadowed.item["assets"]["landcover_disagreement"]
    assert asset["swath:model"] == model_digest(models[1])
    names = [c["name"] for c in asset["classification:classes"]]
    assert names == ["low__low", "low__high", "high__low", "high__high"]


def test_a_challenger_that_is_not_there_is_noted_and_the_rest_goes_on(models: tuple[Path, Path], tmp_path: Path) -> None:
    told = ready(tmp_path, model=str(models[0]), shadow="tiny@challenger")
    assert told.notes[-1] == "no shadow of landcover: no model tiny@challenger could be resolved when the run was planned"
    assert told.plain == ready(tmp_path, model=str(models[0])).plain


def test_the_step_of_a_challenger_alone_is_refused(models: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "alone.yaml"
    path.write_text(
        yaml.safe_dump({**PIPELINE, "steps": ["toa", {"landcover_shadow": {"model": str(models[0])}}]}), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"landcover_shadow goes with landcover: write `landcover: \{model: ..., shadow:"):
        prepare(load_pipeline(str(path)), registry=Registry.beside(tmp_path))
