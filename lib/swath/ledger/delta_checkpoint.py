"""Checkpoints of a Delta table: what a whole log says, in one Parquet file (single-file form of the first version).

A reader begins with the newest checkpoint instead of with every commit since the first. Spark reads these as its own.
See "Delta Transaction Log Protocol", "Checkpoints".
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

Json = dict[str, Any]
#: Delta's own default: with every commit whose number is a multiple of this.
INTERVAL = 10
NAME = re.compile(r"(\d{20})\.checkpoint\.parquet")
#: Says where the newest one is, to readers that would have to list the log otherwise.
POINTER = "_last_checkpoint"
_TEXT, _LONG, _FLAG, _MAP = pa.string(), pa.int64(), pa.bool_(), pa.map_(pa.string(), pa.string())
_TXN = pa.struct([("appId", _TEXT), ("version", _LONG), ("lastUpdated", _LONG)])
_ADD = pa.struct(
    [
        ("path", _TEXT),
        ("partitionValues", _MAP),
        ("size", _LONG),
        ("modificationTime", _LONG),
        ("dataChange", _FLAG),
        ("tags", _MAP),
        ("stats", _TEXT),
    ]
)
_REMOVE = pa.struct(
    [
        ("path", _TEXT),
        ("deletionTimestamp", _LONG),
        ("dataChange", _FLAG),
        ("extendedFileMetadata", _FLAG),
        ("partitionValues", _MAP),
        ("size", _LONG),
    ]
)
_META = pa.struct(
    [
        ("id", _TEXT),
        ("name", _TEXT),
        ("description", _TEXT),
        ("format", pa.struct([("provider", _TEXT), ("options", _MAP)])),
        ("schemaString", _TEXT),
        ("partitionColumns", pa.list_(_TEXT)),
        ("configuration", _MAP),
        ("createdTime", _LONG),
    ]
)
_PROTOCOL = pa.struct([("minReaderVersion", pa.int32()), ("minWriterVersion", pa.int32())])
_KINDS: Mapping[str, pa.DataType] = {"txn": _TXN, "add": _ADD, "remove": _REMOVE, "metaData": _META, "protocol": _PROTOCOL}
_SCHEMA = pa.schema(list(_KINDS.items()))


def checkpoint_name(version: int) -> str:
    """File name of the checkpoint of a version."""
    return f"{version:020d}.checkpoint.parquet"


def checkpoint_bytes(actions: Sequence[Json]) -> bytes:
    """The file: one row an action, of which the column of its kind has a value.

    Args:
        actions: Actions as in commits: ``{"add": {...}}`` and so on. Fields that are not of the plain protocol are left out.
    """
    rows: dict[str, list[Json | None]] = {kind: [None] * len(actions) for kind in _KINDS}
    for number, action in enumerate(actions):
        ((kind, fields),) = action.items()
        rows[kind][number] = _typed(fields, _KINDS[kind])
    table = pa.table({kind: pa.array(rows[kind], type=_KINDS[kind]) for kind in _KINDS}, schema=_SCHEMA)
    written = io.BytesIO()
    pq.write_table(table, written, compression="snappy")
    return written.getvalue()


def checkpoint_actions(data: bytes) -> list[Json]:
    """The actions of a checkpoint, Spark's or ours, without fields that have no value."""
    file = pq.ParquetFile(io.BytesIO(data))
    known = [kind for kind in _KINDS if kind in file.schema_arrow.names]
    rows = file.read(columns=known).to_pylist(maps_as_pydicts="strict")
    return [{kind: _there(row[kind])} for row in rows for kind in known if row[kind] is not None]


def pointer_bytes(version: int, *, actions: int, bytes_: int, files: int) -> bytes:
    """Content of ``_last_checkpoint``."""
    return json.dumps({"version": version, "size": actions, "sizeInBytes": bytes_, "numOfAddFiles": files}).encode()


def _typed(fields: Json, kind: pa.StructType) -> Json:
    """Fields as Arrow takes them: maps as pairs, unknown ones left out."""
    taken: Json = {}
    for field in kind:
        value = fields.get(field.name)
        if value is not None and pa.types.is_map(field.type):
            value = list(value.items())
        elif value is not None and pa.types.is_struct(field.type):
            value = _typed(value, field.type)
        taken[field.name] = value
    return taken


def _there(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
