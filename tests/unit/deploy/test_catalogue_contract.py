"""What a site says of its catalogue reaches the command that reads it."""

from collections.abc import Callable

import pytest

from swath.cli.catalog import VARIABLES
from swath.deploy.render.environment import environment
from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.settings import DSN

Change = Callable[..., Site]


def test_drivers_alone_get_the_connection_strings_under_the_names_that_we_read(job: JobSpec, change: Change) -> None:
    site = change("eks-anywhere", catalogue__dsn="catalogue:dsn", ledger__dsn="ledger:dsn")
    conf = spark_conf(job, site=site, run_id="r")
    named = {key: value for key, value in conf.items() if "secretKeyRef" in key}
    prefix = "spark.kubernetes.driver.secretKeyRef."
    assert named == {f"{prefix}{VARIABLES[1]}": "catalogue:dsn", f"{prefix}{DSN}": "ledger:dsn"}


def test_readers_may_know_the_output_by_another_name(job: JobSpec, change: Change) -> None:
    site = change("eks-anywhere", catalogue__base="https://data.example.org/ard")
    assert environment(job, site=site)["SWATH_CATALOG_BASE"] == "https://data.example.org/ard"
    assert "SWATH_CATALOG_BASE" not in environment(job, site=change("eks-anywhere"))
    with pytest.raises(ValueError, match=r"catalogue\.base"):
        change("eks-anywhere", catalogue__base="data.example.org")
