"""Ctrl-C, as a terminal sends it: to every process of the run at once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import swath
from swath.simulator.damage import copied
from swath.simulator.simulate import simulate
from swath.stores.local import local_store
from swath.stores.lock import output_lock

pytestmark = [pytest.mark.spark, pytest.mark.slow]

SCENES = 6
_PATIENCE_S = 200.0


def start(scenes: Path, output: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "swath.cli", "run", "toa", "--input", str(scenes), "--output", str(output), "--run-id", "r1"]
    command += ["--wave-products", "1", "--master", "local[2,4]", "--json"]
    path = {**os.environ, "PYTHONPATH": str(Path(swath.__file__).parents[1])}
    return subprocess.Popen(
        command, env=path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip


def made(output: Path) -> int:
    """Products in the ledger's folder of files; an item comes last."""
    return len(list(output.glob("products/*/*/*/*/*/*.json")))


def until_one_is_made(run: "subprocess.Popen[str]") -> str:
    """Follow what the run prints, up to the line that tells of its first product, or to its end."""
    lines = []
    for line in run.stderr or ():
        lines.append(line)
        if "products made: 1 of 1" in line:
            break
    return "".join(lines)


def test_a_run_ends_in_order_says_how_to_go_on_and_goes_on(java: None, tmp_path: Path) -> None:
    scene = simulate(kind="landsat9", folder=tmp_path / "one", size=96, truth=False)
    for number in range(SCENES):
        copied(scene, folder=tmp_path / "scenes", rename={"193022_20240805": f"19{number}022_20240805"})
    output = tmp_path / "out"
    run = start(tmp_path / "scenes", output)
    before = until_one_is_made(run)
    os.killpg(run.pid, signal.SIGINT)
    _, told = run.communicate(timeout=60)
    told = before + told
    assert run.returncode == 130, told
    assert "Traceback" not in told
    assert told.rstrip().endswith("start the same command again with --run-id r1"), told
    assert 0 < made(output) < SCENES
    events = (output / "reports" / "r1.openlineage.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(e)["eventType"] for e in events] == ["START", "ABORT"]
    with output_lock(local_store(output), run_id="another"):
        pass
    again = start(tmp_path / "scenes", output)
    out, told = again.communicate(timeout=_PATIENCE_S)
    assert again.returncode == 0, told
    result = json.loads(out.splitlines()[-1])
    assert (result["scenes_in"], result["made"], result["balanced"]) == (SCENES, SCENES, True)
    assert made(output) == SCENES


#: A task sends Ctrl-C to the driver, which waits for the task's rows.
_COLLECTING = """
import os, signal, sys, time
from swath.cli.output import session
from swath.spark.start.interrupt import Interrupts
driver = os.getpid()
def slow(frames):
    os.kill(driver, signal.SIGINT)
    time.sleep(60.0)
    yield from frames
with Interrupts().taken():
    try:
        with session("collecting", "local[1]") as spark:
            spark.range(1).mapInPandas(slow, "id long").toPandas()
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_what_a_driver_waits_for_ends_as_an_interrupt_without_a_trace_of_java(java: None, tmp_path: Path) -> None:
    program = tmp_path / "collecting.py"
    program.write_text(_COLLECTING, encoding="utf-8")
    path = {**os.environ, "PYTHONPATH": str(Path(swath.__file__).parents[1])}
    done = subprocess.run([sys.executable, str(program)], env=path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
    assert "at org.apache" not in done.stderr
    assert "Traceback" not in done.stderr
