"""Whether a failed run may be started again by the launcher."""

import re

from swath.deploy.operate.result import RunResult
from swath.deploy.operate.run_status import RunState, RunStatus

#: Wrong configuration, account out of balance, another run holds the lock. What ended with 6, a service that was away, is
#: started again: nothing is lost, and the stored plan goes on.
NEVER = frozenset({2, 4, 5})
_EXIT = re.compile(r"exit ?code:? ?(\d+)", flags=re.IGNORECASE)
_OURS_TO_RETRY = (
    "INTERNAL_ERROR",
    "CLUSTER_UNAVAILABLE",
    "Evicted",
    "was evicted",
    "outgrew its memory limit",
    "driver pod not found",
)


def may_retry(status: RunStatus, *, result: RunResult | None) -> bool:
    """Whether starting the run again could help.

    A result file means that the run came to its end: there is nothing to start again, whatever the engine says. Without
    one, an exit code that the engine tells decides; without that, only failures that are plainly the platform's own.

    Args:
        status: The final status.
        result: The result file, if there is one.
    """
    if status.state is not RunState.FAILED or result is not None:
        return False
    code = told_code(status)
    if code is not None:
        return code not in NEVER
    return any(sign in status.reason for sign in _OURS_TO_RETRY)


def told_code(status: RunStatus) -> int | None:
    """The exit code of the run, if the engine's reason contains it."""
    told = _EXIT.search(status.reason)
    return int(told[1]) if told else None
