"""Nothing is made twice: known files are linked, published products adopted, and the account says so."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from swath.errors import AccountError, InfrastructureError
from swath.ledger.delta import DeltaTables
from swath.report.summary import RunSummary
from swath.runs.commit import Ledger

# A run takes seconds on a machine of its own, minutes on one that is busy.
pytestmark = [pytest.mark.spark, pytest.mark.timeout(1200)]
RunJob = Callable[..., RunSummary]
Maps = Callable[[Path], str]
MAPPED = {"landcover", "landcover_probability"}


def assets(summary: RunSummary) -> dict[str, Any]:
    (product,) = summary.products
    return {a.name: a for a in product.assets}


def files(output: Path) -> dict[str, tuple[int, bytes]]:
    found = sorted(p for p in (output / "products").rglob("*") if p.is_file())
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in found}


def item(output: Path) -> dict[str, Any]:
    (path,) = (output / "products").rglob("*.json")
    loaded: dict[str, Any] = json.loads(path.read_bytes())
    return loaded


class Saboteur:
    """Removes files once the plan stands: whoever reads them fails."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths

    def wave(self, number: int, waves: int, products: int) -> None:
        for path in self._paths:
            path.unlink()

    def stage(self, name: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Changed:
    """An output before and after a run with another model, and what both runs told."""

    output: Path
    first: RunSummary
    second: RunSummary
    before: dict[str, tuple[int, bytes]]
    item_before: dict[str, Any]


@pytest.fixture(scope="module")
def mapped(
    run_job: RunJob, delivery: Path, maps: Maps, models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RunSummary]:
    """The output of one run with the first model, which nobody may change, and what the run told."""
    output = tmp_path_factory.mktemp("mapped") / "out"
    return output, run_job(maps(models[0]), delivery, output=output)


@pytest.fixture(scope="module")
def changed(
    run_job: RunJob,
    mapped: tuple[Path, RunSummary],
    delivery: Path,
    maps: Maps,
    models: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Changed:
    """After it a run with the second model, for which only the bands that the model needs can be read."""
    home = tmp_path_factory.mktemp("changed")
    output = Path(shutil.copytree(mapped[0], home / "out"))
    scene = Path(shutil.copytree(delivery, home / "scenes" / delivery.name))
    others = [p for p in scene.glob("*.TIF") if p.stem.rsplit("_", 1)[-1] not in {"B4", "B5"}]
    before, item_before = files(output), item(output)
    second = run_job(maps(models[1]), scene, output=output, told=Saboteur(*others))
    return Changed(output=output, first=mapped[1], second=second, before=before, item_before=item_before)


@pytest.fixture
def output(changed: Changed, tmp_path: Path) -> Path:
    """A copy of that output."""
    return Path(shutil.copytree(changed.output, tmp_path / "out"))


def test_another_model_remakes_its_maps_alone(changed: Changed) -> None:
    first, second, before = changed.first, changed.second, changed.before
    assert (first.assets.made, first.assets.skipped) == (len(assets(first)), 0)
    assert (second.scenes.made, second.quarantine) == (1, ())
    assert (second.assets.made, second.assets.skipped) == (2, second.assets.taken_in - 2)
    was, now = assets(first), assets(second)
    assert {n for n in now if now[n].key != was[n].key} == MAPPED
    after = files(changed.output)
    assert [n for n in before if after[n] != before[n] and not n.endswith(".json")] == []
    assert {n.split(".")[2] for n in after.keys() - before.keys()} == MAPPED | {"landcover_picture"}
    kept = item(changed.output)["assets"]["thumbnail"]["href"].removeprefix("./")
    assert kept in before
    assert {n: now[n].statistics for n in was if n not in MAPPED} == {n: was[n].statistics for n in was if n not in MAPPED}


def test_going_back_to_the_first_model_makes_no_file(
    run_job: RunJob, changed: Changed, output: Path, delivery: Path, scene: Path, maps: Maps, models: tuple[Path, Path]
) -> None:
    # The scene lies elsewhere now, and the item says where.
    told = json.loads(json.dumps(changed.item_before).replace(str(delivery), str(scene)))
    assert item(output)["assets"] != told["assets"]
    before = files(output)
    third = run_job(maps(models[0]), scene, output=output, told=Saboteur(*scene.glob("*.TIF")))
    assert (third.scenes.made, third.assets.made, third.assets.skipped) == (1, 0, third.assets.taken_in)
    assert item(output) == told
    after = files(output)
    assert [n for n in after if after[n] != before[n] and not n.endswith(".json")] == []


def test_a_lost_file_is_made_again_and_the_others_are_not(
    run_job: RunJob, changed: Changed, output: Path, delivery: Path, maps: Maps, models: tuple[Path, Path]
) -> None:
    red = next((output / "products").rglob(assets(changed.first)["red"].href))
    content = red.read_bytes()
    red.write_bytes(content[:-1])
    third = run_job(maps(models[0]), delivery, output=output)
    assert (third.assets.made, third.assets.skipped) == (1, third.assets.taken_in - 1)
    assert red.read_bytes() == content


def test_what_was_published_but_not_recorded_is_adopted(
    run_job: RunJob,
    mapped: tuple[Path, RunSummary],
    delivery: Path,
    maps: Maps,
    models: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output, whole, scene = tmp_path / "out", mapped[1], delivery

    def killed(*_: Any, **__: Any) -> None:
        msg = "killed between publish and commit"
        raise RuntimeError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "commit", killed)
        with pytest.raises(InfrastructureError, match="killed between publish and commit"):
            run_job(maps(models[0]), scene, output=output)
    before = files(output)
    second = run_job(maps(models[0]), scene, output=output)
    assert (second.scenes.made, second.assets.made, second.assets.skipped) == (1, 0, second.assets.taken_in)
    after = files(output)
    assert {n: b for n, (_, b) in after.items()} == {n: b for n, (_, b) in before.items()}
    assert [n for n in after if after[n] != before[n] and not n.endswith(".json")] == []
    assert assets(second) == assets(whole)
    third = run_job(maps(models[0]), scene, output=output)
    assert (third.scenes.made, third.scenes.skipped) == (0, 1)


def test_a_commit_that_is_not_in_the_log_is_an_account_that_does_not_balance(
    run_job: RunJob, delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DeltaTables._see

    def overwritten(self: DeltaTables, name: str, *, application: str, wave: int) -> None:
        real(self, name, application=f"{application}-of-another-driver", wave=wave)

    monkeypatch.setattr(DeltaTables, "_see", overwritten)
    with pytest.raises(
        AccountError,
        match=r"table scenes: expected transaction .* got none. Either this store .* late .* or another driver",
    ):
        run_job("toa", delivery, output=tmp_path / "out")
