"""What the renderers tell pods about stores is what the stores of swath understand."""

from collections.abc import Callable

import pytest

from swath.deploy.render.arguments import arguments
from swath.deploy.render.order import Order
from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.settings import DSN, LOCK
from swath.stores.options import store_options

_PREFIX = "spark.kubernetes.driverEnv."
CLUSTERS = ["aws-region", "outposts-extended", "outposts-local", "eks-anywhere", "kubernetes"]


def _environment(job: JobSpec, site: Site) -> dict[str, str]:
    conf = spark_conf(job, site=site, run_id="r")
    return {key.removeprefix(_PREFIX): value for key, value in conf.items() if key.startswith(_PREFIX)}


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_store_of_a_site_is_understood(name: str, job: JobSpec) -> None:
    site = load_site(name)
    environment = _environment(job, site)
    for store in site.stores.values():
        told = store_options(store.bucket, environment)
        assert told.kind == store.kind.value
        assert (told.endpoint, told.region, told.access_point) == (store.endpoint, store.region, store.access_point)
        assert told.consistency == store.consistency


def test_stores_behind_two_endpoints_keep_their_own(job: JobSpec, change: Callable[..., Site]) -> None:
    site = change("kubernetes", stores__scenes__endpoint="https://other.example:9000")
    environment = _environment(job, site)
    assert store_options("scenes", environment).endpoint == "https://other.example:9000"
    assert store_options("products", environment).endpoint == "https://s3.example:9000"
    assert "AWS_ENDPOINT_URL_S3" not in environment


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_lock_of_a_site_reaches_the_driver_by_the_names_that_it_reads(name: str, job: JobSpec) -> None:
    site = load_site(name)
    assert _environment(job, site)[LOCK] == site.ledger.lock.value
    conf = spark_conf(job, site=site, run_id="r")
    assert conf[f"spark.kubernetes.driver.secretKeyRef.{DSN}"] == site.ledger.dsn


@pytest.mark.parametrize("name", CLUSTERS)
def test_arguments_are_those_that_swath_run_takes(name: str, order: Callable[[str], Order]) -> None:
    from swath.cli.run import run_command  # noqa: PLC0415 - only here

    context = run_command.make_context("run", list(order(name).arguments))
    assert context.params["site"] == name
    assert context.params["run_id"] == "ard-20261125t000000z-abcd"
    assert context.params["worker_memory_mb"] == 1536
    assert context.params["quarantine_ok"] is True


def test_a_model_pin_is_a_reference_that_the_registry_reads(job: JobSpec) -> None:
    from swath.inference.registry import _REFERENCE  # noqa: PLC0415 - only here

    pinned = JobSpec.model_validate(
        {**job.model_dump(mode="json", exclude={"resources"}), "models": {"landcover": "landcover/3"}}
    )
    words = arguments(pinned, site=load_site("kubernetes"), run_id="r")
    reference = words[words.index("--set") + 1].removeprefix("landcover.model=")
    match = _REFERENCE.fullmatch(reference)
    assert match is not None
    assert (match["name"], match["version"], match["alias"]) == ("landcover", "3", None)


def test_a_pin_with_its_digest_reaches_the_registry_as_a_lock(job: JobSpec) -> None:
    from swath.config import load_pipeline, with_settings  # noqa: PLC0415 - only here
    from swath.inference.lock import pinned_by  # noqa: PLC0415 - only here

    pin = f"landcover/3@sha256:{'0a' * 32}"
    pinned = JobSpec.model_validate({**job.model_dump(mode="json", exclude={"resources"}), "models": {"landcover": pin}})
    words = arguments(pinned, site=load_site("kubernetes"), run_id="r")
    pipeline = with_settings(load_pipeline("landcover"), [words[words.index("--set") + 1]])
    locked = pinned_by(next(s["landcover"]["model"] for s in pipeline.steps if "landcover" in s))
    assert locked is not None
    assert locked.pin == pin
