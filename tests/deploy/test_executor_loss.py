"""An executor that stops without a word, as one whose node is gone, is noticed by the settings that are rendered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.quick_jvm import quick_jvm

from swath.deploy.pods.conf import SOON_NOTICED
from swath.deploy.render.spark_conf import spark_conf
from swath.deploy.site.files import load_job, load_site

pytestmark = [pytest.mark.long, pytest.mark.spark, pytest.mark.timeout(400)]


def test_its_task_begins_elsewhere_within_20_seconds(java: None, tmp_path: Path) -> None:
    """By Spark's defaults it takes 120 to 180 s. What this machine itself needs to start a task is added."""
    conf = spark_conf(load_job("ard"), site=load_site("kubernetes"), run_id="ard-1")
    settings = [f"{key}={conf[key]}" for key in SOON_NOTICED]
    script = str(Path(__file__).with_name("stopped_executor.py"))
    words, environment = [sys.executable, script, str(tmp_path), *settings], {**os.environ, **quick_jvm()}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 5 < float(done.stdout.splitlines()[-1]) < 30


def test_the_worst_case_is_20_seconds() -> None:
    """The last sign of life may be one interval old when the executor stops, and the driver looks once an interval."""
    seconds = {key: int(value.removesuffix("s")) for key, value in SOON_NOTICED.items()}
    silent, looks = seconds["spark.storage.blockManagerHeartbeatTimeoutMs"], seconds["spark.network.timeoutInterval"]
    assert silent + looks <= 20
    assert silent >= 3 * seconds["spark.executor.heartbeatInterval"]
