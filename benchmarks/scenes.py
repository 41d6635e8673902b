"""Simulated scenes, made once and kept under bench/."""

import json
from pathlib import Path
from typing import Any

from benchmarks.tree import ROOT

BENCH = ROOT / "bench"
#: Sides of a coarse scene's pixels, in pixels.
COARSE = 4


def stac_scene(size: int) -> Path:
    """The STAC item of a scene of four GeoTIFF bands (DEFLATE level 1), ``size`` pixels a side."""
    return _made("stac", size=size, pattern="*/*.json")


def coarse_scene(size: int) -> Path:
    """As ``stac_scene``, with pixels four times as large: it has the work of a full scene and a tenth of its bytes."""
    folder = BENCH / f"coarse-{size}"
    full, quarter = stac_scene(size), stac_scene(size // COARSE)
    item = folder / full.name
    if not item.is_file():
        import numpy as np  # noqa: PLC0415 (see below)
        import rasterio  # noqa: PLC0415

        folder.mkdir(parents=True, exist_ok=True)
        given = json.loads(quarter.read_text(encoding="utf-8"))["assets"]
        record = json.loads(full.read_text(encoding="utf-8"))
        for key, asset in record["assets"].items():
            with rasterio.open(full.parent / asset["href"]) as source:
                profile = source.profile
            with rasterio.open(quarter.parent / given[key]["href"]) as source:
                pixels = np.repeat(np.repeat(source.read(1), COARSE, axis=0), COARSE, axis=1)
            with rasterio.open(folder / asset["href"], "w", **profile, predictor=2, zlevel=1) as target:
                target.write(pixels, 1)
        item.write_text(json.dumps(record), encoding="utf-8")
    return item


def sentinel2_scene(size: int) -> Path:
    """The folder of a SAFE with JPEG 2000 bands."""
    return _made("sentinel2", size=size, pattern="*.SAFE")


def _made(kind: Any, *, size: int, pattern: str) -> Path:
    folder = BENCH / f"{kind}-{size}"
    done = folder / "done.json"
    if not done.is_file():
        from swath.simulator.simulate import simulate  # noqa: PLC0415 (the simulator's imports cost a second)

        scene = simulate(kind=kind, folder=folder, size=size, truth=False)
        done.write_text(json.dumps({"scene_id": scene.scene_id}))
    (found,) = sorted((folder / "scenes").glob(pattern))
    return found
