"""A beat in CloudWatch's embedded metric format.

Source: "Specification: Embedded metric format", CloudWatch: at most 100 metrics and 30 dimensions, names up to 1024 characters.
"""

import hashlib
from typing import Any

from swath.metrics.beat import Beat
from swath.metrics.names import METRICS, values_of

DIMENSIONS = ("Site", "Pipeline")


def emf(beat: Beat, *, namespace: str) -> dict[str, Any]:
    """The event: metrics by site and pipeline, the rest as properties. No name of a run or of a scene is in it."""
    values = values_of(beat)
    units = [{"Name": m.name, "Unit": m.unit} for m in METRICS if m.name in values]
    return {
        "_aws": {
            "Timestamp": round(beat.at.timestamp() * 1000),
            "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [list(DIMENSIONS)], "Metrics": units}],
        },
        "Site": beat.site,
        "Pipeline": beat.pipeline,
        "Event": beat.event,
        "Run": handle_of(beat.run_id),
        **({"Error": beat.error} if beat.error else {}),
        **values,
    }


def handle_of(run_id: str) -> str:
    """A name of a run that tells nothing: a run id may hold a job's name."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:16]
