"""Events of OpenLineage: valid by the published schemas, a file beside the report, never the end of a job."""

import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from swath.errors import ConfigError, StoppedError
from swath.lineage.emit import lineage_of, lineage_path
from swath.lineage.job import DatasetVersion, LineageJob, Touched, placed
from swath.product import ModelRef

pytest.importorskip("openlineage.client", reason="openlineage-python is an extra: pip install 'swath[lineage]'")
HERE = Path(__file__).parent / "schemas"
OWN = Path(__file__).resolve().parents[3] / "lib" / "swath" / "lineage" / "schemas"
TOUCHED = Touched(
    inputs=(DatasetVersion(namespace="scenes", name="LC09", version="ab" * 32),),
    outputs=(DatasetVersion(namespace="s3://bucket", name="out/collections/ard", version="run-1"),),
    models=(ModelRef(name="landcover", version="3", digest="cd" * 32),),
    counts={"in": 2, "made": 1, "skipped": 0, "quarantined": 1},
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)


def job(output: Path, **changes: Any) -> LineageJob:
    return LineageJob(kind="process", name="ard", run_id="run-1", output=str(output), **changes)


def events(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / lineage_path("run-1")).read_text(encoding="utf-8").splitlines()]


def published() -> tuple[dict[str, Any], Registry[Any]]:
    """The core schema, and a registry that knows it by every version that a facet names."""
    core = json.loads((HERE / "OpenLineage.json").read_bytes())
    core["$defs"] = core["definitions"]
    known = {f"https://openlineage.io/spec/{v}/OpenLineage.json": core for v in ("1-0-1", "1-0-2", "1-0-3")}
    resources = [(uri, Resource.from_contents(schema)) for uri, schema in known.items()]
    return core, Registry().with_resources(resources)


def ended_by(error: BaseException, output: Path) -> None:
    """A job that began and ends by an error."""
    with lineage_of(job(output), say=pytest.fail) as lineage:
        lineage.begin()
        raise error


def facets(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    places = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for place in places:
        yield from place.get("facets", {}).items()


def problems(event: dict[str, Any]) -> list[str]:
    """What the schemas say against an event and each of its facets."""
    core, registry = published()
    check = {"format_checker": Draft202012Validator.FORMAT_CHECKER, "registry": registry}
    found = [e.message for e in Draft202012Validator(core, **check).iter_errors(event)]
    by_name = {p.stem: json.loads(p.read_bytes()) for p in (*HERE.glob("*Facet.json"), *OWN.glob("*.json"))}
    for name, facet in facets(event):
        schema = next(
            (s for n, s in by_name.items() if f"{n}.json" in facet["_schemaURL"] or f":{n}:" in facet["_schemaURL"]), None
        )
        if schema is None:
            assert name == "jobType", name
            continue
        told = {name: facet} if "properties" in schema else facet
        found += [f"{name}: {e.message}" for e in Draft202012Validator(schema, **check).iter_errors(told)]
    return found


def test_a_job_that_ends_well_starts_and_completes(tmp_path: Path) -> None:
    with lineage_of(job(tmp_path), say=pytest.fail) as lineage:
        lineage.begin()
        lineage.touched(TOUCHED)
    start, complete = events(tmp_path)
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert [problems(e) for e in (start, complete)] == [[], []]
    assert start["run"]["runId"] == complete["run"]["runId"] == str(uuid.uuid5(uuid.NAMESPACE_URL, "swath:process:run-1"))
    assert complete["inputs"][0]["facets"]["version"]["datasetVersion"] == "ab" * 32
    assert complete["outputs"][0]["name"] == "out/collections/ard"
    assert complete["run"]["facets"]["swath_model"]["models"] == [{"name": "landcover", "version": "3", "digest": "cd" * 32}]
    assert complete["run"]["facets"]["swath_account"]["scenes"]["quarantined"] == 1


def test_what_the_schemas_refuse_is_refused(tmp_path: Path) -> None:
    """A check that takes everything would prove nothing."""
    with lineage_of(job(tmp_path), say=pytest.fail) as lineage:
        lineage.begin()
        lineage.touched(TOUCHED)
    event = events(tmp_path)[1]
    event["eventType"] = "DONE"
    event["run"]["runId"] = "run-1"
    event["run"]["facets"]["swath_model"]["models"][0]["digest"] = "short"
    del event["inputs"][0]["facets"]["version"]["datasetVersion"]
    found = "; ".join(problems(event))
    for word in ("DONE", "run-1", "short", "datasetVersion"):
        assert word in found


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (ConfigError("no scenes in s3://key:secret@bucket/a"), "FAIL", "no scenes in s3://...@bucket/a"),
        (ValueError("odd"), "FAIL", "ValueError: odd"),
        (StoppedError("enough"), "ABORT", "stopped"),
        (KeyboardInterrupt(), "ABORT", "stopped"),
    ],
)
def test_a_job_that_ends_badly_says_why(tmp_path: Path, error: BaseException, state: str, told: str) -> None:
    with pytest.raises(type(error)):
        ended_by(error, tmp_path)
    last = events(tmp_path)[-1]
    assert (last["eventType"], last["run"]["facets"]["errorMessage"]["message"]) == (state, told)
    assert problems(last) == []


def test_the_run_that_started_ours_is_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = str(uuid.uuid4())
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"airflow/daily.ard/{parent}")
    with lineage_of(job(tmp_path), say=pytest.fail) as lineage:
        lineage.begin()
    facet = events(tmp_path)[0]["run"]["facets"]["parent"]
    assert (facet["run"]["runId"], facet["job"]) == (parent, {"namespace": "airflow", "name": "daily.ard", "facets": {}})
    assert problems(events(tmp_path)[0]) == []


def test_a_service_that_never_answers_holds_a_job_up_for_five_seconds_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        said: list[str] = []
        since = time.monotonic()
        with lineage_of(job(tmp_path), say=said.append) as lineage:
            lineage.begin()
        assert time.monotonic() - since < 5 * 5.0
    assert [e["eventType"] for e in events(tmp_path)] == ["START", "COMPLETE"]
    assert said[0].startswith("lineage: ")
    assert len(said) == 1


def test_a_place_that_cannot_be_written_fails_no_job(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    said: list[str] = []
    with lineage_of(job(tmp_path), say=said.append) as lineage:
        lineage.begin()
    assert len(said) == 1
    assert said[0].startswith("lineage: events are not kept: ")


def test_the_clients_own_switch_turns_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    with lineage_of(job(tmp_path), say=pytest.fail) as lineage:
        lineage.begin()
    assert not (tmp_path / "reports").exists()


def test_a_job_that_never_began_leaves_no_event(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), lineage_of(job(tmp_path), say=pytest.fail):
        raise ConfigError("another run holds the output")
    assert not (tmp_path / "reports").exists()


def test_places_are_named_as_openlineage_names_them() -> None:
    assert placed("s3://bucket/a/b") == ("s3://bucket", "a/b")
    assert placed("/data/out") == ("file", "/data/out")
