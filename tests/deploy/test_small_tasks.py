"""A small task costs in a rendered job what it costs in ``swath run``: workers are forked with their imports."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.quick_jvm import quick_jvm

from swath.simulator.damage import copied
from swath.simulator.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 8, 104
SIDES = ("run", "rendered")
pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.spark, pytest.mark.timeout(900)]

_WATCH = """
import json, sys
from benchmarks.tree import watch
phases = watch(["tests.deploy.small_tasks", *sys.argv[1:]]).phases
print(json.dumps({name: [phase.cpu.other_s, phase.cpu.java_s] for name, phase in phases.items()}))
"""


def _watched(folder: Path) -> dict[str, dict[str, list[float]]]:
    """CPU seconds by side and phase, of Python and of the JVM. Both sides run at once: what else the machine does, both feel."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "lib")])
    environment = {**os.environ, **quick_jvm(), "PYTHONPATH": paths}
    told = {}
    with ExitStack() as stack:
        running = {}
        for side in SIDES:
            # A process for each: it adopts the orphans of what it watches.
            words = [sys.executable, "-c", _WATCH, side, str(folder / "scenes"), str(folder)]
            log = stack.enter_context((folder / f"{side}.log").open("wb"))
            running[side] = stack.enter_context(
                subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment)
            )
        for side, process in running.items():
            out, _ = process.communicate()
            assert process.returncode == 0, (folder / f"{side}.log").read_text(errors="replace")[-3000:]
            told[side] = json.loads(out.splitlines()[-1])
    return told


def test_a_small_task_costs_the_same_in_a_rendered_job(java: None, tmp_path: Path) -> None:
    del java  # it is there
    one = simulate(kind="landsat9", folder=tmp_path / "one", size=96, truth=False)
    for name, number in (("few", FEW), ("many", MANY)):
        for n in range(number):
            copied(one, folder=tmp_path / "scenes" / name, rename={"193022_2024": f"{100_000 + n}_2024"})
    told = _watched(tmp_path)
    for side in SIDES:
        assert len(list((tmp_path / f"{side}-many").rglob("*.red.*.tif"))) == MANY
    # Python's share of a scene: workers, their children, the driver. The JVM's compiler is another matter, and luck.
    each = {side: 1000 * (p["many"][0] - p["few"][0]) / (MANY - FEW) for side, p in told.items()}
    jvm = {side: 1000 * (p["many"][1] - p["few"][1]) / (MANY - FEW) for side, p in told.items()}
    sys.stdout.write(f"CPU ms of Python a scene: {each}, of the JVM: {jvm}\n")
    # Runs gave ratios of 0.78 to 1.23: either side moves by a fifth. Workers that import anew cost several times as much.
    assert each["rendered"] <= 2.0 * each["run"], (each, jvm)
