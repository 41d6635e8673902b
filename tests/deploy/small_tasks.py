"""Watched by ``test_small_tasks``: one job, of few scenes and of many, rendered for a cluster or by ``swath run``.

``python -m tests.deploy.small_tasks rendered|run SCENES OUTPUT``; SCENES holds the folders ``few`` and ``many``.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks.tree import next_phase

from swath.deploy.engine_command import engine_command, here
from swath.deploy.parity import Runtime, execute
from swath.deploy.render.order import Order
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec
from swath.deploy.spark_submit.local import entry_point

SITE, PIPELINE = "eks-anywhere", "toa"


def rendered(scenes: Path, output: Path) -> None:
    """As the site's engine would start it, with its settings, by spark-submit on this machine."""
    site = load_site(SITE)
    job = JobSpec(job="small", pipeline=PIPELINE, inputs=("store://scenes",), output="store://products/small")
    command = here(
        engine_command(Order(job=job, site=site, run_id="small-1")),
        site=site,
        folders={"scenes": scenes, "products": output},
        program=entry_point(),
    )
    execute(command, runtime=Runtime.of_lock())


def run(scenes: Path, output: Path) -> None:
    """As a person does."""
    words = ["run", PIPELINE, "--input", str(scenes), "--output", str(output), "--master", "local[2,4]"]
    subprocess.run([sys.executable, "-m", "swath.cli", *words], check=True, stdin=subprocess.DEVNULL)


def main(side: str, scenes: str, *, output: str) -> None:
    """Both runs of a side, each a phase."""
    for name in ("few", "many"):
        next_phase(name)
        {"rendered": rendered, "run": run}[side](Path(scenes) / name, Path(output) / f"{side}-{name}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], output=sys.argv[3])
