"""Simulated scenes, made once and kept under bench/."""

import json
from pathlib import Path
from typing import Any

from benchmarks.tree import ROOT

BENCH = ROOT / "bench"


def stac_scene(size: int) -> Path:
    """The STAC item of a scene of four GeoTIFF bands (DEFLATE level 1), ``size`` pixels a side."""
    return _made("stac", size=size, pattern="*/*.json")


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
