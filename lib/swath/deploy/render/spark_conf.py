"""The one function that makes the Spark configuration, for every engine. What an engine forbids is stripped there."""

from swath.deploy.render.cores import most_cores
from swath.deploy.render.environment import environment
from swath.deploy.render.s3a import s3a
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.network import Proxy, Trust
from swath.deploy.site.no_proxy import java_patterns
from swath.deploy.site.site import Site
from swath.spark.start.settings import DAEMON, FAST_START, settings_for

# The oldest reader among the sites (Delta 4.0.0 of EMR) must be able to read every table.
OLDEST_READER = {
    "spark.databricks.delta.properties.defaults.minReaderVersion": "1",
    "spark.databricks.delta.properties.defaults.minWriterVersion": "2",
}

_EXECUTOR_ENV = "spark.executorEnv."


def spark_conf(job: JobSpec, *, site: Site, run_id: str) -> dict[str, str]:
    """All Spark settings of a run.

    Args:
        job: What.
        site: Where.
        run_id: Id of the run.

    Returns:
        Settings in a stable order, values as Spark reads them; memory as whole numbers with g or m.
    """
    kind = site.kind
    conf = {
        # the same settings as every session of swath; a Spark that is already running keeps what it was given
        **settings_for(kind.master(site)),
        **OLDEST_READER,
        **_java_options(site),
        **_memory(job.resources, site=site),
        **_parallelism(job.resources, site=site),
        # images, and callers that submit with the wheel, have swath where workers start
        "spark.python.daemon.module": DAEMON,
        **s3a(site),
        **_event_log(site),
        **{f"{_EXECUTOR_ENV}{key}": value for key, value in environment(job, site=site).items()},
        **kind.conf(job, site=site, run_id=run_id),
    }
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


def _event_log(site: Site) -> dict[str, str]:
    """Spark's event log, inside the site or nowhere."""
    if not site.logging.event_log:
        return {"spark.eventLog.enabled": "false"}
    place = site.resolve(site.logging.event_log)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": place.replace("s3://", "s3a://", 1),
        # a long run is read as it goes on, and old files are few: a tenth of the bytes
        "spark.eventLog.rolling.enabled": "true",
        "spark.eventLog.rolling.maxFileSize": "16m",
        "spark.eventLog.compress": "true",
        "spark.eventLog.compression.codec": "zstd",
    }
