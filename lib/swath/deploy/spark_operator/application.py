"""The SparkApplication of a run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from swath.deploy.pods.labels import of_object
from swath.deploy.pods.template import pod_template
from swath.deploy.render.layout import ENTRY_POINT
from swath.deploy.render.order import Order
from swath.deploy.render.plain import Manifest, Role
from swath.deploy.render.refusal import refuse
from swath.deploy.spark_operator.webhook_rules import webhook_refusals

API_VERSION = "sparkoperator.k8s.io/v1beta2"
DIGEST = "swath.spec-digest"
_KEEP_FINISHED_S = 7 * 86400

_EXECUTOR_IMAGE = "spark.kubernetes.executor.container.image"
_GPU_AMOUNT, _GPU_VENDOR = "spark.executor.resource.gpu.amount", "spark.executor.resource.gpu.vendor"

# Settings that are fields of the manifest. The webhook refuses some of them as settings; the operator writes all of
# them into spark-submit itself.
_FIELDS = {
    "spark.kubernetes.namespace",
    "spark.kubernetes.container.image",
    "spark.kubernetes.container.image.pullPolicy",
    "spark.kubernetes.authenticate.driver.serviceAccountName",
    "spark.kubernetes.authenticate.executor.serviceAccountName",
    _EXECUTOR_IMAGE,
}
_POD_FIELDS: Mapping[str, str] = {
    "cores": "spark.{}.cores",
    "memory": "spark.{}.memory",
    "memoryOverhead": "spark.{}.memoryOverhead",
    "coreRequest": "spark.kubernetes.{}.request.cores",
    "coreLimit": "spark.kubernetes.{}.limit.cores",
    "serviceAccount": "spark.kubernetes.authenticate.{}.serviceAccountName",
}
_DYNAMIC: Mapping[str, str] = {
    "initialExecutors": "spark.dynamicAllocation.initialExecutors",
    "minExecutors": "spark.dynamicAllocation.minExecutors",
    "maxExecutors": "spark.dynamicAllocation.maxExecutors",
}


def spark_application(order: Order) -> Manifest:
    """The manifest that runs ``order`` once. Its name comes from the run id, so a second submit of the run makes no second job.

    Raises:
        ConfigError: The operator's webhook would refuse it.
    """
    labels = of_object(order.job, site=order.site, run_id=order.run_id, component="run")
    spec = application_spec(order)
    manifest: Manifest = {
        "apiVersion": API_VERSION,
        "kind": "SparkApplication",
        "metadata": {
            "name": order.name,
            "namespace": order.site.cluster.namespace,
            "labels": labels,
            # whoever submits it, it is the same run
            "annotations": {DIGEST: digest(application_spec(replace(order, submitted_by="")))},
        },
        "spec": spec,
    }
    refuse(webhook_refusals(manifest), what=f"SparkApplication {order.name}")
    return manifest


def application_spec(order: Order) -> Manifest:
    """The ``spec`` of a SparkApplication."""
    conf = order.conf
    spec: Manifest = {
        "type": "Python",
        "pythonVersion": "3",
        "mode": "cluster",
        "sparkVersion": order.site.spark_version,
        "image": conf["spark.kubernetes.container.image"],
        "imagePullPolicy": conf["spark.kubernetes.container.image.pullPolicy"],
        "mainApplicationFile": ENTRY_POINT,
        "arguments": list(order.arguments),
        # any change of a spec re-runs it, and a failed run is the launcher's business
        "restartPolicy": {"type": "Never"},
        "timeToLiveSeconds": _KEEP_FINISHED_S,
        "driver": _pod(order, role="driver"),
        "executor": _pod(order, role="executor"),
    }
    if order.site.dynamic_allocation.enabled:
        # as settings alone the operator would start with one executor
        spec["dynamicAllocation"] = {"enabled": True, **{field: int(conf[key]) for field, key in _DYNAMIC.items()}}
    else:
        spec["executor"]["instances"] = int(conf["spark.executor.instances"])
    spec["sparkConf"] = {key: value for key, value in conf.items() if not _is_field(key)}
    return spec


def digest(spec: Manifest) -> str:
    """Tells two specs apart: 16 hex digits of the sha256 of its canonical JSON."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def _pod(order: Order, *, role: Role) -> Manifest:
    """Driver or executor."""
    conf = order.conf
    pod: Manifest = {field: conf[key.format(role)] for field, key in _POD_FIELDS.items()}
    pod["cores"] = int(pod["cores"])
    prefix = f"spark.kubernetes.{role}.label."
    pod["labels"] = {key.removeprefix(prefix): value for key, value in conf.items() if key.startswith(prefix)}
    priority = "swath-driver" if role == "driver" else f"swath-{order.job.priority}"
    pod["template"] = pod_template(order.site, role=role, job=order.job, priority=priority)
    amount = conf.get(_GPU_AMOUNT)
    if role == "executor" and amount is not None:
        pod["image"] = conf[_EXECUTOR_IMAGE]
        pod["gpu"] = {"name": f"{conf[_GPU_VENDOR]}/gpu", "quantity": int(amount)}
    return pod


def _is_field(key: str) -> bool:
    """Whether the setting is a field of the manifest."""
    if (
        key in _FIELDS
        or key == "spark.executor.instances"
        or key in _DYNAMIC.values()
        or key == "spark.dynamicAllocation.enabled"
    ):
        return True
    by_role = {template.format(role) for template in _POD_FIELDS.values() for role in ("driver", "executor")}
    return key in by_role or key.startswith(("spark.kubernetes.driver.label.", "spark.kubernetes.executor.label."))


def settings_of(spec: Manifest, *, namespace: str) -> dict[str, str]:
    """All Spark settings that the operator would hand to spark-submit: the way back, for parity."""
    conf = dict(spec["sparkConf"])
    conf["spark.kubernetes.namespace"] = namespace
    conf["spark.kubernetes.container.image"] = spec["image"]
    conf["spark.kubernetes.container.image.pullPolicy"] = spec["imagePullPolicy"]
    for role in ("driver", "executor"):
        pod = spec[role]
        conf |= {key.format(role): str(pod[field]) for field, key in _POD_FIELDS.items() if field in pod}
        conf |= {f"spark.kubernetes.{role}.label.{key}": value for key, value in pod["labels"].items()}
    if "image" in spec["executor"]:
        conf[_EXECUTOR_IMAGE] = spec["executor"]["image"]
    dynamic = spec.get("dynamicAllocation")
    if dynamic:
        conf["spark.dynamicAllocation.enabled"] = "true"
        conf |= {key: str(dynamic[field]) for field, key in _DYNAMIC.items()}
    else:
        conf["spark.executor.instances"] = str(spec["executor"]["instances"])
    return dict(sorted(conf.items()))
