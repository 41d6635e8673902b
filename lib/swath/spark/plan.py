"""A run's plan: which product of which scene, in which wave; made once, stored, and read ever after."""

import json

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from swath.engine.child import CONFIG
from swath.errors import ConfigError
from swath.sinks.delta import Tables
from swath.spark.ingest import IngestRequest, ingest, remember, run_path
from swath.spark.request import RunRequest
from swath.spark.schemas import INGESTED, PRODUCTS
from swath.stores.base import Store

#: What the plan says of a row.
MAKE, MADE, DUPLICATE, REFUSED = "make", "made", "duplicate", "refused"


def load_or_make_plan(
    spark: SparkSession, store: Store, *, request: RunRequest, tables: Tables, remembering: bool = True
) -> DataFrame:
    """The plan of a run: made once, read ever after.

    Args:
        spark: The session.
        store: Where the plan is kept.
        request: What was asked.
        tables: The ledger.
        remembering: Add new scenes to the ledger; off when somebody only looks.

    Raises:
        ConfigError: Nothing was found, or the configuration does not fit a scene.
    """
    path = run_path(request.run_id, "plan")
    if store.size(f"{path}/_SUCCESS") is None:
        asked = IngestRequest(
            run_id=request.run_id,
            inputs=request.inputs,
            pipeline_json=request.pipeline_json,
            strip_rows=request.strip_rows,
            limit=request.limit,
            limits=request.limits,
        )
        ingested = ingest(spark, store, request=asked)
        _refuse_config(ingested, store, request=request)
        if remembering:
            remember(ingested, tables=tables, run_id=request.run_id)
        planned = _decided(ingested, tables.read("products", PRODUCTS), request=request)
        planned.coalesce(1).write.mode("overwrite").parquet(store.spark_path(path))
    return spark.read.parquet(store.spark_path(path))


def _refuse_config(ingested: DataFrame, store: Store, *, request: RunRequest) -> None:
    found = ingested.filter(F.col("error_class") == CONFIG).select("message").head(1)
    if found:
        # Nothing ran: the run id stays free for the corrected command.
        store.delete_tree(run_path(request.run_id, "ingested"))
        raise ConfigError(found[0]["message"])


def _decided(ingested: DataFrame, products: DataFrame, *, request: RunRequest) -> DataFrame:
    """Say of each row what becomes of it, and in which wave."""
    first = Window.partitionBy("product_id").orderBy("n")
    made = products.select("product_id", "product_key", F.lit(True).alias("exists")).distinct()
    rows = (
        ingested.withColumn("copy", F.when(F.col("product_id").isNotNull(), F.row_number().over(first)).otherwise(1))
        .join(made, ["product_id", "product_key"], "left")
        .withColumn(
            "status",
            F.when(F.col("error_class").isNotNull(), REFUSED)
            .when(F.col("copy") > 1, DUPLICATE)
            .when(F.col("exists"), MADE)
            .otherwise(MAKE),
        )
    )
    # A hash spreads products over waves without sorting a million rows, and the same way each time.
    count = rows.filter(F.col("status") == MAKE).count()
    waves = max(-(-count // request.wave_products), 1)
    wave = F.when(F.col("status") == MAKE, F.pmod(F.xxhash64("product_id"), F.lit(waves))).otherwise(F.lit(0))
    return rows.select(*INGESTED.names, "status", wave.cast("long").alias("wave"))


def spec_of(request: RunRequest) -> str:
    """The request as JSON, for the ledger."""
    return json.dumps(request.spec, sort_keys=True)
