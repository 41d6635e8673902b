"""All states of a SparkApplication (v1beta2, operator v2.5.2) in our words."""

from collections.abc import Mapping

from swath.deploy.operate.run_status import RunState

STATES: Mapping[str, RunState] = {
    "": RunState.WAITING,
    "SUBMITTED": RunState.WAITING,
    "PENDING_RERUN": RunState.WAITING,
    "INVALIDATING": RunState.WAITING,
    "RESUMING": RunState.WAITING,
    "SUSPENDING": RunState.WAITING,
    "SUSPENDED": RunState.WAITING,
    "RUNNING": RunState.RUNNING,
    "SUCCEEDING": RunState.RUNNING,
    "FAILING": RunState.RUNNING,
    "COMPLETED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "SUBMISSION_FAILED": RunState.FAILED,
    "UNKNOWN": RunState.UNKNOWN,
}


def state_of(word: str) -> RunState:
    """Our word for the operator's; a state that a later operator adds is unknown, not an error."""
    return STATES.get(word, RunState.UNKNOWN)
