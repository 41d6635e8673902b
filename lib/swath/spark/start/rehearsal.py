"""A small run of everything that a run asks of the JVM, so that its classes can be archived.

Set-up calls it as ``python -m swath.spark.start.rehearsal ARCHIVE``.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from swath.spark.start.archive import writing_options
from swath.spark.start.session import build_session, stop_session
from swath.spark.start.settings import FAST_START, with_java_options

_SCHEMA = "scene_id string, strip int"


def _same(batches: Iterable[Any]) -> Iterable[Any]:
    yield from batches


def _append(rows: DataFrame, path: Path, *, wave: int) -> None:
    options = {"txnAppId": "rehearsal", "txnVersion": str(wave)}
    rows.write.format("delta").mode("append").options(**options).save(str(path))


def rehearse(spark: SparkSession, folder: Path) -> int:
    """Ask workers, map, append, append again, anti-join, read; returns the rows of the table."""
    shipped = spark.sparkContext.broadcast(["request"])

    def answer(batches: Iterable[Any]) -> Iterable[Any]:
        for _ in shipped.value:
            yield from batches

    spark.range(0, 2, 1, numPartitions=2).mapInArrow(answer, "id long").collect()
    shipped.unpersist(blocking=False)
    rows = spark.createDataFrame([(f"scene-{i}", i) for i in range(4)], _SCHEMA).repartition(2)
    table = folder / "table"
    for wave in (0, 1, 1):
        _append(rows.mapInArrow(_same, _SCHEMA), table, wave=wave)
    known = spark.read.format("delta").load(str(table))
    rows.join(known, on="scene_id", how="left_anti").orderBy("scene_id").collect()
    return known.groupBy("scene_id").count().count()


def main(archive: Path) -> None:
    """Rehearse in a JVM that archives its classes when it ends."""
    options = with_java_options({"spark.driver.extraJavaOptions": FAST_START}, driver=writing_options(archive))
    with tempfile.TemporaryDirectory() as folder:
        spark = build_session(app="swath-rehearsal", master="local[2,4]", conf=options)
        try:
            rehearse(spark, Path(folder))
        finally:
            stop_session(spark)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
