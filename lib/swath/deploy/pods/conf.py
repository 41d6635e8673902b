"""Spark settings of pods: image, accounts, labels, volumes, and what they do when a node goes."""

from math import floor

from swath.deploy.pods.labels import of_pod
from swath.deploy.render.environment import environment
from swath.deploy.render.layout import GPUS, PYTHON, SCRATCH
from swath.deploy.site.identity import PROFILE_MOUNT, IdentityKind
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.site import Site

#: Drivers and executors prove to each other that they are of one run, and what they send and spill is encrypted. On Kubernetes
#: Spark makes a secret for each run and hands it to its executors (Spark: "Security", "Spark RPC"); without a link that is
#: encrypted, the keys of spilled files would travel in the clear. The UI would show settings and hrefs to the whole pod network.
SECURE = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    # With AES/GCM/NoPadding as cipher, executors of Spark 4.0 cannot fetch jars from the driver: the connection is closed.
    "spark.network.crypto.authEngineVersion": "2",
    "spark.network.crypto.saslFallback": "false",
    "spark.io.encryption.enabled": "true",
    "spark.ui.enabled": "false",
}

#: An executor that vanishes is noticed within 20 s; by Spark's defaults it takes up to three minutes, and its scenes wait.
#: It shows every 4 s that it lives, three missed signs and a little more are its end, and the driver looks every 4 s. Its JVM
#: only moves rows, so no pause of its own comes near that. A pod that vanished without an event of the API server's watch is
#: found by asking it every 10 s.
SOON_NOTICED = {
    "spark.executor.heartbeatInterval": "4s",
    "spark.storage.blockManagerHeartbeatTimeoutMs": "14s",
    "spark.network.timeoutInterval": "4s",
    "spark.kubernetes.executor.apiPollingInterval": "10s",
    "spark.kubernetes.executor.missingPodDetectDelta": "10s",
}

_DRIVER_ENV = "spark.kubernetes.driverEnv."


def pod_conf(job: JobSpec, *, site: Site, run_id: str) -> dict[str, str]:
    """Spark settings for pods, in addition to the common ones.

    Args:
        job: What.
        site: Where.
        run_id: Id of the run, for labels.
    """
    return {
        **{f"{_DRIVER_ENV}{key}": value for key, value in environment(job, site=site).items()},
        **_kubernetes(job, site=site, run_id=run_id),
        **SECURE,
        **_resilience(site),
        **_scratch(site),
        **_shared_folders(site),
        **_gpu(job.resources, site=site),
    }


def _kubernetes(job: JobSpec, *, site: Site, run_id: str) -> dict[str, str]:
    """Image, namespace, accounts, labels; limits equal requests so that pods pass a quota on limits."""
    account = site.identity.service_account if site.identity else "swath-driver"
    executor_account = account if site.identity and site.identity.role_arn else "swath-executor"
    conf = {
        "spark.kubernetes.namespace": site.cluster.namespace,
        "spark.kubernetes.container.image": site.image,
        "spark.kubernetes.container.image.pullPolicy": "IfNotPresent",
        "spark.kubernetes.authenticate.driver.serviceAccountName": account,
        "spark.kubernetes.authenticate.executor.serviceAccountName": executor_account,
        "spark.kubernetes.driver.request.cores": str(job.resources.driver_cores),
        "spark.kubernetes.driver.limit.cores": str(job.resources.driver_cores),
        "spark.kubernetes.executor.request.cores": str(job.resources.executor_cores),
        "spark.kubernetes.executor.limit.cores": str(job.resources.executor_cores),
        "spark.pyspark.python": PYTHON,
        "spark.pyspark.driver.python": PYTHON,
    }
    conf |= _secret_references(site)
    driver = of_pod(job, site=site, run_id=run_id, role="driver")
    executor = of_pod(job, site=site, run_id=run_id, role="executor")
    for role, labels in (("driver", driver), ("executor", executor)):
        conf |= {f"spark.kubernetes.{role}.label.{key}": value for key, value in labels.items()}
    return conf


def _secret_references(site: Site) -> dict[str, str]:
    """Names of Kubernetes secrets, never their content. Connection strings for the driver only: it alone commits."""
    conf = {}
    if site.ledger.dsn:
        conf["spark.kubernetes.driver.secretKeyRef.SWATH_POSTGRESQL_DSN"] = site.ledger.dsn
    if site.catalogue.dsn:
        conf["spark.kubernetes.driver.secretKeyRef.SWATH_PGSTAC_DSN"] = site.catalogue.dsn
    if site.identity and site.identity.kind is IdentityKind.SECRET:
        # a folder, so that a new key arrives in running pods
        conf |= {f"spark.kubernetes.{role}.secrets.{site.identity.secret}": PROFILE_MOUNT for role in ("driver", "executor")}
    return conf


def _resilience(site: Site) -> dict[str, str]:
    """Executors that lose their node hand over what they hold."""
    conf = {
        "spark.decommission.enabled": "true",
        "spark.storage.decommission.enabled": "true",
        "spark.task.maxFailures": "4",
        "spark.storage.decommission.rddBlocks.enabled": "true",
        "spark.storage.decommission.shuffleBlocks.enabled": "true",
        **SOON_NOTICED,
    }
    if site.placement.executor.spot:
        conf["spark.executor.maxNumFailures"] = "1000"
    return conf


def _scratch(site: Site) -> dict[str, str]:
    """Volumes named ``spark-local-dir-*`` become Spark's local folders."""
    conf: dict[str, str] = {}
    for role in ("driver", "executor"):
        kind = "emptyDir" if site.scratch.kind == "empty-dir" or role == "driver" else "persistentVolumeClaim"
        prefix = f"spark.kubernetes.{role}.volumes.{kind}.spark-local-dir-1."
        conf |= {
            f"{prefix}mount.path": SCRATCH,
            f"{prefix}mount.readOnly": "false",
            f"{prefix}options.sizeLimit": site.scratch.size_limit,
        }
        if kind == "persistentVolumeClaim":
            conf |= {f"{prefix}options.claimName": "OnDemand", f"{prefix}options.storageClass": site.scratch.storage_class}
    return conf


def _shared_folders(site: Site) -> dict[str, str]:
    """Folders that every pod mounts, by their claims."""
    conf: dict[str, str] = {}
    for name, store in site.stores.items():
        if store.shared and store.claim:
            for role in ("driver", "executor"):
                prefix = f"spark.kubernetes.{role}.volumes.persistentVolumeClaim.{name}."
                conf |= {
                    f"{prefix}options.claimName": store.claim,
                    f"{prefix}mount.path": store.uri,
                    f"{prefix}mount.readOnly": "false",
                }
    return conf


def _gpu(resources: Resources, *, site: Site) -> dict[str, str]:
    """GPUs of executors, and the share of one that a task gets: all cores of an executor are at work at once.

    Spark asks Kubernetes for ``VENDOR/gpu``, and an executor tells which ones it has by the script (Spark: "Custom Resource
    Scheduling and Configuration Overview"). A share is a whole number, or one part of a GPU that several tasks have.
    """
    if not resources.gpu or site.gpu is None:
        return {}
    whole, tasks = resources.gpu // resources.executor_cores, -(-resources.executor_cores // resources.gpu)
    return {
        "spark.kubernetes.executor.container.image": site.gpu.image,
        "spark.executor.resource.gpu.amount": str(resources.gpu),
        "spark.executor.resource.gpu.vendor": site.gpu.vendor,
        "spark.executor.resource.gpu.discoveryScript": GPUS,
        # rounded down, so that as many tasks as cores fit in
        "spark.task.resource.gpu.amount": str(whole or floor(10_000 / tasks) / 10_000),
    }
