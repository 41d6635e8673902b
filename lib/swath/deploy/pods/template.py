"""Pod templates of drivers and executors: what Spark's own settings cannot say.

Where the namespace is at the restricted Pod Security level the template alone makes pods pass it: no webhook is
needed for that. CPU and memory are not here: Spark ignores them in templates and takes its own settings.
"""

from collections.abc import Mapping

from swath.deploy.pods.labels import Component, fixed
from swath.deploy.render.layout import DRIVER, EXECUTOR, HOME, UID, WORK_DIR
from swath.deploy.render.plain import Manifest, Role
from swath.deploy.site.duration import seconds
from swath.deploy.site.identity import IdentityKind
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.site.placement import Nodes, Toleration
from swath.deploy.site.site import Site

_WRITABLE: Mapping[str, str] = {"tmp": "/tmp", "home": HOME, "work": WORK_DIR}  # noqa: S108 - a mount of the pod's own


def pod_template(
    site: Site, *, role: Role, job: JobSpec | None = None, priority: str | None = None, writable: Mapping[str, str] = _WRITABLE
) -> Manifest:
    """A Pod for Spark to build on, as plain data.

    Args:
        site: Site of the job.
        role: Role of the pod.
        job: Job that gives the longest duration; None for templates that serve every job of a site.
        priority: Priority class; None where the engine has none of ours.
        writable: Mount paths of empty folders, by name: places to write on a read-only root.
    """
    on_gpu = role == "executor-gpu" or (role == "executor" and job is not None and job.resources.gpu > 0)
    nodes = site.gpu.nodes if on_gpu and site.gpu else site.placement.driver if role == "driver" else site.placement.executor
    spec: Manifest = {
        "automountServiceAccountToken": role == "driver",
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": nodes.grace,
        "containers": [_container(site, role=role, writable=writable)],
        "volumes": _volumes(site, writable=writable),
        **_placed(nodes, site=site),
    }
    if role == "driver" and job is not None:
        spec["activeDeadlineSeconds"] = seconds(job.max_duration)
    if priority is not None:
        spec["priorityClassName"] = priority
    if _restricted(site):
        spec["securityContext"] = {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    if site.identity and site.identity.kind is IdentityKind.ROLES_ANYWHERE:
        spec["initContainers"] = [_signing_helper(site)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": fixed(_component(role)), "annotations": _annotations(role)},
        "spec": spec,
    }


def _restricted(site: Site) -> bool:
    return site.cluster.pod_security == "restricted"


def _component(role: Role) -> Component:
    return "driver" if role == "driver" else "executor"


def _annotations(role: Role) -> Manifest:
    """Autoscalers take nodes away; a driver that goes takes the run with it."""
    if role == "driver":
        return {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
    return {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}


def _container(site: Site, *, role: Role, writable: Mapping[str, str]) -> Manifest:
    mounts: list[Manifest] = [{"name": f"swath-{name}", "mountPath": path} for name, path in writable.items()]
    if site.trust and site.trust.config_map:
        mounts.append({"name": "swath-ca", "mountPath": site.trust.folder, "readOnly": True})
    container: Manifest = {"name": DRIVER if role == "driver" else EXECUTOR, "volumeMounts": mounts}
    if _restricted(site):
        container["securityContext"] = _locked_down()
    return container


def _locked_down() -> Manifest:
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _volumes(site: Site, *, writable: Mapping[str, str]) -> list[Manifest]:
    """Places to write on a read-only root; the authority as a folder, so that a new one arrives in running pods."""
    volumes: list[Manifest] = [{"name": f"swath-{name}", "emptyDir": {"sizeLimit": "4Gi"}} for name in writable]
    if site.trust and site.trust.config_map:
        volumes.append({"name": "swath-ca", "configMap": {"name": site.trust.config_map}})
    return volumes


def _placed(nodes: Nodes, *, site: Site) -> Manifest:
    """Node selection, and patience with a control plane that is out of sight.

    Kubernetes gives every pod 300 s on a node that is not ready or unreachable, then evicts it; where only the way to
    the control plane is cut, the pod is well and must stay.
    """
    tolerations = [_toleration(t) for t in nodes.tolerations]
    if site.cluster.control_plane == "remote":
        tolerations += [
            {"key": f"node.kubernetes.io/{taint}", "operator": "Exists", "effect": "NoExecute"}
            for taint in ("not-ready", "unreachable")
        ]
    placed: Manifest = {}
    if nodes.selector:
        placed["nodeSelector"] = dict(nodes.selector)
    if tolerations:
        placed["tolerations"] = tolerations
    return placed


def _toleration(toleration: Toleration) -> Manifest:
    data: Manifest = {"key": toleration.key, "operator": toleration.operator, "effect": toleration.effect}
    return data | ({"value": toleration.value} if toleration.operator == "Equal" else {})


def _signing_helper(site: Site) -> Manifest:
    """IAM Roles Anywhere's helper as a native sidecar: it ends with the pod's main container."""
    identity = site.identity
    helper: Manifest = {"name": "credentials", "restartPolicy": "Always"}
    if identity is not None:
        helper |= {"image": identity.sidecar_image, "args": list(identity.sidecar_arguments)}
    return helper | ({"securityContext": _locked_down()} if _restricted(site) else {})
