"""The plan of a run of many scenes, made by Spark: neither their rows nor the ledger's come to the driver."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from swath.engine.child.parent import CONFIG
from swath.errors import ConfigError
from swath.ledger.removed import ever_made
from swath.ledger.schemas import SCENES
from swath.runs.decide_frame import decide_frame
from swath.runs.ingest import ingest
from swath.runs.plan import KNOWN_OF_PRODUCTS, Plan, write_plan
from swath.runs.plan_rows import StoredFrames, StoredRows
from swath.runs.planning import FOUND, PLAN, Planning
from swath.runs.remember import remember_frame


def plan_many(spark: SparkSession, planning: Planning, *, found: Sequence[tuple[int, str]] | None) -> Plan:
    """Make and store the plan of any number of scenes; what an earlier start of the run stored is read.

    Args:
        spark: The session.
        planning: The run.
        found: Number and href of each scene, where they are known.

    Raises:
        ConfigError: No scene was found, or the configuration does not fit a scene.
        BrokenInstallationError: Too many scenes ended by an unexpected error.
    """
    store, tables, asked = planning.store, planning.tables, planning.asked
    ingested = ingest(spark, store, request=asked, tables=tables, found=found, progress=planning.progress)
    if not planning.has(PLAN):
        _refuse_config(ingested, planning)
        if planning.remembering:
            remember_frame(ingested, tables=tables, run_id=asked.run_id)
        products = ever_made(tables, columns=KNOWN_OF_PRODUCTS)
        scenes = tables.read("scenes", SCENES, columns=["scene_id", "digest", "href", "scene"])
        width = planning.request.width(cores=spark.sparkContext.defaultParallelism)
        planned = decide_frame(ingested, products, scenes=scenes, wave_products=width)
        write_plan(planned, path=store.spark_path(planning.path(PLAN)))
    frames = StoredFrames(spark=spark, store=store, run_id=asked.run_id)
    return Plan(StoredRows(frames), frames=frames)


def _refuse_config(ingested: DataFrame, planning: Planning) -> None:
    wrong = ingested.filter(F.col("error_class") == CONFIG).select("message").head(1)
    if wrong:
        # Nothing ran: the run id stays free for the corrected command.
        planning.store.delete_tree(planning.path(FOUND))
        raise ConfigError(wrong[0]["message"])
