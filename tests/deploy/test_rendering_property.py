"""Whatever job a person writes: it is refused in words, or every engine would take its rendering."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.deploy.crd_schema import crd_validator

from swath.deploy.emr_on_eks.limits import request_refusals
from swath.deploy.emr_on_eks.request import start_job_run
from swath.deploy.engine_command import engine_command
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.strict import parse
from swath.deploy.spark_operator.application import spark_application
from swath.deploy.spark_operator.webhook_rules import webhook_refusals
from swath.errors import ConfigError

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
_MEMORY = st.one_of(
    st.builds("{}{}".format, st.integers(1, 9000), st.sampled_from("mg")), st.sampled_from(["1Gi", "1.5g", "0g", ""])
)
_NAME = st.one_of(st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True), _TEXT)
JOBS = st.fixed_dictionaries(
    {
        "job": _NAME,
        "pipeline": st.one_of(st.just("ard"), _NAME),
        "inputs": st.lists(
            st.one_of(st.just("store://scenes/x"), st.builds("store://scenes/{}".format, _TEXT)), min_size=1, max_size=3
        ),
        "output": st.one_of(st.just("store://products/y"), st.builds("store://products/{}".format, _TEXT)),
    },
    optional={
        "resources": st.fixed_dictionaries(
            {}, optional={"child": _MEMORY, "executors": st.integers(0, 100), "executor_cores": st.integers(0, 20)}
        ),
        "labels": st.dictionaries(st.one_of(st.sampled_from(["team", "a.example/b"]), _TEXT), _TEXT, max_size=3),
        "settings": st.dictionaries(
            st.sampled_from(["smac.aot", "x"]), st.one_of(_TEXT, st.integers(), st.booleans()), max_size=2
        ),
        "max_duration": st.sampled_from(["6h", "90m", "1 h", ""]),
        "limit": st.integers(-1, 10),
    },
)


def _order(data: dict[str, Any], site: str) -> Order | None:
    """An order, or None when it is refused in words: any other error would fail the test."""
    try:
        return Order(job=parse(JobSpec, data, source="job.yaml"), site=load_site(site), run_id="r-1")
    except ConfigError:
        return None


@pytest.mark.parametrize("site", ["aws-region", "eks-anywhere"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=JOBS)
def test_a_job_is_refused_or_every_engine_takes_its_rendering(site: str, data: dict[str, Any]) -> None:
    order = _order(data, site)
    if order is None:
        return
    try:
        if order.site.engine == "emr-on-eks":
            assert request_refusals(start_job_run(order)) == ()
        else:
            manifest = spark_application(order)
            assert list(crd_validator("SparkApplication").iter_errors(manifest)) == []
            assert list(webhook_refusals(manifest)) == []
    except ConfigError:
        return
    # and what comes back is what was ordered, whatever signs are in it
    assert engine_command(order).arguments == order.arguments
    assert engine_command(order).driver == engine_command(order).executor
