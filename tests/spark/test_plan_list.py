"""What `swath plan --list` says of each asset, beside a run."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.cli.plan import changed_lines
from swath.config import load_pipeline, prepare
from swath.engine import product_plan
from swath.inference.registry import Registry
from swath.runs import estimate
from swath.runs.hands import OwnHands
from swath.runs.request import RunRequest
from swath.simulator.simulate import simulate

if TYPE_CHECKING:
    from tests.conftest import RunJob

pytestmark = pytest.mark.spark


def changes(output: Path, scene: Path, *, aot550: float | None = None, without: str = "") -> dict[str, Any]:
    """The list of changes for one scene, planned without a session."""
    plain = prepare(load_pipeline("surface-reflectance"), registry=Registry.beside(output)).plain
    pipeline = json.loads(json.dumps(plain))
    for step in pipeline["steps"]:
        if step["name"] == "smac" and aot550 is not None:
            step["parameters"]["aot550"] = aot550
    pipeline["assets"] = [a for a in pipeline["assets"] if a["layers"] != without]
    request = RunRequest(run_id="look", pipeline=pipeline, inputs=(str(scene),), output=str(output))

    def never() -> Any:
        pytest.fail("a session was asked for")

    seen = estimate.look(request, session=never, hands=OwnHands(cores=2), listing=True)
    assert len(seen["changes"]) == 1, seen["refused"]
    found: dict[str, Any] = seen["changes"][0]
    return found


def states(change: dict[str, Any]) -> dict[str, str]:
    """States by asset."""
    return {name: asset["state"] for name, asset in change["assets"].items()}


def test_each_asset_is_new_reused_changed_or_gone_and_the_change_is_named(
    tmp_path: Path, run_job: "RunJob", monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = simulate(kind="landsat9", folder=tmp_path / "in", size=96, clouds=0.0, truth=False).delivery
    output = tmp_path / "out"
    assert set(states(changes(output, scene)).values()) == {"new"}
    run_job("surface-reflectance", scene, output=output)

    same = changes(output, scene)
    assert same["state"] == "reused"
    assert next(iter(changed_lines([same]))).endswith(f"unchanged, {same['count']} assets")

    hazier = changes(output, scene, aot550=0.2)
    assert states(hazier)["red"] == "changed"
    assert states(hazier)["qa"] == "reused", "quality does not depend on aerosol"
    assert hazier["assets"]["red"]["why"] == "smac.aot550 (not set -> 0.2)"

    # Where the engine has changed too, an asset is not explained by a step that does not feed it.
    monkeypatch.setattr("swath.engine.keys.ENGINE", -1)
    product_plan._plan.cache_clear()
    other = changes(output, scene, aot550=0.3)["assets"]
    assert other["red"]["why"] == "smac.aot550 (not set -> 0.3)"
    assert other["qa"] == {"state": "changed", "why": "swath's engine, the grid, or how a band is delivered"}
    monkeypatch.undo()
    product_plan._plan.cache_clear()

    fewer = changes(output, scene, aot550=0.2, without="qa")
    assert states(fewer)["qa"] == "gone"
    lines = list(changed_lines([fewer]))
    assert lines[0].startswith("~ ")
    assert "    - qa" in lines


def delivered(folder: Path, *, clouds: float, updated: str) -> Path:
    """A delivery of one scene, processed on a day."""
    scene = simulate(kind="stac", folder=folder, size=64, clouds=clouds, truth=False).delivery
    item = next(scene.glob("*.json"))
    told = json.loads(item.read_text())
    told["properties"]["updated"] = updated
    item.write_text(json.dumps(told))
    return scene


def test_a_delivery_with_other_pixels_is_named(tmp_path: Path, run_job: "RunJob") -> None:
    output = tmp_path / "out"
    run_job("surface-reflectance", delivered(tmp_path / "first", clouds=0.0, updated="2029-01-01T00:00:00Z"), output=output)

    change = changes(output, delivered(tmp_path / "second", clouds=0.3, updated="2030-01-01T00:00:00Z"))

    assert change["state"] == "changed"
    assert change["assets"]["red"]["why"].startswith("the delivery (")
