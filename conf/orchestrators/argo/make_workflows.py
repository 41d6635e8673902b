"""Makes the WorkflowTemplate and the CronWorkflow of a nightly job, with hera 7.1.

    python make_workflows.py ard-nightly --site kubernetes --image registry/swath@sha256:... --schedule "15 2 * * *" > ard-nightly.yaml

The image is swath's own, with the files of jobs and sites that it holds. The namespace is one beside the runs', whose policies
let no other image in; spark-operator/kustomize/components/workflows makes it, with an account that may do what launchers may.
"""

import argparse
import sys

import yaml
from hera.workflows import DAG, Container, CronWorkflow, EmptyDirVolume, RetryStrategy, SecretVolume, Task, WorkflowTemplate
from hera.workflows.models import (
    Capabilities,
    EnvVar,
    Metadata,
    PodSecurityContext,
    ResourceRequirements,
    SeccompProfile,
    SecurityContext,
    VolumeMount,
    WorkflowTemplateRef,
)

AWS = "/etc/swath/aws"
OWN = "{{workflow.name}}"
#: 1 crashed, 6 a store or a database was away; a wrong configuration, a broken account or another run's lock stay as they are.
RETRY = "lastRetry.status == 'Error' || lastRetry.exitCode == '1' || lastRetry.exitCode == '6'"


def labels(job: str, *, site: str, image: str) -> dict[str, str]:
    """What Kubernetes recommends that every object has; the image's first digits are the version."""
    return {
        "app.kubernetes.io/name": "swath",
        "app.kubernetes.io/instance": f"{job}.{site}",
        "app.kubernetes.io/component": "workflow",
        "app.kubernetes.io/part-of": "swath",
        "app.kubernetes.io/managed-by": "argo-workflows",
        "app.kubernetes.io/version": image.partition("@sha256:")[2][:12],
    }


def container(name: str, words: list[str], *, image: str, retry: RetryStrategy | None = None) -> Container:
    """One command of swath in a pod of the restricted level."""
    return Container(
        name=name,
        image=image,
        image_pull_policy="IfNotPresent",
        command=["swath"],
        args=words,
        retry_strategy=retry,
        resources=ResourceRequirements(requests={"cpu": "100m", "memory": "256Mi"}, limits={"cpu": "1", "memory": "512Mi"}),
        security_context=SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            capabilities=Capabilities(drop=["ALL"]),
            seccomp_profile=SeccompProfile(type="RuntimeDefault"),
        ),
        env=[
            EnvVar(name="AWS_SHARED_CREDENTIALS_FILE", value=f"{AWS}/credentials"),
            EnvVar(name="AWS_CONFIG_FILE", value=f"{AWS}/config"),
        ],
        volume_mounts=[VolumeMount(name="tmp", mount_path="/tmp"), VolumeMount(name="aws", mount_path=AWS, read_only=True)],
    )


def template(job: str, *, site: str, image: str, namespace: str, max_quarantined: float, longest_s: int) -> WorkflowTemplate:
    """Run, then gate; at the end, in any case, the run's state is sent."""
    where = [job, "--site", site, "--run-of", OWN]
    retry = RetryStrategy(limit="2", retry_policy="Always", expression=RETRY)
    with WorkflowTemplate(
        name=f"swath-{job}",
        namespace=namespace,
        labels=labels(job, site=site, image=image),
        pod_metadata=Metadata(labels=labels(job, site=site, image=image)),
        entrypoint="main",
        on_exit="told",
        service_account_name="swath-launcher",
        active_deadline_seconds=longest_s,
        security_context=PodSecurityContext(run_as_non_root=True, run_as_user=185, run_as_group=185),
        volumes=[
            EmptyDirVolume(name="tmp", mount_path="/tmp", size_limit="64Mi"),
            SecretVolume(name="aws", mount_path=AWS, secret_name="swath-s3"),
        ],
    ) as made:
        # 3: some scenes are in quarantine; the gate knows how many may be
        ended = ["-c", f"swath submit {' '.join(where)} --wait --retries 1; code=$?; [ $code = 3 ] && exit 0; exit $code"]
        run = container("run", ended, image=image, retry=retry)
        run.command = ["/bin/sh"]
        gate = container("gate", ["gate", *where, "--max-quarantined", str(max_quarantined), "--max-age", "26h"], image=image)
        container("told", ["gate", *where, "--max-quarantined", "1"], image=image)
        with DAG(name="main"):
            Task(name="run", template=run) >> Task(name="gate", template=gate)
    return made


def nightly(made: WorkflowTemplate, *, schedule: str) -> CronWorkflow:
    """The calendar of a template: no run beside another, none for a time that has gone by."""
    return CronWorkflow(
        name=made.name,
        namespace=made.namespace,
        labels=made.labels,
        schedules=[schedule],
        timezone="UTC",
        concurrency_policy="Forbid",
        starting_deadline_seconds=3600,
        successful_jobs_history_limit=5,
        failed_jobs_history_limit=5,
        workflow_template_ref=WorkflowTemplateRef(name=made.name),
    )


def main() -> None:
    """Print both objects."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("job")
    words.add_argument("--site", required=True)
    words.add_argument("--image", required=True, help="by digest")
    words.add_argument("--schedule", required=True, help="five fields of cron, UTC")
    words.add_argument("--namespace", default="swath-workflows")
    words.add_argument("--max-quarantined", type=float, default=0.05)
    words.add_argument("--longest-s", type=int, default=86_400, help="longer than the job's max_duration")
    given = words.parse_args()
    if "@sha256:" not in given.image:
        words.error(f"image {given.image} has no digest, so it may change between two runs")
    made = template(
        given.job,
        site=given.site,
        image=given.image,
        namespace=given.namespace,
        max_quarantined=given.max_quarantined,
        longest_s=given.longest_s,
    )
    yaml.safe_dump_all([made.to_dict(), nightly(made, schedule=given.schedule).to_dict()], sys.stdout, sort_keys=False, width=160)


if __name__ == "__main__":
    main()
