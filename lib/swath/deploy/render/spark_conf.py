"""The one function that makes the Spark configuration, for every engine. What an engine forbids is stripped there."""

from swath.deploy.render.cores import most_cores
from swath.deploy.render.environment import environment
from swath.deploy.render.layout import EMR_DELTA_JARS, PYTHON, SCRATCH
from swath.deploy.render.s3a import s3a
from swath.deploy.site.cluster import Engine
from swath.deploy.site.identity import PROFILE_MOUNT, IdentityKind
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.network import Proxy, Trust
from swath.deploy.site.no_proxy import java_patterns
from swath.deploy.site.site import Site
from swath.spark.start.jars import DELTA_PACKAGE
from swath.spark.start.s3a_jars import S3A_EXCLUDED, S3A_PACKAGES
from swath.spark.start.settings import DAEMON, FAST_START, settings_for

# The oldest reader among the sites (Delta 4.0.0 of EMR) must be able to read every table.
OLDEST_READER = {
    "spark.databricks.delta.properties.defaults.minReaderVersion": "1",
    "spark.databricks.delta.properties.defaults.minWriterVersion": "2",
}

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
#: only moves rows, so no pause of its own comes near that. A pod that is gone without a word from the API server's watch is
#: found by asking it every 10 s.
SOON_NOTICED = {
    "spark.executor.heartbeatInterval": "4s",
    "spark.storage.blockManagerHeartbeatTimeoutMs": "14s",
    "spark.network.timeoutInterval": "4s",
    "spark.kubernetes.executor.apiPollingInterval": "10s",
    "spark.kubernetes.executor.missingPodDetectDelta": "10s",
}

_EXECUTOR_ENV = "spark.executorEnv."
_DRIVER_ENV = "spark.kubernetes.driverEnv."


def spark_conf(job: JobSpec, *, site: Site, run_id: str) -> dict[str, str]:
    """All Spark settings of a run.

    Args:
        job: What.
        site: Where.
        run_id: Id of the run.

    Returns:
        Settings in a stable order, values as Spark reads them; memory as whole numbers with g or m.
    """
    variables = environment(job, site=site)
    conf = {
        # the same settings as every session of swath; a Spark that is already running keeps what it was given
        **settings_for("k8s" if site.on_kubernetes else site.cluster.master),
        **OLDEST_READER,
        **_java_options(site),
        **_memory(job.resources, site=site),
        **_parallelism(job.resources, site=site),
        # images, and whoever submits with the wheel, have swath where workers start
        "spark.python.daemon.module": DAEMON,
        **s3a(site),
        **_jars(site),
        **_event_log(site),
        **{f"{_EXECUTOR_ENV}{key}": value for key, value in variables.items()},
    }
    if site.on_kubernetes:
        conf |= {f"{_DRIVER_ENV}{key}": value for key, value in variables.items()}
        conf |= _kubernetes(job, site=site, run_id=run_id)
        conf |= SECURE
        conf |= _resilience(site)
        conf |= _scratch(site)
        conf |= _shared_folders(site)
    else:
        conf["spark.master"] = site.cluster.master
    return dict(sorted(conf.items()))


def _java_options(site: Site) -> dict[str, str]:
    """JVM start settings, trust store and proxy: Java reads none of it from the environment."""
    options = [FAST_START, *_java_trust(site.trust), *_java_proxy(site.proxy)]
    text = " ".join(options)
    return {"spark.driver.extraJavaOptions": text, "spark.executor.extraJavaOptions": text}


def _java_trust(trust: Trust | None) -> tuple[str, ...]:
    if trust is None:
        return ()
    return (f"-Djavax.net.ssl.trustStore={trust.truststore}", "-Djavax.net.ssl.trustStoreType=PKCS12")


def _java_proxy(proxy: Proxy | None) -> tuple[str, ...]:
    if proxy is None:
        return ()
    ways = [
        f"-D{scheme}.proxy{part}={value}"
        for scheme in ("http", "https")
        for part, value in (("Host", proxy.host), ("Port", proxy.port))
    ]
    return (*ways, f"-Dhttp.nonProxyHosts={java_patterns(proxy.no_proxy)}")


def _memory(resources: Resources, *, site: Site) -> dict[str, str]:
    """Cores and memory. The overhead is explicit: Spark's own factor knows nothing of GDAL and of child processes."""
    conf = {
        "spark.driver.cores": str(resources.driver_cores),
        "spark.driver.memory": resources.driver_heap.spark,
        "spark.executor.cores": str(resources.executor_cores),
        "spark.executor.memory": resources.executor_heap.spark,
        "spark.executor.memoryOverhead": resources.executor_overhead.spark,
        "spark.driver.memoryOverhead": resources.driver_offheap.spark,
    }
    if site.dynamic_allocation.enabled:
        return conf | {
            "spark.dynamicAllocation.enabled": "true",
            "spark.dynamicAllocation.shuffleTracking.enabled": "true",
            "spark.dynamicAllocation.initialExecutors": str(max(resources.executors, site.dynamic_allocation.min)),
            "spark.dynamicAllocation.minExecutors": str(site.dynamic_allocation.min),
            "spark.dynamicAllocation.maxExecutors": str(site.dynamic_allocation.max),
        }
    return conf | {"spark.executor.instances": str(resources.executors)}


def _parallelism(resources: Resources, *, site: Site) -> dict[str, str]:
    """Cores of the run when all its executors are there; one machine knows its own.

    A run decides by them how many tasks it makes and whether it cuts scenes, and would otherwise count only the cores of
    executors that have come by then.
    """
    cores = most_cores(resources, site=site)
    return {} if cores is None else {"spark.default.parallelism": str(cores)}


def _jars(site: Site) -> dict[str, str]:
    """EMR has Delta jars of its own; the on-premises image has them beside Spark's; elsewhere they are fetched or named."""
    if site.on_emr:
        return {"spark.jars": ",".join(EMR_DELTA_JARS)}
    if site.engine is Engine.SPARK_OPERATOR:
        return {}
    if site.cluster.jars:
        return {"spark.jars": ",".join(site.cluster.jars)}
    if not any(s.is_s3 for s in site.stores.values()):
        return {"spark.jars.packages": DELTA_PACKAGE}
    packages, excluded = ",".join((DELTA_PACKAGE, *S3A_PACKAGES)), ",".join(S3A_EXCLUDED)
    return {"spark.jars.packages": packages, "spark.jars.excludes": excluded}


def _event_log(site: Site) -> dict[str, str]:
    """Spark's event log, inside the site or nowhere."""
    if not site.logging.event_log:
        return {"spark.eventLog.enabled": "false"}
    place = site.resolve(site.logging.event_log)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": place.replace("s3://", "s3a://", 1),
        "spark.eventLog.rolling.enabled": "true",
    }


def _kubernetes(job: JobSpec, *, site: Site, run_id: str) -> dict[str, str]:
    """Image, namespace, accounts, labels; limits equal requests so that pods pass a quota on limits."""
    account = site.identity.service_account if site.identity else "swath-driver"
    executor_account = account if site.identity and site.identity.role_arn else "swath-executor"
    labels = {**job.labels, "swath-job": job.job, "swath-run": run_id, "swath-site": site.site}
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
    for role in ("driver", "executor"):
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
