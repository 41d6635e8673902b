"""Two renderings of one job, run here with two versions of Spark and Delta, and with two SIMD levels.

It proves the renderings and the mixed versions; not two clusters.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.quick_jvm import quick_jvm

from swath.deploy.engine_command import EngineCommand, engine_command, here
from swath.deploy.operate.result import parse_result
from swath.deploy.parity import ParityComparison, Runtime, compare, execute
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.spark_submit.local import entry_point

ROOT = Path(__file__).resolve().parents[2]
OTHER_SPARK, OTHER_DELTA = "4.0.2", "4.0.0"  # as EMR's release
TABLES = ("scenes", "products", "tiles", "runs")
pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(1500)]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One run of the job."""

    output: Path
    command: EngineCommand
    runtime: Runtime


@pytest.fixture(scope="module")
def other_spark() -> Path:
    """A folder with the other pyspark, or a skip that says how to get one."""
    folder = Path(os.environ.get("SWATH_OTHER_SPARK", ROOT / ".cache" / f"spark-{OTHER_SPARK}"))
    if (folder / "pyspark" / "jars").is_dir():
        return folder
    install = ["pip", "install", "--quiet", "--no-deps", "--target", str(folder), f"pyspark=={OTHER_SPARK}"]
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if not os.environ.get("CI") or uv is None:
        pytest.skip(f"pyspark {OTHER_SPARK} is not in {folder}: uv {' '.join(install)}")
    subprocess.run([uv, *install, "--python", sys.executable], check=True)
    return folder


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from swath.simulator.simulate import simulate  # noqa: PLC0415 - a second of imports

    return simulate(kind="landsat9", folder=tmp_path_factory.mktemp("scene"), size=600).delivery.parent


def _ordered(site: str, output: Path, *, scene: Path, runtime: Runtime) -> Side:
    job = JobSpec(job="parity", pipeline="surface-reflectance", inputs=("store://scenes",), output="store://products/sr", limit=1)
    where = load_site(site)
    command = here(
        engine_command(Order(job=job, site=where, run_id="parity-1")),
        site=where,
        folders={"scenes": scene, "products": output},
        program=entry_point(),
    )
    return Side(output=output / "sr", command=command, runtime=replace(runtime, variables={**runtime.variables, **quick_jvm()}))


@pytest.fixture(scope="module")
def sides(java: None, other_spark: Path, scene: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Side]:
    folder = tmp_path_factory.mktemp("sides")
    simd = " ".join(np.show_config(mode="dicts")["SIMD Extensions"]["found"])
    made = {
        "a": _ordered("aws-region", folder / "a", scene=scene, runtime=Runtime.other(other_spark, delta=OTHER_DELTA)),
        "b": _ordered("eks-anywhere", folder / "b", scene=scene, runtime=Runtime.of_lock()),
        "c": _ordered("eks-anywhere", folder / "c", scene=scene, runtime=Runtime.of_lock(NPY_DISABLE_CPU_FEATURES=simd)),
    }
    for side in made.values():
        execute(side.command, runtime=side.runtime)
    return made


@pytest.fixture(scope="module")
def a_to_b(sides: dict[str, Side]) -> ParityComparison:
    return compare(sides["a"].output, sides["b"].output)


def test_both_sites_make_the_same_products_by_key_and_byte(a_to_b: ParityComparison) -> None:
    assert len(a_to_b.same) > 5
    assert a_to_b.equal_keys
    assert a_to_b.equal_bytes


def test_with_fewer_cpu_features_the_keys_are_equal_and_pixels_within_one_count(sides: dict[str, Side]) -> None:
    found = compare(sides["b"].output, sides["c"].output)
    assert found.equal_keys
    for name in found.differing:
        with rasterio.open(sides["b"].output / name) as left, rasterio.open(sides["c"].output / name) as right:
            assert np.abs(left.read().astype(np.int64) - right.read().astype(np.int64)).max() <= 1


def test_results_balance_on_both_sides(sides: dict[str, Side]) -> None:
    for side in sides.values():
        result = parse_result((side.output / "reports" / "parity-1.json").read_bytes(), run_id="parity-1")
        assert (result.made, result.exit_code) == (1, 0)


def _read(side: Side, tables: Path, *, answer: Path) -> dict[str, Any]:
    reader = EngineCommand(
        program=str(Path(__file__).with_name("read_tables.py")),
        arguments=(str(answer), *(str(tables / name) for name in TABLES)),
        # a few rows: compiling a class for each expression costs more than counting them
        conf={**side.command.conf, "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"},
        driver=side.command.driver,
        executor=side.command.executor,
    )
    execute(reader, runtime=side.runtime)
    read: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return read


def test_each_side_reads_the_others_tables(sides: dict[str, Side], tmp_path: Path) -> None:
    a_reads_b = _read(sides["a"], sides["b"].output / "tables", answer=tmp_path / "ab.json")
    b_reads_a = _read(sides["b"], sides["a"].output / "tables", answer=tmp_path / "ba.json")
    assert (a_reads_b["spark"], b_reads_a["spark"]) == (OTHER_SPARK, "4.0.5")
    assert a_reads_b["rows"] == b_reads_a["rows"]
    assert a_reads_b["rows"]["products"] == 1
