"""The few calls to a Kubernetes API server that a launcher makes, with answers as parsed JSON and errors in words."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import kubernetes
import urllib3

from swath.deploy.operate.launch_error import LaunchError
from swath.deploy.render.plain import Manifest
from swath.errors import ConfigError

client: Any = kubernetes.client  # the package carries no types
config: Any = kubernetes.config

GROUP, VERSION, PLURAL = "sparkoperator.k8s.io", "v1beta2", "sparkapplications"
_TIMEOUT_S = (5, 30)
_TRANSIENT = frozenset({408, 409, 429, 500, 502, 503, 504})

Answer = TypeVar("Answer")


class KubeApi:
    """One namespace of one API server.

    Args:
        namespace: Namespace of the runs.
        api: Client; the official one knows kubeconfig files, exec plug-ins and pods' own accounts.
    """

    def __init__(self, *, namespace: str, api: Any) -> None:
        self.namespace = namespace
        self._objects = client.CustomObjectsApi(api)
        self._core = client.CoreV1Api(api)

    @classmethod
    def connect(cls, *, namespace: str, context: str = "") -> "KubeApi":
        """Find the API server: a named context, the pod's own account, or the current context.

        Raises:
            ConfigError: There is neither.
        """
        try:
            if not context:
                try:
                    config.load_incluster_config()
                except config.ConfigException:
                    config.load_kube_config()
            else:
                config.load_kube_config(context=context)
        except config.ConfigException as error:
            raise ConfigError(f"no Kubernetes cluster is configured: {error}") from error
        return cls(namespace=namespace, api=client.ApiClient())

    def create(self, manifest: Manifest) -> Manifest | None:
        """Create an application; None if one of this name already exists."""
        try:
            made: Manifest = self._ask(
                self._objects.create_namespaced_custom_object, GROUP, VERSION, self.namespace, PLURAL, manifest
            )
        except _TakenError:
            return None
        return made

    def get(self, name: str) -> Manifest | None:
        """An application, or None."""
        return self._found(self._objects.get_namespaced_custom_object, GROUP, VERSION, self.namespace, PLURAL, name)

    def delete(self, name: str) -> bool:
        """Delete an application and what belongs to it; False when it was not there."""
        body = {"propagationPolicy": "Foreground"}
        return (
            self._found(self._objects.delete_namespaced_custom_object, GROUP, VERSION, self.namespace, PLURAL, name, body=body)
            is not None
        )

    def applications(self, selector: str) -> list[Manifest]:
        """Applications with these labels."""
        answer = self._ask(
            self._objects.list_namespaced_custom_object, GROUP, VERSION, self.namespace, PLURAL, label_selector=selector
        )
        return list(answer["items"])

    def pods(self, selector: str) -> list[Manifest]:
        """Pods with these labels."""
        return self._items(self._core.list_namespaced_pod, label_selector=selector)

    def events(self, name: str) -> list[Manifest]:
        """Events about one object."""
        return self._items(self._core.list_namespaced_event, field_selector=f"involvedObject.name={name}")

    def quotas(self) -> list[Manifest]:
        """Resource quotas of the namespace."""
        return self._items(self._core.list_namespaced_resource_quota)

    def log(
        self, pod: str, *, container: str, since_s: int | None = None, follow: bool = False, tail: int | None = None
    ) -> Iterator[str]:
        """Lines of a container's log, each with its time in front.

        Raises:
            LaunchError: The connection dropped, which passes; or the log cannot be had.
        """
        options = {"container": container, "timestamps": True, "follow": follow, "_preload_content": False}
        options |= {key: value for key, value in (("since_seconds", since_s), ("tail_lines", tail)) if value is not None}
        response = self._ask(self._core.read_namespaced_pod_log, pod, self.namespace, **options)
        rest = b""
        try:
            for chunk in response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in lines)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise LaunchError("the log's connection dropped", passing=True) from error
        if rest:
            yield rest.decode("utf-8", "replace")

    def _items(self, call: Callable[..., Any], **options: Any) -> list[Manifest]:
        """Items of a list, as JSON: the client's models would refuse fields of another version of Kubernetes."""
        answer = json.loads(self._ask(call, self.namespace, _preload_content=False, **options).data)
        return list(answer.get("items") or [])

    def _found(self, call: Callable[..., Any], *words: Any, **options: Any) -> Manifest | None:
        try:
            answer: Manifest = self._ask(call, *words, **options)
        except _MissingError:
            return None
        return answer

    def _ask(self, call: Callable[..., Any], *words: Any, **options: Any) -> Any:
        """Call, and turn what goes wrong into one of three: missing, taken, or an error in words."""
        try:
            return call(*words, _request_timeout=_TIMEOUT_S, **options)
        except client.ApiException as error:
            raise _in_words(error, namespace=self.namespace) from error
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise LaunchError(f"the API server does not answer: {type(error).__name__}", passing=True) from error


class _MissingError(LaunchError):
    """404 for an object."""


class _TakenError(LaunchError):
    """409 for a name."""


def _in_words(error: Any, *, namespace: str) -> Exception:
    """What an answer of the API server means."""
    body = str(error.body or "")
    message = _message(body) or str(error.reason)
    if error.status == 404 and ("page not found" in body or "could not find the requested resource" in message):
        return ConfigError(
            "the API server has no sparkapplications.sparkoperator.k8s.io: the operator's CRDs are not installed. "
            "Apply them server-side (spark-operator/README.md)"
        )
    if error.status in {401, 403}:
        return _no_permission(error.status, message, namespace=namespace)
    if "failed calling webhook" in body:
        return LaunchError(
            f"a webhook is down: {message}", remedy="Look at the operator's webhook pod and its certificate", passing=True
        )
    if error.status in {400, 422} or "denied the request" in body:
        return ConfigError(f"the API server refuses the manifest: {message}")
    kind = _MissingError if error.status == 404 else _TakenError if "AlreadyExists" in body else LaunchError
    return kind(f"the API server answers {error.status}: {message}", passing=error.status in _TRANSIENT)


def _no_permission(status: int, message: str, *, namespace: str) -> LaunchError:
    if status == 401:
        return LaunchError(f"the credentials are not valid (any more): {message}", remedy="Log in again")
    remedy = f"Bind the role swath-launcher of spark-operator/kustomize in namespace {namespace}"
    return LaunchError(f"a permission is missing: {message}", remedy=remedy)


def _message(body: str) -> str:
    """The message of a Kubernetes Status."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return body.strip()[:300]
    return str(parsed.get("message", "")) if isinstance(parsed, dict) else ""
