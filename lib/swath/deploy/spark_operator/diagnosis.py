"""Why a run does not go on, from what the API server shows: application, pods, events, quotas."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swath.deploy.spark_operator.events import still_true

_DRIVER_RUNS = frozenset({"RUNNING", "SUCCEEDING"})
UNSEEN_S = 60  # a controller that watches the namespace sets a state within seconds
LONELY_S = 300  # a driver without executors for so long will not get any

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known about a run.

    Args:
        word: The operator's state.
        error: The operator's error message.
        age_s: Since the application was made.
        running_s: Since the driver started; 0 when it has not.
        pods: Driver and executors.
        events: About the application and its driver.
        quotas: Quotas of the namespace.
    """

    word: str
    error: str = ""
    age_s: float = 0.0
    running_s: float = 0.0
    pods: Sequence[Object] = ()
    events: Sequence[Object] = ()
    quotas: Sequence[Object] = field(default=())


@dataclass(frozen=True, slots=True)
class Symptom:
    """A cause and its cure.

    Args:
        reason: Why.
        remedy: Action to take.
        stuck: It will not go on by itself.
    """

    reason: str
    remedy: str
    stuck: bool = True


def diagnose(evidence: Evidence) -> Symptom | None:
    """The first cause that explains the state, or None when all is in order."""
    return next((finding for look in _LOOKS for finding in look(evidence)), None)


def _error_message(e: Evidence) -> Iterator[Symptom]:
    """What the operator says itself, in better words where they are known."""
    for needle, reason, remedy in _SAYINGS:
        if needle in e.error:
            yield Symptom(f"{reason} ({e.error[:200]})", remedy)
    if e.error:
        yield Symptom(e.error[:300], "", stuck=False)


_SAYINGS = (
    ("exceeded quota", "the namespace's quota is used up", "Wait for other runs, or raise the quota; drivers alone can fill it"),
    (
        "failed calling webhook",
        "the operator's webhook is down, and pods are refused while it is",
        "Look at the webhook's pod and certificate",
    ),
    (
        "violates PodSecurity",
        "the namespace's Pod Security level refuses the pod",
        "Render again for this site; see cluster.pod_security",
    ),
    (
        "driver pod not found",
        "the driver's pod is gone: its node was lost, or the pod was deleted",
        "Start the run again (`swath submit --again`, or `--retries`): it goes on from its stored plan",
    ),
    ("driver pod already exist", "a driver pod of this name is still there", "Delete the pod, and submit under a new run id"),
    ("is forbidden", "the operator's or the driver's account lacks a permission", "Apply spark-operator/kustomize for this site"),
)


def _unseen(e: Evidence) -> Iterator[Symptom]:
    """No controller has touched the application."""
    if e.word == "" and e.age_s > UNSEEN_S:
        yield Symptom(
            f"no operator has touched the run for more than {UNSEEN_S} s",
            "The namespace is not among the operator's jobNamespaces (only 'default' is by itself), or the controller is down",
        )


def _containers(e: Evidence) -> Iterator[Symptom]:
    """What the kubelet says about containers."""
    for pod in e.pods:
        statuses = [*pod.get("status", {}).get("initContainerStatuses", []), *pod.get("status", {}).get("containerStatuses", [])]
        for status in statuses:
            yield from _container(status, pod=pod["metadata"]["name"])


def _container(status: Object, *, pod: str) -> Iterator[Symptom]:
    waiting = status.get("state", {}).get("waiting") or {}
    why, message = waiting.get("reason", ""), waiting.get("message", "")
    if why in {"ImagePullBackOff", "ErrImagePull", "InvalidImageName"}:
        yield Symptom(
            f"the image of {pod} cannot be pulled ({why}: {message[:200]})",
            "Check the digest, the registry's reach and its credentials",
        )
    if why == "CreateContainerConfigError":
        yield Symptom(
            f"{pod} names a secret or ConfigMap that is not there ({message[:200]})", "Create it in the run's namespace"
        )
    ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
    if ended.get("reason") == "OOMKilled":
        yield Symptom(
            f"{pod} outgrew its memory limit and was killed",
            "Raise worker and child, or the overhead; `swath plan` shows what is needed",
        )


def _pods(e: Evidence) -> Iterator[Symptom]:
    """What happened to whole pods."""
    for pod in e.pods:
        why = pod.get("status", {}).get("reason", "")
        name = pod["metadata"]["name"]
        if why == "DeadlineExceeded":
            yield Symptom(f"{name} ran longer than max_duration", "Raise max_duration, or ask for more executors", stuck=False)
        if why == "Evicted":
            yield Symptom(
                f"{name} was evicted ({pod['status'].get('message', '')[:200]})",
                "Usually scratch.size_limit or the node's disk is too small",
                stuck=False,
            )


def _events(e: Evidence) -> Iterator[Symptom]:
    """What the scheduler and controllers say."""
    for event in still_true(e.events, pods=e.pods):
        why, message = event.get("reason", ""), event.get("message", "")
        if why == "FailedScheduling":
            yield Symptom(f"no node takes the pod: {message[:250]}", "Compare placement and sizes of the site with its nodes")
        if why == "FailedMount":
            yield Symptom(f"a volume cannot be mounted: {message[:250]}", "Check secret, ConfigMap or claim of that name")
        if why == "FailedCreate" and e.word not in _DRIVER_RUNS:
            yield from _error_message(Evidence(word=e.word, error=message))


def _lonely(e: Evidence) -> Iterator[Symptom]:
    """A driver that waits for executors."""
    executors = [p for p in e.pods if p["metadata"].get("labels", {}).get("spark-role") == "executor"]
    if e.word != "RUNNING" or e.running_s < LONELY_S or any(p.get("status", {}).get("phase") == "Running" for p in executors):
        return
    full = next(iter(_full(e.quotas)), "")
    if full:
        yield Symptom(
            f"the driver runs and its executors are refused: quota {full} is used up",
            "Raise the quota: drivers that fill it wait for ever",
        )
    elif executors:
        yield Symptom(
            "the driver runs and its executors wait for nodes", "Compare placement and sizes of the site with its nodes"
        )
    else:
        yield Symptom(
            "the driver runs and has asked for no executor pod that exists",
            "Its account may not create pods, or the webhook refuses them: see `swath logs`",
        )


def _full(quotas: Sequence[Object]) -> Iterator[str]:
    """Quotas of which less than a twentieth is left."""
    for quota in quotas:
        hard, used = quota.get("status", {}).get("hard", {}), quota.get("status", {}).get("used", {})
        for key, limit in hard.items():
            if quantity(limit) and quantity(used.get(key, "0")) > 0.95 * quantity(limit):
                yield f"{quota['metadata']['name']}/{key}"


_SUFFIX = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number."""
    for suffix in ("Ki", "Mi", "Gi", "Ti", "m", "k", "M", "G", "T"):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * _SUFFIX[suffix]
    return float(text or 0)


_LOOKS: tuple[Callable[[Evidence], Iterator[Symptom]], ...] = (_containers, _pods, _error_message, _events, _lonely, _unseen)
