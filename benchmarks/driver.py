"""What a run costs its driver, whatever the pixels cost: peak memory and CPU for each scene.

``python -m benchmarks.driver [--scenes 4096] [--wave 4096] [--json]``: one real run (discovery, ingest, plan, waves, commits,
results, catalogue, report) in Spark whose workers answer at once (``benchmarks.synthetic``): products of twelve assets with the
statistics of real ones. Peak memory is that of the driver's Python process and of its JVM, which is the executor too; CPU
seconds are of this process alone. ``--direct`` asks no worker for products, where a machine has no time for 100,000 of them.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from benchmarks.synthetic import TEMPLATE
from benchmarks.tree import ROOT

#: Twelve assets of a Landsat scene.
PIPELINE: Final = """
name: twelve
title: Twelve assets
version: 1
steps: [toa, {smac: {aot550: null, ozone_atm_cm: null, water_vapour_g_cm2: null, pressure_hpa: null}}, qa, ndvi]
assets: {required: [sr], promised: [sr:red], optional: [bt, qa, ndvi]}
"""
_SIDE: Final = 1024
_SITE: Final = "from benchmarks.synthetic import install\n\ninstall()\n"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=4096)
    parser.add_argument("--wave", type=int, default=4096)
    parser.add_argument("--heap", default="2g")
    parser.add_argument(
        "--direct", action="store_true", help="Have the driver itself find the answers: Spark makes the plan alone."
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swath-driver-") as name:
        found = measure(Path(name), scenes=asked.scenes, wave=asked.wave, heap=asked.heap, direct=asked.direct)
    if asked.json:
        print(json.dumps(found))
        return
    print(
        f"{found['scenes']} products of {found['assets']} assets in waves of {asked.wave}: "
        f"{found['wall_s']:.0f} s, Python {found['python_mb']:.0f} MB at most and {found['cpu_ms']:.2f} ms a scene, "
        f"JVM {found['jvm_mb']:.0f} MB at most (heap {asked.heap})"
    )


def measure(home: Path, *, scenes: int, wave: int, heap: str, direct: bool) -> dict[str, Any]:
    """One run; the numbers."""
    pipeline = home / "twelve.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    # In a process of its own: pixels are none of a driver's.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assets = pool.submit(_template, home, pipeline=pipeline).result()
    inputs = _inputs(home, number=scenes)
    _let_workers_answer(home)

    from swath.cli.run import execute  # noqa: PLC0415
    from swath.cli.run_request import RunOptions  # noqa: PLC0415
    from swath.spark.start.session import build_session, stop_session  # noqa: PLC0415

    spark = build_session(app="driver", master="local[2,4]", conf={"spark.driver.memory": heap})
    spark.range(1).count()
    if direct:
        _answer_here(home)
    base = _peak_mb(os.getpid())
    options = RunOptions(
        pipeline=str(pipeline), inputs=(str(inputs),), output=str(home / "out"), run_id="driver", wave_products=wave
    )
    began, cpu = time.monotonic(), time.process_time()
    summary = json.loads(execute(options, told=_Told(), spark=spark).to_json())
    wall, cpu = time.monotonic() - began, time.process_time() - cpu
    if summary["made"] != scenes:
        sys.exit(f"expected {scenes} products, got {summary}")
    jvm = _peak_mb(_jvm())
    python = _peak_mb(os.getpid())
    stop_session(spark)
    return {
        "scenes": scenes, "assets": assets, "wall_s": wall, "cpu_ms": 1000 * cpu / scenes, "base_mb": base, "python_mb": python,
        "jvm_mb": jvm,
    }  # fmt: skip


def _answer_here(home: Path) -> None:
    """Put an answer into the driver's hands wherever it would collect those of workers: what is left is its own work."""
    from swath.spark import stage  # noqa: PLC0415

    told = json.loads((home / "template.json").read_text(encoding="utf-8"))
    row = stage._row(0, json.loads(told["answers"]["make"]))

    def collected(spark: Any, rows: Any, *, name: str, total: int, progress: Any) -> list[Any]:
        del spark, rows, name, progress
        return [(n, bytearray(row["answer"]), False, row["cpu_s"], row["peak_mb"]) for n in range(here.size)]

    here = threading.local()  # waves are threads
    asked = stage._asked

    def counted(spark: Any, requests: Any, **more: Any) -> Any:
        here.size = len(requests)
        return asked(spark, requests, **more)

    stage._collected, stage._asked = collected, counted


class _Told:
    """Hears of the run, and says it on stderr."""

    def wave(self, number: int, waves: int, products: int) -> None:
        """A wave begins."""
        sys.stderr.write(f"wave {number} of {waves}: {products} products; {_peak_mb(os.getpid()):.0f} MB\n")

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


def _template(home: Path, *, pipeline: Path) -> int:
    """Keep what a child says of one scene; the number of its assets."""
    from swath.cli.run_request import RunOptions, request_of  # noqa: PLC0415
    from swath.engine.child.tasks import perform  # noqa: PLC0415
    from swath.simulator.simulate import simulate  # noqa: PLC0415

    delivery = simulate(kind="landsat9", folder=home / "one", size=_SIDE, truth=False).delivery
    request = request_of(RunOptions(pipeline=str(pipeline), inputs=(str(delivery),), output=str(home / "template")))
    told = perform({"op": "ingest", "href": str(delivery), "pipeline": request.pipeline_json, "strip_rows": None})
    subject = {"scene": told["scene"], "scene_id": told["scene_id"], "pipeline": request.pipeline_json}
    cut = {"split": False, "strip_rows": None, "folder": ".scratch/one", "attempt": "1"}
    made = perform({"op": "make", **subject, "output": str(home / "template"), **cut})
    day = json.loads(told["scene"])["acquired"][:10]
    answers = {"ingest": json.dumps(told), "make": json.dumps(made)}
    digests = sorted(set(re.findall(r"\b[0-9a-f]{64}\b", "".join(answers.values()))))
    text = json.dumps({"scene_id": told["scene_id"], "day": day, "answers": answers, "digests": digests})
    (home / "template.json").write_text(text, encoding="utf-8")
    sizes = {op: len(answer) for op, answer in answers.items()}
    sys.stderr.write(f"answers of {sizes} characters, {len(made['records'])} assets\n")
    return len(made["records"])


def _inputs(home: Path, *, number: int) -> Path:
    """Folders that look like scenes."""
    folder = home / "scenes"
    for n in range(number):
        own = folder / f"LC09_L1TP_{n:06d}_20240715_20240716_02_T1"
        own.mkdir(parents=True)
        (own / f"{own.name}_MTL.txt").touch()
    return folder


def _let_workers_answer(home: Path) -> None:
    (home / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    os.environ[TEMPLATE] = str(home / "template.json")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(home), str(ROOT), os.environ.get("PYTHONPATH", "")])


def _jvm() -> int:
    """The JVM's process."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if (
                    f"PPid:\t{os.getpid()}\n" in (path / "status").read_text()
                    and b"SparkSubmit" in (path / "cmdline").read_bytes()
                ):
                    return int(path.name)
            except OSError:
                continue
    return os.getpid()


def _peak_mb(pid: int) -> float:
    """Most memory of a process so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
