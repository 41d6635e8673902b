"""From what the user named to a stored plan: discover, ingest, match with the pipeline, leave out what exists."""

import json
from collections.abc import Iterable
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from swath.engine.child import CONFIG
from swath.errors import ConfigError
from swath.readers.discover import discover
from swath.sinks.delta import Tables
from swath.spark.request import RunRequest
from swath.spark.schemas import INGESTED, INPUT, PRODUCTS, SCENES
from swath.spark.stage import answer_json
from swath.stores.base import Store

#: What the plan says of a row.
MAKE, MADE, DUPLICATE, REFUSED = "make", "made", "duplicate", "refused"
#: Scenes for one ingest task.
_PER_TASK = 8


def plan_path(run_id: str, part: str) -> str:
    """Where a run keeps its plan, relative to the output."""
    return f"runs/{run_id}/{part}"


def load_or_make_plan(spark: SparkSession, store: Store, *, request: RunRequest, tables: Tables) -> DataFrame:
    """The plan of a run: made once, read ever after.

    Raises:
        ConfigError: Nothing was found, or the configuration does not fit a scene.
    """
    path = plan_path(request.run_id, "plan")
    if store.size(f"{path}/_SUCCESS") is None:
        _ingest(spark, store, request=request)
        ingested = spark.read.schema(INGESTED).parquet(store.spark_path(plan_path(request.run_id, "ingested")))
        _refuse_config(ingested)
        _remember_scenes(ingested, tables=tables, request=request)
        planned = _decided(ingested, tables.read("products", PRODUCTS), request=request)
        planned.coalesce(1).write.mode("overwrite").parquet(store.spark_path(path))
    return spark.read.parquet(store.spark_path(path))


def _ingest(spark: SparkSession, store: Store, *, request: RunRequest) -> None:
    path = plan_path(request.run_id, "ingested")
    if store.size(f"{path}/_SUCCESS") is not None:
        return
    found: list[tuple[int, str]] = []
    scratch = store.scratch() if store.root.startswith("s3") else store.scratch().parent.parent / plan_path(request.run_id, "search")
    for href in discover(request.inputs, scratch=str(scratch)):
        if request.limit is not None and len(found) >= request.limit:
            break
        found.append((len(found), href))
    hrefs = spark.createDataFrame(found, INPUT, verifySchema=False)
    tasks = max(min(-(-len(found) // _PER_TASK), 10_000), min(len(found), spark.sparkContext.defaultParallelism))
    ingested = hrefs.repartition(tasks, "n").mapInPandas(_ingester(request), schema=INGESTED)
    ingested.write.mode("overwrite").parquet(store.spark_path(path))


def _ingester(request: RunRequest) -> Any:  # noqa: ANN401  the type of mapInPandas functions
    pipeline, strip_rows, limits = request.pipeline_json, request.strip_rows, request.limits

    def work(batches: Iterable[pd.DataFrame]) -> Iterable[pd.DataFrame]:
        for batch in batches:
            rows = []
            for number, href in zip(batch["n"].tolist(), batch["href"].tolist(), strict=True):
                asked = {"op": "ingest", "href": href, "pipeline": pipeline, "strip_rows": strip_rows}
                rows.append({"n": number, "href": href, **_columns(answer_json(asked, limits))})
            yield pd.DataFrame(rows, columns=INGESTED.names)

    return work


def _columns(answer: dict[str, Any]) -> dict[str, Any]:
    refused, stage = answer.get("refused"), "ingest"
    if refused is None:
        refused, stage = answer.get("unfit"), "plan"
    columns = {k: answer.get(k) for k in INGESTED.names if k not in {"n", "href"}}
    if refused is not None:
        columns |= {"error_class": refused["class"], "message": refused["message"], "stage": stage}
    return columns


def _refuse_config(ingested: DataFrame) -> None:
    found = ingested.filter(F.col("error_class") == CONFIG).select("message").head(1)
    if found:
        raise ConfigError(found[0]["message"])


def _remember_scenes(ingested: DataFrame, *, tables: Tables, request: RunRequest) -> None:
    """Add scene versions that the table does not have yet."""
    known = tables.read("scenes", SCENES).select("scene_id", F.col("digest").alias("scene_digest"))
    fresh = (
        ingested.filter(F.col("scene").isNotNull())
        .dropDuplicates(["scene_id", "scene_digest"])
        .join(known, ["scene_id", "scene_digest"], "left_anti")
    )
    fields = {n: F.get_json_object("scene", f"$.{n}") for n in ("reader", "source_href", "platform", "family", "acquired")}
    rows = fresh.select(
        "scene_id", F.col("scene_digest").alias("digest"),
        *[fields[n].alias(n) for n in ("reader", "source_href", "platform", "family")],
        F.to_timestamp(fields["acquired"]).alias("acquired"), "scene", F.lit(request.run_id).alias("run_id"),
    )  # fmt: skip
    tables.append("scenes", rows, schema=SCENES, run_id=request.run_id, wave=0)


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
    waves = F.greatest(F.ceil(F.lit(_count(rows, MAKE)) / request.wave_products), F.lit(1))
    wave = F.when(F.col("status") == MAKE, F.pmod(F.xxhash64("product_id"), waves)).otherwise(F.lit(0))
    return rows.select(*INGESTED.names, "status", wave.cast("long").alias("wave"))


def _count(rows: DataFrame, status: str) -> int:
    return rows.filter(F.col("status") == status).count()


def spec_of(request: RunRequest) -> str:
    """The request as JSON, for the ledger."""
    return json.dumps(request.spec, sort_keys=True)
