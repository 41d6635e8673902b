"""The plan of a run as its output keeps it."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from swath.engine.child.parent import CONFIG
from swath.errors import ConfigError
from swath.ledger.delta import NeedsSparkError
from swath.ledger.removed import ever_made
from swath.ledger.schemas import SCENES
from swath.ledger.tables import Tables
from swath.readers.stac.search import Say
from swath.runs.decide import decide
from swath.runs.few_plan import plan_few
from swath.runs.hands import Hands, SparkHands
from swath.runs.ingest import IngestRequest, StageProgress, find_scenes, ingest, run_path
from swath.runs.plan import KNOWN_OF_PRODUCTS, Plan, write_plan
from swath.runs.plan_rows import StoredFrames, StoredRows
from swath.runs.remember import remember
from swath.runs.request import RunRequest
from swath.stores.base import Store


def load_or_make_plan(
    spark: SparkSession | None,
    store: Store,
    *,
    request: RunRequest,
    tables: Tables,
    remembering: bool = True,
    hands: Hands | None = None,
    say: Say | None = None,
    progress: StageProgress | None = None,
) -> Plan:
    """The plan of a run: made once, read ever after.

    Args:
        spark: The session; without one only few scenes are planned.
        store: Store of the plan.
        request: Request of the run.
        tables: The ledger.
        remembering: Add new scenes to the ledger; off for a look alone.
        hands: Reader of few scenes; by default tasks of the session.
        say: Hears of the progress of a search.
        progress: Told how many of how many inputs are read.

    Raises:
        NeedsSparkError: There is no session, and the scenes or the ledger are many.
        ConfigError: No scene was found, or the configuration does not fit a scene.
        BrokenInstallationError: Too many scenes ended by an unexpected error.
    """
    path = run_path(request.run_id, "plan")
    asked = IngestRequest(
        run_id=request.run_id,
        inputs=request.inputs,
        pipeline_json=request.pipeline_json,
        strip_rows=request.strip_rows,
        limit=request.limit,
        limits=request.limits,
        terms=request.terms,
        internal_limit=request.internal_limit,
    )
    found = None
    if not any(store.size(run_path(request.run_id, f"{part}/_SUCCESS")) is not None for part in ("plan", "ingested")):
        found = find_scenes(store, asked, say=say)
        if hands is None and spark is not None:
            hands = SparkHands(spark)
        if hands is None:
            raise NeedsSparkError
        few = plan_few(
            hands,
            store,
            request=request,
            asked=asked,
            tables=tables,
            found=found,
            remembering=remembering,
            progress=progress,
        )
        if few is not None:
            return few
    if spark is None:
        raise NeedsSparkError
    ingested = ingest(spark, store, request=asked, tables=tables, found=found, progress=progress)
    if store.size(f"{path}/_SUCCESS") is None:
        _refuse_config(ingested, store, request=request)
        if remembering:
            remember(ingested, tables=tables, run_id=request.run_id)
        products = ever_made(tables, columns=KNOWN_OF_PRODUCTS)
        width = request.width(cores=spark.sparkContext.defaultParallelism)
        scenes = tables.read("scenes", SCENES, columns=["scene_id", "digest", "href", "scene"])
        planned = decide(ingested, products, scenes=scenes, wave_products=width)
        write_plan(planned, path=store.spark_path(path))
    frames = StoredFrames(spark=spark, store=store, run_id=request.run_id)
    return Plan(StoredRows(frames), frames=frames)


def _refuse_config(ingested: DataFrame, store: Store, *, request: RunRequest) -> None:
    found = ingested.filter(F.col("error_class") == CONFIG).select("message").head(1)
    if found:
        # Nothing ran: the run id stays free for the corrected command.
        store.delete_tree(run_path(request.run_id, "ingested"))
        raise ConfigError(found[0]["message"])
