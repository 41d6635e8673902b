"""``spark-submit jobs/process.py`` with a zip of lib/ is ``swath run``."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from swath.spark.jars import spark_home

pytestmark = [pytest.mark.spark, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


def test_spark_submit_with_a_zip_makes_the_product_and_prints_the_result_last(java: None, tmp_path: Path) -> None:
    from swath.simulator.simulate import simulate  # noqa: PLC0415

    scene = simulate(kind="landsat9", folder=tmp_path / "scene", size=96, truth=False)
    archive = shutil.make_archive(str(tmp_path / "swath"), "zip", root_dir=ROOT / "lib")
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", "local[2,4]", "--py-files", archive]
    command += ["--properties-file", str(ROOT / "conf" / "spark-defaults.conf"), str(ROOT / "jobs" / "process.py")]
    command += ["toa", "--input", str(scene.delivery), "--output", str(tmp_path / "out"), "--json"]
    outside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        command,
        env={**outside, "PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(spark_home()), "SWATH_CONF": str(ROOT / "conf")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    # spark-submit sends what Python says on stderr to stdout as well.
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["scenes_in"], told["made"], told["quarantined"]) == (1, 1, 0)
    assert [p["scene_id"] for p in told["products"]] == [scene.scene_id]
    assert (tmp_path / "out" / told["products"][0]["item"]).is_file()
