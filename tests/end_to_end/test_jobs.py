"""The jobs as spark-submit starts them: with a zip of lib/, and in a Python that has nothing but the wheel."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shapely

from swath.grid import Grid
from swath.inference.registry import Registry
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate
from swath.spark.start.archive import reading_options
from swath.spark.start.jars import spark_home
from swath.spark.start.java import find_java
from swath.spark.start.settings import properties, settings_for, with_java_options

pytestmark = [pytest.mark.spark, pytest.mark.slow]
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


@dataclass(frozen=True, kw_only=True)
class Submit:
    """``spark-submit`` with the settings that set-up writes for this machine."""

    defaults: Path
    java: Path

    def __call__(self, job: str, *words: object, options: tuple[str, ...] = (), **variables: str) -> tuple[int, Any, str]:
        """Exit code, the JSON of the last line, and everything that was said."""
        command = [str(spark_home() / "bin" / "spark-submit"), "--master", "local[2,4]", *options]
        command += ["--properties-file", str(self.defaults), str(ROOT / "jobs" / job), *map(str, words)]
        own = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "SWATH_CONF", "MLFLOW_TRACKING_URI"}}
        done = subprocess.run(
            command, env={**own, "SPARK_HOME": str(spark_home()), "JAVA_HOME": str(self.java), **variables},
            cwd=self.defaults.parent, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        last = done.stdout.rstrip().rpartition("\n")[2]
        return done.returncode, json.loads(last) if last.startswith("{") else None, done.stdout + done.stderr


@pytest.fixture(scope="module")
def submit(java: None, tmp_path_factory: pytest.TempPathFactory) -> Submit:
    found = find_java()
    assert found is not None
    path = tmp_path_factory.mktemp("submit") / "spark-defaults.conf"
    path.write_text(properties(with_java_options(settings_for("local"), driver=reading_options(found))), encoding="utf-8")
    return Submit(defaults=path, java=found)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return simulate(kind="landsat9", folder=tmp_path_factory.mktemp("scene"), size=96, truth=False)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A zip of lib/."""
    return shutil.make_archive(str(tmp_path_factory.mktemp("zip") / "swath"), "zip", root_dir=ROOT / "lib")


@pytest.fixture(scope="module")
def processed(submit: Submit, archive: str, scene: SimulatedScene, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The output of jobs/process.py with a zip of lib/, and what it told."""
    home = tmp_path_factory.mktemp("processed")
    code, told, said = submit(
        "process.py", "toa", "--input", scene.delivery, "--output", home / "out", "--json",
        options=("--py-files", archive), PYSPARK_PYTHON=sys.executable,
    )  # fmt: skip
    assert code == 0, said[-3000:]
    return home / "out", told


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with the packages of this one and swath's wheel."""
    home = tmp_path_factory.mktemp("wheel")
    for name in ("lib", "conf", "models"):
        shutil.copytree(ROOT / name, home / "source" / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("setup.py", "pyproject.toml", "requirements.in", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, home / "source" / name)
    uv, python = str(Path(sys.executable).with_name("uv")), home / "env" / "bin" / "python"
    build = [uv, "build", "--quiet", "--offline", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "--out-dir", str(home), str(home / "source")], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "env")], check=True)
    (packages,) = home.glob("env/lib/python*/site-packages")
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(python)]
    subprocess.run([*install, *map(str, home.glob("swath-*.whl"))], check=True)
    # After the wheel: an installer that finds this Python's swath there takes it out.
    # A folder named in a .pth file is searched, but the .pth files in it are not read: no editable swath comes with it.
    (packages / "base.pth").write_text(str(Path(pytest.__file__).parents[1]), encoding="utf-8")
    found = subprocess.run([str(python), "-c", "import swath; print(swath.__file__)"], capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(packages))
    return str(python)


def test_process_with_a_zip_makes_the_product_and_prints_the_result_last(
    processed: tuple[Path, Any], scene: SimulatedScene
) -> None:
    output, told = processed
    assert (told["scenes_in"], told["made"], told["quarantined"]) == (1, 1, 0)
    assert [p["scene_id"] for p in told["products"]] == [scene.scene_id]
    assert (output / told["products"][0]["item"]).is_file()


def test_ingest_with_the_wheel_knows_the_scene_that_was_processed(
    submit: Submit, installed: str, processed: tuple[Path, Any], scene: SimulatedScene, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "LC09_L1TP_1_MTL.txt").write_text("", encoding="utf-8")
    words = ("--input", scene.delivery, "--input", broken, "--output", processed[0], "--json")
    code, told, said = submit("ingest.py", *words, PYSPARK_PYTHON=installed)
    assert code == 3, said[-3000:]
    assert [told[n] for n in ("scenes_in", "added", "known", "duplicate", "quarantined")] == [2, 0, 1, 0, 1]


def _labels(path: Path, grid: Grid) -> Path:
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


@pytest.mark.parametrize("code", ["zip", pytest.param("wheel", marks=pytest.mark.long)])
def test_train_registers_a_model_and_answers_in_json(
    submit: Submit, code: str, scene: SimulatedScene, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wheel = code == "wheel"
    python = request.getfixturevalue("installed") if wheel else sys.executable
    options = () if wheel else ("--py-files", request.getfixturevalue("archive"))
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    ended, told, said = submit(
        "train.py", "--input", scene.delivery, "--polygons", _labels(tmp_path / "labels.geojson", scene.grid),
        "--recipe", tmp_path / "recipe.yaml", "--output", tmp_path / "out", options=options, PYSPARK_PYTHON=python,
    )  # fmt: skip
    assert ended == 0, said[-3000:]
    assert (told["name"], told["version"], told["aliases"]) == ("corners", "1", ["production"])
    pinned = Registry.beside(tmp_path / "out", uri=f"sqlite:///{tmp_path}/out/models/mlflow.db").resolve("corners@production")
    assert pinned.digest == told["digest"]
    assert pinned.manifest.training["samples_by_class"] == {"north": 128, "south": 128}
    if not wheel:
        (file,) = (tmp_path / "out" / "reports").glob("*.openlineage.jsonl")
        start, complete = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        assert (start["eventType"], complete["eventType"], complete["job"]["name"]) == ("START", "COMPLETE", "train.corners")
        assert pinned.manifest.training["samples_sha256"] in json.dumps(complete["inputs"])
        assert pinned.digest in json.dumps(complete)


def test_train_refuses_a_wrong_recipe_with_2_before_spark_starts(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE + "trees: 5\n", encoding="utf-8")
    words = ["--input", "nowhere", "--polygons", "none.geojson", "--recipe", str(tmp_path / "recipe.yaml")]
    command = [sys.executable, str(ROOT / "jobs" / "train.py"), *words, "--output", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=240)
    assert done.returncode == 2
    assert "recipe.yaml: recipe: unknown key 'trees'" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_maintain_with_a_zip_tidies_what_process_left(
    submit: Submit, archive: str, processed: tuple[Path, Any], tmp_path: Path
) -> None:
    output = Path(shutil.copytree(processed[0], tmp_path / "out"))
    words = (output, "--json")
    code, told, said = submit("maintain.py", *words, options=("--py-files", archive), PYSPARK_PYTHON=sys.executable)
    assert code == 0, said[-3000:]
    assert (told["unnamed"], told["scratch"], {"products", "runs"} <= set(told["tables"])) == ([], [], True)
