"""Names of jobs and runs: what every engine takes, so that a name never fails at one site only."""

import hashlib
import re
import secrets
from datetime import UTC, datetime

from swath.errors import ConfigError

JOB_LIMIT = 24  # leaves room for the time and the random part of a run id
RUN_LIMIT = 47  # Spark before 3.3 allowed 47 for the prefix of its executors; the scheduled name is checked apart
SCHEDULED_LIMIT = 43  # the operator appends "-" and 19 digits of nanoseconds; 63 is the most for a label

_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def check_name(name: str, *, limit: int, what: str) -> str:
    """Return ``name`` if it is a DNS-1035 label of at most ``limit`` characters.

    Raises:
        ConfigError: The name is too long, starts with a digit, or holds capitals, dots or underscores.
    """
    if len(name) > limit:
        msg = f"{what} {name!r} has {len(name)} characters, at most {limit} fit the names that are made from it. Shorten it"
        raise ConfigError(msg)
    if not _DNS_1035.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-").lstrip("0123456789-") or "run-1"
        msg = f"{what} {name!r} is not a name for Kubernetes: a letter first, then a-z, 0-9 and '-'. Write {better!r}"
        raise ConfigError(msg)
    return name


def new_run_id(job: str, *, now: datetime | None = None, salt: str | None = None) -> str:
    """A run id that sorts by time and does not collide: ``<job>-<UTC time>-<4 hex digits>``."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    run_id = f"{job}-{moment:%Y%m%dt%H%M%Sz}-{salt or secrets.token_hex(2)}"
    return check_name(run_id, limit=RUN_LIMIT, what="run id")


def run_id_of(job: str, own: str) -> str:
    """The run id of an orchestrator's own run: always the same one, so a retry there is the same run here.

    Args:
        job: Name of the job.
        own: Name that the orchestrator gives its run, for example ``scheduled__2026-11-25T02:15:00+00:00``.

    Returns:
        ``own`` where it is a run id of the job already; otherwise the job, what fits of ``own``, and 8 digits of its sha256.

    Raises:
        ConfigError: ``own`` is empty.
    """
    if not own.strip():
        msg = "the orchestrator's run has no name, so two of its runs would be one"
        raise ConfigError(msg)
    if own.startswith(f"{job}-") and len(own) <= RUN_LIMIT and _DNS_1035.fullmatch(own):
        return own
    digest = hashlib.sha256(own.encode()).hexdigest()[:8]
    words = re.sub(r"[^a-z0-9]+", "-", own.lower().removeprefix(f"{job}-"))
    fits = words[: RUN_LIMIT - len(job) - len(digest) - 2].strip("-")
    return check_name("-".join(word for word in (job, fits, digest) if word), limit=RUN_LIMIT, what="run id")
