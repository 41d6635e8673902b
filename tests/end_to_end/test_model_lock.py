"""Locks: a digest decides, whatever became of the alias, the tag or the registry."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.tiny_model import RECIPE, samples

from swath.cli.models import models_group
from swath.config import load_pipeline, prepare
from swath.errors import ConfigError
from swath.inference.loader import load_predictor
from swath.inference.lock import LockedModel, ModelLock
from swath.inference.model_store import ModelStore
from swath.inference.registry import Registry
from swath.training.draw import Drawn
from swath.training.train import train

DEAD = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of other tests are not on this machine."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    for name in ("MLFLOW_TRACKING_URI", "SWATH_MODELS", "SWATH_MODELS_LOCK"):
        monkeypatch.delenv(name, raising=False)


def drawn(seed: int) -> Drawn:
    return Drawn(samples=samples({"low": 0.1, "high": 0.4}, seed=seed), refused={})


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output whose registry has two versions; production means the first."""
    home = tmp_path_factory.mktemp("locks")
    registry = Registry.beside(home, uri=f"sqlite:///{home / 'models' / 'mlflow.db'}")
    train(drawn(0), recipe=RECIPE, registry=registry, alias="production")
    train(drawn(1), recipe=RECIPE, registry=registry)
    return home


@pytest.fixture
def home(two: Path, tmp_path: Path) -> Path:
    """A copy of it, as nothing was pinned yet. Artifacts are named by absolute paths: they are read where they are."""
    shutil.copytree(two / "models", tmp_path / "home" / "models", ignore=shutil.ignore_patterns("pinned"))
    return tmp_path / "home"


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "name: tiny\nsteps:\n  - toa\n  - landcover: {model: models:/tiny@production}\nassets: {required: [landcover]}\n"
    )
    return path


@pytest.fixture
def lock(home: Path, pipeline: Path, tmp_path: Path) -> Callable[..., Result]:
    def call(*words: str) -> Result:
        path = str(tmp_path / "models.lock")
        return CliRunner().invoke(models_group, ["lock", str(pipeline), "--lock", path, "--output", str(home), *words])

    return call


def registry_of(home: Path, **changes: Any) -> Registry:
    return replace(Registry.beside(home, uri=f"sqlite:///{home / 'models' / 'mlflow.db'}"), **changes)


def promote(home: Path, version: str) -> None:
    registry_of(home).promote("tiny", version=version, alias="production")


def test_an_alias_that_moves_changes_nothing_until_the_lock_is_updated(
    home: Path, lock: Callable[..., Result], pipeline: Path, tmp_path: Path
) -> None:
    first, second = (registry_of(home).resolve(f"tiny/{n}").digest for n in (1, 2))
    assert lock().output == f"tiny@production: locked tiny/1@sha256:{first}\n"
    promote(home, "2")
    held = registry_of(home, lock=ModelLock.read(tmp_path / "models.lock"))
    ready = prepare(load_pipeline(str(pipeline)), registry=held)
    assert ready.models["tiny"]["digest"] == first
    assert prepare(load_pipeline(str(pipeline)), registry=registry_of(home)).models["tiny"]["digest"] == second
    stays = f"tiny@production: stays tiny/1@sha256:{first}, although it means tiny/2@sha256:{second} now; --update takes that\n"
    assert lock().output == stays
    assert lock("--update").output == f"tiny@production: moved from tiny/1@sha256:{first} to tiny/2@sha256:{second}\n"
    assert lock().output == f"tiny@production: as locked, tiny/2@sha256:{second}\n"


def test_a_locked_model_runs_on_while_the_registry_is_down_and_the_run_says_so(
    home: Path, lock: Callable[..., Result], pipeline: Path, tmp_path: Path
) -> None:
    lock()
    held = ModelLock.read(tmp_path / "models.lock")
    down = replace(registry_of(home), uri=DEAD, lock=held)
    ready = prepare(load_pipeline(str(pipeline)), registry=down)
    assert ready.notes == (
        "model tiny 1: its lock named the digest, no registry was asked; taken from the cache of this machine",
    )
    with pytest.raises(ConfigError, match=rf"the model registry {DEAD} cannot answer \(tiny@production\)"):
        prepare(load_pipeline(str(pipeline)), registry=replace(down, lock=None))
    shutil.rmtree(home / "models" / "pinned")
    with pytest.raises(ConfigError, match=rf"the model registry {DEAD} cannot answer \(tiny/1\)"):
        prepare(load_pipeline(str(pipeline)), registry=down)
    store = ModelStore.at(str(tmp_path / "store"), create=True)
    store.export(registry_of(home).resolve("tiny/1"))
    shutil.rmtree(home / "models" / "pinned")
    ready = prepare(load_pipeline(str(pipeline)), registry=replace(down, exported=str(tmp_path / "store")))
    assert ready.notes[0].endswith(f"taken from {tmp_path / 'store'}")


def test_files_that_are_not_the_locked_ones_are_refused_though_every_tag_agrees(home: Path, pipeline: Path) -> None:
    """An attacker who can write the whole registry: another model under the same version."""
    other = registry_of(home).resolve("tiny/2").digest
    held = ModelLock(models={"tiny@production": LockedModel(name="tiny", version="1", digest="ab" * 32)})
    with pytest.raises(ConfigError, match=r"tiny@production: locked with digest abab.*, sqlite:.* now has .*find out who"):
        prepare(load_pipeline(str(pipeline)), registry=registry_of(home, lock=held))
    pinned = registry_of(home).resolve(f"tiny/2@sha256:{other}")
    assert (pinned.digest, pinned.version, pinned.by_lock) == (other, "2", True)
    with pytest.raises(ConfigError, match=rf"tiny/1@sha256:{'cd' * 32}: locked with digest"):
        registry_of(home).resolve(f"tiny/1@sha256:{'cd' * 32}")


def test_a_locked_copy_that_was_changed_is_not_used(home: Path, lock: Callable[..., Result], tmp_path: Path) -> None:
    lock()
    held = ModelLock.read(tmp_path / "models.lock")
    (copy,) = (home / "models" / "pinned").glob(held.models["tiny@production"].digest)
    (copy / "card.md").write_text("changed")
    with pytest.raises(ConfigError, match="the pinned copy was changed"):
        registry_of(home, lock=held).resolve("tiny@production")


def test_nothing_but_what_is_locked_is_accepted(home: Path, lock: Callable[..., Result], tmp_path: Path) -> None:
    lock()
    held = registry_of(home, lock=ModelLock.read(tmp_path / "models.lock"))
    with pytest.raises(ConfigError, match=r"tiny/2: .*models\.lock has no such reference, it has tiny@production"):
        held.resolve("tiny/2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "not a lock of models"),
        ("[]", "not a lock of models"),
        ('{"format": 2, "models": {}}', "format 2"),
        (json.dumps({"format": 1, "models": {"a@b": {"name": "a", "version": "1", "digest": "12"}}}), "digest of 64 hex digits"),
        (json.dumps({"format": 1, "models": {"a@b": {"name": "a"}}}), "not a lock of models"),
    ],
)
def test_a_broken_lock_is_told_with_its_path(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "broken.lock"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"broken\.lock: .*{said}"):
        ModelLock.read(path)
    with pytest.raises(ConfigError, match=r"none\.lock: there is no lock; `swath models lock PIPELINE --lock"):
        ModelLock.read(tmp_path / "none.lock")


def test_a_lock_reads_back_as_it_was_written(home: Path, lock: Callable[..., Result], tmp_path: Path) -> None:
    lock()
    held = ModelLock.read(tmp_path / "models.lock")
    assert held.to_text() == (tmp_path / "models.lock").read_text()
    assert held.models["tiny@production"].source.startswith("sqlite:///")
    assert os.linesep.encode() == (tmp_path / "models.lock").read_bytes()[-1:]


def test_an_alias_that_moves_while_a_run_works_changes_nothing_of_that_run(home: Path, pipeline: Path) -> None:
    """A run asks its registry once, before it starts; what its workers load is named by path and digest."""
    first, second = (registry_of(home).resolve(f"tiny/{n}").digest for n in (1, 2))
    running = prepare(load_pipeline(str(pipeline)), registry=registry_of(home))
    promote(home, "2")
    shutil.rmtree(home / "models" / "artifacts", ignore_errors=True)
    (home / "models" / "mlflow.db").unlink()
    model = running.models["tiny"]
    assert model["digest"] == first != second
    features = np.array([[0.1, 0.4], [0.1, 0.4]], dtype=np.float32)
    assert load_predictor(model["path"], model["digest"]).predict(features).argmax(axis=0).tolist() == [0, 1]
