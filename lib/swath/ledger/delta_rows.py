"""Rows of a Delta table's files, written and read without Spark."""

import io
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from swath.ledger.arrow_rows import array_of, dicts_of, named
from swath.ledger.growth import padded
from swath.stores.base import Store
from swath.stores.local import LocalStore

Json = dict[str, Any]
#: Rows in the order of a schema, or what gives them.
GivenRows = Sequence[Sequence[Any]] | Callable[[], Iterable[Sequence[Any]]]
#: Rows of a row group at most, and characters of their texts: a product's records are some 50 kB.
_GROUP_ROWS, _GROUP_TEXT = 4096, 4 << 20
#: Delta cuts texts in its statistics; we leave those out that would have to be cut.
_LONGEST_TEXT = 32
#: Files that are read at once: on S3 each is a request or two.
READERS = 8


def write_rows(rows: GivenRows, schema: pa.Schema, *, store: Store, folder: str) -> Json:
    """Write one file of a table. It is invisible until a commit names it.

    Args:
        rows: Rows in the order of ``schema``, or a function that gives them; structs in the order of their fields, moments aware.
        schema: Schema of the table.
        store: Store of the table.
        folder: Folder of the table.

    Returns:
        The ``add`` action: path, size, statistics.
    """
    groups = _groups(rows() if callable(rows) else rows)
    return _write((_table(g, schema) for g in groups), schema, store=store, folder=folder)


def write_table(table: pa.Table, *, store: Store, folder: str) -> Json:
    """See ``write_rows``: the same of rows that are a table already."""
    return _write([table], table.schema, store=store, folder=folder)


def _groups(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """Rows of a row group each, so that only those are in memory."""
    group, text = list[Sequence[Any]](), 0
    for row in rows:
        group.append(row)
        text += sum(len(v) for v in row if isinstance(v, str))
        if len(group) == _GROUP_ROWS or text > _GROUP_TEXT:
            yield group
            group, text = [], 0
    if group:
        yield group


def _table(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    columns = [[named(row[n], column.type) for row in rows] for n, column in enumerate(schema)]
    return pa.Table.from_arrays([array_of(v, c.type) for v, c in zip(columns, schema, strict=True)], schema=schema)


def _write(tables: Iterable[pa.Table], schema: pa.Schema, *, store: Store, folder: str) -> Json:
    """Write tables behind each other into one file."""
    name = f"part-00000-{uuid.uuid4()}-c000.snappy.parquet"
    temporary = store.scratch() / name
    try:
        found: list[Json] = []
        with pq.ParquetWriter(temporary, schema, compression="snappy") as writer:
            for table in tables:
                writer.write_table(table)
                found.append(_statistics(table))
        size = temporary.stat().st_size
        store.put(temporary, f"{folder}/{name}")
    finally:
        temporary.unlink(missing_ok=True)
    return {"path": name, "size": size, "stats": json.dumps(_together(found))}


def read_rows(files: Sequence[str], columns: Sequence[str], *, store: Store, folder: str) -> list[Json]:
    """Some columns of all rows; moments are aware, in UTC (a naive one of Spark's own files is taken for UTC), maps are dicts.

    Raises:
        FileNotFoundError: The log names a file that is not there.
    """
    found: list[Json] = []
    for name in files:
        data = store.read(f"{folder}/{name}")
        if data is None:
            raise FileNotFoundError(f"{folder}/{name}")
        file = pq.ParquetFile(io.BytesIO(data), coerce_int96_timestamp_unit="us")
        found += _dicts(file.read(columns=list(columns)), columns)
    return found


def _dicts(table: pa.Table, columns: Sequence[str]) -> list[Json]:
    """Rows with a value for each column; a file of an earlier swath lacks some."""
    rows, lacking = dicts_of(table), [c for c in columns if c not in table.schema.names]
    return [{**dict.fromkeys(lacking), **row} for row in rows] if lacking else rows


def read_where(
    files: Sequence[str], columns: Sequence[str], *, where: Mapping[str, Sequence[Any]], store: Store, folder: str
) -> list[Json]:
    """Some columns of the rows that have one of the given values in each column; memory holds one file's columns at a time.

    Args:
        files: Files of the table.
        columns: Which.
        where: Values by column.
        store: Store of the table.
        folder: Folder of the table.
    """
    found: list[Json] = []
    for name in files:
        with store.open(f"{folder}/{name}") as opened:
            file = pq.ParquetFile(opened, coerce_int96_timestamp_unit="us", pre_buffer=False)
            keys = file.read(columns=list(where), use_threads=False)
            masks = [pc.is_in(keys[c], value_set=array_of(list(values), keys[c].type)) for c, values in where.items()]
            mask = reduce(pc.and_, masks)
            if pc.any(mask).as_py():
                found += _dicts(file.read(columns=list(columns), use_threads=False).filter(mask), columns)
    return found


def read_columns(files: Sequence[str], schema: pa.Schema, *, store: Store, folder: str) -> pa.Table:
    """Some columns of all rows, as Arrow: nothing else of the files is read where the store reads ranges.

    Args:
        files: Files of the table.
        schema: The columns, none of them nested; moments in UTC.
        store: Store of the table.
        folder: Folder of the table.

    Raises:
        FileNotFoundError: The log names a file that is not there.
    """

    def read(name: str) -> pa.Table:
        with store.open(f"{folder}/{name}") as opened:
            file = pq.ParquetFile(opened, coerce_int96_timestamp_unit="us", pre_buffer=False)  # no thread for a file of kilobytes
            table = padded(file.read(columns=schema.names, use_threads=False), schema)
        # Spark's own files hold UTC without saying so: the cast takes a naive moment for UTC.
        return table if table.schema.equals(schema) else table.cast(schema)

    if isinstance(store, LocalStore):  # nothing to wait for: threads would only get into each other's way
        found = [read(name) for name in files]
    else:
        with ThreadPoolExecutor(READERS) as readers:
            found = list(readers.map(read, files))
    return pa.concat_tables(found) if found else schema.empty_table()


def _statistics(table: pa.Table) -> Json:
    """What lets readers pass over a file: ends of whole numbers and of short texts."""
    ends: dict[str, dict[str, Any]] = {"minValues": {}, "maxValues": {}}
    nulls: dict[str, int] = {}
    for column, values in zip(table.schema, table.columns, strict=True):
        if pa.types.is_integer(column.type) or pa.types.is_string(column.type):
            nulls[column.name] = values.null_count
            found = [v for v in values.to_pylist() if v is not None]
            if found and all(len(str(end)) <= _LONGEST_TEXT for end in (min(found), max(found))):
                ends["minValues"][column.name], ends["maxValues"][column.name] = min(found), max(found)
    return {"numRecords": table.num_rows, **ends, "nullCount": nulls}


def _together(found: Sequence[Json]) -> Json:
    """Statistics of several row groups as those of their file."""
    if len(found) == 1:
        return found[0]
    nulls = {name: sum(f["nullCount"][name] for f in found) for name in (found[0]["nullCount"] if found else ())}
    ends: dict[str, dict[str, Any]] = {"minValues": {}, "maxValues": {}}
    for name in nulls:
        valued = [f for f in found if f["nullCount"][name] < f["numRecords"]]
        # A group whose texts are too long says nothing of the file's ends.
        if valued and all(name in f["minValues"] for f in valued):
            ends["minValues"][name] = min(f["minValues"][name] for f in valued)
            ends["maxValues"][name] = max(f["maxValues"][name] for f in valued)
    return {"numRecords": sum(f["numRecords"] for f in found), **ends, "nullCount": nulls}
