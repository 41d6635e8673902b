"""Submits and watches runs by the Spark Operator."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.run_status import RunState, RunStatus, Submission
from swath.deploy.render.layout import DRIVER
from swath.deploy.render.plain import Manifest
from swath.deploy.spark_operator.application import DIGEST
from swath.deploy.spark_operator.diagnosis import Evidence, diagnose
from swath.deploy.spark_operator.kube_api import KubeApi
from swath.deploy.spark_operator.states import state_of
from swath.errors import ConfigError

_APP = "sparkoperator.k8s.io/app-name"
#: A driver has 120 s to end and executors less; a cancelled run is gone soon after [s].
_GONE_S = 300.0
_GONE_EVERY_S = 2.0
_STAMPED = re.compile(r"(?P<time>\S+Z) (?P<text>.*)")


class OperatorLauncher:
    """Runs of one namespace.

    Args:
        api: The API server.
        manifest: The run to submit; None when only asking.
        now: Clock, UTC.
        sleep: Function that sleeps; tests replace it.
    """

    def __init__(
        self,
        api: KubeApi,
        *,
        manifest: Manifest | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._sleep = sleep
        self._manifest = manifest
        self._now = now

    def submit(self) -> Submission:
        """Create the application. The name is the run id, so the second submit of a run finds the first.

        One that is being cancelled is waited for: it would vanish, and nothing would run.

        Raises:
            ConfigError: Another run has this id, or the API server refuses the manifest.
            LaunchError: No answer, no permission, or a cancelled run of this name that does not go.
        """
        if self._manifest is None:
            raise ConfigError("nothing to submit")
        name = self._manifest["metadata"]["name"]
        handle = f"{self._api.namespace}/{name}"
        for _ in range(round(_GONE_S / _GONE_EVERY_S)):
            if self._api.create(self._manifest) is not None:
                return Submission(run_id=name, created=True, handle=handle)
            there = self._api.get(name)
            if there is not None and not _is_going(there):
                self._same(there)
                return Submission(run_id=name, created=False, handle=handle)
            self._sleep(_GONE_EVERY_S)
        remedy = "Look at what holds it: its finalizers and its driver's pod"
        raise LaunchError(f"run {name} is still being cancelled after {_GONE_S:.0f} s", remedy=remedy, passing=True)

    def _same(self, there: Manifest) -> None:
        """The application that is there must be the one that was to be made."""
        mine = (self._manifest or {})["metadata"]["annotations"][DIGEST]
        if there["metadata"].get("annotations", {}).get(DIGEST) != mine:
            raise ConfigError(f"run id {there['metadata']['name']} is taken by a run with another spec. Use a new run id")

    def status(self, run_id: str) -> RunStatus:
        """The state of the run, with the cause if it is stuck."""
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
        if _is_going(app):
            going = RunState.RUNNING if not state.final else state
            return RunStatus(run_id=run_id, state=going, engine_state=word or "not seen yet", reason="being cancelled")
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


def _is_going(app: Manifest) -> bool:
    """It was deleted, and waits for its pods to end."""
    return bool(app["metadata"].get("deletionTimestamp"))
