"""The plan of a run as its output keeps it."""

from pyspark.sql import SparkSession

from swath.ledger.delta import NeedsSparkError
from swath.ledger.tables import Tables
from swath.readers.stac.search import Say
from swath.runs.few_plan import plan_few
from swath.runs.hands import Hands, SparkHands
from swath.runs.ingest import StageProgress, find_scenes
from swath.runs.many_plan import plan_many
from swath.runs.plan import Plan
from swath.runs.planning import FOUND, PLAN, Planning
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
    planning = Planning(store=store, request=request, tables=tables, remembering=remembering, progress=progress)
    found = None
    if not planning.has(PLAN) and not planning.has(FOUND):
        found = find_scenes(store, planning.asked, say=say)
        if hands is None and spark is not None:
            hands = SparkHands(spark)
        if hands is None:
            raise NeedsSparkError
        few = plan_few(hands, planning, found=found)
        if few is not None:
            return few
    if spark is None:
        raise NeedsSparkError
    return plan_many(spark, planning, found=found)
