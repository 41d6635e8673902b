"""The nightly job at one site. Beside it: `swath render ard-nightly --site aws-region --out conf/orchestrators/rendered`."""

import os
from pathlib import Path

from swath_airflow import swath_dag

HERE = Path(__file__).resolve().parent
CONF = os.environ.get("SWATH_CONF", str(HERE.parents[1]))
SITE = os.environ.get("SWATH_SITE", "aws-region")

dag = swath_dag(HERE.parent / "rendered" / f"ard-nightly.{SITE}.json", site=SITE, conf=CONF)
