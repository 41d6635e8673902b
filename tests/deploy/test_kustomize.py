import ast
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # carries no types
import pytest
import yaml

from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.memory import Memory
from swath.deploy.spark_operator.diagnosis import quantity

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ["outposts-local", "eks-anywhere", "kubernetes"]
Object = dict[str, Any]


@lru_cache(maxsize=8)
def _built(folder: str) -> tuple[Object, ...]:
    """What ``kubectl kustomize`` makes of an overlay."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            path = ROOT / "spark-operator" / "kustomize" / folder
            done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return tuple(yaml.safe_load_all(done.stdout))
    pytest.skip("neither kubectl nor kustomize is installed")


def _of_kind(site: str, kind: str) -> dict[str, Object]:
    return {o["metadata"]["name"]: o for o in _built(f"overlays/{site}") if o["kind"] == kind}


@pytest.mark.parametrize("site", OVERLAYS)
def test_every_overlay_builds_and_passes_kubernetes_own_schema(site: str) -> None:
    objects = _built(f"overlays/{site}")
    assert {o["kind"] for o in objects} >= {
        "Namespace",
        "Role",
        "RoleBinding",
        "NetworkPolicy",
        "ResourceQuota",
        "PriorityClass",
        "PodDisruptionBudget",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
    for built in objects:
        kubernetes_validate.validate(built, "1.33", strict=True)


@pytest.mark.parametrize("site", OVERLAYS)
def test_the_overlay_is_for_the_namespace_and_level_of_its_site(site: str) -> None:
    where = load_site(site)
    (name, namespace) = next(iter(_of_kind(site, "Namespace").items()))
    assert name == where.cluster.namespace
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == where.cluster.pod_security


@pytest.mark.parametrize("site", OVERLAYS)
def test_a_quota_lets_the_biggest_run_of_the_site_start(site: str) -> None:
    """A quota that Spark pods cannot satisfy lets drivers wait for ever."""
    where, need = load_site(site), load_job("ard").resources
    quotas = {name: quota["spec"]["hard"] for name, quota in _of_kind(site, "ResourceQuota").items()}
    drivers, executors = quotas["swath-drivers"], quotas["swath-executors"]
    assert quantity(drivers["limits.memory"]) >= 4 * _bytes(where.sizes.driver)
    assert quantity(executors["pods"]) >= where.sizes.executors
    assert quantity(executors["limits.memory"]) >= where.sizes.executors * _bytes(where.sizes.executor)
    assert quantity(executors["limits.cpu"]) >= where.sizes.executors * where.sizes.executor_cores
    assert need.executors <= where.sizes.executors


def _bytes(memory: Memory) -> int:
    return memory.mib << 20


@pytest.mark.parametrize("site", OVERLAYS)
def test_priorities_of_rendered_pods_exist_and_each_has_its_quota(site: str) -> None:
    classes = _of_kind(site, "PriorityClass")
    assert classes["swath-driver"]["value"] > classes["swath-urgent"]["value"] > classes["swath-batch"]["value"]
    scoped = [
        v
        for q in _of_kind(site, "ResourceQuota").values()
        for e in q["spec"]["scopeSelector"]["matchExpressions"]
        for v in e["values"]
    ]
    assert sorted(scoped) == sorted(classes)


@pytest.mark.parametrize("site", OVERLAYS)
def test_roles_hold_no_star_no_secret_and_no_exec(site: str) -> None:
    for role in _of_kind(site, "Role").values():
        for rule in role["rules"]:
            words = {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}
            assert not words & {
                "*",
                "secrets",
                "pods/exec",
                "pods/attach",
                "pods/ephemeralcontainers",
                "impersonate",
                "escalate",
                "bind",
            }
    assert "ClusterRole" not in {o["kind"] for o in _built(f"overlays/{site}")}


@pytest.mark.parametrize("site", OVERLAYS)
def test_no_pod_reaches_everything(site: str) -> None:
    policies = _of_kind(site, "NetworkPolicy")
    assert policies["deny-all"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    blocks = [t["ipBlock"]["cidr"] for e in policies["site-services"]["spec"]["egress"] for t in e["to"]]
    assert blocks
    assert all(int(block.split("/")[1]) >= 24 for block in blocks)
    assert "192.0.2.0/24" not in blocks


@pytest.mark.parametrize("site", OVERLAYS)
def test_drains_wait_for_drivers(site: str) -> None:
    budget = _of_kind(site, "PodDisruptionBudget")["swath-drivers"]["spec"]
    assert budget == {"maxUnavailable": 0, "selector": {"matchLabels": {"spark-role": "driver"}}}


def test_the_operator_watches_the_namespace_and_its_webhook_is_on() -> None:
    values = yaml.safe_load((ROOT / "spark-operator" / "values.yaml").read_text(encoding="utf-8"))
    assert values["spark"]["jobNamespaces"] == ["swath"]
    assert values["webhook"]["enable"] is True
    assert values["webhook"]["failurePolicy"] == "Fail"


@pytest.mark.parametrize("site", OVERLAYS)
def test_the_admission_policy_lets_rendered_runs_pass_and_lists_nothing_else(site: str) -> None:
    where = load_site(site)
    policy = _of_kind(site, "ValidatingAdmissionPolicy")["swath-pods"]["spec"]
    listed = {v["name"]: ast.literal_eval(v["expression"]) for v in policy["variables"] if v["expression"].startswith("['")}
    conf = spark_conf(load_job("ard"), site=where, run_id="r")
    (image,) = listed["images"]
    assert image.endswith("@sha256:")
    assert conf["spark.kubernetes.container.image"].startswith(image)
    accounts = {value for key, value in conf.items() if key.endswith("serviceAccountName")}
    assert accounts == set(listed["accounts"])
    mounted = {re.split(r"\.secrets\.", key)[1] for key in conf if re.search(r"\.(driver|executor)\.secrets\.", key)}
    named = {value.split(":")[0] for key, value in conf.items() if ".secretKeyRef." in key}
    assert mounted | named == set(listed["secrets"])


@pytest.mark.parametrize("site", OVERLAYS)
def test_the_admission_policy_is_bound_to_the_namespace_of_runs_and_denies(site: str) -> None:
    policy = _of_kind(site, "ValidatingAdmissionPolicy")["swath-pods"]["spec"]
    binding = _of_kind(site, "ValidatingAdmissionPolicyBinding")["swath-pods"]["spec"]
    assert (binding["policyName"], policy["failurePolicy"]) == ("swath-pods", "Fail")
    assert "Deny" in binding["validationActions"]
    selector = binding["matchResources"]["namespaceSelector"]["matchLabels"]
    assert selector == {"kubernetes.io/metadata.name": load_site(site).cluster.namespace}
    (rule,) = policy["matchConstraints"]["resourceRules"]
    assert {"pods", "pods/ephemeralcontainers"} == set(rule["resources"])


def test_workflows_have_a_namespace_and_an_account_of_their_own(tmp_path: Path) -> None:
    """The component on top of an overlay: an account that may do what launchers may, and no more."""
    folder = tmp_path / "kustomize"
    shutil.copytree(ROOT / "spark-operator" / "kustomize", folder)
    with (folder / "overlays" / "kubernetes" / "kustomization.yaml").open("a", encoding="utf-8") as file:
        file.write("components: [../../components/workflows]\n")
    objects = [o for o in _built(str(folder / "overlays" / "kubernetes")) if "swath-workflows" in str(o)]
    for built in objects:
        kubernetes_validate.validate(built, "1.33", strict=True)
    kinds = sorted((o["kind"], o["metadata"].get("namespace", "")) for o in objects)
    own = "swath-workflows"
    assert kinds == [("Namespace", ""), ("Role", own), ("RoleBinding", "swath"), ("RoleBinding", own), ("ServiceAccount", own)]
    (into,) = [o for o in objects if (o["kind"], o["metadata"].get("namespace")) == ("RoleBinding", "swath")]
    assert (into["roleRef"]["kind"], into["roleRef"]["name"]) == ("Role", "swath-launcher")
    assert into["subjects"] == [{"kind": "ServiceAccount", "name": "swath-launcher", "namespace": own}]
