"""How often S3 is asked for the commit of a wave: four tables, each a file of rows, its commit, and the look at it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql.types import ArrayType, DataType, DoubleType, MapType, StringType, StructType, TimestampType

from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import TABLES

pytestmark = pytest.mark.slow
#: A wave commits in this order.
NAMES = ("tiles", "quarantine", "products", "runs")
MOST, WAVES, ROWS = 20, 25, 32


def _value(kind: DataType, text: str) -> Any:
    if isinstance(kind, StructType):
        return tuple(_value(field.dataType, text) for field in kind)
    if isinstance(kind, ArrayType):
        return [_value(kind.elementType, text)]
    if isinstance(kind, MapType):
        return {text: _value(kind.valueType, text)}
    if isinstance(kind, StringType):
        return text
    return datetime(2026, 1, 1, tzinfo=UTC) if isinstance(kind, TimestampType) else 1.0 if isinstance(kind, DoubleType) else 1


def _commit(tables: DeltaTables, *, wave: int) -> None:
    for name in NAMES:
        rows = [_value(TABLES[name], f"{wave}-{n}") for n in range(1 if name == "runs" else ROWS)]
        tables.append(name, rows, schema=TABLES[name], run_id="r", wave=wave)


def test_the_commit_of_a_wave_asks_s3_few_times(bucket: Any) -> None:
    tables = DeltaTables(None, bucket.store())
    _commit(tables, wave=0)
    bucket.asked()
    asked = []
    for wave in range(1, WAVES):
        _commit(tables, wave=wave)
        asked.append(bucket.asked())
    numbers = [sum(kinds.values()) for kinds in asked]
    # A file of rows and a commit for each table; the log is read before and after it.
    assert asked[0] == {"GetObject": 8, "PutObject": 8}
    assert sum(n <= MOST for n in numbers) >= len(numbers) * 9 // 10, numbers
    # Checkpoints, and the joining of small files beside them, are in this mean.
    assert sum(numbers) / len(numbers) <= MOST, numbers
    # A driver that begins anew reads what is there.
    anew = DeltaTables(None, bucket.store())
    rows = anew.small("runs", TABLES["runs"], columns=["wave"])
    assert rows is not None
    assert len(rows) == WAVES
