"""No JPEG 2000 block is decoded twice: reading all strips, with a halo, against reading whole bands once.

``python -m benchmarks.jpeg2000 HOW SAFE`` is what one measurement runs; HOW is ``whole``, ``strips`` or ``pieces``.
"""

import sys
from pathlib import Path
from statistics import median

from benchmarks.scenes import sentinel2_scene
from benchmarks.tree import next_phase, watch

HALO = 2
WAYS = {"whole": "whole bands, once", "pieces": "pieces of 256 rows with 2 rows of halo, as the engine reads"}


def measure(size: int, repeats: int) -> str:
    """Each way in turn; a Markdown table."""
    safe = sentinel2_scene(size)
    found = {way: [watch(["benchmarks.jpeg2000", way, str(safe)]).phases["read"] for _ in range(repeats)] for way in WAYS}
    base = median(p.cpu.total_s for p in found["whole"])
    lines = [
        f"Sentinel-2 SAFE of {size} x {size} at 10 m, all bands.", "", "| read as | CPU s | of whole bands | heap MB |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for way, title in WAYS.items():
        cpu = median(p.cpu.total_s for p in found[way])
        lines.append(f"| {title} | {cpu:.1f} | {cpu / base:.2f} | {max(p.peak.heap_mb for p in found[way]):.0f} |")
    return "\n".join(lines)


def main(way: str, safe: str) -> None:
    """Read everything one way."""
    from swath.engine.cut import PIECE_ROWS  # noqa: PLC0415 (imports come before the clock)
    from swath.grid import Window  # noqa: PLC0415
    from swath.readers.bands import BandReader  # noqa: PLC0415
    from swath.readers.registry import read_scene  # noqa: PLC0415

    scene = read_scene(str(Path(safe)))
    height = scene.reference.height
    next_phase("read")
    with BandReader() as reader:
        if way == "whole":
            for name, asset in scene.assets.items():
                reader.read(scene, name, asset.grid.window)
            return
        for row in range(0, height, PIECE_ROWS):
            for name, asset in scene.assets.items():
                grid = asset.grid
                start, stop = (min(r * grid.height // height, grid.height) for r in (row, min(row + PIECE_ROWS, height)))
                if stop > start:
                    reader.read(scene, name, Window(start, 0, stop - start, grid.width).pad(HALO).clip(grid.window))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
