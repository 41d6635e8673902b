"""What stands in quarantine: the latest refusal of each scene and pipeline that has not been made since."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from swath.ledger.schemas import PRODUCTS, QUARANTINE, SCENES
from swath.ledger.tables import Tables

_WHAT = ["href", "pipeline"]


def standing(tables: Tables) -> DataFrame:
    """Rows of ``QUARANTINE``: for each href and pipeline the latest, unless the scene was made afterwards.

    A scene that never told its id is known by its href alone: the scenes table says which id it got later.
    """
    latest = Window.partitionBy(*_WHAT).orderBy(F.col("at").desc(), F.col("attempts").desc())
    rows = tables.read("quarantine", QUARANTINE).withColumn("rank", F.row_number().over(latest)).filter(F.col("rank") == 1)
    if not tables.exists("products"):
        return rows.select(*QUARANTINE.names)
    made = (
        tables.read("products", PRODUCTS, columns=["scene_id", "pipeline", "made"])
        .groupBy("scene_id", "pipeline")
        .agg(F.max("made").alias("made"))
    )
    hrefs = tables.read("scenes", SCENES, columns=["scene_id", "href"]).distinct()
    by_href = made.join(hrefs, "scene_id").groupBy(*_WHAT).agg(F.max("made").alias("made_href"))
    return (
        rows.join(made, ["scene_id", "pipeline"], "left")
        .join(by_href, _WHAT, "left")
        .filter(F.coalesce(F.greatest("made", "made_href") < F.col("at"), F.lit(True)))
        .select(*QUARANTINE.names)
    )


def standing_attempts(tables: Tables, *, pipeline: str) -> dict[str, int]:
    """How often each standing scene was tried, by href."""
    if not tables.exists("quarantine"):
        return {}
    rows = standing(tables).filter(F.col("pipeline") == pipeline).select("href", "attempts").collect()
    return {r["href"]: r["attempts"] for r in rows}
