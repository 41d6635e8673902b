"""A real run on a cluster of executors of one core whose scenes sleep a second: what waves, tasks and commits cost beside them.

``make sleeping`` runs it twice: in peace, and with two executors killed and one decommissioned; the account and the bytes must be
equal. 512 scenes on 16 executors sleep 32 s; the goal is 1.25 times that, on a machine with cores to spare.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.processes import of_role

STEP: Final = """
import time
from dataclasses import dataclass

from swath.steps.ndvi import Ndvi


@dataclass(frozen=True, kw_only=True)
class Sleeping(Ndvi):
    name = "sleeping"

    def run(self, recipe, layers, *, window, scene, inputs):
        time.sleep(1.0)
        return super().run(recipe, layers, window=window, scene=scene, inputs=inputs)
"""
PIPELINE: Final = """
name: sleeping
title: A scene takes a second and little else
version: 1
steps: [toa, sleeping]
assets: {promised: [ndvi]}
"""
_KILLED, _DECOMMISSIONED = 2, 1


@dataclass(slots=True)
class Watch:
    """Hears of a run; when its waves begin, the clock does.

    Args:
        disturb: Called once, in a thread of its own, when a third of the waves have begun.
    """

    disturb: Any = None
    began: float = 0.0
    hits: list[threading.Thread] = field(default_factory=list)

    def wave(self, number: int, waves: int, products: int) -> None:
        """A wave begins."""
        del products
        self.began = self.began or time.monotonic()
        if self.disturb is not None and number > waves / 3:
            self.hits.append(threading.Thread(target=self.disturb))
            self.disturb = None
            self.hits[-1].start()

    def stage(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """A line on stderr."""
        sys.stderr.write(f"{text}\n")


def main() -> None:
    """Run it; exit 1 when the disturbed run differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--executors", type=int, default=16)
    parser.add_argument("--scenes", type=int, default=512)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        _plug_in(home / "plugin")
        scenes = _scenes(home, number=asked.scenes)
        spark = _session(asked.executors)
        _run(spark, scenes, home / "warm", limit=2 * asked.executors)
        calm = _run(spark, scenes, home / "calm")
        disturbed = _run(spark, scenes, home / "disturbed", disturb=_hit)
    slept = asked.scenes / asked.executors
    for told, found in (("in peace", calm), ("2 killed, 1 decommissioned", disturbed)):
        times = found["seconds"] / slept
        print(f"{told}: {found['seconds']:.1f} s, {times:.2f} of the time that scenes sleep; {found['account']} made")
    if (calm["account"], calm["files"]) != (disturbed["account"], disturbed["files"]):
        sys.exit("the disturbed run differs")


def _plug_in(folder: Path) -> None:
    record = folder / "sleeping-1.0.dist-info"
    record.mkdir(parents=True)
    (folder / "sleeping_step.py").write_text(STEP, encoding="utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: sleeping\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text("[swath.steps]\nsleeping = sleeping_step:Sleeping\n", encoding="utf-8")
    (folder / "sleeping.yaml").write_text(PIPELINE, encoding="utf-8")
    sys.path.append(str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in (os.environ.get("PYTHONPATH", ""), *sys.path) if p)


def _scenes(home: Path, *, number: int) -> Path:
    from swath.simulator.damage import copied  # noqa: PLC0415
    from swath.simulator.simulate import simulate  # noqa: PLC0415

    one = simulate(kind="landsat9", folder=home / "one", size=64, truth=False)
    for n in range(number):
        copied(one, folder=home / "scenes", rename={"193022_2024": f"{100_000 + n}_2024"})
    return home / "scenes"


def _session(executors: int) -> Any:
    from swath.spark.start.session import build_session  # noqa: PLC0415

    conf = {"spark.decommission.enabled": "true", "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"]}
    return build_session(app="sleeping", master=f"local-cluster[{executors},1,512]", conf=conf)


def _run(spark: Any, scenes: Path, output: Path, *, limit: int | None = None, disturb: Any = None) -> dict[str, Any]:
    from swath.cli.run import execute  # noqa: PLC0415
    from swath.cli.run_request import RunOptions  # noqa: PLC0415

    pipeline = scenes.parent / "plugin" / "sleeping.yaml"
    watch = Watch(disturb)
    options = RunOptions(pipeline=str(pipeline), inputs=(str(scenes),), output=str(output), run_id="sleeping", limit=limit)
    summary = execute(options, told=watch, spark=spark)
    seconds = time.monotonic() - watch.began
    for hit in watch.hits:
        hit.join()
    files = {
        p.relative_to(output).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(output.glob("products/**/*"))
        if p.suffix in {".tif", ".png"}
    }
    return {"seconds": seconds, "account": json.loads(summary.to_json())["made"], "files": files}


def _hit() -> None:
    """Kill two executors, and have one decommissioned as a node's notice does."""
    executors = of_role(os.getpid(), "executor")
    for pid in executors[:_KILLED]:
        os.kill(pid, signal.SIGKILL)
    for pid in executors[_KILLED : _KILLED + _DECOMMISSIONED]:
        os.kill(pid, signal.SIGPWR)


if __name__ == "__main__":
    main()
