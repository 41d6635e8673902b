"""Open quarantine: the latest refusal of each scene and pipeline that has not been made since."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from swath.errors import ClashError
from swath.ledger.removed import ever_made
from swath.ledger.schemas import QUARANTINE, SCENES, SOURCES
from swath.ledger.tables import Tables

_WHAT = ["href", "pipeline"]


def standing(tables: Tables) -> DataFrame:
    """Rows of ``QUARANTINE``: for each href and pipeline the latest, unless the scene was made afterwards.

    A scene that never told its id is known by its href alone: the scenes table says which id it got later. A scene in one tile
    of a tiling has an href of its own, and stands until that very product is made. A source of composites stands until it is
    used in a later one, and in every composite that knows it.
    """
    latest = Window.partitionBy(*_WHAT).orderBy(F.col("at").desc(), F.col("attempts").desc())
    rows = tables.read("quarantine", QUARANTINE).withColumn("rank", F.row_number().over(latest)).filter(F.col("rank") == 1)
    if not tables.exists("products"):
        return rows.select(*QUARANTINE.names)
    products = ever_made(tables, columns=["product_id", "scene_id", "scene_digest", "pipeline", "run_id", "made"])
    made = products.groupBy("scene_id", "pipeline").agg(F.max("made").alias("made"))
    exactly = products.groupBy("product_id").agg(F.max("made").alias("made_product"))
    versions = tables.read("scenes", SCENES, columns=["scene_id", "digest", "href"]).distinct()
    hrefs = versions.select("scene_id", "href").distinct()
    by_href = made.join(hrefs, "scene_id").groupBy(*_WHAT).agg(F.max("made").alias("made_href"))
    # A clash is beside products of its scene: only one of this very delivery ends it.
    exact = products.withColumnRenamed("scene_digest", "digest").join(versions, ["scene_id", "digest"])
    by_version = exact.groupBy(*_WHAT).agg(F.max("made").alias("made_version"))
    since = F.when(F.col("error_class") == ClashError.error_class, F.col("made_version")).otherwise(
        F.greatest("made", "made_href", "made_product")
    )
    return (
        rows.withColumn("product_id", F.concat("scene_id", F.lit("."), "pipeline"))
        .join(made, ["scene_id", "pipeline"], "left")
        .join(exactly, "product_id", "left")
        .join(by_href, _WHAT, "left")
        .join(by_version, _WHAT, "left")
        .join(_used(tables, products), _WHAT, "left")
        .filter(F.coalesce(since < F.col("at"), F.lit(True)))
        .filter(F.coalesce(F.col("made_source") <= F.col("at"), F.lit(True)) | (F.col("error_class") == ClashError.error_class))
        .select(*QUARANTINE.names)
    )


def _used(tables: Tables, products: DataFrame) -> DataFrame:
    """Sources that the newest version of each composite that knows them uses: ``href``, ``pipeline``, ``made_source``."""
    newest = products.groupBy("product_id", "pipeline").agg(F.max_by("run_id", "made").alias("run_id"), F.max("made").alias("at"))
    sources = tables.read("sources", SOURCES, columns=["run_id", "product_id", "href", "used"])
    known = sources.join(newest, ["product_id", "run_id"]).groupBy(*_WHAT)
    return known.agg(F.bool_and("used").alias("whole"), F.max("at").alias("made_source")).filter("whole").drop("whole")


def standing_attempts(tables: Tables, *, pipeline: str) -> dict[str, int]:
    """How often each standing scene was tried, by href."""
    if not tables.exists("quarantine"):
        return {}
    rows = standing(tables).filter(F.col("pipeline") == pipeline).select("href", "attempts").collect()
    return {r["href"]: r["attempts"] for r in rows}
