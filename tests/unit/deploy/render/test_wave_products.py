"""A wave is as wide as the cluster asks for, at every engine; bad widths and clusters above the quota are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from swath.deploy.engine_command import engine_command
from swath.deploy.render.order import Order
from swath.deploy.render.refusal import refusals
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.site import Site
from swath.errors import ConfigError
from swath.wave_width import wave_width

Change = Callable[..., Site]
RUN_ID = "ard-20261125t000000z-abcd"


@pytest.mark.parametrize(
    ("cores", "products"), [(1, 32), (10, 32), (11, 33), (64, 192), (1000, 3000), (1365, 4095), (1366, 4096), (40_000, 4096)]
)
def test_a_wave_is_three_times_the_cores_within_its_limits(cores: int, products: int) -> None:
    assert wave_width(cores) == products


def _width(job: JobSpec, site: Site) -> str | None:
    """The width in what the engine is given."""
    words = engine_command(Order(job=job, site=site, run_id=RUN_ID)).arguments
    return words[words.index("--wave-products") + 1] if "--wave-products" in words else None


@pytest.mark.parametrize("name", ["aws-region", "eks-anywhere", "outposts-extended", "kubernetes"])
def test_every_engine_gets_the_width_of_its_cluster(name: str, job: JobSpec) -> None:
    site = load_site(name)
    executors = site.dynamic_allocation.max if site.dynamic_allocation.enabled else job.resources.executors
    assert _width(job, site) == str(max(32, 3 * executors * job.resources.executor_cores))


def test_a_job_overrides_it_and_one_machine_knows_its_own(job: JobSpec) -> None:
    own = job.model_copy(update={"wave_products": 7})
    assert {_width(own, load_site(name)) for name in ("aws-region", "kubernetes", "laptop")} == {"7"}
    assert _width(job, load_site("laptop")) is None


@pytest.mark.parametrize("products", [0, -1, 4097, "many"])
def test_a_width_that_no_wave_can_have_is_refused(products: Any, job: JobSpec) -> None:
    with pytest.raises(ValidationError, match="wave_products"):
        JobSpec.model_validate({**job.model_dump(), "wave_products": products})


def test_more_cores_than_the_quota_are_refused_with_the_numbers(job: JobSpec, change: Change) -> None:
    most = load_site("kubernetes").dynamic_allocation.max
    cores = most * job.resources.executor_cores
    assert "cores" not in {r.code for r in refusals(job, site=change("kubernetes", sizes__cores=cores))}
    told = (
        rf"\[cores\] {most} executors of {job.resources.executor_cores} cores are {cores} cores, the site's quota is {cores - 1}"
    )
    with pytest.raises(ConfigError, match=told):
        Order(job=job, site=change("kubernetes", sizes__cores=cores - 1), run_id=RUN_ID)
