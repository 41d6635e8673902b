from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.deploy.fake_emr import FakeEmr, serve

from swath.deploy.emr_on_eks.launcher import EmrLauncher
from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.emr_on_eks.states import STATES
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.run_status import RunState
from swath.deploy.operate.watching import Patience, watch
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_site
from swath.errors import ConfigError

RUN_ID = "ard-20261125t000000z-abcd"
NOW = datetime(2026, 11, 25, 0, 0, 30, tzinfo=UTC)


def _client(address: str, *, attempts: int = 1) -> Any:
    settings = Config(retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=2, read_timeout=5)
    return boto3.client(
        "emr-containers",
        region_name="eu-central-1",
        endpoint_url=address,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=settings,
    )


@pytest.fixture
def emr() -> FakeEmr:
    return FakeEmr(load_site("aws-region").cluster.virtual_cluster)


@pytest.fixture
def launcher(emr: FakeEmr, order: Callable[[str], Order]) -> Iterator[EmrLauncher]:
    with serve(emr) as address:
        request = start_job_run(order("aws-region"))
        yield EmrLauncher(load_site("aws-region"), client=_client(address), request=request, now=lambda: NOW)


@pytest.fixture
def patience() -> Patience:
    hours = [0.0]

    def sleep(seconds: float) -> None:
        hours[0] += seconds

    return Patience(every_s=10, unanswered_s=300, stuck_s=300, sleep=sleep, clock=lambda: hours[0])


def test_two_submits_of_the_same_run_make_one_job(launcher: EmrLauncher, emr: FakeEmr) -> None:
    first, second = launcher.submit(), launcher.submit()
    assert (first.created, second.created) == (True, False)
    assert first.handle == second.handle
    assert len(emr.runs) == 1


def test_the_token_makes_one_job_even_when_the_list_does_not_show_the_first(launcher: EmrLauncher, emr: FakeEmr) -> None:
    """Two submits at the same time: neither sees the other's run in the list."""
    assert launcher._request is not None
    answers = {launcher._client.start_job_run(**launcher._request)["id"] for _ in range(2)}
    assert len(answers) == len(emr.runs) == 1


def test_spark_4_labels_are_sent_as_they_are(launcher: EmrLauncher, emr: FakeEmr) -> None:
    launcher.submit()
    assert next(iter(emr.runs.values()))["releaseLabel"] == "emr-spark-8.0.0-20260421"


@pytest.mark.parametrize("word", sorted(STATES))
def test_every_state_is_mapped(word: str, launcher: EmrLauncher, emr: FakeEmr) -> None:
    launcher.submit()
    emr.states.append({"state": word})
    status = launcher.status(RUN_ID)
    assert (status.state, status.engine_state) == (STATES[word], word)


def test_all_states_of_the_service_model_are_mapped(launcher: EmrLauncher) -> None:
    shape = launcher._client.meta.service_model.shape_for("JobRunState")
    assert set(shape.enum) == set(STATES)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("USER_ERROR", "swath logs"),
        ("VALIDATION_ERROR", "render it again"),
        ("CLUSTER_UNAVAILABLE", "EKS cluster"),
        ("INTERNAL_ERROR", "own fault"),
    ],
)
def test_failure_reasons_are_told_with_a_remedy(reason: str, remedy: str, launcher: EmrLauncher, emr: FakeEmr) -> None:
    launcher.submit()
    emr.states.append({"state": "FAILED", "failureReason": reason, "stateDetails": "details"})
    status = launcher.status(RUN_ID)
    assert status.reason == f"{reason}: details"
    assert remedy in status.remedy


def test_all_failure_reasons_of_the_service_model_have_a_remedy(launcher: EmrLauncher) -> None:
    from swath.deploy.emr_on_eks.states import REMEDIES  # noqa: PLC0415 - only here

    assert set(launcher._client.meta.service_model.shape_for("FailureReason").enum) == set(REMEDIES)


def test_waiting_goes_on_through_throttling_and_absence(launcher: EmrLauncher, emr: FakeEmr, patience: Patience) -> None:
    launcher.submit()
    emr.states.extend([{"state": "RUNNING"}, {"state": "COMPLETED"}])
    emr.faults.extend(
        [
            (400, "ThrottlingException", "Rate exceeded"),
            (500, "InternalServerException", "x"),
            (429, "TooManyRequestsException", "x"),
        ]
    )
    assert [s.state for s in watch(launcher, RUN_ID, patience=patience)] == [RunState.RUNNING, RunState.SUCCEEDED]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ((403, "ExpiredTokenException", "The security token included in the request is expired"), LaunchError, "have expired"),
        ((403, "UnrecognizedClientException", "The security token included in the request is invalid"), LaunchError, "not valid"),
        (
            (403, "InvalidSignatureException", "Signature expired: 20261125T000000Z is now earlier than 20261125T000600Z"),
            LaunchError,
            "clock is off",
        ),
        ((403, "InvalidSignatureException", "Signature not yet current"), LaunchError, "five minutes"),
        (
            (403, "AccessDeniedException", "not authorized to perform: emr-containers:StartJobRun"),
            LaunchError,
            "permission is missing",
        ),
        ((404, "ResourceNotFoundException", "Virtual cluster doesn't exist."), ConfigError, "Check cluster.virtual_cluster"),
        ((400, "ValidationException", "Release label is not supported"), ConfigError, "Release label"),
    ],
)
def test_what_aws_answers_is_told_in_words(
    fault: tuple[int, str, str], kind: type[Exception], words: str, launcher: EmrLauncher, emr: FakeEmr
) -> None:
    emr.faults.append(fault)
    with pytest.raises(kind, match=words):
        launcher.submit()


def test_an_unreachable_service_is_told_and_may_pass(order: Callable[[str], Order]) -> None:
    request = start_job_run(order("aws-region"))
    launcher = EmrLauncher(load_site("aws-region"), client=_client("http://127.0.0.1:9"), request=request)
    with pytest.raises(LaunchError, match="does not answer") as caught:
        launcher.submit()
    assert caught.value.passing


def test_a_wrong_virtual_cluster_is_a_configuration_error(emr: FakeEmr, order: Callable[[str], Order]) -> None:
    emr.cluster = "another"
    with serve(emr) as address:
        launcher = EmrLauncher(load_site("aws-region"), client=_client(address), request=start_job_run(order("aws-region")))
        with pytest.raises(ConfigError, match="Virtual cluster doesn't exist"):
            launcher.submit()


def test_a_run_that_waits_longer_than_the_start_timeout_is_stuck(launcher: EmrLauncher, emr: FakeEmr) -> None:
    emr.created_at = "2026-11-24T22:59:00Z"
    launcher.submit()
    emr.states.append({"state": "SUBMITTED"})
    status = launcher.status(RUN_ID)
    assert status.stuck
    assert "job-start-timeout" in status.remedy


def test_a_run_whose_nodes_come_after_forty_minutes_is_waited_for(emr: FakeEmr, order: Callable[[str], Order]) -> None:
    """The request lets it wait for an hour; whoever waits for it does so too, and says only what changes."""
    passed = [0.0]
    site, request = load_site("aws-region"), start_job_run(order("aws-region"))
    emr.states.extend([*[{"state": "SUBMITTED"}] * 240, *[{"state": "RUNNING"}] * 3, {"state": "COMPLETED"}])
    patience = Patience(sleep=lambda s: passed.__setitem__(0, passed[0] + s), clock=lambda: passed[0])
    with serve(emr) as address:
        now = lambda: NOW + timedelta(seconds=passed[0])  # noqa: E731 - a clock
        launcher = EmrLauncher(site, client=_client(address), request=request, now=now)
        launcher.submit()
        seen = list(watch(launcher, RUN_ID, patience=patience))
    assert [s.engine_state for s in seen] == ["SUBMITTED", "RUNNING", "COMPLETED"]
    assert passed[0] > 2400


def test_a_run_that_never_starts_is_told_once_and_waited_for_longer_than_its_start_timeout(
    emr: FakeEmr, order: Callable[[str], Order]
) -> None:
    passed = [0.0]
    request = start_job_run(order("aws-region"))
    defaults = request["configurationOverrides"]["applicationConfiguration"]
    (timeout,) = (int(c["properties"]["job-start-timeout"]) for c in defaults if "job-start-timeout" in c["properties"])
    emr.states.append({"state": "SUBMITTED"})
    patience = Patience(every_s=60, sleep=lambda s: passed.__setitem__(0, passed[0] + s), clock=lambda: passed[0])
    with serve(emr) as address:
        now = lambda: NOW + timedelta(seconds=passed[0])  # noqa: E731 - a clock
        launcher = EmrLauncher(load_site("aws-region"), client=_client(address), request=request, now=now)
        launcher.submit()
        seen = list(watch(launcher, RUN_ID, patience=patience))
    assert [s.stuck for s in seen] == [False, True]
    assert passed[0] > timeout == 3600


def test_a_submit_reads_no_history(launcher: EmrLauncher, emr: FakeEmr) -> None:
    for number in range(300):
        name = f"ard-20260101t000000z-{number:04x}"
        emr.runs[name] = {"id": name, "name": name, "state": "COMPLETED", "createdAt": emr.created_at}
    assert launcher.submit().created
    assert not launcher.submit().created
    assert emr.lists == 2


def test_cancelling_asks_and_tells_the_state_after_it(launcher: EmrLauncher, emr: FakeEmr, patience: Patience) -> None:
    launcher.submit()
    assert launcher.cancel(RUN_ID).engine_state == "CANCEL_PENDING"
    emr.states.append({"state": "CANCELLED"})
    assert list(watch(launcher, RUN_ID, patience=patience))[-1].state is RunState.CANCELLED


def test_cancelling_what_ended_in_between_tells_its_end(launcher: EmrLauncher, emr: FakeEmr) -> None:
    launcher.submit()
    emr.faults.clear()
    real = emr.runs[next(iter(emr.runs))]
    emr.states.append({"state": "COMPLETED"})
    real["state"] = "RUNNING"
    launcher.status(RUN_ID)
    assert launcher.cancel(RUN_ID).state is RunState.SUCCEEDED


def test_a_run_that_emr_does_not_know_is_gone(launcher: EmrLauncher) -> None:
    status = launcher.status("ard-unknown")
    assert status.state is RunState.GONE
    assert "reports/ard-unknown.json" in status.remedy


def test_the_newest_run_of_a_job_is_found(launcher: EmrLauncher, emr: FakeEmr) -> None:
    launcher.submit()
    emr.runs["zz"] = {"id": "zz", "name": "ard-20200101t000000z-0000", "state": "COMPLETED", "createdAt": "2020-01-01T00:00:00Z"}
    emr.runs["zy"] = {
        "id": "zy",
        "name": "ard-nightly-20270101t000000z-0000",
        "state": "RUNNING",
        "createdAt": "2027-01-01T00:00:00Z",
    }
    assert launcher.latest("ard") == RUN_ID
    assert launcher.latest("ard-nightly") == "ard-nightly-20270101t000000z-0000"
    assert launcher.latest("nothing") is None


def test_logs_say_where_they_lie(launcher: EmrLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swath.deploy.emr_on_eks.launcher.connect", lambda *_a, **_k: _Logs())
    launcher.submit()
    lines = list(launcher.logs(RUN_ID))
    assert lines[0].startswith("# s3://example-logs/swath/")
    assert lines[-1] == "hello"


class _Logs:
    """CloudWatch Logs with one driver stream."""

    def describe_log_streams(self, **asked: Any) -> dict[str, Any]:
        cluster = load_site("aws-region").cluster.virtual_cluster
        return {"logStreams": [{"logStreamName": f"ard/{cluster}/jobs/{0:019d}/containers/spark-0/spark-0-driver/stdout"}]}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        assert asked["logGroupName"] == "/swath/aws-region"
        return {"events": [{"message": "hello"}]}
