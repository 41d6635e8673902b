"""Paths inside both images. Equal for EMR and for the on-premises image, so that renderings differ little.

EMR mounts over /tmp, /mnt, /home/hadoop and /var/log: nothing of ours may live there.
"""

APP = "/opt/swath"
ENTRY_POINT = f"local://{APP}/jobs/process.py"
PYTHON = f"{APP}/venv/bin/python"
POD_TEMPLATES = f"{APP}/pod-templates"
HOME = "/home/swath"
WORK_DIR = "/opt/spark/work-dir"
GPUS = f"{APP}/gpus.sh"
SCRATCH = "/scratch"
EMR_DELTA_JARS = ("local:///usr/share/aws/delta/lib/delta-spark.jar", "local:///usr/share/aws/delta/lib/delta-storage.jar")
UID = 185
DRIVER = "spark-kubernetes-driver"
EXECUTOR = "spark-kubernetes-executor"
