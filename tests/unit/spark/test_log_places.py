"""Logs of executors on Kubernetes, by the driver's own account, from an API server over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.fake_kubernetes import FakeCluster, serve

from swath.spark.log_places import LogError, PodLogs, WorkerLogs


@dataclass(frozen=True)
class Executor:
    """One by its id."""

    name: str
    page: str = ""


def _pod(number: int, *containers: str) -> dict[str, Any]:
    labels = {"spark-app-selector": "spark-1", "spark-exec-id": str(number)}
    return {
        "metadata": {"name": f"ard-exec-{number}", "labels": labels},
        "spec": {"containers": [{"name": c} for c in containers]},
    }


@pytest.fixture
def cluster() -> FakeCluster:
    """Two executors; the second has a sidecar before its own container."""
    found = FakeCluster()
    found.pods = [_pod(1, "spark-kubernetes-executor"), _pod(2, "signing-helper", "spark-kubernetes-executor")]
    found.log = [f"line {n}" for n in range(500)]
    return found


@pytest.fixture
def logs(cluster: FakeCluster, tmp_path: Path) -> Iterator[PodLogs]:
    """As the driver's pod sees them."""
    (tmp_path / "token").write_text("t0ken\n")
    (tmp_path / "namespace").write_text("swath")
    with serve(cluster) as address:
        yield PodLogs(api=address, application="spark-1", account=tmp_path)


def test_the_last_lines_of_a_pod_are_read(logs: PodLogs, cluster: FakeCluster) -> None:
    assert logs.lines(Executor("2"), most=200) == [f"line {n}" for n in range(300, 500)]
    assert cluster.requests == ["get /api/v1/namespaces/swath/pods", "get /api/v1/namespaces/swath/pods/ard-exec-2/log"]
    assert cluster.log_containers == ["spark-kubernetes-executor"]
    assert cluster.tokens == {"Bearer t0ken"}


def test_a_pod_that_is_gone_and_an_account_that_may_not_read_are_named(logs: PodLogs, cluster: FakeCluster) -> None:
    with pytest.raises(LogError, match="its pod is gone"):
        logs.lines(Executor("7"), most=200)
    cluster.forbidden.add(("get", "pods"))
    with pytest.raises(LogError, match="may not read pods/log"):
        logs.lines(Executor("1"), most=200)
    cluster.faults.append("drop")
    with pytest.raises(LogError, match="no answer"):
        logs.lines(Executor("1"), most=200)


def test_without_an_account_or_an_address_nothing_is_asked(tmp_path: Path) -> None:
    assert PodLogs.of_this_pod(application="spark-1", environ={}) is None
    with pytest.raises(LogError, match="has no namespace"):
        PodLogs(api="http://127.0.0.1:1", application="spark-1", account=tmp_path).lines(Executor("1"), most=200)
    with pytest.raises(LogError, match="no address"):
        WorkerLogs().lines(Executor("1"), most=200)
