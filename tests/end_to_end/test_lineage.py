"""What a run and an ingest leave as lineage, through the commands' own code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from swath.engine.child.parent import Limits
from swath.errors import ConfigError
from swath.runs.ingest import IngestRequest
from swath.runs.ingest_job import ingest_job
from swath.simulator.simulate import simulate

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.spark, pytest.mark.slow]
pytest.importorskip("openlineage.client", reason="openlineage-python is an extra: pip install 'swath[lineage]'")


def events(output: Path, run_id: str) -> list[dict[str, Any]]:
    lines = (output / f"reports/{run_id}.openlineage.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_run_and_an_ingest_say_what_they_read_and_made(
    spark: "SparkSession", run_job: Callable[..., "RunSummary"], tmp_path: Path
) -> None:
    delivery = Path(simulate(kind="landsat9", folder=tmp_path / "scenes", size=64, seed=3, truth=False).delivery)
    output = tmp_path / "out"
    summary = run_job("toa", delivery, output=output, run_id="first")
    start, complete = events(output, "first")
    assert (start["eventType"], complete["eventType"], complete["job"]["name"]) == ("START", "COMPLETE", "process.toa")
    (product,) = summary.products
    (scene,) = complete["inputs"]
    assert (scene["name"], scene["facets"]["version"]["datasetVersion"]) == (product.scene_id, product.scene_digest)
    assert complete["outputs"][0]["name"] == f"{output}/collections/{product.collection}"
    assert complete["run"]["facets"]["processing_engine"]["name"] == "Spark"
    assert complete["run"]["facets"]["swath_account"]["scenes"] == {"in": 1, "made": 1, "skipped": 0, "quarantined": 0}
    ingest_job(spark, IngestRequest(run_id="taken", inputs=(str(delivery),), limits=Limits()), output=str(output))
    assert events(output, "taken")[1]["outputs"][0]["name"] == f"{output}/tables/scenes"
    with pytest.raises(ConfigError, match="empty"):
        ingest_job(spark, IngestRequest(run_id="none", inputs=(str(tmp_path / "empty"),), limits=Limits()), output=str(output))
    assert [e["eventType"] for e in events(output, "none")] == ["START", "FAIL"]
