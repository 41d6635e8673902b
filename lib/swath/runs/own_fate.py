"""A scene whose own row breaks the work with it is refused alone: it never ends a run."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyspark.sql.pandas.types import to_arrow_schema

from swath.engine.blame import internal_error
from swath.errors import InternalError
from swath.ledger.arrow_rows import table_of
from swath.ledger.rows import TableRow, row_of
from swath.ledger.schemas import INGESTED, SCENES

Json = dict[str, Any]
#: What a refused row keeps: where it is.
_PLACE = ("n", "href", "block")
_SCHEMAS = {"ingested": to_arrow_schema(INGESTED), "scenes": to_arrow_schema(SCENES)}


def keepable(row: Json) -> Json:
    """The row of an ingest, or its refusal if no table can keep what it says.

    Args:
        row: A row with the columns of ``INGESTED``.

    Returns:
        The row; or one of class ``internal`` that has its number and href alone.
    """
    try:
        table_of([row], _SCHEMAS["ingested"])
        if row["scene_digest"] is not None:
            table_of([dict(zip(SCENES.names, scene_row(row, run_id=""), strict=True))], _SCHEMAS["scenes"])
    except Exception as error:  # noqa: BLE001  whatever it is, it is this scene's
        return {
            **dict.fromkeys(INGESTED.names),
            **{name: row[name] for name in _PLACE},
            **refusal(error, row=row, stage="ingest"),
        }
    return row


def refusal(error: Exception, *, row: Mapping[str, Any], stage: str) -> Json:
    """Class, message and stage of a scene that an unexpected error has ended."""
    message = str(internal_error(error).of(str(row["scene_id"] or row["href"])))
    return {
        "error_class": InternalError.error_class,
        "message": message.encode("utf-8", "backslashreplace").decode(),
        "stage": stage,
    }


def scene_row(row: Mapping[str, Any], *, run_id: str) -> TableRow:
    """The row of ``SCENES`` that a usable row of an ingest leaves."""
    scene = json.loads(row["scene"])
    told = {name: scene[name] for name in ("reader", "source_href", "platform", "family")}
    return row_of(
        SCENES, scene_id=row["scene_id"], digest=row["scene_digest"], **told, acquired=datetime.fromisoformat(scene["acquired"]),
        scene=row["scene"], run_id=run_id, href=row["href"], files=row["files"],
    )  # fmt: skip
