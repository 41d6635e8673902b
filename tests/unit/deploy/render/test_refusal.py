from collections.abc import Callable

import pytest

from swath.deploy.render.order import Order
from swath.deploy.render.refusal import refusals
from swath.deploy.site.files import load_site, site_names
from swath.deploy.site.job_spec import JobSpec, Resources
from swath.deploy.site.memory import Memory
from swath.deploy.site.site import Site
from swath.errors import ConfigError

Change = Callable[..., Site]
RUN_ID = "ard-20261125t000000z-abcd"


def _codes(job: JobSpec, site: Site) -> set[str]:
    return {r.code for r in refusals(job, site=site)}


@pytest.mark.parametrize("name", ["aws-region", "eks-anywhere", "kubernetes", "laptop", "outposts-extended", "outposts-local"])
def test_the_shipped_job_runs_at_every_shipped_site(name: str, job: JobSpec) -> None:
    assert refusals(job, site=load_site(name)) == ()


_EDITS: list[tuple[str, str, dict[str, object]]] = [
    ("outposts-without-link", "outposts-extended", {"link": "none"}),
    ("emr-without-link", "outposts-extended", {"link": "none"}),
    ("identity-without-link", "outposts-extended", {"link": "none"}),
    ("region-without-link", "aws-region", {"link": "none"}),
    ("packages-without-link", "laptop", {"link": "none"}),
    ("local-path-on-cluster", "kubernetes", {"stores__products": {"kind": "folder", "uri": "/data"}}),
    ("local-path-on-cluster", "kubernetes", {"stores__scenes": {"kind": "folder", "uri": "/data", "shared": True}}),
    ("ledger-consistency", "kubernetes", {"stores__products__consistency": "new-objects"}),
    ("ledger-consistency", "outposts-extended", {"ledger": {"kind": "delta", "lock": "postgresql", "dsn": "a:b"}}),
    ("ledger-lock", "aws-region", {"ledger__lock": "none"}),
    ("ledger-lock", "kubernetes", {"ledger__lock": "file"}),
    ("ledger-lock", "laptop", {"ledger__lock": "none"}),
    ("lock-without-database", "kubernetes", {"ledger__dsn": ""}),
    ("lock-through-pooler", "kubernetes", {"ledger__pooled": True}),
    ("ledger-without-database", "outposts-extended", {"ledger": {"kind": "postgresql"}}),
    ("image-digest", "kubernetes", {"image": "registry.example/swath:1.0"}),
    ("image-digest", "kubernetes", {"image": "registry.example/swath@sha256:abc"}),
    ("release-label", "aws-region", {"cluster__release_label": "emr-spark-8.0.0-latest"}),
    ("executor-memory", "kubernetes", {"sizes__executor": "4g"}),
    ("driver-memory", "kubernetes", {"sizes__driver": "1g"}),
    ("executor-cores", "kubernetes", {"sizes__executor_cores": 1}),
    ("executors", "kubernetes", {"sizes__executors": 1}),
    ("trust-without-config-map", "eks-anywhere", {"trust": {"folder": "/etc/ca"}}),
    ("no-proxy", "eks-anywhere", {"proxy__no_proxy": [".dc.example"]}),
    ("registry-http", "kubernetes", {"models__uri": "http://mlflow.example"}),
    ("border", "aws-region", {"border": {"allow": []}}),
    ("border", "outposts-extended", {"border": {"allow": ["job-request"]}}),
    ("border", "kubernetes", {"logging": {"s3_uri": "s3://region-logs/x"}}),
]


@pytest.mark.parametrize(("code", "site", "fields"), _EDITS)
def test_each_refusal_is_raised_with_its_reason_and_remedy(
    code: str, site: str, fields: dict[str, object], job: JobSpec, change: Change
) -> None:
    found = [r for r in refusals(job, site=change(site, **fields)) if r.code == code]
    assert found
    assert all(r.reason and r.remedy and not r.reason.endswith(".") for r in found)


def test_a_shared_folder_with_its_claim_is_fine_on_a_cluster(job: JobSpec, change: Change) -> None:
    folder = {"kind": "folder", "uri": "/data", "shared": True, "claim": "swath-data"}
    assert "local-path-on-cluster" not in _codes(job, change("kubernetes", stores__scenes=folder, stores__products=folder))


def test_an_output_that_belongs_to_no_store_is_taken_for_a_bucket_of_the_region(job: JobSpec) -> None:
    stray = job.model_copy(update={"output": "s3://somewhere/x"})
    assert "border" in _codes(stray, load_site("eks-anywhere"))


def test_a_schedule_needs_a_cluster(job: JobSpec) -> None:
    nightly = job.model_copy(update={"schedule": "15 2 * * *"})
    codes = {site: _codes(nightly, load_site(site)) for site in site_names()}
    assert [site for site, found in codes.items() if "schedule" in found] == ["laptop"]


def test_an_order_lists_all_refusals_at_once(job: JobSpec, change: Change) -> None:
    site = change("kubernetes", image="x:latest", sizes__executors=1)
    with pytest.raises(ConfigError, match=r"(?s)job ard at site kubernetes is refused:.*\[image-digest\].*\[executors\]"):
        Order(job=job, site=site, run_id=RUN_ID)


@pytest.mark.parametrize("secret", ["postgresql://u:canary-7f3@db/x", "AKIAIOSFODNN7EXAMPLE"])
def test_secrets_in_arguments_are_refused_and_not_repeated(secret: str, job: JobSpec) -> None:
    leaky = job.model_copy(update={"settings": {"ledger.dsn": secret}})
    with pytest.raises(ConfigError, match=r"\[secret\]") as caught:
        Order(job=leaky, site=load_site("kubernetes"), run_id=RUN_ID)
    assert secret not in str(caught.value)


def test_too_big_a_child_is_refused_in_words(job: JobSpec) -> None:
    greedy = job.model_copy(update={"resources": Resources(child=Memory(9000))})
    with pytest.raises(ConfigError, match=r"the executor needs .* and the site gives 16g"):
        Order(job=greedy, site=load_site("eks-anywhere"), run_id=RUN_ID)


def test_the_examples_of_the_refusal_table_use_shipped_sites() -> None:
    assert {site for _, site, _ in _EDITS} <= set(site_names())
