"""Run by a test in a process of its own (S3A must be on the class path of the JVM): the same scene into a folder and into S3.

Then the ledger on S3 is lost, and after that a file.

Arguments: folder with the scene, local output, bucket. Prints one JSON object.
"""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from swath.cli import ledger, upkeep
from swath.cli.main import main as command
from swath.cli.run import RunOptions, execute
from swath.spark.session import build_session, stop_session
from swath.stores.registry import open_store


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


def main() -> None:
    scenes, folder, bucket = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    there, out = f"s3://{bucket}/scenes/", f"s3://{bucket}/out"
    spark = build_session(app="swath-s3", master="local[2,4]", output=out, conf={"spark.local.dir": str(folder / "spark")})
    told: dict[str, Any] = {}
    try:
        ways = {
            "local": (scenes, str(folder / "out")),
            "s3": (there, out),
            "again": (there, out),
            "down": (there, str(folder / "down")),
        }
        for name, (source, output) in ways.items():
            summary = execute(RunOptions(pipeline="toa", inputs=(source,), output=output), told=Silent(), spark=spark)
            told[name] = json.loads(summary.to_json())
        for name, root in {"s3 tables": f"s3a://{bucket}/out", "local tables": str(folder / "out")}.items():
            told[name] = {t: spark.read.format("delta").load(f"{root}/tables/{t}").count() for t in ("products", "runs", "tiles")}
        store = open_store(out)
        store.delete_tree("tables")
        summary = execute(RunOptions(pipeline="toa", inputs=(there,), output=out), told=Silent(), spark=spark)
        told["adopted"] = json.loads(summary.to_json())
        store.delete(next(p for p in store.list("products") if ".red." in p))
        told["mended"] = commanded(spark, "reconcile", out, "--fix")
        told["retried"] = commanded(spark, "retry", out, "--error", "lost")
    finally:
        stop_session(spark)
    sys.stdout.write(json.dumps(told) + "\n")


main()
