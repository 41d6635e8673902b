"""Where logs of executors are: workers of a standalone master, and the API of Kubernetes."""

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

#: A log's end that is asked for [bytes], and how long an answer may take [s].
_BYTES, _PATIENCE_S = 200_000, 5.0
#: Where Kubernetes puts the token, the authority and the namespace of a pod's account.
_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CONTAINER: Final = "spark-kubernetes-executor"
_FORBIDDEN: Final = 403


class LogError(Exception):
    """A log cannot be had."""


class HasPage(Protocol):
    """An executor, as far as its log is found by it."""

    @property
    def name(self) -> str:
        """Its id."""
        ...

    @property
    def page(self) -> str:
        """Address of its stderr at its worker; empty without one."""
        ...


class WorkerLogs:
    """Logs that the workers of a standalone master show."""

    def lines(self, executor: HasPage, *, most: int) -> list[str]:
        """The last lines of an executor's stderr.

        Raises:
            LogError: Its worker does not answer.
        """
        if not executor.page:
            msg = "Spark has no address for it"
            raise LogError(msg)
        page = urlsplit(executor.page)
        query = urlencode({**dict(parse_qsl(page.query)), "byteLength": _BYTES})
        # The page is HTML; beside it is the same as text, under a line that says which bytes they are.
        text = _text(urlunsplit((page.scheme, page.netloc, "/log", query, "")))
        return text.splitlines()[1:][-most:]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLogs:
    """Logs of pods, by the account of the driver's own pod.

    Args:
        api: Address of the API server.
        application: Spark's id of the application, a label of its pods.
        account: Folder with ``token``, ``ca.crt`` and ``namespace``.
    """

    api: str
    application: str
    account: Path = _ACCOUNT

    @classmethod
    def of_this_pod(cls, *, application: str, environ: Mapping[str, str] = os.environ) -> Self | None:
        """As Kubernetes tells each pod; None where it does not."""
        host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host or not (_ACCOUNT / "token").is_file():
            return None
        return cls(api=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}", application=application)

    def lines(self, executor: HasPage, *, most: int) -> list[str]:
        """The last lines of an executor's pod.

        Raises:
            LogError: There is no such pod any more, or the account may not read its log.
        """
        pods = f"{self.api}/api/v1/namespaces/{quote(self._read('namespace'), safe='')}/pods"
        labels = f"spark-app-selector={self.application},spark-exec-id={executor.name}"
        found = json.loads(self._ask(f"{pods}?{urlencode({'labelSelector': labels})}"))["items"]
        if not found:
            msg = "its pod is gone"
            raise LogError(msg)
        pod = found[-1]
        query = {"container": _container(pod), "tailLines": most, "limitBytes": _BYTES}
        return self._ask(f"{pods}/{quote(pod['metadata']['name'], safe='')}/log?{urlencode(query)}").splitlines()[-most:]

    def _ask(self, url: str) -> str:
        return _text(url, token=self._read("token"), authority=self.account / "ca.crt")

    def _read(self, name: str) -> str:
        try:
            return (self.account / name).read_text(encoding="utf-8").strip()
        except OSError as error:
            msg = f"the account of this pod has no {name}: {error}"
            raise LogError(msg) from error


def _container(pod: Mapping[str, Any]) -> str:
    """Name of the executor's container; others of the pod serve it."""
    names = [str(c["name"]) for c in pod["spec"]["containers"]]
    return _CONTAINER if _CONTAINER in names else names[0]


def _text(url: str, *, token: str = "", authority: Path | None = None) -> str:
    """The answer of a service inside the cluster: no proxy is between.

    Raises:
        LogError: It does not answer, or refuses.
    """
    trust = ssl.create_default_context(cafile=str(authority) if authority is not None and authority.is_file() else None)
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with opener.open(Request(url, headers=headers), timeout=_PATIENCE_S) as answer:  # noqa: S310  our own addresses
            return str(answer.read(2 * _BYTES).decode(errors="replace"))
    except HTTPError as error:
        what = "this account may not read pods/log" if error.code == _FORBIDDEN else f"{error.code} {error.reason}"
        raise LogError(what) from error
    except OSError as error:
        msg = f"no answer: {error}"
        raise LogError(msg) from error
