"""Run by a test in a process of its own (the JVM needs S3A on its class path): a scene in a bucket, into S3 and into a folder.

The same scene in a folder is made without Spark, to compare with. Then the ledger on S3 is lost, and after that a file.

Arguments: folder of the scene, folder for outputs, bucket. Prints one JSON object.
"""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from tests.faults.whole_product import MADE, Maker

from swath.cli import ledger, upkeep
from swath.cli.main import main as command
from swath.cli.run import execute
from swath.cli.run_request import RunOptions
from swath.config import load_pipeline, prepare
from swath.engine.child.parent import Child, Limits
from swath.inference.registry import Registry
from swath.ledger.open import open_tables
from swath.plain import canonical
from swath.retention import KeepRule
from swath.spark.start.session import build_session, stop_session
from swath.stores.local import local_store
from swath.stores.registry import open_store
from swath.upkeep.removal import remove_expired


class Silent:
    """Hears of a run's progress and says nothing."""

    def wave(self, number: int, waves: int, products: int) -> None:
        """Nothing."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


def commanded(spark: SparkSession, *words: str) -> Any:
    """What a command says in this session: its JSON."""

    @contextmanager
    def shared(*_: Any, **__: Any) -> Iterator[SparkSession]:
        yield spark

    for module in (ledger, upkeep):
        setattr(module, "session", shared)  # noqa: B010  the commands build a session of their own otherwise
    said = io.StringIO()
    with redirect_stdout(said):
        try:
            command([*words, "--json"])
        except SystemExit as ended:
            if ended.code not in (0, None):
                raise
    return json.loads(said.getvalue().splitlines()[-1])


def made_here(scene: str, output: Path) -> None:
    """The product of a folder in a folder."""
    plain = prepare(load_pipeline("toa"), registry=Registry.beside(output)).plain
    with closing(Child(Limits())) as child:
        maker = Maker(child=child, pipeline=canonical(dict(plain)), output=local_store(output).folder)
        if (told := maker.make(scene))[0] != MADE:
            raise ChildProcessError(told)


def main() -> None:
    scenes, folder, bucket = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    there, out = f"s3://{bucket}/scenes/", f"s3://{bucket}/out"
    made_here(scenes, folder / "out")
    spark = build_session(app="swath-s3", master="local[2,4]", output=out, conf={"spark.local.dir": str(folder / "spark")})
    told: dict[str, Any] = {}
    try:
        for name, output in {"s3": out, "again": out, "down": str(folder / "down")}.items():
            summary = execute(RunOptions(pipeline="toa", inputs=(there,), output=output), told=Silent(), spark=spark)
            told[name] = json.loads(summary.to_json())
        for name, root in {"s3 tables": f"s3a://{bucket}/out", "local tables": str(folder / "down")}.items():
            told[name] = {t: spark.read.format("delta").load(f"{root}/tables/{t}").count() for t in ("products", "runs", "tiles")}
        store = open_store(out)
        store.delete_tree("tables")
        summary = execute(RunOptions(pipeline="toa", inputs=(there,), output=out), told=Silent(), spark=spark)
        told["adopted"] = json.loads(summary.to_json())
        store.delete(next(p for p in store.list("products") if ".red." in p))
        told["mended"] = commanded(spark, "reconcile", out, "--fix")
        told["retried"] = commanded(spark, "retry", out, "--error", "lost")
        later, rules = datetime.now(UTC) + timedelta(days=31), {"toa-landsat-oli": KeepRule(days=30)}
        kept = open_store(f"s3://{bucket}/kept")
        for path in store.list(""):
            kept.write(path, store.read(path) or b"")
        gone = remove_expired(open_tables(spark, kept), kept, rules=rules, run_id="maintain", now=later)
        told["expired"] = [len(gone.products), gone.versions, list(kept.list("products"))]
        summary = execute(RunOptions(pipeline="toa", inputs=(there,), output=kept.root), told=Silent(), spark=spark)
        told["after"] = [summary.scenes.made, summary.scenes.skipped]
    finally:
        stop_session(spark)
    sys.stdout.write(json.dumps(told) + "\n")


main()
