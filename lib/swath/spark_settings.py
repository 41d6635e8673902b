"""Plain constants of a Spark session that every way to start one shares: a test, a laptop, ``spark-submit``, a cluster.

No import of pyspark here: the renderers of ``swath.deploy`` run on machines without it.
"""

from collections.abc import Mapping

SPARK_VERSION = "4.0.5"
SCALA_VERSION = "2.13"
DELTA_VERSION = "4.0.1"
DELTA_PACKAGE = f"io.delta:delta-spark_{SCALA_VERSION}:{DELTA_VERSION}"
HADOOP_AWS_VERSION = "3.4.1"  # of Spark 4.0's Hadoop
HADOOP_AWS_PACKAGE = f"org.apache.hadoop:hadoop-aws:{HADOOP_AWS_VERSION}"
AWS_SDK_BUNDLE_VERSION = "2.24.6"  # what hadoop-aws 3.4.1 was built with; from 2.30 on it breaks

# The JVM only plans and commits; the pixels are in Python. The C1 compiler and the serial collector halve the start
# and cost nothing later.
JVM_START_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

START: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.python.worker.reuse": "true",
    "spark.task.maxFailures": "4",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}

DELTA: Mapping[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # by default every read of a snapshot runs a job of 50 tasks
    "spark.databricks.delta.snapshotPartitions": "2",
    # the oldest reader among the sites (4.0.0 of EMR) must be able to read every table
    "spark.databricks.delta.properties.defaults.minReaderVersion": "1",
    "spark.databricks.delta.properties.defaults.minWriterVersion": "2",
}

# Spark owns the cores: one thread in everything else.
ONE_THREAD: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "GDAL_NUM_THREADS": "1",
    "ARROW_NUM_THREADS": "1",
}
