"""A small task costs in a rendered job what it costs in ``swath run``: workers are forked with their imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.quick_jvm import quick_jvm

from swath.simulator.damage import copied
from swath.simulator.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 8, 104
pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(900)]

_WATCH = """
import json, sys
from benchmarks.tree import watch
found = {side: watch(["tests.deploy.small_tasks", side, *sys.argv[1:]]).phases for side in ("run", "rendered")}
print(json.dumps({side: {n: [p.cpu.other_s, p.cpu.java_s] for n, p in phases.items()} for side, phases in found.items()}))
"""


def test_a_small_task_costs_the_same_in_a_rendered_job(java: None, tmp_path: Path) -> None:
    del java  # it is there
    one = simulate(kind="landsat9", folder=tmp_path / "one", size=96, truth=False)
    for name, number in (("few", FEW), ("many", MANY)):
        for n in range(number):
            copied(one, folder=tmp_path / "scenes" / name, rename={"193022_2024": f"{100_000 + n}_2024"})
    # A process of its own: it adopts the orphans of what it watches.
    words = [sys.executable, "-c", _WATCH, str(tmp_path / "scenes"), str(tmp_path)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "lib")])
    environment = {**os.environ, **quick_jvm(), "PYTHONPATH": paths}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    for side in ("run", "rendered"):
        assert len(list((tmp_path / f"{side}-many").rglob("*.red.*.tif"))) == MANY
    # Python's share of a scene: workers, their children, the driver. The JVM's compiler is another matter, and luck.
    each = {side: 1000 * (p["many"][0] - p["few"][0]) / (MANY - FEW) for side, p in told.items()}
    jvm = {side: 1000 * (p["many"][1] - p["few"][1]) / (MANY - FEW) for side, p in told.items()}
    sys.stdout.write(f"CPU ms of Python a scene: {each}, of the JVM: {jvm}\n")
    # Runs gave ratios of 0.78 to 1.22: either side moves by a fifth. Workers that import anew cost several times as much.
    assert each["rendered"] <= 2.0 * each["run"], (each, jvm)
