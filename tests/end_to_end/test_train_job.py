"""jobs/train.py as a user starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import shapely

from swath.errors import ConfigError
from swath.grid import Grid
from swath.inference.registry import Registry
from swath.simulator.simulate import simulate
from swath.spark.jars import delta_class_path
from swath.spark.java import HOW_TO_GET, find_java

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """
name: corners
title: Corners
licence: Apache-2.0
features: {of: toa, bands: [blue, red, nir08]}
forest: {trees: 3, leaves: 4, min_leaf_px: 5}
splits: 1
classes:
  - {value: 1, name: north, title: North}
  - {value: 2, name: south, title: South}
"""


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, str(ROOT / "jobs" / "train.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=240)


def labels(path: Path, grid: Grid) -> Path:
    """Four squares of 8 x 8 pixels, two in the north and two in the south."""
    left, _, _, top = grid.bounds
    squares = [(label, x, y) for label, y in (("north", 300), ("south", 2100)) for x in (300, 1800)]
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"class": label},
            "geometry": shapely.geometry.mapping(shapely.box(left + x, top - y - 240, left + x + 240, top - y)),
        }
        for label, x, y in squares
    ]
    crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{grid.crs.removeprefix('EPSG:')}"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
    return path


@pytest.mark.spark
@pytest.mark.slow
def test_the_job_trains_registers_and_answers_in_json(tmp_path: Path) -> None:
    if find_java() is None:
        pytest.skip(HOW_TO_GET)
    try:
        delta_class_path()
    except ConfigError as error:
        pytest.skip(str(error))
    scene = simulate(kind="landsat9", folder=tmp_path, size=96, truth=False)
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    done = start(
        "--input", str(scene.delivery), "--polygons", str(labels(tmp_path / "labels.geojson", scene.grid)),
        "--recipe", str(tmp_path / "recipe.yaml"), "--output", str(tmp_path / "out"), "--master", "local[1,4]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["name"], answer["version"], answer["aliases"]) == ("corners", "1", ["production"])
    pinned = Registry.beside(tmp_path / "out", uri=f"sqlite:///{tmp_path}/out/models/mlflow.db").resolve("corners@production")
    assert pinned.digest == answer["digest"]
    assert pinned.manifest.training["samples_by_class"] == {"north": 128, "south": 128}


def test_a_wrong_recipe_is_exit_code_2_before_spark_starts(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE + "trees: 5\n", encoding="utf-8")
    done = start(
        "--input", "nowhere", "--polygons", "none.geojson", "--recipe", str(tmp_path / "recipe.yaml"),
        "--output", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode == 2
    assert "recipe.yaml: recipe: unknown key 'trees'" in done.stderr
    assert not (tmp_path / "out").exists()
