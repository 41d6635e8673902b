"""What is committed without Spark is, for Spark, a table like any other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import functions as F

from swath.ledger import delta, delta_joins
from swath.ledger.delta import DeltaTables
from swath.ledger.schemas import PRODUCTS, QUARANTINE
from swath.stores.local import local_store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
MADE = datetime(2024, 8, 6, 10, 20, 31, 123456, tzinfo=UTC)
COLUMNS = ["product_id", "wave", "bbox", "assets", "pictures", "models", "made", "acquired"]


def row(wave: int) -> tuple[Any, ...]:
    """A product with everything that a schema can hold: nested, empty, absent, not ASCII."""
    assets = [("red", "sr:red", "a.tif", "k", 12, "d", None), ("nir", "sr:nir", "b.tif", "l", 1 << 40, "e", "m")]
    return (
        f"scene-{wave}.toa", "k" * 64, "scene", "digest", "toa", 1, "toa-l", "products/x.json", [1.0, -2.5, 3.0, 4.0], MADE,
        "landsat-9", assets, '{"é": "\U0001f6f0"}', {"thumbnail": "a.png"}, [], {"pan": "none"}, "{}", "0.1", "run", wave, None,
        MADE,
    )  # fmt: skip


def frame(spark: "SparkSession", wave: int) -> "DataFrame":
    return spark.createDataFrame([row(wave)], PRODUCTS, verifySchema=False)


@pytest.fixture
def tables(spark: "SparkSession", tmp_path: Path) -> DeltaTables:
    return DeltaTables(spark, local_store(tmp_path / "ours"))


def append(tables: DeltaTables, rows: Any, *, wave: int) -> None:
    tables.append("products", rows, schema=PRODUCTS, run_id="run", wave=wave)


def test_rows_are_what_spark_would_have_written(spark: "SparkSession", tables: DeltaTables, tmp_path: Path) -> None:
    theirs = DeltaTables(spark, local_store(tmp_path / "theirs"))
    append(tables, [row(0), row(1)], wave=0)
    append(theirs, frame(spark, 0).union(frame(spark, 1)), wave=0)
    read = tables.read("products", PRODUCTS)
    assert_df_equality(read, theirs.read("products", PRODUCTS))
    # Statistics let files be passed over, and none that is wanted.
    assert [r["product_id"] for r in read.filter(F.col("wave") == 1).collect()] == ["scene-1.toa"]
    assert read.filter(F.col("product_id") == "scene-7.toa").count() == 0
    few, same = (t.small("products", PRODUCTS, columns=COLUMNS) for t in (tables, theirs))
    assert few == same
    assert [r["made"] for r in few or ()] == [MADE, MADE]


def test_a_transaction_counts_whoever_committed_it(spark: "SparkSession", tables: DeltaTables) -> None:
    append(tables, [row(0)], wave=0)
    append(tables, frame(spark, 0), wave=0)
    append(tables, frame(spark, 1), wave=1)
    append(tables, [row(1)], wave=1)
    append(tables, [row(2)], wave=2)
    assert sorted(r["wave"] for r in tables.read("products", PRODUCTS).collect()) == [0, 1, 2]
    assert sorted(r["wave"] for r in tables.small("products", PRODUCTS, columns=["wave"]) or ()) == [0, 1, 2]


def test_spark_goes_on_from_our_checkpoint_and_we_from_its(spark: "SparkSession", tables: DeltaTables, tmp_path: Path) -> None:
    for wave in range(13):
        append(tables, [row(wave)], wave=wave)
    log = tmp_path / "ours" / "tables" / "products" / "_delta_log"
    assert [p.name for p in log.glob("*.checkpoint.parquet")] == [f"{10:020d}.checkpoint.parquet"]
    for old in range(10):
        (log / f"{old:020d}.json").unlink()
    spark.catalog.clearCache()
    read = spark.read.format("delta").load(str(tmp_path / "ours" / "tables" / "products"))
    expected = spark.createDataFrame([row(wave) for wave in range(13)], PRODUCTS, verifySchema=False)
    assert_df_equality(read.orderBy("wave"), expected)
    later = DeltaTables(spark, local_store(tmp_path / "ours"))
    append(later, frame(spark, 12), wave=12)  # its transaction is known to Spark
    append(later, [row(5)], wave=5)  # and to us, by the checkpoint alone
    for wave in range(13, 21):
        append(later, frame(spark, wave), wave=wave)
    assert (log / f"{20:020d}.checkpoint.parquet").is_file()
    for old in range(10, 20):
        (log / f"{old:020d}.json").unlink()
    last = DeltaTables(spark, local_store(tmp_path / "ours"))
    append(last, [row(20)], wave=20)
    append(last, [row(21)], wave=21)
    assert sorted(r["wave"] for r in last.small("products", PRODUCTS, columns=["wave"]) or ()) == list(range(22))
    assert last.read("products", PRODUCTS).count() == 22


def test_our_checkpoint_remembers_what_spark_removed(spark: "SparkSession", tables: DeltaTables, tmp_path: Path) -> None:
    for wave in range(3):
        append(tables, [row(wave)], wave=wave)
    tables.maintain("products", retention_h=168.0)  # 3: one file of three
    tables.delete("products", F.col("wave") == 1)  # 4: one file of two rows
    for wave in range(5, 11):
        append(tables, [row(wave)], wave=wave)
    folder = tmp_path / "ours" / "tables" / "products"
    names = {p.name for p in folder.glob("*.parquet")}
    for old in range(10):
        (folder / "_delta_log" / f"{old:020d}.json").unlink()
    later = DeltaTables(spark, local_store(tmp_path / "ours"))
    assert sorted(r["wave"] for r in later.read("products", PRODUCTS).collect()) == [0, 2, *range(5, 11)]
    # Removed files stay for as long as readers of older versions may be at work.
    later.maintain("products", retention_h=168.0)
    assert names <= {p.name for p in folder.glob("*.parquet")}


def test_a_table_that_was_joined_and_cut_is_read_as_it_is(spark: "SparkSession", tables: DeltaTables) -> None:
    for wave in range(3):
        append(tables, [row(wave)], wave=wave)
    tables.maintain("products", retention_h=168.0)
    tables.delete("products", F.col("wave") == 1)
    append(tables, [row(3)], wave=3)
    few = tables.small("products", PRODUCTS, columns=["wave"])
    assert sorted(r["wave"] for r in few or ()) == [0, 2, 3]
    assert len(tables.read("products", PRODUCTS).inputFiles()) == 2


def test_a_large_table_and_one_of_another_kind_are_left_to_spark(
    spark: "SparkSession", tables: DeltaTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(tables, [], wave=0)
    assert tables.small("products", PRODUCTS, columns=["wave"]) == []
    append(tables, [row(1)], wave=1)
    monkeypatch.setattr(delta, "SMALL_BYTES", 100)
    assert tables.small("products", PRODUCTS, columns=["wave"]) is None
    name = f"delta.`{tables.path('products')}`"
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    append(tables, [row(2)], wave=2)
    assert sorted(r["wave"] for r in tables.read("products", PRODUCTS).collect()) == [1, 2]
    assert tables.small("quarantine", QUARANTINE, columns=["wave"]) == []


def test_spark_reads_a_table_whose_small_files_were_joined(
    spark: "SparkSession", tables: DeltaTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_joins, "MANY", 8)
    for wave in range(12):
        append(tables, [row(wave)], wave=wave)
    assert len(tables._log_of("products").files) < 8
    assert [r["product_id"] for r in tables.read("products", PRODUCTS).orderBy("wave").collect()] == [
        f"scene-{wave}.toa" for wave in range(12)
    ]
    before = spark.read.format("delta").option("versionAsOf", 5).load(tables.path("products"))
    assert_df_equality(before.orderBy("wave"), tables.read("products", PRODUCTS).filter("wave < 6").orderBy("wave"))
    tables.maintain("products", retention_h=24 * 30)
    append(tables, [row(12)], wave=12)
    assert tables.read("products", PRODUCTS).count() == 13
