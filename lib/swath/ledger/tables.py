"""What the ledger is to the rest of swath: tables, whether Delta or PostgreSQL keeps them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql.types import StructType

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]


#: Rows to append: tuples in the order of the schema, what gives them (once more for each try), or a DataFrame.
AppendedRows = Sequence[Row | tuple[Any, ...]] | Callable[[], Iterable[tuple[Any, ...]]] | DataFrame


class Tables(Protocol):
    """The tables of one output."""

    def exists(self, name: str) -> bool:
        """Whether anything was appended to the table, even an empty commit."""
        ...

    def read(
        self,
        name: str,
        schema: StructType,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> DataFrame:
        """The table; an empty one of the schema when it was never written.

        Args:
            name: Name of the table.
            schema: Schema of the table.
            columns: Only these.
            where: Only rows with one of these values in a column.
        """
        ...

    def small(
        self, name: str, schema: StructType, *, columns: Sequence[str], where: Mapping[str, Sequence[Any]] | None = None
    ) -> list[dict[str, Any]] | None:
        """Some columns of all rows, read without Spark; None if the result is too large. Moments are aware, in UTC.

        Args:
            name: Name of the table.
            schema: Schema of the table.
            columns: Which.
            where: Only rows with one of these values in a column: then a large table is looked through too.
        """
        ...

    def arrow(self, name: str, schema: StructType, *, columns: Sequence[str]) -> "pa.Table | None":
        """Some plain columns of all rows, however many, read without Spark; None when only Spark can. Moments are in UTC."""
        ...

    def append(
        self,
        name: str,
        rows: AppendedRows,
        *,
        schema: StructType,
        run_id: str,
        wave: int,
        files: int = 1,
    ) -> None:
        """Append rows; repeating the append of the same run and wave does nothing.

        Args:
            name: Name of the table.
            rows: Tuples in the order of ``schema``, what gives them, or a DataFrame of it.
            schema: Schema of the table.
            run_id: Id of the run.
            wave: Number of the wave within the run.
            files: Largest number of files to write, for tables kept as files.

        Raises:
            AccountError: The rows are not in the table.
            LockError: Another driver commits, or the lock was lost: nothing was appended.
        """
        ...

    def delete(self, name: str, condition: Column) -> None:
        """Take rows out of a table; what they were can still be found."""
        ...

    def maintain(self, name: str, *, retention_h: float) -> None:
        """Tidy a table; what it was within the retention [hours] can still be read where it could be."""
        ...
