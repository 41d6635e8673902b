"""Submits and watches runs by EMR on EKS."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from swath.deploy.emr_on_eks.states import REMEDIES, START_TIMEOUT_S, STATES
from swath.deploy.operate.aws_errors import in_words
from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.operate.run_status import RunState, RunStatus, Submission
from swath.deploy.render.plain import Manifest
from swath.deploy.site.site import Site
from swath.errors import ConfigError


def connect(service: str, *, region: str) -> Any:
    """A boto3 client that asks again by itself when AWS is busy."""
    settings = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=30)
    with in_words():
        return boto3.client(service, region_name=region, config=settings)  # type: ignore[call-overload]


class EmrLauncher:
    """Runs of one virtual cluster.

    Args:
        site: Where.
        request: The run to submit; None when only asking.
        client: boto3's ``emr-containers``.
        now: Clock, UTC.
    """

    def __init__(
        self,
        site: Site,
        *,
        client: Any,
        request: Manifest | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._site = site
        self._client = client
        self._request = request
        self._now = now

    @property
    def _cluster(self) -> str:
        return self._site.cluster.virtual_cluster

    def submit(self) -> Submission:
        """Start the job run. An existing run of this name is this run.

        Raises:
            ConfigError: The request is wrong, or the virtual cluster is not there.
            LaunchError: No answer, or no permission.
        """
        if self._request is None:
            raise ConfigError("nothing to submit")
        name = self._request["name"]
        there = self._by_name(name)
        if there is not None:
            return Submission(run_id=name, created=False, handle=str(there["id"]))
        with in_words():
            answer = self._client.start_job_run(**self._request)
        return Submission(run_id=name, created=True, handle=str(answer["id"]))

    def status(self, run_id: str) -> RunStatus:
        """The state of the run."""
        found = self._by_name(run_id)
        if found is None:
            reason = "EMR has no job run of this name"
            return RunStatus(
                run_id=run_id, state=RunState.GONE, reason=reason, remedy=f"If it ran, its result is in OUT/reports/{run_id}.json"
            )
        with in_words():
            run = self._client.describe_job_run(virtualClusterId=self._cluster, id=found["id"])["jobRun"]
        word = run["state"]
        state = STATES.get(word, RunState.UNKNOWN)
        failure = run.get("failureReason", "")
        waited_s = (self._now() - run["createdAt"]).total_seconds() if state is RunState.WAITING else 0.0
        stuck = waited_s > START_TIMEOUT_S
        reason = f"{failure}: {run.get('stateDetails', '')}".strip(": ") if failure else run.get("stateDetails", "")
        if stuck:
            reason = f"{word} for more than {START_TIMEOUT_S // 60} min. {reason}".rstrip(". ")
        remedy = (
            "Nodes are missing or the image is slow; see job-start-timeout and the namespace's events"
            if stuck
            else REMEDIES.get(failure, "")
        )
        return RunStatus(run_id=run_id, state=state, engine_state=word, reason=reason, remedy=remedy, stuck=stuck)

    def cancel(self, run_id: str) -> RunStatus:
        """Ask EMR to stop the run; the answer is the state after that."""
        found = self._by_name(run_id)
        if found is not None and not STATES.get(found["state"], RunState.UNKNOWN).final:
            try:
                with in_words():
                    self._client.cancel_job_run(virtualClusterId=self._cluster, id=found["id"])
            except ConfigError:
                # it ended in between: its state tells
                return self.status(run_id)
        return self.status(run_id)

    def latest(self, job: str) -> str | None:
        """The newest run of ``job``, by its tag, or by the form of its name where the list shows no tags."""
        newest = max((run for run in self._runs() if _is_of(run, job)), key=lambda run: run["createdAt"], default=None)
        return None if newest is None else str(newest["name"])

    def logs(self, run_id: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """Location of the logs, and the newest lines of the driver where CloudWatch has them.

        Raises:
            LaunchError: The run is not there, or its site keeps no logs.
        """
        found = self._by_name(run_id)
        if found is None:
            raise LaunchError(f"EMR has no job run {run_id}")
        logging = self._site.logging
        path = f"{self._cluster}/jobs/{found['id']}/containers/"
        if logging.s3_uri:
            yield f"# {logging.s3_uri.rstrip('/')}/{path}"
        if logging.cloudwatch_group:
            yield from self._cloudwatch(path, newest=follow or tail is not None, tail=tail)
        elif not logging.s3_uri:
            raise LaunchError(
                f"site {self._site.site} sends no logs out",
                remedy=f"On the cluster: kubectl -n {self._site.cluster.namespace} logs",
            )

    def _cloudwatch(self, path: str, *, newest: bool, tail: int | None) -> Iterator[str]:
        group = self._site.logging.cloudwatch_group
        logs = connect("logs", region=self._site.cluster.region)
        yield f"# CloudWatch log group {group}, streams with {path}"
        with in_words():
            streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
            wanted = [s["logStreamName"] for s in streams if path in s["logStreamName"] and "driver" in s["logStreamName"]]
            for stream in wanted:
                page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=not newest)
                for event in page["events"][-(tail or 0) :]:
                    yield event["message"]
        if not wanted:
            yield "# no driver stream yet"

    def _by_name(self, name: str) -> Manifest | None:
        """The newest job run of this name. EMR is asked by it: the whole history grows for ever."""
        return next((run for run in self._runs(name=name) if run.get("name") == name), None)

    def _runs(self, **asked: str) -> Iterator[Manifest]:
        """Job runs of the virtual cluster, newest first as EMR lists them."""
        with in_words():
            for page in self._client.get_paginator("list_job_runs").paginate(virtualClusterId=self._cluster, **asked):
                yield from page["jobRuns"]


def _is_of(run: Manifest, job: str) -> bool:
    """Whether a job run is one of ``job``; ``ard`` is not ``ard-nightly``. What a schedule starts has no tags."""
    if run.get("tags"):
        return bool(run["tags"].get("swath-job") == job)
    form = rf"{re.escape(job)}-(\d{{8}}t\d{{6}}z-[0-9a-f]+(-r\d+)?|[0-9a-z]{{16}})"
    return re.fullmatch(form, str(run.get("name", ""))) is not None
