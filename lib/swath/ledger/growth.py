"""Schemas that grew: a table of an earlier swath lacks columns, one of a later swath has more; both are read and continued.

A column is only ever added, at the end, and may be empty. Nothing else about a table may differ.
"""

from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

Json = dict[str, Any]


def compatible(there: Json, ours: Json) -> bool:
    """Whether one of two schemas begins with all the columns of the other.

    Args:
        there: Schema of a table, as Spark writes schemas.
        ours: The schema that is known here.
    """
    shared = min(len(there["fields"]), len(ours["fields"]))
    return shared > 0 and there["fields"][:shared] == ours["fields"][:shared]


def grown(there: Json, ours: Json) -> Json | None:
    """The table's schema with the columns that it lacks; None where it lacks none.

    Args:
        there: Schema of a table, compatible with ``ours``.
        ours: The schema that is known here.
    """
    known = {field["name"] for field in there["fields"]}
    lacking = [field for field in ours["fields"] if field["name"] not in known]
    return {**there, "fields": [*there["fields"], *lacking]} if lacking else None


def padded(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, in its order; those that a file of an earlier swath lacks are empty.

    Args:
        table: Rows of one file.
        schema: Columns that are wanted.
    """
    there = set(table.schema.names)
    columns = [table[c.name] if c.name in there else pa.nulls(table.num_rows, c.type) for c in schema]
    kinds = [table.schema.field(c.name) if c.name in there else c for c in schema]
    return pa.Table.from_arrays(columns, schema=pa.schema(kinds))
