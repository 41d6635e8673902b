import json
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.deploy.engine_command import engine_command
from swath.deploy.render.order import Order
from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.files import load_site
from swath.deploy.site.identity import PROVIDERS
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.memory import Memory
from swath.deploy.site.site import Site

Change = Callable[..., Site]
Ordered = Callable[[str], Order]
CLUSTERS = ["aws-region", "outposts-extended", "outposts-local", "eks-anywhere", "kubernetes"]


@given(
    cores=st.integers(1, 16),
    heap=st.integers(512, 8192),
    offheap=st.integers(256, 2048),
    worker=st.integers(256, 2048),
    child=st.integers(256, 8192),
)
def test_memory_adds_up_to_the_container(cores: int, heap: int, offheap: int, worker: int, child: int) -> None:
    need = Resources(
        executor_cores=cores,
        executor_heap=Memory(heap),
        executor_offheap=Memory(offheap),
        worker=Memory(worker),
        child=Memory(child),
    )
    job = JobSpec(job="ard", pipeline="ard", inputs=("/i",), output="/o", resources=need)
    conf = spark_conf(
        job, site=Site.model_validate({"site": "x", "engine": "spark-submit", "link": "always", "stores": {}}), run_id="r"
    )
    total = Memory.parse(conf["spark.executor.memory"]).mib + Memory.parse(conf["spark.executor.memoryOverhead"]).mib
    assert total == heap + offheap + cores * (worker + child)
    assert need.executor_container.mib == total


@pytest.mark.parametrize("site", CLUSTERS)
def test_driver_and_executors_get_the_same_environment(site: str, order: Ordered) -> None:
    conf = order(site).conf
    driver, executor = (
        {k.removeprefix(p): v for k, v in conf.items() if k.startswith(p)}
        for p in ("spark.kubernetes.driverEnv.", "spark.executorEnv.")
    )
    assert driver == executor
    assert {k: driver[k] for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GDAL_NUM_THREADS")} == dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GDAL_NUM_THREADS"), "1"
    )


@pytest.mark.parametrize("site", CLUSTERS)
def test_what_a_run_sends_and_spills_is_encrypted_with_a_key_that_spark_makes(site: str, order: Ordered) -> None:
    conf = order(site).conf
    on = ("spark.authenticate", "spark.network.crypto.enabled", "spark.io.encryption.enabled")
    assert [conf[key] for key in on] == ["true"] * 3
    assert (conf["spark.network.crypto.saslFallback"], conf["spark.ui.enabled"]) == ("false", "false")
    assert not [key for key in conf if key.startswith("spark.authenticate.secret")], "Spark makes a secret for each run"


@pytest.mark.parametrize("site", CLUSTERS)
def test_every_bucket_names_its_credentials_provider(site: str, order: Ordered) -> None:
    where = load_site(site)
    conf = order(site).conf
    assert where.identity is not None
    for store in where.stores.values():
        key = f"spark.hadoop.fs.s3a.bucket.{store.bucket}.aws.credentials.provider"
        assert conf[key] == PROVIDERS[where.identity.kind]
    # and boto3 may not fall through to the node either
    assert conf["spark.executorEnv.AWS_EC2_METADATA_DISABLED"] == "true"


def test_only_the_node_role_may_ask_the_metadata_service(job: JobSpec, change: Change) -> None:
    conf = spark_conf(job, site=change("kubernetes", identity={"kind": "node-role"}), run_id="r")
    assert "spark.executorEnv.AWS_EC2_METADATA_DISABLED" not in conf


def test_stores_with_an_endpoint_are_told_to_java_python_and_gdal(order: Ordered) -> None:
    conf = order("eks-anywhere").conf
    assert conf["spark.hadoop.fs.s3a.bucket.scenes.endpoint"] == "https://s3.dc.example:8443"
    assert conf["spark.hadoop.fs.s3a.bucket.scenes.path.style.access"] == "true"
    assert conf["spark.hadoop.fs.s3a.bucket.scenes.endpoint.region"] == "external"
    assert conf["spark.executorEnv.AWS_ENDPOINT_URL_S3"] == "https://s3.dc.example:8443"
    assert conf["spark.executorEnv.AWS_S3_ENDPOINT"] == "s3.dc.example:8443"
    assert conf["spark.executorEnv.AWS_VIRTUAL_HOSTING"] == "FALSE"
    stores = json.loads(conf["spark.executorEnv.SWATH_STORES"])
    assert stores["scenes"] == {
        "kind": "s3-compatible",
        "endpoint": "https://s3.dc.example:8443",
        "region": "external",
        "addressing": "path",
        "consistency": "strong",
    }


def test_s3_on_outposts_goes_by_access_point(order: Ordered) -> None:
    conf = order("outposts-extended").conf
    bucket = load_site("outposts-extended").stores["scenes"].bucket
    assert conf[f"spark.hadoop.fs.s3a.bucket.{bucket}.accesspoint.arn"].endswith("/accesspoint/scenes-rack")
    assert "spark.executorEnv.AWS_ENDPOINT_URL_S3" not in conf


def test_the_authority_reaches_every_library(order: Ordered) -> None:
    conf = order("eks-anywhere").conf
    for name in ("GDAL_CURL_CA_BUNDLE", "PROJ_CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PGSSLROOTCERT"):
        assert conf[f"spark.executorEnv.{name}"] == "/etc/swath/ca/ca.pem"
        assert conf[f"spark.kubernetes.driverEnv.{name}"] == "/etc/swath/ca/ca.pem"
    for role in ("driver", "executor"):
        assert "-Djavax.net.ssl.trustStore=/etc/swath/ca/truststore.p12" in conf[f"spark.{role}.extraJavaOptions"]


def test_the_proxy_reaches_java_python_and_s3a(job: JobSpec, change: Change) -> None:
    site = change("eks-anywhere", proxy__no_proxy=[".svc"])
    conf = spark_conf(job, site=site, run_id="r")
    assert conf["spark.executorEnv.https_proxy"] == conf["spark.executorEnv.HTTPS_PROXY"] == "http://proxy.dc.example:3128"
    assert "-Dhttps.proxyHost=proxy.dc.example" in conf["spark.driver.extraJavaOptions"]
    assert "-Dhttp.nonProxyHosts=*.svc" in conf["spark.driver.extraJavaOptions"]
    assert conf["spark.hadoop.fs.s3a.bucket.scenes.proxy.host"] == "proxy.dc.example"


def test_a_store_inside_is_not_asked_through_the_proxy(order: Ordered) -> None:
    assert not [key for key in order("eks-anywhere").conf if "fs.s3a" in key and "proxy" in key]


def test_delta_comes_from_emr_there_and_from_the_image_elsewhere(order: Ordered) -> None:
    assert order("aws-region").conf["spark.jars"].count("/usr/share/aws/delta/lib/") == 2
    assert "spark.jars" not in order("eks-anywhere").conf
    assert "spark.jars.packages" not in order("eks-anywhere").conf
    assert order("laptop").conf["spark.jars.packages"] == "io.delta:delta-spark_2.13:4.0.1"


def test_the_oldest_reader_can_read_every_table(order: Ordered) -> None:
    for site in CLUSTERS:
        assert order(site).conf["spark.databricks.delta.properties.defaults.minReaderVersion"] == "1"


def test_connection_strings_are_named_for_the_driver_only(order: Ordered) -> None:
    conf = order("eks-anywhere").conf
    assert conf["spark.kubernetes.driver.secretKeyRef.SWATH_POSTGRESQL_DSN"] == "swath-postgresql:dsn"
    assert not [key for key in conf if "executor.secretKeyRef" in key]


def test_settings_differ_between_sites_only_where_the_site_files_differ(job: JobSpec, change: Change) -> None:
    """The same file with another name makes the same run."""
    here = spark_conf(job, site=load_site("kubernetes"), run_id="r")
    there = spark_conf(job, site=change("kubernetes", site="twin"), run_id="r")
    differing = {key for key in here if here[key] != there[key]}
    assert differing == {key for key in here if key.endswith("label.swath-site")}


def test_no_setting_is_empty(order: Ordered) -> None:
    for site in [*CLUSTERS, "laptop"]:
        assert all(order(site).conf.values())


def test_a_run_counts_the_cores_of_all_its_executors(job: JobSpec, change: Change) -> None:
    """Of those that have come when it starts there may be two."""
    cores = job.resources.executor_cores
    for allocation, executors in (({"enabled": True, "min": 0, "max": 8}, 8), ({"enabled": False}, job.resources.executors)):
        conf = spark_conf(job, site=change("kubernetes", dynamic_allocation=allocation), run_id="r")
        assert conf["spark.default.parallelism"] == str(executors * cores)
    assert "spark.default.parallelism" not in spark_conf(job, site=load_site("laptop"), run_id="r")
    standalone = change("laptop", cluster__master="spark://host:7077")
    assert spark_conf(job, site=standalone, run_id="r")["spark.default.parallelism"] == str(job.resources.executors * cores)


@pytest.mark.parametrize("site", [*CLUSTERS, "laptop"])
def test_every_engine_starts_workers_by_our_daemon(site: str, order: Ordered) -> None:
    module = order(site).conf["spark.python.daemon.module"]
    assert find_spec(module) is not None
    assert engine_command(order(site)).conf["spark.python.daemon.module"] == module
