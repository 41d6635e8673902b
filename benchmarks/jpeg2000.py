"""No JPEG 2000 block is decoded twice: reading all strips, with a halo, against reading whole bands once.

``python -m benchmarks.jpeg2000 HOW SAFE`` is what one measurement runs; HOW is ``whole``, ``strips`` or ``pieces``.
"""

import sys
from pathlib import Path
from statistics import median

from benchmarks.scenes import sentinel2_scene
from benchmarks.tree import next_phase, watch

HALO = 2
WAYS = {"whole": "whole bands, once", "pieces": "pieces of 1024 x 1024 at 10 m with a halo of 2, as the engine reads"}


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
    from swath.engine.cut import cut  # noqa: PLC0415 (imports come before the clock)
    from swath.readers.pixels.bands import BandReader  # noqa: PLC0415
    from swath.readers.registry import read_scene  # noqa: PLC0415

    scene = read_scene(str(Path(safe)))
    grids = tuple(asset.grid for asset in scene.assets.values())
    made = cut(scene.reference, grids, rows=None, split=False)
    next_phase("read")
    with BandReader() as reader:
        if way == "whole":
            for name, asset in scene.assets.items():
                reader.read(scene, name, asset.grid.window)
            return
        for piece in made.pieces(0):
            for name, asset in scene.assets.items():
                window = made.window_on(asset.grid, piece)
                if window is not None:
                    reader.read(scene, name, window.pad(HALO).clip(asset.grid.window))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
