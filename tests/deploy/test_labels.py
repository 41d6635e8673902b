"""Kubernetes' recommended labels: on everything that is rendered, and in no selector but by the name."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.deploy.environments import ROOT
from tests.deploy.test_kustomize import OVERLAYS, _built

import swath
from swath.deploy.pods.template import pod_template
from swath.deploy.render.order import Order
from swath.deploy.rendering import pod_templates
from swath.deploy.site.files import load_job, load_site
from swath.deploy.spark_operator.application import spark_application
from swath.deploy.spark_operator.history_server import history_server
from swath.deploy.spark_operator.schedule import scheduled_spark_application

PREFIX = "app.kubernetes.io/"
RECOMMENDED = {f"{PREFIX}{word}" for word in ("name", "instance", "component", "part-of", "managed-by", "version")}
SELECTORS = ("matchLabels", "podSelector", "selector")
RUN_ID = "ard-20261125t021500z-0a1b"
OPERATOR_SITES = ["kubernetes", "eks-anywhere", "outposts-local"]
EMR_SITES = ["aws-region", "outposts-extended"]


def _labels(built: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = built["metadata"].get("labels", {})
    return found


def _selected(built: Any, *, inside: bool = False) -> Iterator[str]:
    """Keys of the recommended labels in the selectors of an object."""
    if isinstance(built, dict):
        for key, value in built.items():
            if inside and key.startswith(PREFIX):
                yield key
            yield from _selected(value, inside=inside or key in SELECTORS)
    elif isinstance(built, list):
        for value in built:
            yield from _selected(value, inside=inside)


@pytest.mark.parametrize(
    "folder", [*(f"kustomize/overlays/{site}" for site in OVERLAYS), "flux/operator", "flux/sites/kubernetes"]
)
def test_every_object_of_a_folder_has_them(folder: str) -> None:
    for built in _built(f"../{folder}"):
        assert set(_labels(built)) >= RECOMMENDED, built["metadata"]["name"]
        assert set(_selected(built)) <= {f"{PREFIX}name"}


@pytest.mark.parametrize("site", OVERLAYS)
def test_a_tenant_is_a_chart_as_it_is(site: str) -> None:
    assert "{{" not in yaml.safe_dump_all(_built(f"overlays/{site}"))


@pytest.mark.parametrize("site", OVERLAYS)
def test_what_is_applied_says_the_site_and_the_version_of_the_delivery(site: str) -> None:
    found = {(_labels(o)[f"{PREFIX}instance"], _labels(o)[f"{PREFIX}version"]) for o in _built(f"overlays/{site}")}
    assert found == {(site, swath.__version__)}


def test_flux_says_the_version_of_the_delivery() -> None:
    assert {_labels(o)[f"{PREFIX}version"] for o in _built("../flux/sites/kubernetes")} == {swath.__version__}


@pytest.mark.parametrize("file", ["fluent-bit.yaml", "history-server.yaml"])
def test_what_is_applied_as_a_file_has_them(file: str) -> None:
    built = list(yaml.safe_load_all((ROOT / "spark-operator" / "monitoring" / file).read_text(encoding="utf-8")))
    for one in [*built, *(b["spec"]["template"] for b in built if b["kind"] in {"Deployment", "DaemonSet"})]:
        assert set(_labels(one)) >= RECOMMENDED
    assert {key for one in built for key in _selected(one)} == {f"{PREFIX}name"}


@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_a_run_of_the_operator_and_its_pods_have_them(site: str) -> None:
    made = spark_application(Order(job=load_job("ard"), site=load_site(site), run_id=RUN_ID))
    assert set(_labels(made)) >= RECOMMENDED
    for role in ("driver", "executor"):
        pod = {**_labels(made["spec"][role]["template"]), **made["spec"][role]["labels"]}
        assert set(pod) >= RECOMMENDED
        assert (pod[f"{PREFIX}component"], pod[f"{PREFIX}instance"]) == (role, RUN_ID)
        assert f"@sha256:{pod[f'{PREFIX}version']}" in load_site(site).image


def test_a_schedule_names_its_job_where_a_run_names_itself() -> None:
    made = scheduled_spark_application(load_job("ard-nightly"), site=load_site("kubernetes"))
    pods = made["spec"]["template"]
    assert set(_labels(made)) >= RECOMMENDED
    assert {_labels(made)[f"{PREFIX}instance"], *(pods[r]["labels"][f"{PREFIX}instance"] for r in ("driver", "executor"))} == {
        "ard-nightly"
    }


@pytest.mark.parametrize("site", EMR_SITES)
def test_pods_of_emr_have_them_from_template_and_settings_together(site: str) -> None:
    where = load_site(site)
    conf = Order(job=load_job("ard"), site=where, run_id=RUN_ID).conf
    for role, template in pod_templates(where).items():
        prefix = f"spark.kubernetes.{role}.label."
        settings = {key.removeprefix(prefix): value for key, value in conf.items() if key.startswith(prefix)}
        assert {*_labels(template), *settings} >= RECOMMENDED
        assert not set(_labels(template)) & set(settings)


def test_a_job_may_say_what_it_is_a_part_of_but_not_which_run_it_is() -> None:
    mine = {f"{PREFIX}part-of": "harvest", f"{PREFIX}instance": "mine", "team": "eo"}
    job = load_job("ard").model_copy(update={"labels": mine})
    made = spark_application(Order(job=job, site=load_site("kubernetes"), run_id=RUN_ID))
    for labels in (_labels(made), made["spec"]["driver"]["labels"]):
        assert labels[f"{PREFIX}part-of"] == "harvest"
        assert labels[f"{PREFIX}instance"] == RUN_ID
        assert labels["team"] == "eo"


def test_the_history_server_is_found_by_its_name_alone() -> None:
    built = {o["kind"]: o for o in history_server(load_site("eks-anywhere"))}
    assert built["Deployment"]["spec"]["selector"]["matchLabels"] == {f"{PREFIX}name": "swath-history"}
    assert built["Service"]["spec"]["selector"] == {f"{PREFIX}name": "swath-history"}
    assert all(set(_labels(o)) >= RECOMMENDED for o in built.values())


def test_both_roles_differ_in_their_component() -> None:
    found = {_labels(pod_template(load_site("kubernetes"), role=role))[f"{PREFIX}component"] for role in ("driver", "executor")}
    assert found == {"driver", "executor"}
