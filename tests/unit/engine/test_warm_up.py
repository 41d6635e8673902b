"""Warming up: afterwards the shipped pipelines find all their machine code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from swath.config import load_pipeline, prepare
from swath.inference.registry import Registry

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted(p.stem for p in (ROOT / "conf" / "pipelines").glob("*.yaml"))


def _prepared(name: str, *, model: Path, folder: Path) -> str:
    """A shipped pipeline with a model of this machine, as ``warm_host`` takes it."""
    told = yaml.safe_load((ROOT / "conf" / "pipelines" / f"{name}.yaml").read_text(encoding="utf-8"))
    told["steps"] = [{"landcover": {"model": str(model)}} if "landcover" in step else step for step in told["steps"]]
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    ready = prepare(load_pipeline(str(folder / f"{name}.yaml")), registry=Registry.beside(folder))
    return json.dumps({"pipeline": dict(ready.plain), "models": dict(ready.models)})


def test_after_warming_up_nothing_is_compiled_for_a_shipped_pipeline(
    small_model: Path, tall_scene: Callable[..., Path], tmp_path: Path
) -> None:
    # Overviews halve oddly and evenly.
    landsat, sentinel = tall_scene("landsat9", side=87, copies=7), tall_scene("sentinel2", side=90, copies=6)
    made = [*((name, landsat) for name in SHIPPED), ("ard", sentinel)]
    pairs = [(_prepared(name, model=small_model, folder=tmp_path), str(delivery)) for name, delivery in made]
    command = [sys.executable, "-m", "tests.unit.engine.warm_host", str(tmp_path), *(word for pair in pairs for word in pair)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
