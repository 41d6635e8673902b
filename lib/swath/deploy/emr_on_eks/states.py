"""All states and failure reasons of EMR on EKS in our words."""

from collections.abc import Mapping

from swath.deploy.operate.run_status import RunState

STATES: Mapping[str, RunState] = {
    "PENDING": RunState.WAITING,
    "SUBMITTED": RunState.WAITING,
    "RUNNING": RunState.RUNNING,
    "CANCEL_PENDING": RunState.RUNNING,
    "COMPLETED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "CANCELLED": RunState.CANCELLED,
}

REMEDIES: Mapping[str, str] = {
    "USER_ERROR": "The driver ended with an error: see `swath logs` and OUT/reports",
    "VALIDATION_ERROR": "EMR refused the request only when it ran it; render it again, and report what the checks missed",
    "CLUSTER_UNAVAILABLE": "EMR does not reach the EKS cluster: look at the cluster, its access entries and, on a rack, the link",
    "INTERNAL_ERROR": "EMR's own fault; submit again under the same run id",
}
#: How long a run may wait for its driver [s]: EMR fails it then (its default of 15 minutes is too short for cold nodes and
#: large images), and only then the launcher calls it stuck.
START_TIMEOUT_S = 3600
