"""The Job that makes or changes the schemas of a site's databases, with a role and a service account of its own."""

from typing import Any

from swath.deploy.pods.template import pod_template
from swath.deploy.render.plain import Manifest
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.settings import CREDENTIAL_FROM

NAME = "swath-migrate"
#: Where both images have swath.
PROGRAM = "/opt/swath/venv/bin/swath"
_DIGITS = 10
_KEPT_S = 7 * 86400
_LABELS = {"app.kubernetes.io/name": NAME}


def migration(site: Site) -> list[Manifest]:
    """ServiceAccount and Job, in the site's namespace, with its image: what `swath catalog migrate` does there.

    The Job is named for the image: a new image is a new Job, and the same one is left alone by whoever applies it twice.

    Raises:
        ConfigError: Nothing is to be migrated, or nothing of the site's engine is a pod.
    """
    if site.kind.shares_folders:
        raise ConfigError(f"engine {site.engine} has no pods: run `swath catalog migrate` yourself, as the role that may")
    containers = [_container(site, target=target, secret=secret) for target, secret in _targets(site).items() if secret]
    if not containers:
        fields = "ledger.migrate_dsn or catalogue.migrate_dsn"
        raise ConfigError(f"site {site.site} names no role that migrates: set {fields} to SECRET:KEY of its connection string")
    return [_account(site), _job(site, containers=containers)]


def _targets(site: Site) -> dict[str, str]:
    return {"ledger": site.ledger.migrate_dsn, "catalogue": site.catalogue.migrate_dsn}


def _account(site: Site) -> Manifest:
    metadata = {"name": NAME, "namespace": site.cluster.namespace, "labels": _LABELS}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False}


def _job(site: Site, *, containers: list[Manifest]) -> Manifest:
    pod = pod_template(site, role="driver")["spec"]
    spec = {
        **pod,
        "containers": containers,
        # asks nothing of the API server, and is none of the accounts of runs
        "automountServiceAccountToken": False,
        "serviceAccountName": NAME,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 30,
    }
    digest = site.image.rpartition("sha256:")[2][:_DIGITS]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{NAME}-{digest}",
            "namespace": site.cluster.namespace,
            "labels": _LABELS,
            # Flux makes it once, and neither mends nor repeats it
            "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"},
        },
        "spec": {
            "backoffLimit": 3,
            "activeDeadlineSeconds": 1800,
            "ttlSecondsAfterFinished": _KEPT_S,
            "template": {"metadata": {"labels": _LABELS}, "spec": spec},
        },
    }


def _container(site: Site, *, target: str, secret: str) -> Manifest:
    name, _, key = secret.partition(":")
    variable, words = ("SWATH_POSTGRESQL_DSN", ["--ledger"]) if target == "ledger" else ("SWATH_CATALOG", [])
    plain: dict[str, str] = {"SWATH_LEDGER": "postgresql"} if target == "ledger" else {}
    plain |= {"PGSSLROOTCERT": site.trust.bundle, "PGSSLMODE": "verify-full"} if site.trust else {}
    plain |= {CREDENTIAL_FROM: site.ledger.password_from} if site.ledger.password_from else {}
    environment: list[Any] = [{"name": k, "value": v} for k, v in sorted(plain.items())]
    environment.append({"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}})
    locked_down: Manifest = pod_template(site, role="driver")["spec"]["containers"][0]
    return locked_down | {
        "name": target,
        "image": site.image,
        "command": [PROGRAM],
        "args": ["catalog", "migrate", *words],
        "env": environment,
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
    }
