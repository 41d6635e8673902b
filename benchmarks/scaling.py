"""Wall time on one core and on two, and memory by the size of the scene."""

import shutil
from statistics import median

from benchmarks.chain import SMALL
from benchmarks.scenes import BENCH, stac_scene
from benchmarks.tree import Watched, watch


def measure(size: int, repeats: int) -> str:
    """A Markdown table: ``size`` on one and on two cores, half and a quarter of it on two."""
    cases = {(size, 1): [], (size, 2): [], (size // 2, 2): [], (size // 4, 2): []}  # type: dict[tuple[int, int], list[Watched]]
    for _ in range(repeats):
        for (side, cores), found in cases.items():
            found.append(_run(side, cores=cores))
    one = median(w.phases["chain"].wall_s for w in cases[size, 1])
    lines = ["| scene | cores | wall, one core / this | CPU s | peak MB beside the JVM |", "|---|---|---|---|---|"]
    for (side, cores), found in cases.items():
        phases = [w.phases["chain"] for w in found]
        gain = f"{one / median(p.wall_s for p in phases):.2f}" if side == size else ""
        cpu, peak = median(p.cpu.total_s for p in phases), median(p.peak.other_mb for p in phases)
        lines.append(f"| {side} x {side} x 4 | {cores} | {gain} | {cpu:.1f} | {peak:.0f} |")
    return "\n".join(lines)


def _run(size: int, *, cores: int) -> Watched:
    output = BENCH / "scaling"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    watched = watch(["benchmarks.ours", f"local[{cores},4]", str(stac_scene(SMALL)), str(stac_scene(size)), str(output)])
    shutil.rmtree(output)
    return watched
