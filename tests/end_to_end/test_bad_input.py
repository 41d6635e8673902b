"""One run over many broken scenes and a good one: each broken scene is told alone, the good one is made.

The run is a process of its own (``python -m swath.cli run --json``), with a plug-in reader that dies, hangs and devours
memory; so the contract of stdout and of the exit code is seen here too.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

import swath
from swath.simulator.damage import copied, truncate
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate

pytestmark = [pytest.mark.spark, pytest.mark.slow]

GOOD = "LC09_L1TP_193022_20240805_20240806_02_T1"
SECONDS, MEMORY_MB = 10, 700

PLUGIN = """
import ctypes, signal
from pathlib import Path


class Hostile:
    def recognises(self, href):
        return Path(href).name.startswith("hostile-")

    def read_scene(self, href):
        kind = Path(href).name.removeprefix("hostile-")
        if kind == "crash":
            ctypes.string_at(0)
        if kind == "hang":
            signal.pause()
        held = []
        while True:
            held.append(bytearray(b"x") * (32 << 20))


reader = Hostile()
"""


def write_plugin(folder: Path) -> None:
    """A distribution as pip leaves it: a module, and its entry point."""
    record = folder / "hostile-1.0.dist-info"
    record.mkdir(parents=True)
    (folder / "hostile_reader.py").write_text(PLUGIN, encoding="utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text("[swath.readers]\nhostile = hostile_reader:reader\n", encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A scene broken on purpose, and what must be told of it."""

    name: str
    spoil: Callable[[SimulatedScene], Any]
    of: str = "landsat"
    error: str
    told: str


def edit(scene: SimulatedScene, old: str, new: str) -> None:
    """Replace text in the metadata, which must have it."""
    text = scene.metadata.read_text(encoding="utf-8")
    assert old in text
    scene.metadata.write_text(text.replace(old, new), encoding="utf-8")


def set_field(scene: SimulatedScene, key: str, value: str) -> None:
    """Give an MTL field another value; the other spellings of the MTL go."""
    for other in (scene.metadata.with_suffix(".json"), scene.metadata.with_suffix(".xml")):
        other.unlink(missing_ok=True)
    lines = scene.metadata.read_text(encoding="utf-8").splitlines()
    found = [n for n, line in enumerate(lines) if line.strip().startswith(f"{key} =")]
    assert found
    for n in found:
        lines[n] = f"    {key} = {value}"
    scene.metadata.write_text("\n".join(lines) + "\n", encoding="utf-8")


def only_text(scene: SimulatedScene) -> Path:
    """The MTL, without its other spellings."""
    for other in (scene.metadata.with_suffix(".json"), scene.metadata.with_suffix(".xml")):
        other.unlink(missing_ok=True)
    return scene.metadata


def rewrite(scene: SimulatedScene, *, band: str = "red", **changes: Any) -> None:
    """Write a band anew with another profile."""
    path = scene.rasters[band]
    with rasterio.open(path) as source:
        values, profile = source.read(1), {**source.profile, **changes}
    with rasterio.open(path, "w", **profile) as target:
        target.write(values[: profile["height"], : profile["width"]].astype(profile["dtype"]), 1)


def computed_reflectance(scene: SimulatedScene) -> None:
    path = scene.rasters["red"]
    with rasterio.open(path) as source:
        values, profile = source.read(1), {**source.profile, "dtype": "float32", "predictor": 1}
    with rasterio.open(path, "w", **profile) as target:
        target.write((values * 2e-5 - 0.1).astype("float32"), 1)


def without_crs(scene: SimulatedScene) -> None:
    for band in scene.rasters:
        rewrite(scene, band=band, crs=None)


def huge_metadata(scene: SimulatedScene) -> None:
    with only_text(scene).open("r+b") as file:
        file.truncate(100 << 20)


def cyclic_metadata(scene: SimulatedScene) -> None:
    path = only_text(scene)
    path.unlink()
    path.symlink_to(path.name)


def entities(scene: SimulatedScene) -> None:
    edit(scene, "?>", '?>\n<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>')


def no_metadata(scene: SimulatedScene) -> None:
    only_text(scene).unlink()


BROKEN = (
    Broken(name="B01", spoil=truncate, error="read", told="truncated"),
    Broken(name="S01", of="sentinel", spoil=lambda s: truncate(s, band="red"), error="read", told=""),
    Broken(name="B02", spoil=lambda s: s.rasters["red"].write_bytes(b""), error="read", told="empty"),
    Broken(name="B03", spoil=lambda s: s.rasters["red"].unlink(), error="missing-band", told="red"),
    Broken(name="B04", spoil=no_metadata, error="metadata", told="metadata"),
    Broken(name="B05", spoil=lambda s: only_text(s).write_bytes(b""), error="metadata", told="empty"),
    Broken(name="B06", spoil=cyclic_metadata, error="metadata", told=""),
    Broken(name="B07", spoil=huge_metadata, error="metadata", told="bytes"),
    Broken(name="S02", of="sentinel", spoil=entities, error="metadata", told="entit"),
    Broken(name="B08", spoil=lambda s: set_field(s, "SUN_ELEVATION", "-5.5"), error="geometry", told="the sun is not above"),
    Broken(name="B09", spoil=lambda s: set_field(s, "SUN_AZIMUTH", "NaN"), error="geometry", told="not a number"),
    Broken(name="B10", spoil=lambda s: rewrite(s, height=50), error="geometry", told="extent"),
    Broken(name="B11", spoil=computed_reflectance, error="read", told="float32"),
    Broken(name="B12", spoil=without_crs, error="geometry", told="coordinate"),
)
HOSTILE = {"crash": ("crash", "signal 11"), "hang": ("timeout", f"under {SECONDS} s"), "oom": ("oom", f"at most {MEMORY_MB} MiB")}
DARK = "B99"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What the process left."""

    code: int
    result: dict[str, Any]
    output: Path
    error: str

    def of(self, name: str) -> dict[str, Any]:
        """The entry of a broken scene."""
        (found,) = (q for q in self.result["quarantine"] if name in q["scene_id"])
        entry: dict[str, Any] = found
        return entry


def renamed(scene: SimulatedScene, *, name: str, folder: Path) -> SimulatedScene:
    """A copy under another identity: the processing date of Landsat, the tile of Sentinel-2."""
    rename = {"193022_20240805": f"{name}22_20240805"} if scene.scene_id.startswith("L") else {"T33UVV": f"T{name}VV"}
    return copied(scene, folder=folder, rename=rename)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of broken scenes, a dark one and a good one."""
    home = tmp_path_factory.mktemp("bad")
    originals = {
        "landsat": simulate(kind="landsat9", folder=home / "landsat", size=96, truth=False),
        "sentinel": simulate(kind="sentinel2", folder=home / "sentinel", size=96, truth=False),
    }
    scenes = home / "scenes"
    for broken in BROKEN:
        broken.spoil(renamed(originals[broken.of], name=broken.name, folder=scenes))
    dark = renamed(originals["landsat"], name=DARK, folder=scenes)
    for path in dark.rasters.values():
        with rasterio.open(path, "r+") as raster:
            raster.write(np.zeros((1, raster.height, raster.width), raster.dtypes[0]))
    shutil.copytree(originals["landsat"].delivery, scenes / originals["landsat"].delivery.name)
    for kind in HOSTILE:
        (scenes / f"hostile-{kind}").mkdir()
    # A link that leads back: whoever follows it never ends.
    (scenes / "loop").symlink_to(scenes)
    write_plugin(home / "plugin")
    return scenes


@pytest.fixture(scope="module")
def done(java: None, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    output = tmp_path_factory.mktemp("output")
    lib = Path(swath.__file__).parents[1]
    command = [sys.executable, "-m", "swath.cli", "run", "toa", "--input", str(folder), "--output", str(output), "--json"]
    command += ["--strip-seconds", str(SECONDS), "--worker-memory-mb", str(MEMORY_MB), "--master", "local[2,4]"]
    path = os.pathsep.join((str(lib), str(folder.parent / "plugin")))
    process = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=280, check=False
    )
    assert process.stdout, process.stderr[-3000:]
    return Done(
        code=process.returncode,
        result=json.loads(process.stdout.splitlines()[-1]),
        output=output,
        error=process.stderr,
    )


def test_the_good_scene_is_made_and_the_account_balances(done: Done) -> None:
    assert done.code == 3
    assert {p["scene_id"] for p in done.result["products"]} == {GOOD, GOOD.replace("193022", f"{DARK}22")}
    counts = (done.result["scenes_in"], done.result["made"], done.result["skipped"], done.result["quarantined"])
    assert counts == (len(BROKEN) + len(HOSTILE) + 2, 2, 0, len(BROKEN) + len(HOSTILE))
    assert done.result["balanced"]


def test_stdout_holds_the_result_alone_and_the_file_says_the_same(done: Done) -> None:
    kept = json.loads((done.output / "reports" / f"{done.result['run_id']}.json").read_text(encoding="utf-8"))
    kept.pop("detail")
    assert kept == done.result
    wanted = ("run_id", "pipeline", "scenes_in", "made", "skipped", "quarantined", "products", "quarantine", "report")
    assert set(wanted) <= set(done.result)
    assert (done.output / done.result["report"]).is_file()
    assert "quarantined" in done.error


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b.name + "-" + b.error)
def test_each_broken_scene_is_told_with_what_was_expected_found_and_to_do(done: Done, broken: Broken) -> None:
    entry = done.of(broken.name)
    message = entry["message"]
    assert entry["error"] == broken.error, message
    assert broken.told in message
    assert broken.name in message
    assert "expected " in message
    assert "got " in message
    assert message.rstrip().endswith(".")
    assert message.count(". ") >= 1, message


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_a_reader_that_dies_hangs_or_devours_memory_costs_its_scene_alone(done: Done, kind: str) -> None:
    entry = done.of(f"hostile-{kind}")
    error, told = HOSTILE[kind]
    assert entry["error"] == error
    assert told in entry["message"]
    assert f"hostile-{kind}" in entry["message"]
    assert "expected " in entry["message"]


def test_a_scene_without_data_is_made_and_marked(done: Done) -> None:
    (dark,) = (p for p in done.result["products"] if DARK in p["scene_id"])
    assert dark["valid_percent"] == 0.0
    with rasterio.open(done.output / dark["assets"]["red"]) as source:
        assert (source.read(1) == source.nodata).all()
    with rasterio.open(done.output / dark["assets"]["qa"]) as source:
        assert (source.read(1) & 1 == 1).all()
    item = json.loads((done.output / dark["item"]).read_text(encoding="utf-8"))
    assert item["assets"]["red"]["statistics"]["valid_percent"] == 0.0


def test_nothing_of_a_broken_scene_is_visible(done: Done) -> None:
    seen = {p.name for p in done.output.glob("products/*/*/*/*/*")}
    assert seen == {f"{p['scene_id']}.toa" for p in done.result["products"]}
