"""Many small scenes in one run: swath against a bare loop, CPU seconds for each scene.

``measure(size, repeats)`` prints the table, ``second_run`` that of 50 large scenes;
``python -m benchmarks.small bare|ours ...`` are the two sides that it watches.

* **bare**: two processes, each takes scene after scene: four bands read whole, the chain of ``benchmarks.bare`` in float32, five
  files by GDAL's COG driver from memory. No statistics, digests, pictures or records.
* **ours**: ``swath run`` over the folder, in a session that has made one scene before; then the same run once more, which
  makes nothing.
"""

import json
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rasterio

from benchmarks.bare import CLASS_NODATA, COG, HALO, NODATA, classes, counts, reflectance
from benchmarks.chain import compare, constants_of
from benchmarks.scenes import BENCH, coarse_scene, stac_scene
from benchmarks.tree import Watched, next_phase, watch

SCENES = 200
#: And of full scenes, run by run; the last run is made again.
LARGE_SCENES = (1, 10, 50)
#: Scenes of a month, so that the catalogue has days.
_DAYS = 28
_MASTER = "local[2,4]"


def measure(size: int, repeats: int) -> str:
    """Both sides in turns; the table as Markdown."""
    folder = _scenes(stac_scene(size), count=SCENES)
    constants = BENCH / f"constants-many-{size}.json"
    constants.write_text(json.dumps(constants_of(stac_scene(size), size=size)))
    bare, ours = list[Watched](), list[Watched]()
    out = BENCH / "many-out"
    for number in range(repeats):
        for side in ("bare", "ours") if number % 2 == 0 else ("ours", "bare"):
            shutil.rmtree(out / side, ignore_errors=True)
            (out / side).mkdir(parents=True)
            if side == "bare":
                bare.append(watch(["benchmarks.small", "bare", str(folder), str(constants), str(out / side)]))
            else:
                ours.append(watch(["benchmarks.small", "ours", str(folder), str(stac_scene(size)), str(out / side)]))
        _compare(out, made=json.loads(ours[-1].said))
    shutil.rmtree(out)
    return _table(bare, ours, size=size)


def _scenes(item: Path, *, count: int) -> Path:
    """A folder of scenes: names, days and records of their own, pixels of one."""
    folder = BENCH / f"many-{count}-{item.parent.parent.name}-{item.stem}"
    record = json.loads(item.read_text(encoding="utf-8"))
    for number in range(count):
        name = f"{record['id']}-{number:03d}"
        own = folder / name
        if (own / f"{name}.json").is_file():
            continue
        own.mkdir(parents=True, exist_ok=True)
        moment = f"2024-08-{number % _DAYS + 1:02d}T10:20:31Z"
        assets = {key: {**asset, "href": f"./{key}.tif"} for key, asset in record["assets"].items()}
        for key, asset in record["assets"].items():
            (own / f"{key}.tif").hardlink_to(item.parent / asset["href"])
        told = {**record, "id": name, "assets": assets, "properties": {**record["properties"], "datetime": moment}}
        (own / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def _compare(out: Path, *, made: dict[str, Any]) -> None:
    """See that two scenes have the same pixels on both sides: the first and the last of those that a run keeps at hand."""
    assert len(made["files"]) > 1
    for name in (min(made["files"]), max(made["files"])):
        for asset, path in made["files"][name].items():
            compare(path, out / "bare" / name / f"{asset}.tif", exactly=False)


def _table(bare: list[Watched], ours: list[Watched], *, size: int) -> str:
    whole = median(w.phases["many"].cpu.total_s for w in bare)
    lines = [
        f"{SCENES} scenes of {size} x {size} x 4 in one run, {len(ours)} interleaved runs. Pixels equal.",
        "",
        "| | CPU s | CPU s a scene | above the bare loop, a scene | peak MB beside the JVM | JVM MB |",
        "|---|---|---|---|---|---|",
    ]
    rows = (("bare loop", bare, "many"), ("swath", ours, "many"), ("swath again: nothing to do", ours, "again"),
            ("session start", ours, "start"), ("a first scene", ours, "first"))  # fmt: skip
    for title, runs, phase in rows:
        cpu = median(w.phases[phase].cpu.total_s for w in runs)
        memory = median(w.phases[phase].peak.other_mb for w in runs), median(w.phases[phase].peak.java_mb for w in runs)
        each = f"{cpu / SCENES:.3f} | {(cpu - whole) / SCENES:.3f}" if phase in {"many", "again"} else " | "
        lines.append(f"| {title} | {cpu:.1f} | {each} | {memory[0]:.0f} | {memory[1]:.0f} |")
    return "\n".join(lines)


def second_run(size: int, repeats: int) -> str:
    """Runs over full scenes, more and more; and the last of them again, which finds everything made."""
    out = BENCH / "many-out"
    runs: dict[int, list[Watched]] = {}
    for _ in range(repeats):
        for count in LARGE_SCENES:
            folder = _scenes(coarse_scene(size), count=count)
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            runs.setdefault(count, []).append(watch(["benchmarks.small", "ours", str(folder), str(stac_scene(512)), str(out)]))
    shutil.rmtree(out)
    lines = [
        f"Scenes of {size} x {size} x 4 with coarse pixels in one run, session start apart.",
        "",
        "| | CPU s | of the first run | wall s | peak MB beside the JVM | JVM MB |",
        "|---|---|---|---|---|---|",
    ]
    phases = [(count, "many") for count in LARGE_SCENES] + [(LARGE_SCENES[-1], "again")]
    first = median(w.phases["many"].cpu.total_s for w in runs[LARGE_SCENES[-1]])
    for count, phase in phases:
        found = [w.phases[phase] for w in runs[count]]
        cpu, wall = median(p.cpu.total_s for p in found), median(p.wall_s for p in found)
        memory = median(p.peak.other_mb for p in found), median(p.peak.java_mb for p in found)
        title = f"{count} scenes" if phase == "many" else f"{count} scenes, second run"
        share = f"{cpu / first:.4f}" if count == LARGE_SCENES[-1] else ""
        lines.append(f"| {title} | {cpu:.1f} | {share} | {wall:.0f} | {memory[0]:.0f} | {memory[1]:.0f} |")
    return "\n".join(lines)


def bare(folder: str, constants: str, output: str) -> None:
    """The bare loop."""
    told = json.loads(Path(constants).read_text())
    scenes = sorted(p.name for p in Path(folder).iterdir())
    next_phase("many")
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        done = list(pool.map(partial(_bare_scene, folder=folder, constants=told, output=output), scenes))
    print(json.dumps({"scenes": len(done)}), flush=True)


def _bare_scene(name: str, *, folder: str, constants: dict[str, Any], output: str) -> None:
    """One scene, whole."""
    made: dict[str, Any] = {}
    halo: dict[str, Any] = {}
    profile: dict[str, Any] = {}
    for band, told in constants["bands"].items():
        with rasterio.open(f"{folder}/{name}/{band}.tif") as source:
            dn = source.read(1)
            profile = {"crs": source.crs, "transform": source.transform, "height": source.height, "width": source.width}
        sr = reflectance(dn, told, "float32")
        made[band] = counts(sr)
        if band in {"red", "nir"}:
            halo[band] = np.pad(sr, HALO, constant_values=np.nan)
    made["classes"] = classes(halo["red"], halo["nir"], constants["thresholds"])
    Path(f"{output}/{name}").mkdir()
    for asset, pixels in made.items():
        options = {**COG, "level": 6, "predictor": "NO", "overview_resampling": "MODE"}
        if asset != "classes":
            options = {**COG, "level": 1, "predictor": "YES", "overview_resampling": "AVERAGE"}
        nodata = CLASS_NODATA if asset == "classes" else NODATA
        target = f"{output}/{name}/{asset}.tif"
        with rasterio.open(target, "w", count=1, dtype=pixels.dtype, nodata=nodata, **profile, **options) as file:
            file.write(pixels, 1)


def ours(folder: str, small: str, output: str) -> None:
    """The run."""
    count = len(list(Path(folder).iterdir()))
    from benchmarks.ours import run, start  # noqa: PLC0415 (its imports are part of the start)

    next_phase("start")
    spark, stop = start(_MASTER)
    next_phase("first")
    run(spark, small, f"{output}/first")
    next_phase("many")
    outcome = run(spark, folder, f"{output}/many")
    assert outcome.account.scenes.made == count, outcome.lost
    next_phase("again")
    assert run(spark, folder, f"{output}/many").account.scenes.skipped == count
    next_phase("stop")
    stop(spark)
    files = {}
    for work in outcome.made:
        made = work.finished()
        home = Path(output) / "many" / Path(made.published.item).parent
        files[work.row["scene_id"]] = {r.name: str(home / r.href) for r in made.records}
    print(json.dumps({"files": files}), flush=True)


if __name__ == "__main__":
    {"bare": bare, "ours": ours}[sys.argv[1]](*sys.argv[2:])
