import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from swath.cli.gate import gate_command
from swath.deploy.operate.gate import GateLimits, gate
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.names import run_id_of
from swath.errors import ConfigError
from swath.metrics.beat import Beat

NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)
RUN_ID = "ard-20261125t021500z-0a1b"
_GOOD = {
    "run_id": RUN_ID, "site": "laptop", "pipeline": "ard", "scenes_in": 10, "made": 6, "skipped": 4, "quarantined": 0,
    "balanced": True, "ended": "2026-11-26T03:00:00+00:00",
}  # fmt: skip


@pytest.fixture
def job(tmp_path: Path) -> JobSpec:
    return load_job("ard").model_copy(update={"output": str(tmp_path)})


def _leave(output: Path, text: str) -> None:
    (output / "reports").mkdir(exist_ok=True)
    (output / "reports" / f"{RUN_ID}.json").write_text(text, encoding="utf-8")


_CASES: list[tuple[dict[str, Any], int, str]] = [
    ({}, 0, ""),
    ({"made": 10, "skipped": 0}, 0, ""),
    ({"scenes_in": 0, "made": 0, "skipped": 0}, 0, ""),
    ({"scenes_in": 20, "made": 19, "skipped": 0, "quarantined": 1}, 0, ""),
    ({"made": 5, "quarantined": 1}, 3, "10.0% of the scenes are quarantined, at most 5.0% are allowed"),
    ({"made": 0, "skipped": 0, "quarantined": 10}, 3, "100.0% of the scenes"),
    ({"made": 5}, 4, "the account does not balance"),
    ({"balanced": False}, 4, "the account does not balance"),
    ({"site": "kubernetes"}, 1, "the result of site 'kubernetes', expected 'laptop'"),
    ({"pipeline": "toa"}, 1, "the result of pipeline 'toa', expected 'ard'"),
    ({"run_id": "ard-1"}, 1, "the result of another run, ard-1"),
    ({"ended": "2026-11-25T03:59:59+00:00"}, 1, "the run ended 93601 s ago, at most 93600 s are allowed"),
    ({"ended": "2026-11-25T04:00:00+00:00"}, 0, ""),
    ({"ended": "2026-11-26T06:04:59+00:00"}, 0, ""),
    ({"ended": "2027-11-26T06:04:59+00:00"}, 1, "the clocks of the site and of this machine disagree"),
    ({"ended": None}, 1, "does not say when the run ended"),
    ({"ended": "2026-11-26T03:00:00"}, 1, "does not say when the run ended"),
]


@pytest.mark.parametrize(("fields", "code", "reason"), _CASES)
def test_the_result_is_judged(fields: dict[str, Any], code: int, reason: str, job: JobSpec, tmp_path: Path) -> None:
    _leave(tmp_path, json.dumps({**_GOOD, **fields}))
    limits = GateLimits(quarantined=0.05, age_s=26 * 3600)
    verdict = gate(job, site=load_site("laptop"), run_id=RUN_ID, limits=limits, now=NOW)
    assert verdict.exit_code == code, verdict.reason
    assert reason in verdict.reason
    assert bool(verdict.reason) == bool(code)
    told = json.loads(verdict.to_json())
    assert (told["run_id"], told["job"], told["site"], told["exit_code"]) == (RUN_ID, "ard", "laptop", code)
    assert "\n" not in verdict.to_json()


@pytest.mark.parametrize("text", ["", "{}", '{"run_id": "ard-2026'])
def test_a_result_that_was_cut_short_is_none(text: str, job: JobSpec, tmp_path: Path) -> None:
    _leave(tmp_path, text)
    verdict = gate(job, site=load_site("laptop"), run_id=RUN_ID, limits=GateLimits(quarantined=0.05))
    assert (verdict.exit_code, verdict.result) == (1, None)
    assert "is not the result of a run" in verdict.reason


def test_without_a_result_nothing_passes(job: JobSpec) -> None:
    verdict = gate(job, site=load_site("laptop"), run_id=RUN_ID, limits=GateLimits(quarantined=1))
    assert verdict.exit_code == 1
    assert "the run never began" in verdict.reason


_START = Beat(event="start", at=datetime(2026, 11, 26, 5, tzinfo=UTC), run_id=RUN_ID, site="laptop", pipeline="ard")


@pytest.mark.parametrize(
    ("beats", "reason"),
    [
        (
            [_START, replace(_START, event="alive", at=NOW - timedelta(minutes=14))],
            "the run is at work: it began at 2026-11-26T05:00:00Z",
        ),
        ([_START, replace(_START, event="alive", at=NOW - timedelta(minutes=16))], "the run is dead: it began at"),
        (
            [replace(_START, at=NOW - timedelta(hours=6, minutes=1)), replace(_START, event="alive", at=NOW)],
            "longer than its max_duration",
        ),
        (
            [_START, replace(_START, event="end", error="ServiceError", at=NOW)],
            "it ended by ServiceError at 2026-11-26T06:00:00Z",
        ),
        # started again after its death
        (
            [replace(_START, at=NOW - timedelta(days=1)), replace(_START, at=NOW)],
            "the run is at work: it began at 2026-11-26T06:00:00Z",
        ),
    ],
)
def test_a_run_without_a_result_is_alive_dead_or_ended(beats: list[Beat], reason: str, job: JobSpec, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    text = "".join(f"{beat.to_json()}\n" for beat in beats)
    (tmp_path / "reports" / f"{RUN_ID}.metrics.jsonl").write_text(text, encoding="utf-8")
    verdict = gate(job, site=load_site("laptop"), run_id=RUN_ID, limits=GateLimits(quarantined=1), now=NOW)
    assert verdict.exit_code == 1
    assert reason in verdict.reason


def test_metrics_that_were_cut_short_are_told(job: JobSpec, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / f"{RUN_ID}.metrics.jsonl").write_text(_START.to_json()[:40], encoding="utf-8")
    verdict = gate(job, site=load_site("laptop"), run_id=RUN_ID, limits=GateLimits(quarantined=1), now=NOW)
    assert "the state of the run is unknown: a line of the metrics is not a beat" in verdict.reason


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    path = tmp_path / "ard.yaml"
    path.write_text(f"job: ard\npipeline: ard\ninputs: [/i]\noutput: {tmp_path}\n", encoding="utf-8")
    return path


def _call(*words: str) -> Result:
    return CliRunner().invoke(gate_command, list(words))


@pytest.mark.parametrize(("limit", "code"), [("0.2", 0), ("0.05", 3)])
def test_the_command_prints_one_line_and_ends_with_the_code(limit: str, code: int, job_file: Path, tmp_path: Path) -> None:
    _leave(tmp_path, json.dumps({**_GOOD, "made": 5, "quarantined": 1}))
    done = _call(str(job_file), "--site", "laptop", "--run-id", RUN_ID, "--max-quarantined", limit)
    assert done.exit_code == code
    assert json.loads(done.stdout)["quarantined_share"] == 0.1
    assert len(done.stdout.splitlines()) == 1


def test_a_run_is_found_by_the_orchestrators_name_of_it(job_file: Path, tmp_path: Path) -> None:
    own = "scheduled__2026-11-25T02:15:00+00:00"
    made = run_id_of("ard", own)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / f"{made}.json").write_text(json.dumps({**_GOOD, "run_id": made}), encoding="utf-8")
    done = _call(str(job_file), "--site", "laptop", "--run-of", own)
    assert (done.exit_code, json.loads(done.stdout)["run_id"]) == (0, made)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name it by --run-id or --run-of"),
        (["--run-id", "x", "--run-of", "y"], "give one of them"),
        (["--run-id", "a" * 64], "has 64 characters, at most 47 fit"),
        (["--run-id", "Ard_1"], "is not a name for Kubernetes"),
        (["--run-of", " "], "has no name"),
        (["--run-id", RUN_ID, "--max-age", "a day"], "write a whole number with s, m, h or d"),
    ],
)
def test_what_names_no_run_is_refused(words: list[str], message: str, job_file: Path) -> None:
    done = _call(str(job_file), "--site", "laptop", *words)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)


@pytest.mark.parametrize(
    ("own", "made"),
    [
        ("ard-nightly-1764380100", "ard-nightly-1764380100"),
        ("scheduled__2026-11-25T02:15:00+00:00", "ard-nightly-scheduled-2026-11-25t02-15-15984a87"),
        ("ARD", "ard-nightly-ard-6af0be21"),
    ],
)
def test_examples_of_run_ids(own: str, made: str) -> None:
    """The digits are those of sha256sum."""
    assert run_id_of("ard-nightly", own) == made


@given(owns=st.lists(st.text(min_size=1, max_size=300).filter(str.strip), min_size=2, max_size=5, unique=True))
def test_every_run_of_an_orchestrator_has_one_run_id_of_its_own(owns: list[str]) -> None:
    made = [run_id_of("ard-nightly", own) for own in owns]
    assert made == [run_id_of("ard-nightly", own) for own in owns]
    assert len(set(made)) == len(owns)
    assert all(len(name) <= 47 and name.startswith("ard-nightly-") for name in made)
    assert [run_id_of("ard-nightly", name) for name in made] == made
