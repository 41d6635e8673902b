"""Kinds of predictors, and the one of docs/extending.md."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from swath.errors import ConfigError
from swath.grid import Window
from swath.inference import kinds
from swath.inference.admission import AdmissionTerms, findings_of
from swath.inference.loader import predictor_of
from swath.inference.manifest import Manifest
from swath.place import Place
from swath.product import Category

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "extending.md"
MANIFEST = {
    "name": "smoothed", "kind": "smoothed", "weights": "weights.json", "bands": ("red",), "of": "toa", "licence": "MIT",
    "halo_px": 1,
    "classes": (Category(value=0, name="dark", title="Dark"), Category(value=1, name="bright", title="Bright")),
}  # fmt: skip


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the guide, as an installation leaves it."""
    _, _, chapter = GUIDE.read_text(encoding="utf-8").partition("## A predictor\n")
    code, toml = (re.search(rf"```{kind}\n(.*?)```", chapter, re.DOTALL) for kind in ("python", "toml"))
    assert code
    assert toml
    ((group, points),) = tomllib.loads(toml[1])["project"]["entry-points"].items()
    (tmp_path / "our_package").mkdir()
    (tmp_path / "our_package" / "smoothed.py").write_text(code[1], encoding="utf-8")
    (tmp_path / "our_package-1.dist-info").mkdir()
    (tmp_path / "our_package-1.dist-info" / "METADATA").write_text("Name: our-package\nVersion: 1\n", encoding="utf-8")
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (tmp_path / "our_package-1.dist-info" / "entry_points.txt").write_text(f"[{group}]\n{lines}", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    kinds._targets.cache_clear()
    yield
    kinds._targets.cache_clear()
    for name in [n for n in sys.modules if n.startswith("our_package")]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_the_predictor_of_the_guide_gives_the_same_answers_for_any_cut(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    manifest = Manifest(**MANIFEST)  # type: ignore[arg-type]
    (model / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (model / "weights.json").write_text('{"threshold": 0.3}', encoding="utf-8")
    (model / "card.md").write_text("# Smoothed\n", encoding="utf-8")
    assert [f.check for f in findings_of(model, terms=AdmissionTerms())] == ["reference"]
    predictor = predictor_of(model, manifest)
    scene = np.random.default_rng(0).uniform(0.0, 0.6, (1, 40, 30)).astype(np.float32)
    whole, grid = predictor.predict(scene), Window(0, 0, 40, 30)
    assert 0 < whole[1].sum() < whole[1].size
    for wanted in (Window(0, 0, 7, 30), Window(7, 4, 11, 13), Window(39, 29, 1, 1)):
        given = wanted.pad(1).clip(grid)
        part = predictor.predict(scene[:, *grid.slices_of(given)], place=Place(given=given, wanted=wanted, grid=grid))
        assert np.array_equal(part, whole[:, *grid.slices_of(wanted)])


def test_a_kind_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"no kind of predictor 'forrest'; kind must be forest or onnx.*did you mean 'forest'"):
        kinds.kind_of("forrest")


def test_a_plug_in_may_not_take_the_name_of_a_kind_of_swath(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "theirs-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: theirs\nVersion: 1\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text("[swath.predictors]\nonnx = theirs:KIND\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    kinds._targets.cache_clear()
    with pytest.raises(ConfigError, match="'theirs:KIND' takes the name of swath's own kind of predictor 'onnx'"):
        kinds.unknown_kind("smoothed")
    kinds._targets.cache_clear()
