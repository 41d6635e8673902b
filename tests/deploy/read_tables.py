"""Run by spark-submit: counts the rows of Delta tables and tells the versions of Spark that read them."""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
counts = {Path(table).name: spark.read.format("delta").load(table).count() for table in sys.argv[2:]}
Path(sys.argv[1]).write_text(json.dumps({"spark": spark.version, "rows": counts}), encoding="utf-8")
spark.stop()
