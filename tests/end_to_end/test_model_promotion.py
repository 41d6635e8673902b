"""The gate: who may have an alias, who had it before, and what is kept of it; through a real MLflow registry."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score
from tests.tiny_model import RECIPE, key_pair, samples
from tests.tiny_model import swath_models as swath

from swath.errors import ConfigError
from swath.inference.loader import load_predictor
from swath.inference.promotion import Promotion, frozen_samples, promote
from swath.inference.registry import Registry
from swath.training.draw import Drawn
from swath.training.frozen import FrozenSamples, split_frozen
from swath.training.gate import Bounds, compare
from swath.training.train import Trained, train

FREEZING = replace(RECIPE, frozen=0.4)


@pytest.fixture(autouse=True)
def _own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("MLFLOW_TRACKING", "SWATH_MODEL"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is good, 2 confuses the classes now and then, 3 is another good one, 4 froze nothing."""
    home = tmp_path_factory.mktemp("gate")
    registry = Registry.beside(home)
    levels = ({"low": 0.1, "high": 0.4}, {"low": 0.37, "high": 0.43}, {"low": 0.1, "high": 0.4}, {"low": 0.1, "high": 0.4})
    for seed, level in enumerate(levels):
        drawn = Drawn(samples=samples(level, seed=seed, polygons=20, pixels=20), refused={})
        train(drawn, recipe=RECIPE if seed == 3 else FREEZING, registry=registry)
    return home


@pytest.fixture
def registry(home: Path) -> Registry:
    return Registry.beside(home)


@pytest.fixture
def good(registry: Registry, tmp_path: Path) -> Path:
    found = frozen_samples(registry, "tiny", "1", into=tmp_path)
    assert found is not None
    return found


def test_frozen_polygons_are_chosen_by_their_ids_alone_and_no_model_learns_them(registry: Registry, good: Path) -> None:
    drawn = samples({"low": 0.1, "high": 0.4}, seed=0, polygons=20, pixels=20)
    learned, frozen = split_frozen(drawn, share=0.4)
    assert set(learned["polygon_id"]) & set(frozen["polygon_id"]) == set()
    assert len(learned) + len(frozen) == len(drawn)
    half = drawn[drawn["polygon_id"].isin(drawn["polygon_id"].unique()[::2])]
    assert set(split_frozen(half, share=0.4)[1]["polygon_id"]) == set(half["polygon_id"]) & set(frozen["polygon_id"])
    kept = FrozenSamples.from_file(good)
    assert set(kept.polygons.tolist()) == set(frozen["polygon_id"])
    manifest = registry.resolve("tiny/1").manifest
    assert manifest.training["frozen_sha256"] == good.stem
    assert manifest.training["samples"] == len(learned)


def test_the_numbers_are_those_of_scikit_learn(registry: Registry, good: Path) -> None:
    kept = FrozenSamples.from_file(good)
    ours, theirs = registry.resolve("tiny/2"), registry.resolve("tiny/1")
    verdict = compare(ours, theirs, samples=kept, bounds=Bounds())
    probabilities = load_predictor(ours.path, ours.digest).predict(kept.features_for(ours.manifest))
    predicted = np.array(["low", "high"])[probabilities.argmax(axis=0)]
    numbers = verdict.numbers["challenger"]
    assert numbers["macro_f1"] == pytest.approx(f1_score(kept.labels, predicted, average="macro"))
    recalls = recall_score(kept.labels, predicted, average=None, labels=["high", "low"])
    assert [numbers["recall"][n] for n in ("high", "low")] == pytest.approx(recalls.tolist())
    confidence, right = probabilities.max(axis=0), predicted == kept.labels
    bins = [np.flatnonzero((confidence * 15).astype(int).clip(max=14) == b) for b in range(15)]
    expected = sum(abs(confidence[b].mean() - right[b].mean()) * b.size / right.size for b in bins if b.size)
    assert numbers["calibration_error"] == pytest.approx(expected, abs=1e-6)
    low, high = verdict.numbers["macro_f1_difference_interval"]
    assert low < verdict.numbers["macro_f1_difference"] < high < 0
    assert any("macro F1 falls by" in a for a in verdict.against)


def test_a_model_beside_itself_is_no_worse(registry: Registry, good: Path) -> None:
    model = registry.resolve("tiny/1")
    verdict = compare(model, model, samples=FrozenSamples.from_file(good), bounds=Bounds())
    assert (verdict.against, verdict.numbers["macro_f1_difference_interval"]) == ((), [0.0, 0.0])


def test_a_worse_model_is_refused_with_numbers_and_forced_only_with_a_reason(home: Path, registry: Registry, good: Path) -> None:
    assert swath("promote", "tiny", 1, "--output", home).startswith("tiny 1 (production): sha256")
    with pytest.raises(ConfigError, match=r"tiny 2 is not promoted: macro F1 falls by 0\.\d+, allowed 0\.01; .*--force REASON"):
        swath("promote", "tiny", 2, "--samples", good, "--output", home)
    assert registry.version_of("tiny", alias="production") == "1"
    told = swath("promote", "tiny", 2, "--samples", good, "--force", "a drill", "--output", home)
    assert "95 %" in told
    assert "polygons), calibration error" in told
    assert (registry.version_of("tiny", alias="production"), registry.version_of("tiny", alias="previous")) == ("2", "1")
    client = registry.client()
    version = client.get_model_version("tiny", "2")
    brief = json.loads(version.tags["promotion.production"])
    assert (brief["basis"], brief["forced"], brief["before"], brief["version"]) == ("forced", "a drill", "1", "2")
    assert brief["by"]
    (record,) = client.list_artifacts(str(version.run_id), "promotions")
    kept = json.loads(Path(client.download_artifacts(str(version.run_id), record.path)).read_text())
    assert kept["numbers"]["macro_f1_difference"] < 0
    assert swath("rollback", "tiny", "--because", "maps went wrong", "--output", home).startswith("tiny 1 (production)")
    assert (registry.version_of("tiny", alias="production"), registry.version_of("tiny", alias="previous")) == ("1", "2")
    brief = json.loads(client.get_model_version("tiny", "1").tags["promotion.production"])
    assert (brief["basis"], brief["forced"]) == ("rollback", "maps went wrong")


def test_a_model_that_is_as_good_is_promoted_on_its_own_frozen_samples(home: Path, registry: Registry) -> None:
    registry.promote("tiny", version="1", alias="as-good")
    told = swath("promote", "tiny", 3, "--alias", "as-good", "--output", home)
    assert told.startswith("tiny 3 beside 1, frozen samples ")
    assert registry.version_of("tiny", alias="previous-as-good") == "1"
    registry.promote("tiny", version="4", alias="unfair")
    told = swath("promote", "tiny", 3, "--alias", "unfair", "--output", home)
    assert "note: version 4 froze fewer polygons: it may have learned some of these, which favours it" in told


def test_without_frozen_samples_nothing_is_compared_and_nothing_promoted(home: Path, registry: Registry) -> None:
    registry.promote("tiny", version="1", alias="bare")
    with pytest.raises(ConfigError, match="tiny 4 has no frozen samples to be judged on beside version 1: train with `frozen: 0"):
        swath("promote", "tiny", 4, "--alias", "bare", "--output", home)
    told = swath("promote", "tiny", 4, "--alias", "bare", "--force", "nothing to compare", "--output", home)
    assert told.startswith("tiny 4 is not compared with version 1: it has no frozen samples (--force)")
    (home / "broken.npz").write_bytes(b"none")
    with pytest.raises(ConfigError, match=r"broken\.npz: no frozen samples in it"):
        swath("promote", "tiny", 1, "--alias", "bare", "--samples", home / "broken.npz", "--output", home)


def test_training_asks_the_gate_and_a_refused_version_stays_registered_without_the_alias(tmp_path: Path) -> None:
    registry = Registry.beside(tmp_path)

    def trained(level: float, *, seed: int) -> Trained:
        drawn = Drawn(samples=samples({"low": level, "high": 0.43}, seed=seed, polygons=20, pixels=20), refused={})
        return train(drawn, recipe=FREEZING, registry=registry, alias="production")

    first, again, worse = trained(0.1, seed=0), trained(0.1, seed=0), trained(0.41, seed=1)
    assert (first.not_promoted, again.not_promoted) == ("", "")
    assert (first.model.aliases, again.model.aliases) == (("production",), ("production",))
    assert worse.not_promoted.startswith("tiny 3 is not promoted: recall of high falls by 0.")
    assert worse.not_promoted.endswith("; `swath models promote tiny 3` with --force REASON promotes it")
    assert worse.plain()["not_promoted"] == worse.not_promoted
    assert [(m.version, m.aliases) for m in registry.list("tiny")] == [("3", ()), ("2", ("production",)), ("1", ("previous",))]
    tags = [registry.client().get_model_version("tiny", v).tags for v in ("1", "2", "3")]
    assert [json.loads(t.get("promotion.production", "{}")).get("basis") for t in tags] == ["first", "same", None]


def test_a_model_without_reference_rows_gets_an_alias_by_force_alone(registry: Registry, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(registry.resolve("tiny/1").path, bare)
    (bare / "reference.npz").unlink()
    home = tmp_path / "home"
    swath("register", bare, "--output", home)
    with pytest.raises(ConfigError, match=r"tiny 1 has no reference\.npz: nothing proves the order .* with --force REASON"):
        swath("promote", "tiny", 1, "--output", home)
    swath("promote", "tiny", 1, "--force", "made by hand", "--output", home)
    tags = Registry.beside(home).client().get_model_version("tiny", "1").tags
    assert json.loads(tags["promotion.production"])["basis"] == "forced"


def test_a_bundle_brings_its_frozen_samples_and_is_judged_where_it_arrives(home: Path, tmp_path: Path) -> None:
    """Version 1 has the alias at the second site; 3 is as good, 2 is not."""
    private, public = key_pair(tmp_path, "key")
    for version in (1, 2, 3):
        bundle = tmp_path / f"{version}.tar"
        swath("export", f"tiny/{version}", "--bundle", bundle, "--sign-key", private, "--output", home)

    def arrives(version: int, *words: str) -> str:
        given = ("--bundle", tmp_path / f"{version}.tar", "--key", public, "--alias", "production", "--downgrade", *words)
        return swath("import", *given, "--output", tmp_path / "site")

    assert arrives(1).startswith("tiny 1 (production)")
    with pytest.raises(ConfigError, match=r"tiny 2 was imported without the alias production: .* not promoted: .* falls"):
        arrives(2)
    assert "tiny 3 beside 1, frozen samples" in arrives(3)
    assert "beside 3" in arrives(2, "--force", "a drill")
    tags = Registry.beside(tmp_path / "site").client().get_model_version("tiny", "2").tags
    assert json.loads(tags["promotion.production"])["forced"] == "a drill"


def test_two_promotions_at_once_do_not_overwrite_each_other(registry: Registry) -> None:
    registry.promote("tiny", version="1", alias="race")
    judged = Promotion(name="tiny", version="3", alias="race", basis="compared", before="1")
    registry.promote("tiny", version="4", alias="race")
    with pytest.raises(ConfigError, match="tiny@race moved from version 1 to 4 while version 3 was judged: promote again"):
        promote(registry, judged)


def test_there_is_nothing_to_go_back_to_before_the_first_move(home: Path, registry: Registry) -> None:
    registry.promote("tiny", version="1", alias="first")
    with pytest.raises(ConfigError, match="tiny has no alias previous-first: tiny@first was never moved"):
        swath("rollback", "tiny", "--alias", "first", "--output", home)
