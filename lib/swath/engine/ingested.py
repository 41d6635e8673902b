"""What an answer to ``ingest`` says of a scene, as columns. Light: workers import it."""

from collections.abc import Mapping, Sequence
from typing import Any

from swath.redaction import redacted


def columns_of(answer: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Columns of a scene: what was found of it, or why it cannot be used.

    Args:
        answer: To ``ingest``.
        names: Names of the columns; columns that the answer lacks become None.
    """
    refused = answer.get("refused")
    stage = "ingest" if refused is None else refused.get("stage", "ingest")
    if refused is None:
        refused, stage = answer.get("unfit"), "plan"
    columns = {name: answer.get(name) for name in names}
    if refused is not None:
        columns |= {"error_class": refused["class"], "message": redacted(refused["message"]), "stage": stage}
        if refused.get("scene_id") and "scene_id" in names:
            columns["scene_id"] = refused["scene_id"]
    return columns
