"""Run by a test in a process of its own (the JVM needs S3A on its class path): composites of a bucket, on S3 and in a folder.

Arguments: pipeline file, folder for outputs, bucket. Prints one JSON object.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.conftest import Silent

from swath.cli.composite import CompositeOptions, execute
from swath.cli.ledger import retry
from swath.ledger.open import open_tables
from swath.ledger.schemas import TABLES
from swath.runs.status import output_status
from swath.spark.start.session import build_session, stop_session
from swath.stores.registry import open_store
from swath.upkeep.reconcile import compare


def main() -> None:
    pipeline, folder, bucket = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    there, out = f"s3://{bucket}/in", f"s3://{bucket}/out"
    spark = build_session(app="swath-s3", master="local[2,4]", output=out, conf={"spark.local.dir": str(folder / "spark")})
    told: dict[str, Any] = {}

    def made(output: str, **options: Any) -> Any:
        asked = CompositeOptions(pipeline=pipeline, inputs=(there,), output=output, period="2024", **options)
        return json.loads(execute(asked, told=Silent(), spark=spark).to_json())

    try:
        told["s3"] = made(out, run_id="first")
        told["again"] = made(out)
        told["down"] = made(str(folder / "down"))
        store = open_store(out)
        tables = open_tables(spark, store)
        told["rows"] = {name: tables.read(name, schema).count() for name, schema in TABLES.items()}
        (retried,) = retry(spark, store, run_id="retry", told=Silent())
        told["retried"] = json.loads(retried.to_json())
        told["standing"] = sum(output_status(tables).quarantine.values())
        told["findings"] = sorted({f.kind for f in compare(tables, store).findings})
    finally:
        stop_session(spark)
    sys.stdout.write(json.dumps(told) + "\n")


main()
