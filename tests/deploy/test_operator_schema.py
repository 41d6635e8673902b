import copy
from collections.abc import Callable
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # carries no types
import pytest
from tests.deploy.crd_schema import crd_validator

from swath.deploy.render.order import Order
from swath.deploy.site.files import load_job, load_site
from swath.deploy.site.site import Site
from swath.deploy.spark_operator.application import settings_of, spark_application
from swath.deploy.spark_operator.schedule import scheduled_spark_application
from swath.deploy.spark_operator.webhook_rules import FORBIDDEN, webhook_refusals

Ordered = Callable[[str], Order]
OPERATOR_SITES = ["outposts-local", "eks-anywhere", "kubernetes"]


def _problems(manifest: dict[str, Any]) -> list[str]:
    validator = crd_validator(manifest["kind"])
    return [f"{'.'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(manifest)]


def _pod(manifest: dict[str, Any], role: str) -> dict[str, Any]:
    """The template as a pod that Kubernetes would be given: with what Spark fills in."""
    pod: dict[str, Any] = copy.deepcopy(manifest["spec"][role]["template"])
    pod["metadata"]["name"] = f"{manifest['metadata']['name']}-{role}"
    pod["spec"]["containers"][0]["image"] = manifest["spec"]["image"]
    return pod


@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_manifests_pass_the_schema_with_unknown_fields_refused(site: str, order: Ordered) -> None:
    assert _problems(spark_application(order(site))) == []


@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_schedules_pass_the_schema_with_unknown_fields_refused(site: str) -> None:
    assert _problems(scheduled_spark_application(load_job("ard-nightly"), site=load_site(site))) == []


def test_the_closed_schema_sees_what_the_api_server_would_drop(order: Ordered) -> None:
    manifest = spark_application(order("kubernetes"))
    manifest["spec"]["driver"]["memoryOverheads"] = "1g"
    assert any("memoryOverheads" in p for p in _problems(manifest))
    manifest = spark_application(order("kubernetes"))
    manifest["spec"]["executor"]["instances"] = 0
    assert any("instances" in p for p in _problems(manifest))


@pytest.mark.parametrize("role", ["driver", "executor"])
@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_pod_templates_pass_kubernetes_own_schema(site: str, role: str, order: Ordered) -> None:
    pod = _pod(spark_application(order(site)), role)
    kubernetes_validate.validate(pod, "1.33", strict=True)
    pod["spec"]["tolerationz"] = []
    with pytest.raises(kubernetes_validate.ValidationError, match="tolerationz"):
        kubernetes_validate.validate(pod, "1.33", strict=True)


@pytest.mark.parametrize("role", ["driver", "executor"])
@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_pods_pass_the_restricted_level(site: str, role: str, order: Ordered) -> None:
    """Rules of the Pod Security Standards, level restricted, one by one."""
    spec = _pod(spark_application(order(site)), role)["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 185
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
    assert {k for v in spec["volumes"] for k in v if k != "name"} <= {
        "emptyDir",
        "configMap",
        "secret",
        "persistentVolumeClaim",
        "projected",
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()


@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_a_read_only_root_has_places_to_write(site: str, order: Ordered) -> None:
    manifest = spark_application(order(site))
    mounts = {m["mountPath"] for m in manifest["spec"]["driver"]["template"]["spec"]["containers"][0]["volumeMounts"]}
    conf = manifest["spec"]["sparkConf"]
    assert {"/tmp", "/opt/spark/work-dir", conf["spark.kubernetes.driverEnv.HOME"]} <= mounts
    assert conf["spark.kubernetes.driver.volumes.emptyDir.spark-local-dir-1.mount.path"] == "/scratch"


@pytest.mark.parametrize("site", OPERATOR_SITES)
def test_fields_and_settings_together_are_the_one_configuration(site: str, order: Ordered) -> None:
    ordered = order(site)
    spec = spark_application(ordered)["spec"]
    assert not FORBIDDEN & spec["sparkConf"].keys()
    assert settings_of(spec, namespace=ordered.site.cluster.namespace) == dict(ordered.conf)


def test_a_run_is_never_run_again_by_itself(order: Ordered) -> None:
    spec = spark_application(order("kubernetes"))["spec"]
    assert spec["restartPolicy"] == {"type": "Never"}
    assert "--quarantine-ok" in spec["arguments"]
    assert spec["driver"]["template"]["spec"]["activeDeadlineSeconds"] == 6 * 3600


def test_drivers_wait_for_a_control_plane_out_of_sight(order: Ordered, change: Callable[..., Site]) -> None:
    site = change("outposts-local", cluster__control_plane="remote")
    manifest = spark_application(Order(job=load_job("ard"), site=site, run_id="ard-1"))
    tolerations = manifest["spec"]["driver"]["template"]["spec"]["tolerations"]
    patient = [t for t in tolerations if t["key"] in {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}]
    assert len(patient) == 2
    assert all(t["effect"] == "NoExecute" and "tolerationSeconds" not in t for t in patient)


def test_a_schedule_gives_each_run_its_own_id() -> None:
    manifest = scheduled_spark_application(load_job("ard-nightly"), site=load_site("eks-anywhere"))
    spec = manifest["spec"]
    assert (spec["concurrencyPolicy"], spec["timeZone"], spec["schedule"]) == ("Forbid", "UTC", "15 2 * * *")
    assert (spec["successfulRunHistoryLimit"], spec["failedRunHistoryLimit"]) == (5, 5)
    arguments = spec["template"]["arguments"]
    assert arguments[arguments.index("--run-id") + 1] == "$(SWATH_RUN_ID)"
    env = spec["template"]["driver"]["template"]["spec"]["containers"][0]["env"]
    assert env[0]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['sparkoperator.k8s.io/app-name']"


def test_a_signing_helper_is_a_native_sidecar(change: Callable[..., Site]) -> None:
    identity = {"kind": "roles-anywhere", "sidecar_image": "r.example/helper@sha256:" + "a" * 64, "sidecar_arguments": ["serve"]}
    site = change("kubernetes", identity=identity)
    manifest = spark_application(Order(job=load_job("ard"), site=site, run_id="ard-1"))
    kubernetes_validate.validate(_pod(manifest, "driver"), "1.33", strict=True)
    helper = manifest["spec"]["driver"]["template"]["spec"]["initContainers"][0]
    assert helper["restartPolicy"] == "Always"


def _broken(**edits: Any) -> dict[str, Any]:
    manifest = spark_application(Order(job=load_job("ard"), site=load_site("eks-anywhere"), run_id="ard-1"))
    for path, value in edits.items():
        *parents, last = path.split("__")
        place = manifest
        for parent in parents:
            place = place[parent]
        place[last] = value
    return manifest


@pytest.mark.parametrize(
    ("code", "edits"),
    [
        ("operator-name", {"metadata__name": "a" * 64}),
        ("operator-name", {"metadata__name": "9-lives"}),
        ("operator-name", {"metadata__name": "a.b"}),
        ("operator-namespace", {"spec__sparkConf": {"spark.kubernetes.namespace": "other"}}),
        ("operator-dynamic", {"spec__sparkConf": {"spark.dynamicAllocation.enabled": "true"}}),
        ("operator-memory", {"spec__driver__memory": "1Gi"}),
        ("operator-memory", {"spec__executor__memoryOverhead": "1.5g"}),
        ("operator-template", {"spec__sparkVersion": "2.4.8"}),
    ],
)
def test_what_the_webhook_refuses_is_refused_here(code: str, edits: dict[str, Any]) -> None:
    assert code in {r.code for r in webhook_refusals(_broken(**edits))}


@pytest.mark.parametrize("key", sorted(FORBIDDEN))
def test_forbidden_settings_are_refused_here(key: str) -> None:
    assert "operator-setting" in {r.code for r in webhook_refusals(_broken(spec__sparkConf={key: "x"}))}


def test_a_node_selector_at_both_levels_is_refused() -> None:
    manifest = _broken(spec__nodeSelector={"a": "b"}, spec__driver__nodeSelector={"a": "b"})
    assert "operator-node-selector" in {r.code for r in webhook_refusals(manifest)}


def test_a_scheduled_name_leaves_room_for_the_nanoseconds() -> None:
    manifest = scheduled_spark_application(load_job("ard-nightly"), site=load_site("eks-anywhere"))
    manifest["metadata"]["name"] = "a" * 44
    manifest["spec"]["concurrencyPolicy"] = "Allow"
    assert {r.code for r in webhook_refusals(manifest)} == {"operator-name", "operator-concurrency"}
