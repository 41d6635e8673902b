import json
from pathlib import Path
from typing import Any

import pytest

from swath.deploy.operate.result import RunResult, parse_result, read_result
from swath.deploy.operate.retrying import may_retry, told_code
from swath.deploy.operate.run_status import RunState, RunStatus
from swath.deploy.site.files import load_site
from swath.errors import ConfigError


def _raw(**fields: Any) -> bytes:
    return json.dumps({"run_id": "r", "scenes_in": 3, "made": 2, "skipped": 0, "quarantined": 1, **fields}).encode()


@pytest.mark.parametrize(
    ("fields", "code"),
    [({}, 3), ({"made": 3, "quarantined": 0}, 0), ({"skipped": 3, "made": 0, "quarantined": 0}, 0), ({"made": 1}, 4)],
)
def test_the_result_decides_about_the_exit_code(fields: dict[str, int], code: int) -> None:
    assert parse_result(_raw(**fields), run_id="r").exit_code == code


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"run_id": "r"}', _raw(made="x"), b"null"])
def test_what_is_no_result_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match="is not the result of a run"):
        parse_result(data, run_id="r")


def test_the_result_of_another_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="result of another run, r"):
        parse_result(_raw(), run_id="other")


def test_results_are_found_below_the_output(tmp_path: Path) -> None:
    site = load_site("laptop")
    assert read_result(str(tmp_path), run_id="r", site=site) is None
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "r.json").write_bytes(_raw())
    found = read_result(f"file://{tmp_path}/", run_id="r", site=site)
    assert found is not None
    assert found.text == "r: 3 scenes in = 2 made + 0 skipped + 1 quarantined"


def _failed(reason: str) -> RunStatus:
    return RunStatus(run_id="r", state=RunState.FAILED, reason=reason)


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("driver container failed with ExitCode: 1, Reason: Error", True),
        ("driver container failed with ExitCode: 137, Reason: OOMKilled", True),
        ("driver container failed with ExitCode: 2, Reason: Error", False),
        ("driver container failed with ExitCode: 4, Reason: Error", False),
        ("driver container failed with ExitCode: 5, Reason: Error", False),
        ("driver container failed with ExitCode: 6, Reason: Error", True),
        ("INTERNAL_ERROR: lost", True),
        ("CLUSTER_UNAVAILABLE: lost", True),
        ("USER_ERROR: the driver failed", False),
        ("VALIDATION_ERROR: x", False),
    ],
)
def test_only_failures_of_the_platform_are_tried_again(reason: str, again: bool) -> None:  # noqa: FBT001 - a table
    assert may_retry(_failed(reason), result=None) is again


def test_a_run_that_came_to_its_end_is_never_tried_again() -> None:
    result = RunResult(run_id="r", scenes_in=1, made=1, skipped=0, quarantined=0, raw={})
    assert not may_retry(_failed("driver container failed with ExitCode: 1"), result=result)


@pytest.mark.parametrize("state", [s for s in RunState if s is not RunState.FAILED])
def test_only_failed_runs_are_tried_again(state: RunState) -> None:
    assert not may_retry(RunStatus(run_id="r", state=state, reason="INTERNAL_ERROR"), result=None)


@pytest.mark.parametrize(("reason", "code"), [("driver container failed with ExitCode: 6, Reason: Error", 6), ("lost", None)])
def test_the_code_of_a_run_is_what_the_engine_tells(reason: str, code: int | None) -> None:
    assert told_code(_failed(reason)) == code
