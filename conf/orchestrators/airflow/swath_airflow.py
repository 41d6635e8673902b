"""Jobs of swath as DAGs: start, wait, gate, from the file that `swath render JOB --site SITE --out FOLDER` writes.

Put this module where the scheduler, the workers and the triggerer import from (PYTHONPATH or the plugins folder); nothing of
swath is imported here. Workers need the command `swath`, for the gate. Tried with Airflow 3.3.2, amazon[aiobotocore] 9.39.0 and
cncf-kubernetes 10.25.0.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, AsyncIterator

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

RUN_LIMIT = 47
APPLICATIONS = ("sparkoperator.k8s.io", "v1beta2", "sparkapplications")
GOOD, BAD = {"COMPLETED"}, {"FAILED", "SUBMISSION_FAILED"}


def run_id_of(job: str, own: str) -> str:
    """Run id of swath for Airflow's own run id: always the same, so a retry is the same run."""
    if own.startswith(f"{job}-") and len(own) <= RUN_LIMIT and re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", own):
        return own
    digest = hashlib.sha256(own.encode()).hexdigest()[:8]
    words = re.sub(r"[^a-z0-9]+", "-", own.lower().removeprefix(f"{job}-"))
    fits = words[: RUN_LIMIT - len(job) - len(digest) - 2].strip("-")
    return "-".join(word for word in (job, fits, digest) if word)


def swath_dag(
    rendered: str | Path,
    *,
    site: str,
    conf: str | Path,
    swath: str = "swath",
    max_quarantined: float = 0.05,
    max_age: str = "26h",
    dagrun_timeout: timedelta = timedelta(hours=24),
    poll_s: int = 30,
    retry_delay: timedelta = timedelta(minutes=1),
    aws_conn_id: str | None = "aws_default",
    kubernetes_conn_id: str = "kubernetes_default",
) -> DAG:
    """A DAG of one job at one site: `run` starts it and waits without a worker, `gate` judges it.

    Args:
        rendered: File that `swath render --out` wrote.
        site: Name of the site that is meant.
        conf: Folder with jobs/ and sites/, for the gate.
        swath: The command on workers.
        max_quarantined: Largest share of quarantined scenes.
        max_age: Longest time from the run's end to the gate.
        dagrun_timeout: Of the DAG's run; longer than the job may last.
        poll_s: Seconds between two looks at the run.
        retry_delay: Before a start that got no answer is repeated, once.
        aws_conn_id: Airflow's connection for EMR.
        kubernetes_conn_id: Airflow's connection for the Spark Operator's cluster.

    Raises:
        ValueError: The file is of another site, or the job may last longer than the DAG's run.
    """
    file = json.loads(Path(rendered).read_text(encoding="utf-8"))
    if file["site"] != site:
        raise ValueError(f"{rendered} is rendered for site {file['site']}, not for {site}: render it again")
    longest = timedelta(seconds=file["max_duration_s"])
    if longest >= dagrun_timeout:
        raise ValueError(f"{rendered}: max_duration is {longest}, the DAG's run may last {dagrun_timeout}: raise dagrun_timeout")
    job, run_id = file["job"], "{{ swath_run_id(run_id) }}"
    start = json.loads(json.dumps(file["start"]).replace(file["run_id"], run_id))
    with DAG(
        dag_id=f"swath-{job}-{site}",
        schedule=file["schedule"],
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=dagrun_timeout,
        # a second start of the same run finds the first one
        default_args={"retries": 1, "retry_delay": retry_delay},
        user_defined_macros={"swath_run_id": partial(run_id_of, job)},
    ) as dag:
        if file["engine"] == "emr-on-eks":
            run = _emr(start, region=file["region"], longest=longest, poll_s=poll_s, aws_conn_id=aws_conn_id)
        else:
            run = StartApplication(
                task_id="run", manifest=start, conn_id=kubernetes_conn_id, poll_s=poll_s, execution_timeout=longest
            )
        gate = BashOperator(
            task_id="gate",
            bash_command=f"{swath} gate {job} --site {site} --run-id {run_id} --max-quarantined {max_quarantined} --max-age {max_age}",
            env={"SWATH_CONF": str(conf)},
            append_env=True,
            retries=0,
        )
        run >> gate
    return dag


def _emr(start: dict[str, Any], *, region: str, longest: timedelta, poll_s: int, aws_conn_id: str | None) -> BaseOperator:
    """The provider's operator, which sends the request as it is."""
    from airflow.providers.amazon.aws.operators.emr import EmrContainerOperator  # each DAG is parsed often: a second less

    operator = EmrContainerOperator(
        task_id="run",
        name=start["name"],
        virtual_cluster_id=start["virtualClusterId"],
        execution_role_arn=start["executionRoleArn"],
        release_label=start["releaseLabel"],
        job_driver=start["jobDriver"],
        configuration_overrides=start["configurationOverrides"],
        client_request_token=start["clientToken"],
        tags=start["tags"],
        job_retry_max_attempts=start["retryPolicyConfiguration"]["maxAttempts"],
        region_name=region,
        aws_conn_id=aws_conn_id,
        deferrable=True,
        cancel_on_kill=True,
        poll_interval=poll_s,
        execution_timeout=longest,
    )
    # both hold the run id
    operator.template_fields = (*operator.template_fields, "client_request_token", "tags")
    return operator


def _kubernetes(conn_id: str) -> Any:
    """The provider's hook; its client costs two seconds of imports, which parsing a DAG can do without."""
    from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

    return KubernetesHook(conn_id=conn_id)


class StartApplication(BaseOperator):
    """Creates a SparkApplication of the Spark Operator as it is, and waits for its end in the triggerer.

    The provider's SparkKubernetesOperator writes labels into the spec, so that the object is not the one that its digest
    names.
    """

    template_fields = ("manifest",)

    def __init__(self, *, manifest: dict[str, Any], conn_id: str, poll_s: int, **options: Any) -> None:
        super().__init__(**options)
        self.manifest, self.conn_id, self.poll_s = manifest, conn_id, poll_s

    def execute(self, context: Any) -> None:
        """Create the object, or find the one of the same run."""
        body, name = self.manifest, self.manifest["metadata"]["name"]
        annotations = body["metadata"]["annotations"]
        annotations["swath.spec-digest"] = _digest(body["spec"])
        namespace = body["metadata"]["namespace"]
        hook = _kubernetes(self.conn_id)
        try:
            hook.create_custom_object(*APPLICATIONS, body, namespace)
        except Exception as error:
            if getattr(error, "status", None) != 409:
                raise
            there = hook.get_custom_object(*APPLICATIONS, name, namespace)
            if there["metadata"].get("annotations", {}).get("swath.spec-digest") != annotations["swath.spec-digest"]:
                raise AirflowFailException(f"run {name} already exists, with another spec") from error
        self.defer(
            trigger=ApplicationEnds(namespace=namespace, name=name, conn_id=self.conn_id, poll_s=self.poll_s),
            method_name="ended",
            timeout=self.execution_timeout,
        )

    def ended(self, context: Any, event: dict[str, str]) -> None:
        """Fail unless the application completed."""
        if event["state"] not in GOOD:
            raise AirflowFailException(f"run {event['name']} is {event['state']}: {event['message']}")


class ApplicationEnds(BaseTrigger):
    """Fires when a SparkApplication has ended, or is not there any more."""

    def __init__(self, *, namespace: str, name: str, conn_id: str, poll_s: int) -> None:
        super().__init__()
        self.namespace, self.name, self.conn_id, self.poll_s = namespace, name, conn_id, poll_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer goes on with."""
        fields = {"namespace": self.namespace, "name": self.name, "conn_id": self.conn_id, "poll_s": self.poll_s}
        return f"{type(self).__module__}.{type(self).__qualname__}", fields

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look now and then; an API server that is away is asked again until the task's own time-out."""
        while True:
            event = await asyncio.to_thread(self._look)
            if event is not None:
                yield TriggerEvent(event)
                return
            await asyncio.sleep(self.poll_s)

    async def on_kill(self) -> None:
        """Delete the application: the task was cleared or marked."""
        hook = _kubernetes(self.conn_id)
        await asyncio.to_thread(hook.delete_custom_object, *APPLICATIONS, self.name, self.namespace)

    def _look(self) -> dict[str, str] | None:
        """The end, when there is one."""
        hook = _kubernetes(self.conn_id)
        try:
            status = hook.get_custom_object(*APPLICATIONS, self.name, self.namespace).get("status", {})
        except Exception as error:
            if getattr(error, "status", None) == 404:
                return {"name": self.name, "state": "GONE", "message": "it was deleted before it ended"}
            self.log.warning("The API server does not give the state of %s: %s", self.name, error)
            return None
        state = status.get("applicationState", {})
        if state.get("state") in GOOD | BAD:
            return {"name": self.name, "state": state["state"], "message": state.get("errorMessage", "")}
        return None


def _digest(spec: dict[str, Any]) -> str:
    """Digest by which swath tells two specs apart."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
