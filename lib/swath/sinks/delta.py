"""Append to Delta tables, at most once for each wave of a run."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.types import StructType

from swath.stores.base import Store

TABLES_FOLDER = "tables"


class Tables:
    """The Delta tables of one output.

    Args:
        spark: The session.
        store: The output.
    """

    def __init__(self, spark: SparkSession, store: Store) -> None:
        self._spark = spark
        self._store = store

    def exists(self, name: str) -> bool:
        """Whether the table has a first commit."""
        return self._store.size(f"{TABLES_FOLDER}/{name}/_delta_log/{0:020d}.json") is not None

    def read(self, name: str, schema: StructType) -> DataFrame:
        """The table; an empty one of the schema when it was never written."""
        if not self.exists(name):
            return self._spark.createDataFrame([], schema)
        return self._spark.read.format("delta").load(self._path(name))

    def append(
        self, name: str, rows: Sequence[Row | tuple[Any, ...]] | DataFrame, *, schema: StructType, run_id: str, wave: int
    ) -> None:
        """Append rows; repeating the append of the same run and wave does nothing.

        Args:
            name: Of the table.
            rows: Tuples in the order of ``schema``, or a DataFrame of it.
            schema: Of the table.
            run_id: Of the run; with the table's name it is Delta's transaction application.
            wave: Of the run; Delta's transaction version.
        """
        frame = rows if isinstance(rows, DataFrame) else self._spark.createDataFrame(list(rows), schema, verifySchema=False)
        if not isinstance(rows, DataFrame) and not rows and self.exists(name):
            return
        (
            frame.coalesce(1).write.format("delta").mode("append")
            .option("txnAppId", f"{run_id}.{name}").option("txnVersion", wave)
            .save(self._path(name))
        )  # fmt: skip

    def _path(self, name: str) -> str:
        return self._store.spark_path(f"{TABLES_FOLDER}/{name}")
