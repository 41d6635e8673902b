"""A run with a challenger beside the model in use: what both said is in the result, in the report and with the challenger."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from mlflow.artifacts import download_artifacts
from tests.tiny_model import RECIPE, samples

from swath.inference.registry import Registry
from swath.simulator.simulate import simulate
from swath.training.draw import Drawn
from swath.training.train import train

if TYPE_CHECKING:
    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.slow]
PIPELINE = {
    "name": "maps",
    "steps": ["toa", {"landcover": {"model": "tiny@production", "shadow": "tiny/2"}}],
    "assets": {"required": ["landcover"], "optional": ["landcover_probability"]},
}


@pytest.fixture(scope="module")
def done(run_job: Callable[..., "RunSummary"], tmp_path_factory: pytest.TempPathFactory) -> tuple["RunSummary", Path, list[str]]:
    home = tmp_path_factory.mktemp("shadow")
    output = home / "out"
    registry = Registry.beside(output)
    for number, levels in enumerate(((0.05, 0.25), (0.2, 0.45))):
        drawn = Drawn(samples=samples({"low": levels[0], "high": levels[1]}, seed=number), refused={})
        train(
            drawn,
            recipe=replace(RECIPE, calibration="temperature"),
            registry=registry,
            alias="production" if not number else None,
        )
    delivery = simulate(kind="landsat9", folder=home / "scenes", size=128, seed=3, truth=False).delivery
    (home / "maps.yaml").write_text(yaml.safe_dump(PIPELINE), encoding="utf-8")
    said: list[str] = []

    class Told:
        def say(self, text: str) -> None:
            said.append(text)

        def wave(self, *_: Any) -> None: ...

        def stage(self, *_: Any) -> None: ...

    return run_job(str(home / "maps.yaml"), delivery, output=output, told=Told()), output, said


def test_the_result_has_the_confusion_and_the_cpu_of_both(done: tuple["RunSummary", Path, list[str]]) -> None:
    summary, output, said = done
    (shadow,) = summary.shadows
    assert (shadow.champion.version, shadow.challenger.version) == ("1", "2")
    landcover = next(a for p in summary.products for a in p.assets if a.name == "landcover")
    assert shadow.pixels == landcover.statistics.valid
    assert [sum(row) for row in shadow.confusion] == [landcover.statistics.histogram.get(c, 0) for c in (1, 2)]
    assert 0.0 < (shadow.agreement or 0.0) < 1.0
    assert {"landcover", "landcover_shadow", "drift"} <= summary.step_cpu_s.keys()
    told = json.loads(summary.to_json())
    assert told["shadows"][0]["agreement"] == shadow.agreement
    page = (output / summary.report).read_text(encoding="utf-8")
    assert "as the shadow of 1" in page
    assert "beside its training data" in page
    assert any(line.startswith("challenger tiny 2 agrees with 1 on") and line.endswith("kept in its MLflow run") for line in said)


def test_the_challengers_run_in_mlflow_has_it(done: tuple["RunSummary", Path, list[str]]) -> None:
    summary, output, _ = done
    registry = Registry.beside(output)
    client = registry.client()
    run_id = str(client.get_model_version("tiny", "2").run_id)
    assert client.get_run(run_id).data.metrics["shadow.agreement"] == summary.shadows[0].agreement
    source = f"runs:/{run_id}/shadow/{summary.run_id}.json"
    kept = json.loads(Path(download_artifacts(source, tracking_uri=registry.uri)).read_bytes())
    assert kept["confusion"] == [list(row) for row in summary.shadows[0].confusion]
    assert kept["run_id"] == summary.run_id
    figures = {"reliability.json", "reliability.png", "confusion.json", "confusion.png"}
    assert figures <= {a.path for a in client.list_artifacts(run_id)}


def test_the_map_has_areas_and_the_disagreement_map_none(done: tuple["RunSummary", Path, list[str]]) -> None:
    (product,) = done[0].products
    assert set(product.areas) == {"landcover"}
    counts = next(a.statistics for a in product.assets if a.name == "landcover").histogram
    assert [round(a.mapped_ha / 0.09) for a in product.areas["landcover"]] == [counts.get(c, 0) for c in (1, 2)]
    assert sum(a.estimated_ha for a in product.areas["landcover"]) == pytest.approx(sum(counts.values()) * 0.09)


def test_drift_is_in_the_result_the_metrics_and_the_notes(done: tuple["RunSummary", Path, list[str]]) -> None:
    summary, output, _ = done
    (champion, challenger) = summary.drift
    assert champion.psi is not None
    assert champion.psi > 0.25  # a scene is no pair of levels
    assert any("model tiny 1: drift: PSI of" in note for note in summary.notes)
    assert challenger.classes == {}
    lines = (output / f"reports/{summary.run_id}.metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["model_psi"] == pytest.approx(max(d.psi or 0 for d in summary.drift), abs=1e-3)
    assert json.loads(lines[0])["model_psi"] is None
