"""Submits and watches runs by the Spark Operator."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.run_status import RunState, RunStatus, Submission
from swath.deploy.render.layout import DRIVER
from swath.deploy.render.pod_template import Manifest
from swath.deploy.spark_operator.application import DIGEST
from swath.deploy.spark_operator.diagnosis import Evidence, diagnose
from swath.deploy.spark_operator.kube_api import KubeApi
from swath.deploy.spark_operator.states import state_of
from swath.errors import ConfigError

_APP = "sparkoperator.k8s.io/app-name"
_STAMPED = re.compile(r"(?P<time>\S+Z) (?P<text>.*)")


class OperatorLauncher:
    """Runs of one namespace.

    Args:
        api: The API server.
        manifest: The run to submit; None when only asking.
        now: Clock, UTC.
    """

    def __init__(
        self, api: KubeApi, *, manifest: Manifest | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._api = api
        self._manifest = manifest
        self._now = now

    def submit(self) -> Submission:
        """Create the application. The name is the run id, so the second submit of a run finds the first.

        Raises:
            ConfigError: Another run has this id, or the API server refuses the manifest.
            LaunchError: No answer, or no permission.
        """
        if self._manifest is None:
            raise ConfigError("nothing to submit")
        name = self._manifest["metadata"]["name"]
        made = self._api.create(self._manifest)
        if made is None:
            self._same(name)
        return Submission(run_id=name, created=made is not None, handle=f"{self._api.namespace}/{name}")

    def _same(self, name: str) -> None:
        """The application that is there must be the one that was to be made."""
        there = self._api.get(name) or {}
        mine = (self._manifest or {})["metadata"]["annotations"][DIGEST]
        if there.get("metadata", {}).get("annotations", {}).get(DIGEST) != mine:
            raise ConfigError(f"run id {name} is taken by a run with another spec. Use a new run id")

    def status(self, run_id: str) -> RunStatus:
        """How the run stands, with the cause when it does not go on."""
        app = self._api.get(run_id)
        if app is None:
            return RunStatus(
                run_id=run_id,
                state=RunState.GONE,
                reason="the application is not there: deleted, kept for a week only, or never submitted",
                remedy=f"If it ran, its result is in OUT/reports/{run_id}.json",
            )
        status = app.get("status", {})
        word = status.get("applicationState", {}).get("state", "")
        state = state_of(word)
        finding = None if state is RunState.SUCCEEDED else diagnose(self._evidence(app, word=word))
        return RunStatus(
            run_id=run_id,
            state=state,
            engine_state=word or "not seen yet",
            reason=finding.reason if finding else "",
            remedy=finding.remedy if finding else "",
            stuck=bool(finding and finding.stuck) and not state.final,
        )

    def _evidence(self, app: Manifest, *, word: str) -> Evidence:
        name = app["metadata"]["name"]
        status = app.get("status", {})
        driver = status.get("driverInfo", {}).get("podName", f"{name}-driver")
        return Evidence(
            word=word,
            error=status.get("applicationState", {}).get("errorMessage", ""),
            age_s=self._age(app["metadata"].get("creationTimestamp")),
            running_s=self._age(status.get("lastSubmissionAttemptTime")),
            pods=self._api.pods(f"{_APP}={name}"),
            events=[*self._api.events(name), *self._api.events(driver)],
            quotas=self._api.quotas() if word == "RUNNING" else (),
        )

    def _age(self, stamp: str | None) -> float:
        if not stamp:
            return 0.0
        return (self._now() - datetime.fromisoformat(stamp)).total_seconds()

    def cancel(self, run_id: str) -> RunStatus:
        """Delete the application; driver and executors go with it. What was published stays."""
        if self._api.delete(run_id):
            return RunStatus(run_id=run_id, state=RunState.CANCELLED, reason="deleted with its pods")
        return RunStatus(run_id=run_id, state=RunState.GONE, reason="it was not there")

    def latest(self, job: str) -> str | None:
        """The newest run of ``job``."""
        found = self._api.applications(f"swath-job={job}")
        newest = max(found, key=lambda app: str(app["metadata"].get("creationTimestamp", "")), default=None)
        return None if newest is None else str(newest["metadata"]["name"])

    def logs(self, run_id: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """Lines of the driver's log, the last ``tail`` of them at first.

        A dropped connection is taken up again without repeating a line.

        Raises:
            LaunchError: There is no driver pod.
        """
        pods = self._api.pods(f"{_APP}={run_id},spark-role=driver")
        if not pods:
            raise LaunchError(
                f"run {run_id} has no driver pod", remedy="It has not started, or is cleaned up; see `swath status`", passing=True
            )
        pod = pods[0]["metadata"]["name"]
        last, last_line = "", ""
        while True:
            try:
                for line in self._api.log(
                    pod, container=DRIVER, follow=follow, since_s=self._since(last), tail=None if last else tail
                ):
                    stamped = _STAMPED.fullmatch(line)
                    stamp, text = (stamped["time"], stamped["text"]) if stamped else (last, line)
                    if (stamp, line) <= (last, last_line):
                        continue
                    last, last_line = stamp, line
                    yield text
            except LaunchError as error:
                if not (error.passing and follow):
                    raise
                continue
            return

    def _since(self, stamp: str) -> int | None:
        """Seconds back to ``stamp``, rounded up, at least 1; None for everything."""
        if not stamp:
            return None
        seconds = (self._now() - datetime.fromisoformat(stamp[:19] + "+00:00")).total_seconds()
        return max(1, int(seconds) + 2)
