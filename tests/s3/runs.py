"""Run by a test in a process of its own (S3A must be on the class path of the JVM): the same scene into a folder and into S3.

Arguments: folder with the scene, local output, bucket. Prints one JSON object.
"""

import json
import sys
from pathlib import Path
from typing import Any

from swath.cli.run import RunOptions, execute
from swath.spark.session import build_session, stop_session


class Silent:
    """Hears of a run's progress and says nothing."""

    def wave(self, number: int, waves: int, products: int) -> None:
        """Nothing."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


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
    finally:
        stop_session(spark)
    sys.stdout.write(json.dumps(told) + "\n")


main()
