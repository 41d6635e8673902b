"""The origin of a run: submitter, attempt, site and image, which ``runs`` keeps beside its counts."""

import getpass
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from swath.settings import Settings

_IMAGES = ("spark.kubernetes.driver.container.image", "spark.kubernetes.container.image")
_ACCOUNT, _NAMESPACE = "spark.kubernetes.authenticate.driver.serviceAccountName", "spark.kubernetes.namespace"
#: What a command line and a variable of a pod take as it is.
_UNUSUAL = re.compile(r"[^\w.:/@+-]")
Conf = Callable[[str, None], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrigin:
    """Where a run comes from. What is not known is None.

    Args:
        submitted_by: Person or program that submitted it; the engine's identity without one.
        image: Image of the driver, by digest where the site asks for one.
        site_digest: SHA-256 of the site's values.
        attempt: Which execution under the run's name this is, from 1; None for a run of an earlier version of swath.
    """

    submitted_by: str | None = None
    image: str | None = None
    site_digest: str | None = None
    attempt: int | None = 1

    @classmethod
    def of(cls, conf: Conf | None = None, *, environ: Mapping[str, str] = os.environ) -> Self:
        """The origin of this process's run.

        Args:
            conf: ``spark.conf.get``: engines tell image and account there.
            environ: The launcher tells the submitter there, and a rendered job its site.
        """
        settings = Settings.of(environ)
        return cls(
            submitted_by=settings.submitted_by or _identity(conf),
            image=next((told for name in _IMAGES if (told := _told(conf, name))), None),
            site_digest=settings.site_digest or None,
        )

    def again(self, attempts: int) -> Self:
        """The same, after so many attempts."""
        return replace(self, attempt=attempts + 1)

    def columns(self) -> dict[str, Any]:
        """The columns of ``RUNS`` that it fills."""
        return {
            "submitted_by": self.submitted_by, "image": self.image, "site_digest": self.site_digest, "attempt": self.attempt
        }  # fmt: skip


#: Origin in a row that no execution of a run wrote.
UNKNOWN: Mapping[str, Any] = dict.fromkeys(("submitted_by", "image", "site_digest", "attempt"))


def _told(conf: Conf | None, name: str) -> str | None:
    return (conf(name, None) or None) if conf is not None else None


def _identity(conf: Conf | None) -> str | None:
    """The account of the pod, or of the process."""
    account = _told(conf, _ACCOUNT)
    if account:
        return f"serviceaccount:{_told(conf, _NAMESPACE) or 'default'}/{account}"
    return _user()


def submitter(environ: Mapping[str, str] = os.environ) -> str:
    """Submitter of a run from this process: ``SWATH_SUBMITTED_BY``, or the account and the machine.

    Args:
        environ: An orchestrator tells its own name there.
    """
    return _UNUSUAL.sub("_", Settings.of(environ).submitted_by or f"{_user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the account has no name here, as in many containers
        return f"uid:{os.getuid()}"
