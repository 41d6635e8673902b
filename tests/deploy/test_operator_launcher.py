from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import kubernetes
import pytest
from tests.deploy.fake_kubernetes import FakeCluster, serve

from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.retrying import may_retry
from swath.deploy.operate.run_status import RunState
from swath.deploy.operate.watching import Patience, watch
from swath.deploy.render.order import Order
from swath.deploy.spark_operator.application import spark_application
from swath.deploy.spark_operator.kube_api import KubeApi
from swath.deploy.spark_operator.launcher import OperatorLauncher
from swath.deploy.spark_operator.states import STATES
from swath.errors import ConfigError

RUN_ID = "ard-20261125t000000z-abcd"
NOW = datetime(2026, 11, 25, 0, 0, 30, tzinfo=UTC)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def launcher(cluster: FakeCluster, order: Callable[[str], Order]) -> Iterator[OperatorLauncher]:
    with serve(cluster) as address:
        settings = kubernetes.client.Configuration()
        settings.host = address
        settings.retries = False
        with kubernetes.client.ApiClient(settings) as api:
            kube = KubeApi(namespace="swath", api=api)
            manifest = spark_application(order("eks-anywhere"))
            yield OperatorLauncher(kube, manifest=manifest, now=lambda: NOW, sleep=lambda _s: None)


class Hours:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def patience(self) -> Patience:
        return Patience(every_s=10, unanswered_s=600, stuck_s=300, sleep=self.sleep, clock=lambda: self.seconds)


def _state(word: str, **more: Any) -> dict[str, Any]:
    return {"applicationState": {"state": word, **more}, "driverInfo": {"podName": f"{RUN_ID}-driver"}}


def _pod(role: str = "driver", **status: Any) -> dict[str, Any]:
    labels = {"sparkoperator.k8s.io/app-name": RUN_ID, "spark-role": role}
    return {"metadata": {"name": f"{RUN_ID}-{role}", "labels": labels}, "spec": {"containers": []}, "status": status}


def _event(reason: str, message: str, about: str = f"{RUN_ID}-driver", *, at: str = "2026-11-25T00:00:01Z") -> dict[str, Any]:
    told = {"metadata": {"name": "e"}, "involvedObject": {"name": about}, "reason": reason, "message": message}
    return told | {"lastTimestamp": at}


def test_two_submits_of_the_same_run_make_one_job(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    assert launcher.submit().created is True
    assert launcher.submit().created is False
    assert list(cluster.apps) == [RUN_ID]


def test_a_run_id_that_another_spec_took_is_refused(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.apps[RUN_ID]["metadata"]["annotations"]["swath.spec-digest"] = "0" * 16
    with pytest.raises(ConfigError, match="taken by a run with another spec"):
        launcher.submit()


def test_a_submit_whose_answer_was_lost_is_repeated_without_a_second_job(
    launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    cluster.faults.append("drop")
    with pytest.raises(LaunchError, match="does not answer") as caught:
        launcher.submit()
    assert caught.value.passing
    assert launcher.submit().created


@pytest.mark.parametrize("word", [w for w in STATES if w])
def test_every_state_is_mapped(word: str, launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.states.append(_state(word))
    status = launcher.status(RUN_ID)
    assert status.state is STATES[word]
    assert status.engine_state == word


def test_the_operators_fourteen_states_are_known_and_a_fifteenth_is_unknown(
    launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    assert len(STATES) == 14
    launcher.submit()
    cluster.states.append(_state("HIBERNATING"))
    assert launcher.status(RUN_ID).state is RunState.UNKNOWN


_SEQUENCES: list[tuple[list[str], RunState]] = [
    (["", "SUBMITTED", "RUNNING", "SUCCEEDING", "COMPLETED"], RunState.SUCCEEDED),
    (["", "SUBMITTED", "RUNNING", "FAILING", "FAILED"], RunState.FAILED),
    (["", "SUBMISSION_FAILED"], RunState.FAILED),
    (["SUBMITTED", "RUNNING", "UNKNOWN", "RUNNING", "COMPLETED"], RunState.SUCCEEDED),
    (["SUBMITTED", "INVALIDATING", "PENDING_RERUN", "SUBMITTED", "RUNNING", "COMPLETED"], RunState.SUCCEEDED),
    (["SUBMITTED", "SUSPENDING", "SUSPENDED", "RESUMING", "RUNNING", "COMPLETED"], RunState.SUCCEEDED),
]


@pytest.mark.parametrize(("words", "last"), _SEQUENCES)
def test_waiting_follows_every_sequence_to_its_end(
    words: list[str], last: RunState, launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    launcher.submit()
    cluster.states.extend(_state(word) for word in words)
    seen = list(watch(launcher, RUN_ID, patience=Hours().patience))
    assert [s.engine_state or "" for s in seen] == [w or "not seen yet" for w in words]
    assert seen[-1].state is last


def test_waiting_goes_on_when_the_api_server_was_away(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.states.extend([_state("RUNNING"), _state("COMPLETED")])
    cluster.faults.extend(["drop", 503, "drop", 429, 500])
    assert [s.state for s in watch(launcher, RUN_ID, patience=Hours().patience)] == [RunState.RUNNING, RunState.SUCCEEDED]


def test_waiting_ends_when_the_api_server_stays_away(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.faults.extend([503] * 50)
    hours = Hours()
    with pytest.raises(LaunchError, match="answers 503"):
        list(watch(launcher, RUN_ID, patience=hours.patience))
    assert 600 < hours.seconds < 1200


def test_expired_credentials_end_the_waiting_at_once(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.faults.append(401)
    with pytest.raises(LaunchError, match=r"credentials are not valid.*Log in again"):
        list(watch(launcher, RUN_ID, patience=Hours().patience))


def test_a_job_deleted_under_us_is_gone_and_points_at_its_result(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.apps.clear()
    (status,) = watch(launcher, RUN_ID, patience=Hours().patience)
    assert status.state is RunState.GONE
    assert f"reports/{RUN_ID}.json" in status.remedy


def test_missing_permission_is_told_with_the_role(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.forbidden.add(("create", "sparkapplications"))
    with pytest.raises(LaunchError, match=r"permission is missing.*swath-launcher.*namespace swath"):
        launcher.submit()


def test_a_cluster_without_the_operator_is_named_as_such(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.crds = False
    with pytest.raises(ConfigError, match="CRDs are not installed"):
        launcher.submit()


def test_a_webhook_that_is_down_is_named_as_such(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.webhook = False
    with pytest.raises(LaunchError, match="a webhook is down") as caught:
        launcher.submit()
    assert caught.value.passing


def test_a_manifest_that_schema_or_webhook_refuses_is_a_configuration_error(
    cluster: FakeCluster, launcher: OperatorLauncher
) -> None:
    assert launcher._manifest is not None
    launcher._manifest["spec"]["driver"]["memori"] = "1g"
    with pytest.raises(ConfigError, match=r"refuses the manifest.*memori"):
        launcher.submit()
    del launcher._manifest["spec"]["driver"]["memori"]
    launcher._manifest["spec"]["sparkConf"]["spark.master"] = "k8s://x"
    with pytest.raises((ConfigError, LaunchError), match=r"denied the request: the webhook refuses the setting spark\.master"):
        launcher.submit()


def _waiting(reason: str, message: str = "m") -> dict[str, Any]:
    return {
        "containerStatuses": [{"name": "spark-kubernetes-driver", "state": {"waiting": {"reason": reason, "message": message}}}]
    }


_STUCK: list[tuple[str, str, dict[str, Any]]] = [
    ("SUBMITTED", "cannot be pulled", {"pods": [_pod(**_waiting("ImagePullBackOff"))]}),
    (
        "SUBMITTED",
        "secret or ConfigMap that is not there",
        {"pods": [_pod(**_waiting("CreateContainerConfigError", 'secret "swath-s3" not found'))]},
    ),
    (
        "SUBMITTED",
        "no node takes the pod: 0/3 nodes",
        {"pods": [_pod(phase="Pending")], "events": [_event("FailedScheduling", "0/3 nodes are available: insufficient cpu")]},
    ),
    (
        "SUBMITTED",
        "volume cannot be mounted",
        {"pods": [_pod(phase="Pending")], "events": [_event("FailedMount", 'configmap "swath-ca" not found')]},
    ),
    (
        "SUBMITTED",
        "quota is used up",
        {"events": [_event("FailedCreate", "pods x is forbidden: exceeded quota: swath", about=RUN_ID)]},
    ),
    ("SUBMITTED", "webhook is down", {"events": [_event("FailedCreate", 'failed calling webhook "mutate-pod"', about=RUN_ID)]}),
    (
        "SUBMITTED",
        "Pod Security level refuses",
        {"events": [_event("FailedCreate", 'violates PodSecurity "restricted:latest"', about=RUN_ID)]},
    ),
]


@pytest.mark.parametrize(("word", "reason", "facts"), _STUCK)
def test_stuck_runs_are_explained(
    word: str, reason: str, facts: dict[str, Any], launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    launcher.submit()
    cluster.pods, cluster.events = facts.get("pods", []), facts.get("events", [])
    cluster.apps[RUN_ID]["status"] = _state(word)
    status = launcher.status(RUN_ID)
    assert status.stuck
    assert reason in status.reason
    assert status.remedy


_EARLY = _event("FailedMount", 'configmap "spark-drv-x-conf-map" not found')
_QUOTA = _event("FailedCreate", "pods x is forbidden: exceeded quota: swath", about=RUN_ID)


@pytest.mark.parametrize(
    ("word", "pods", "events"),
    [
        ("RUNNING", [_pod(phase="Running")], [_EARLY, _QUOTA]),
        ("SUBMITTED", [_pod(phase="Running")], [_EARLY]),
        ("SUBMITTED", [], [_EARLY]),  # of a pod that is no more
        ("SUBMITTED", [_pod(phase="Pending")], [_EARLY, _event("Pulling", "image", at="2026-11-25T00:00:09Z")]),
        (
            "SUBMITTED",
            [_pod(phase="Pending")],
            [
                _event("Scheduled", "to n1", at="2026-11-25T00:00:09Z"),
                _event("FailedScheduling", "0/3 nodes are available", at="2026-11-25T00:00:05Z"),
            ],
        ),
    ],
)
def test_what_is_over_makes_no_healthy_run_stuck(
    word: str, pods: list[dict[str, Any]], events: list[dict[str, Any]], launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    """Events stay for an hour; Spark makes its ConfigMap a moment after the pod that mounts it."""
    launcher.submit()
    cluster.pods, cluster.events = pods, events
    cluster.apps[RUN_ID]["status"] = _state(word)
    status = launcher.status(RUN_ID)
    assert (status.stuck, status.reason) == (False, "")


def test_the_newest_event_is_told_so_that_what_is_really_missing_is_not_hidden(
    launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    launcher.submit()
    missing = _event("FailedMount", 'secret "swath-s3" not found', at="2026-11-25T00:02:03Z")
    cluster.pods, cluster.events = [_pod(phase="Pending")], [_EARLY, missing]
    cluster.apps[RUN_ID]["status"] = _state("SUBMITTED")
    assert 'secret "swath-s3" not found' in launcher.status(RUN_ID).reason


def test_a_lost_driver_is_told_in_words_and_tried_again(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.apps[RUN_ID]["status"] = _state("FAILED", errorMessage="driver pod not found")
    status = launcher.status(RUN_ID)
    assert "the driver's pod is gone: its node was lost" in status.reason
    assert "--again" in status.remedy
    assert may_retry(status, result=None)


def test_a_submit_waits_until_a_cancelled_run_of_its_name_is_gone(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.lingers = 3
    launcher.cancel(RUN_ID)
    cluster.apps[RUN_ID]["status"] = _state("RUNNING")
    status = launcher.status(RUN_ID)
    assert (status.state, status.reason, status.stuck) == (RunState.RUNNING, "being cancelled", False)
    assert launcher.submit().created
    assert "deletionTimestamp" not in cluster.apps[RUN_ID]["metadata"]


def test_a_submit_does_not_wait_for_ever_for_a_cancelled_run(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.lingers = 1000
    launcher.cancel(RUN_ID)
    with pytest.raises(LaunchError, match="still being cancelled after 300 s"):
        launcher.submit()


_LATER = (NOW - timedelta(seconds=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
_FULL = {
    "metadata": {"name": "swath"},
    "status": {"hard": {"limits.memory": "16Gi", "pods": "10"}, "used": {"limits.memory": "16000Mi", "pods": "1"}},
}


@pytest.mark.parametrize(
    ("quotas", "executors", "reason"),
    [
        ([_FULL], [], "quota swath/limits.memory is used up"),
        ([], [_pod("executor", phase="Pending")], "executors wait for nodes"),
        ([], [], "asked for no executor pod"),
    ],
)
def test_a_driver_without_executors_is_explained(
    quotas: list[dict[str, Any]], executors: list[dict[str, Any]], reason: str, launcher: OperatorLauncher, cluster: FakeCluster
) -> None:
    launcher.submit()
    cluster.quotas, cluster.pods = quotas, [_pod(phase="Running"), *executors]
    cluster.apps[RUN_ID]["status"] = _state("RUNNING") | {"lastSubmissionAttemptTime": _LATER}
    status = launcher.status(RUN_ID)
    assert status.stuck
    assert reason in status.reason


def test_a_driver_with_executors_is_in_order(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.pods = [_pod(phase="Running"), _pod("executor", phase="Running")]
    cluster.apps[RUN_ID]["status"] = _state("RUNNING") | {"lastSubmissionAttemptTime": _LATER}
    assert launcher.status(RUN_ID).reason == ""


def test_a_namespace_that_no_operator_watches_is_named(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.created_at = "2026-11-24T23:58:00Z"
    launcher.submit()
    status = launcher.status(RUN_ID)
    assert status.stuck
    assert "jobNamespaces" in status.remedy


def test_waiting_gives_up_on_a_stuck_run_after_a_while(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.pods = [_pod(**_waiting("ImagePullBackOff"))]
    cluster.apps[RUN_ID]["status"] = _state("SUBMITTED")
    hours = Hours()
    (status,) = watch(launcher, RUN_ID, patience=hours.patience)
    assert status.stuck
    assert hours.seconds > 300


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (
            _pod(containerStatuses=[{"name": "d", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]),
            "outgrew its memory limit",
        ),
        (_pod(reason="DeadlineExceeded"), "longer than max_duration"),
        (_pod(reason="Evicted", message="ephemeral-storage"), "was evicted"),
    ],
)
def test_failures_are_explained(pod: dict[str, Any], reason: str, launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.pods = [pod]
    cluster.apps[RUN_ID]["status"] = _state("FAILED", errorMessage="driver container failed with ExitCode: 137")
    status = launcher.status(RUN_ID)
    assert reason in status.reason
    assert not status.stuck


def test_cancelling_deletes_and_says_when_there_was_nothing(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    assert launcher.cancel(RUN_ID).state is RunState.CANCELLED
    assert launcher.cancel(RUN_ID).state is RunState.GONE
    assert cluster.apps == {}


def test_the_newest_run_of_a_job_is_found(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    launcher.submit()
    cluster.apps["older"] = {
        "metadata": {"name": "older", "labels": {"swath-job": "ard"}, "creationTimestamp": "2020-01-01T00:00:00Z"}
    }
    assert launcher.latest("ard") == RUN_ID
    assert launcher.latest("other") is None


_LOG = [f"2026-11-25T00:00:{second:02d}.000000001Z line {second}" for second in range(10)]


def test_logs_are_the_drivers_without_the_time(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.pods, cluster.log = [_pod()], _LOG
    assert list(launcher.logs(RUN_ID)) == [f"line {second}" for second in range(10)]


def test_the_last_lines_are_enough_when_asked(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.pods, cluster.log = [_pod()], _LOG
    assert list(launcher.logs(RUN_ID, tail=2)) == ["line 8", "line 9"]


def test_a_dropped_log_is_taken_up_again_without_a_repeated_line(launcher: OperatorLauncher, cluster: FakeCluster) -> None:
    cluster.pods, cluster.log = [_pod()], _LOG
    cluster.log_drops_after.extend([3, 7])
    assert list(launcher.logs(RUN_ID, follow=True)) == [f"line {second}" for second in range(10)]


def test_logs_of_a_run_without_a_driver_say_so(launcher: OperatorLauncher) -> None:
    with pytest.raises(LaunchError, match="has no driver pod"):
        list(launcher.logs(RUN_ID))
