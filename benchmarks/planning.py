"""Planning of very many scenes: ``PYTHONPATH=lib python -m benchmarks.planning [SCENES]``.

Writes what ingest would have written (scenes of 8 kB of metadata each, a hundredth given twice, a hundredth refused) and a
ledger that knows a tenth of the products. Then, in a driver whose heap may have 768 MiB: decide and store the plan, count it,
read its first wave and its last. Prints wall and CPU seconds of each, and the most memory that the JVM had.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from swath.ledger.schemas import INGESTED
from swath.runs.decide_frame import decide_frame
from swath.runs.ingest import BLOCK_SCENES, run_path
from swath.runs.plan import Plan, write_plan
from swath.runs.plan_rows import StoredFrames, StoredRows
from swath.spark.start.session import build_session, stop_session
from swath.stores.local import LocalStore

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WAVE_PRODUCTS = 32
HEAP = "768m"
RUN = "bench"


def _ingested(spark: "SparkSession", scenes: int) -> "DataFrame":
    """Rows as ingest leaves them."""
    n = F.col("id")
    of = F.when(n % 100 == 7, n - 1).otherwise(n)
    refused = n % 100 == 50
    name = F.format_string("LC09_L1TP_%06d_20240805_02_T1", of)
    digest = F.sha2(of.cast("string"), 256)
    # Scenes differ in their digests, and repeat themselves in the rest.
    scene = F.concat(
        F.lit('{"scene_id": "'), name, F.lit('", "digest": "'), digest, F.lit('", "bands": "' + "band " * 1600 + '"}')
    )
    fine = {
        "scene_id": name, "scene_digest": digest, "scene": scene, "product_id": F.concat(name, F.lit(".ard")),
        "product_key": F.sha2(F.concat(digest, F.lit("ard")), 256), "assets": F.lit(14), "strips": F.lit(3),
    }  # fmt: skip
    told = {
        "n": n, "href": F.concat(F.lit("s3://bucket/scenes/"), name), "block": (n / BLOCK_SCENES).cast("int"),
        "error_class": F.when(refused, "read"), "message": F.when(refused, "the file is cut off"),
        "stage": F.when(refused, "ingest"), "files": F.lit(None), **{k: F.when(~refused, v) for k, v in fine.items()},
    }  # fmt: skip
    rows = spark.range(0, scenes, 1, numPartitions=max(scenes // 50_000, 1))
    return rows.select(*[told.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in INGESTED.fields])


def _products(ingested: "DataFrame") -> "DataFrame":
    known = ingested.filter((F.col("n") % 10 == 3) & F.col("product_id").isNotNull())
    return known.select("product_id", "product_key", F.current_timestamp().alias("made"), "scene_id", "scene_digest")


def _scenes(ingested: "DataFrame") -> "DataFrame":
    return ingested.select("scene_id", F.col("scene_digest").alias("digest"), "href", "scene")


def prepare(spark: "SparkSession", folder: Path, *, scenes: int) -> None:
    """Write the ingested rows and the ledger."""
    _ingested(spark, scenes).write.partitionBy("block").parquet(f"{folder}/{run_path(RUN, 'ingested')}")
    rows = spark.read.schema(INGESTED).parquet(f"{folder}/{run_path(RUN, 'ingested')}")
    _products(rows).coalesce(4).write.format("delta").save(f"{folder}/products")


def plan(spark: "SparkSession", folder: Path, *, scenes: int) -> None:
    """What a run does between ingest and its first task."""
    ingested = spark.read.schema(INGESTED).parquet(f"{folder}/{run_path(RUN, 'ingested')}")
    products = spark.read.format("delta").load(f"{folder}/products")

    def decided() -> "DataFrame":
        return decide_frame(ingested, products, scenes=_scenes(ingested), wave_products=WAVE_PRODUCTS)

    timed("decide and store", lambda: write_plan(decided(), path=f"{folder}/{run_path(RUN, 'plan')}"))
    frames = StoredFrames(spark=spark, store=LocalStore(folder), run_id=RUN)
    stored = Plan(StoredRows(frames), frames=frames)
    waves = timed("count its waves", lambda: stored.waves)
    aside = timed("what needs no work", stored.aside)
    for number in (waves[1], waves[-1]):
        rows = timed(f"read wave {number}", partial(stored.wave, number))
        assert 0 < len(rows) <= WAVE_PRODUCTS
        assert all(r["scene"] for r in rows)
    assert stored.scenes("make") + aside.skipped + aside.refused == scenes
    print(f"| {len(waves)} waves | | | |")


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do some work and print what it took."""
    java = _java()
    since, before = time.monotonic(), _cpu_s(java)
    done = work()
    print(f"| {name} | {time.monotonic() - since:.1f} | {_cpu_s(java) - before:.1f} | {_peak_mb(java):.0f} |", flush=True)
    return done


def _java() -> Path:
    """The JVM that this process started."""
    tree, found = {os.getpid()}, None
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda p: int(p.parent.name)):
        try:
            head, _, rest = stat.read_text(encoding="ascii", errors="replace").rpartition(")")
        except OSError:  # it has ended
            continue
        if int(rest.split()[1]) in tree:
            tree.add(int(head.split()[0]))
            found = stat.parent if head.endswith("(java") else found
    assert found is not None
    return found


def _cpu_s(process: Path) -> float:
    fields = (process / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(process: Path) -> float:
    """Largest resident size so far [MiB]."""
    peak = re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text(encoding="ascii", errors="replace"))
    return int(peak[1]) / 1024 if peak else 0.0


def main(scenes: int) -> None:
    """Prepare in one session, plan in another: the second one's memory is what counts."""
    folder = Path(tempfile.mkdtemp(prefix="swath-planning-"))
    conf = {"spark.driver.memory": HEAP, "spark.sql.warehouse.dir": f"{folder}/warehouse", "spark.local.dir": f"{folder}/local"}
    try:
        for phase in (prepare, plan):
            spark = build_session(app="planning", master="local[2,4]", conf=conf)
            if phase is plan:
                print(f"| {scenes} scenes | wall s | CPU s | JVM peak MiB (heap {HEAP}) |\n|---|---|---|---|")
            phase(spark, folder, scenes=scenes)
            stop_session(spark)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
