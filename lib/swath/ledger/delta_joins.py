"""Small files of a Delta table joined as the table grows, so that thousands of commits leave tens of files to read.

What Delta calls OPTIMIZE: the rows stay, the files change, and versions before remain readable until ``maintain`` removes
the files that were joined.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from swath.ledger.delta_log import DeltaLog
from swath.ledger.delta_rows import READERS, write_table
from swath.ledger.growth import padded
from swath.stores.base import Store

#: Files that are joined at once: what 3,000 commits leave is then some 130 files.
MANY = 100
#: A file of fewer bytes is small: those joined are some 25 MB together at most.
SMALL_BYTES = 256 << 10


def join_small(log: DeltaLog, *, schema: pa.Schema, store: Store) -> bool:
    """Join the small files of a table, if there are many.

    Nothing is lost whatever happens: rows are in the files before until the commit that replaces them, and if another driver
    commits first, the files stay as they are until next time.

    Args:
        log: Log of the table, as it is now.
        schema: Schema of the table.
        store: Store of the table.

    Returns:
        Whether files were joined.
    """
    small = [path for path, size in log.files.items() if size < SMALL_BYTES]
    # rows of a later swath's table would lose the columns that are unknown here
    if not log.plain or len(small) < MANY or not log.knows_all(schema.names):
        return False
    table = _rows_of(small, schema, store=store, folder=log.folder)
    return table is not None and log.replace(small, write_table(table, store=store, folder=log.folder))


def _rows_of(files: Sequence[str], schema: pa.Schema, *, store: Store, folder: str) -> pa.Table | None:
    """Rows of all files; None where one was not written as we write them (Spark's keep moments otherwise)."""

    def read(name: str) -> pa.Table:
        with store.open(f"{folder}/{name}") as opened:
            return padded(pq.ParquetFile(opened, pre_buffer=False).read(use_threads=False), schema)

    with ThreadPoolExecutor(READERS) as readers:
        found = list(readers.map(read, files))
    return pa.concat_tables(found) if all(table.schema.equals(schema) for table in found) else None
