import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from swath.cli import deploy
from swath.cli.forward import forward_command
from swath.cli.gate import gate_command
from swath.cli.main import cli
from swath.cli.parity import parity_command
from swath.cli.sites import sites_group
from swath.deploy.engine import engine_of
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.run_status import RunState, RunStatus, Submission
from swath.deploy.operate.watching import Patience
from swath.deploy.render.command import Foreground
from swath.deploy.render.order import Order
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.application import DIGEST, spark_application
from swath.deploy.spark_submit import engine
from swath.errors import ConfigError, StoppedError

RUN_ID = "ard-20261125t000000z-abcd"


@pytest.fixture
def group() -> click.Group:
    made = click.Group()
    commands = (deploy.render_command, deploy.submit_command, deploy.status_command, deploy.cancel_command, deploy.logs_command)
    for command in (*commands, sites_group, parity_command, forward_command, gate_command):
        made.add_command(command)
    return made


def _call(group: click.Group, *words: str) -> Result:
    return CliRunner().invoke(group, list(words), catch_exceptions=True)


def test_all_commands_are_registered(group: click.Group) -> None:
    assert sorted(group.commands) == ["cancel", "forward", "gate", "logs", "parity", "render", "sites", "status", "submit"]
    assert set(group.commands) <= set(cli.list_commands(click.Context(cli)))


def test_render_prints_what_the_engine_takes(group: click.Group) -> None:
    manifest = yaml.safe_load(_call(group, "render", "ard", "--site", "eks-anywhere", "--run-id", RUN_ID).stdout)
    assert manifest["metadata"]["name"] == RUN_ID
    request = json.loads(_call(group, "render", "ard", "--site", "aws-region", "--run-id", RUN_ID).stdout)
    assert request["clientToken"] == RUN_ID
    assert "spark-submit" in _call(group, "render", "ard", "--site", "laptop").stdout
    nightly = yaml.safe_load(_call(group, "render", "ard-nightly", "--site", "kubernetes").stdout)
    assert nightly["kind"] == "ScheduledSparkApplication"


def test_render_makes_a_new_run_id_each_time(group: click.Group) -> None:
    names = {json.loads(_call(group, "render", "ard", "--site", "aws-region").stdout)["name"] for _ in range(4)}
    assert len(names) > 1


def test_render_egress_prints_the_border(group: click.Group) -> None:
    lines = _call(group, "render", "ard", "--site", "eks-anywhere", "--egress").stdout.splitlines()
    flows = [line for line in lines if not line.startswith(" ")]
    assert len(flows) == 8
    assert all(" stays " in line for line in flows)


def test_render_writes_pod_templates(group: click.Group, tmp_path: Path) -> None:
    _call(group, "render", "ard", "--site", "aws-region", "--pod-templates", str(tmp_path))
    assert yaml.safe_load((tmp_path / "aws-region" / "driver.yaml").read_text(encoding="utf-8"))["kind"] == "Pod"


def test_a_refused_job_is_a_configuration_error(group: click.Group) -> None:
    assert isinstance(_call(group, "render", "ard-nightly", "--site", "laptop").exception, ConfigError)


def test_sites_are_listed_and_compared(group: click.Group) -> None:
    header, *sites = _call(group, "sites", "list").stdout.splitlines()
    assert header.split() == ["site", "engine", "link", "summary"]
    assert len(sites) == 6
    diff = _call(group, "sites", "diff", "kubernetes", "eks-anywhere").stdout
    assert "link\n  kubernetes: intermittent\n  eks-anywhere: none\n" in diff
    assert _call(group, "sites", "diff", "kubernetes", "kubernetes").stdout == ""


class FakeLauncher:
    """An engine whose runs end as told."""

    def __init__(self, states: list[RunStatus]) -> None:
        self.states, self.submitted = states, 0
        self.there = 0  # attempts that were there before

    def submit(self) -> Submission:
        self.submitted += 1
        self.there -= 1
        return Submission(run_id=RUN_ID, created=self.there < 0, handle="h")

    def status(self, run_id: str) -> RunStatus:
        return self.states.pop(0)

    def cancel(self, run_id: str) -> RunStatus:
        return RunStatus(run_id=run_id, state=RunState.CANCELLED)

    def logs(self, run_id: str, *, follow: bool = False, tail: int | None = None) -> list[str]:
        return ["a line"]

    def latest(self, job: str) -> str | None:
        return RUN_ID


def _end(state: RunState, reason: str = "") -> RunStatus:
    return RunStatus(run_id=RUN_ID, state=state, reason=reason)


def _result(quarantined: int = 0) -> Any:
    from swath.deploy.operate.result import RunResult  # noqa: PLC0415 - only here

    return RunResult(run_id=RUN_ID, scenes_in=2, made=2 - quarantined, skipped=0, quarantined=quarantined, raw={})


@pytest.mark.parametrize(
    ("state", "result", "code"),
    [
        (RunState.SUCCEEDED, _result(), 0),
        (RunState.SUCCEEDED, _result(1), 3),
        (RunState.SUCCEEDED, None, 1),
        (RunState.FAILED, None, 1),
        (RunState.FAILED, _result(), 0),
        (RunState.FAILED, _result(1), 3),
        (RunState.CANCELLED, None, 1),
        (RunState.GONE, _result(1), 3),
    ],
)
def test_the_exit_code_of_waiting_is_that_of_the_result(
    state: RunState, result: Any, code: int, group: click.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeLauncher([_end(state)])
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: result)
    assert _call(group, "submit", "ard", "--site", "kubernetes", "--run-id", RUN_ID, "--wait").exit_code == code


@pytest.mark.parametrize("command", ["submit", "status"])
def test_ctrl_c_while_waiting_says_that_the_run_goes_on(
    command: str, group: click.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(FakeLauncher):
        def status(self, name: str) -> RunStatus:
            raise KeyboardInterrupt

    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: Interrupted([_end(RunState.RUNNING)]))
    done = _call(group, command, "ard", "--site", "kubernetes", "--run-id", RUN_ID, "--wait")
    assert isinstance(done.exception, StoppedError)
    where = f"ard --site kubernetes --run-id {RUN_ID}"
    assert str(done.exception) == (
        f"interrupted; {RUN_ID} goes on at kubernetes: `swath status {where} --wait` waits on, `swath cancel {where}` stops it"
    )


def test_a_crash_of_the_platform_is_started_again_as_often_as_allowed(
    group: click.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeLauncher([_end(RunState.FAILED, "INTERNAL_ERROR: x"), _end(RunState.FAILED, "INTERNAL_ERROR: x")])
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: None)
    done = _call(group, "submit", "ard", "--site", "aws-region", "--run-id", RUN_ID, "--wait", "--retries", "1")
    assert (done.exit_code, fake.submitted) == (1, 2)
    assert f"starting again as {RUN_ID}-r2" in done.output


def test_without_a_way_to_the_result_the_engines_word_counts(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_a: Any, **_k: Any) -> None:
        raise LaunchError("the store does not answer", passing=True)

    monkeypatch.setattr(deploy, "read_result", away)
    for state, code in ((RunState.SUCCEEDED, 0), (RunState.FAILED, 1)):
        fake = FakeLauncher([_end(state)])
        monkeypatch.setattr(deploy, "launcher_for", lambda *_a, _fake=fake, **_k: _fake)
        done = _call(group, "submit", "ard", "--site", "kubernetes", "--run-id", RUN_ID, "--wait")
        assert (done.exit_code, "cannot be read from here" in done.output) == (code, True)


def test_a_run_that_crashed_is_started_again_although_its_result_cannot_be_seen(
    group: click.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 says 403 of a result that is not there to whoever may not list."""

    def hidden(*_a: Any, **_k: Any) -> None:
        raise LaunchError("s3://b/reports/r.json is not there, or not allowed")

    monkeypatch.setattr(deploy, "read_result", hidden)
    crashed = _end(RunState.FAILED, "driver container failed with ExitCode: 6")
    fake = FakeLauncher([crashed, crashed])
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    done = _call(group, "submit", "ard", "--site", "aws-region", "--run-id", RUN_ID, "--wait", "--retries", "1")
    assert (fake.submitted, done.exit_code) == (2, 6)
    assert "the engine reports failed" in done.output


@pytest.mark.parametrize(("site", "end"), [("aws-region", "nothing ends it"), ("kubernetes", "the cluster ends it")])
def test_a_run_that_is_no_longer_waited_for_is_said_to_live(
    site: str, end: str, group: click.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = RunStatus(run_id=RUN_ID, state=RunState.WAITING, reason="no node takes the pod", stuck=True)
    fake = FakeLauncher([stuck] * 2)
    clock = iter([0.0, 0.0, 901.0])
    monkeypatch.setattr(deploy, "Patience", lambda **k: Patience(**k, sleep=lambda _s: None, clock=lambda: next(clock)))
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: None)
    done = _call(group, "submit", "ard", "--site", site, "--run-id", RUN_ID, "--wait")
    assert done.exit_code == 1
    assert done.output.count("no node takes the pod") == 1
    assert f"{RUN_ID} is still active: it may start yet, and {end} after max_duration" in done.output


def test_forward_ends_with_3_when_a_result_was_set_aside(
    group: click.Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, reports = tmp_path / "j.yaml", tmp_path / "out" / "reports"
    reports.mkdir(parents=True)
    counts = {"scenes_in": 0, "made": 0, "skipped": 0, "quarantined": 0, "pipeline": "toa"}
    (reports / "b.json").write_text(json.dumps({"run_id": "b", **counts}), encoding="utf-8")
    (reports / "a.json").write_text('{"run_id": "a", "sce', encoding="utf-8")
    job.write_text(f"job: j\npipeline: toa\ninputs: [/in]\noutput: {tmp_path}/out\n", encoding="utf-8")
    site = tmp_path / "bench.yaml"
    border = f"{{allow: [metrics], to: {tmp_path}/to}}"
    site.write_text(
        f"site: bench\nengine: spark-submit\nlink: intermittent\nstores: {{x: {{kind: folder, uri: /x}}}}\nborder: {border}\n",
        encoding="utf-8",
    )
    done = _call(group, "forward", str(job), "--site", str(site))
    assert done.exit_code == 3, done.output
    assert "a: set aside, nothing sent: reports/a.json is not the result of a run" in done.stderr
    assert done.stdout.startswith("b: sent metrics")
    (reports / "a.json").unlink()
    assert _call(group, "forward", str(job), "--site", str(site)).exit_code == 0


@pytest.mark.parametrize(("state", "words"), [(RunState.FAILED, f"{RUN_ID}-r2 submitted"), (RunState.RUNNING, "has not ended")])
def test_a_run_is_started_again_only_when_it_has_ended(
    state: RunState, words: str, group: click.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeLauncher([_end(state)])
    fake.there = 1
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    done = _call(group, "submit", "ard", "--site", "kubernetes", "--run-id", RUN_ID, "--again")
    assert words in f"{done.output}{done.exception}"


def test_the_result_of_a_second_attempt_is_that_of_the_run(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: FakeLauncher([_end(RunState.RUNNING)]))
    monkeypatch.setattr(deploy, "read_result", lambda *_a, run_id, **_k: asked.append(run_id))
    _call(group, "status", "ard", "--site", "kubernetes", "--run-id", f"{RUN_ID}-r2")
    assert asked == [RUN_ID]


def test_a_wrong_configuration_is_not_started_again(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeLauncher([_end(RunState.FAILED, "driver container failed with ExitCode: 2")])
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: None)
    _call(group, "submit", "ard", "--site", "kubernetes", "--run-id", RUN_ID, "--wait", "--retries", "3")
    assert fake.submitted == 1


def test_a_run_of_emr_that_is_late_is_cancelled(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeLauncher([_end(RunState.RUNNING)] * 3)
    clock = iter([0.0, 0.0, 7 * 3600.0, 8 * 3600.0])
    monkeypatch.setattr(deploy, "Patience", lambda **k: Patience(**k, sleep=lambda _s: None, clock=lambda: next(clock)))
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: fake)
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: None)
    done = _call(group, "submit", "ard", "--site", "aws-region", "--run-id", RUN_ID, "--wait")
    assert "longer than max_duration 6h: cancelling it" in done.output
    assert done.exit_code == 1


def test_whoever_leaves_a_run_to_emr_is_told_that_nobody_ends_it(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: FakeLauncher([_end(RunState.SUCCEEDED)]))
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: _result())
    told = "only `submit --wait` or `status --wait` cancels one after max_duration 6h"
    for words in (["submit"], ["render"], ["submit", "--wait"]):
        for site in ("aws-region", "kubernetes"):
            done = _call(group, *words, "ard", "--site", site, "--run-id", RUN_ID)
            assert (told in done.stderr) == (site == "aws-region" and "--wait" not in words)


def test_a_run_in_the_foreground_is_ended_when_it_is_late(
    group: click.Group, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = tmp_path / "late.yaml"
    job.write_text("job: late\npipeline: toa\ninputs: [/in]\noutput: /out\nmax_duration: 1s\n", encoding="utf-8")
    for program, code in (("import signal; signal.pause()", 1), ("raise SystemExit(3)", 3)):
        words = (sys.executable, "-c", program)
        command = Foreground(words=words, variables={})
        monkeypatch.setattr(engine, "local_submit", lambda _order, _command=command: _command)
        done = _call(group, "submit", str(job), "--site", "laptop")
        assert (done.exit_code, "longer than max_duration 1s: ending it" in done.stderr) == (code, code == 1)


def test_status_cancel_and_logs_take_the_newest_run_of_a_job(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: FakeLauncher([_end(RunState.RUNNING)]))
    monkeypatch.setattr(deploy, "read_result", lambda *_a, **_k: _result())
    assert _call(group, "status", "ard", "--site", "kubernetes").stdout.startswith(f"{RUN_ID}: running")
    assert "cancelled" in _call(group, "cancel", "ard", "--site", "kubernetes").stdout
    assert _call(group, "logs", "ard", "--site", "kubernetes").stdout == "a line\n"


def test_no_run_of_a_job_is_said(group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeLauncher, "latest", lambda *_a: None)
    monkeypatch.setattr(deploy, "launcher_for", lambda *_a, **_k: FakeLauncher([]))
    error = _call(group, "status", "ard", "--site", "kubernetes").exception
    assert isinstance(error, ConfigError)
    assert "has no run of job ard" in str(error)


@pytest.mark.parametrize("sites", [["kubernetes"], ["kubernetes", "laptop", "eks-anywhere"]])
def test_parity_compares_two_sites(sites: list[str], group: click.Group, tmp_path: Path) -> None:
    words = [w for site in sites for w in ("--site", site)]
    assert isinstance(_call(group, "parity", "ard", *words, "--output", str(tmp_path)).exception, ConfigError)


@pytest.mark.parametrize("site", ["kubernetes", "aws-region"])
def test_submit_says_who_and_a_rendered_run_does_not(site: str, group: click.Group, monkeypatch: pytest.MonkeyPatch) -> None:
    orders: list[Order] = []

    def launcher(_site: Site, *, order: Order) -> FakeLauncher:
        orders.append(order)
        return FakeLauncher([])

    monkeypatch.setattr(deploy, "launcher_for", launcher)
    monkeypatch.setenv("SWATH_SUBMITTED_BY", "argo/ard-nightly")
    assert _call(group, "submit", "ard", "--site", site, "--run-id", RUN_ID).exit_code == 0
    name = "spark.kubernetes.driverEnv.SWATH_SUBMITTED_BY"
    assert orders[0].conf[name] == "argo/ard-nightly"
    plain = replace(orders[0], submitted_by="")
    assert name not in plain.conf
    assert str(engine_of(orders[0].site).plain(orders[0])).count("argo/ard-nightly") == 1
    assert "argo/ard-nightly" not in engine_of(plain.site).render(plain)
    if site == "kubernetes":
        # whoever submits it, it is the same run
        digests = {spark_application(o)["metadata"]["annotations"][DIGEST] for o in (orders[0], plain)}
        assert len(digests) == 1
