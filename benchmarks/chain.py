"""The chain of issue 3: read, calibrate, SMAC, 5 x 5 NDVI, classes, five COGs; swath against a bare loop."""

import json
import shutil
from dataclasses import dataclass, field
from math import radians, sin
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rasterio

from benchmarks.scenes import BENCH, stac_scene
from benchmarks.tree import Watched, watch

THRESHOLDS = (0.0, 0.2, 0.5)
#: Scene of the run that does everything for the first time.
SMALL = 512
#: Of 10,000 pixels, how many float32 may round to the next count, and class maps may see otherwise at odd overview levels.
CLOSE = 20.0


@dataclass(slots=True)
class Runs:
    """What was measured, run by run."""

    size: int
    bare: list[Watched] = field(default_factory=list)
    ours: list[Watched] = field(default_factory=list)

    def cpu(self, side: str, phase: str = "chain") -> float:
        """Median CPU seconds of a phase."""
        return median(w.phases[phase].cpu.total_s for w in getattr(self, side))

    @property
    def ratios(self) -> list[float]:
        """Ours / bare, of neighbouring runs."""
        pairs = zip(self.ours, self.bare, strict=True)
        return sorted(o.phases["chain"].cpu.total_s / b.phases["chain"].cpu.total_s for o, b in pairs)


def measure(size: int, *, repeats: int, master: str = "local[2,4]") -> Runs:
    """Run both in turns, and see that they wrote the same pixels."""
    item, small = stac_scene(size), stac_scene(SMALL)
    constants = BENCH / f"constants-{size}.json"
    constants.write_text(json.dumps(constants_of(item, size=size)))
    runs = Runs(size)
    exact = _folder("exact")
    watch(["benchmarks.bare", str(constants), str(exact), "float64"])
    for number in range(repeats):
        bare, ours = _folder("bare"), _folder("ours")
        for side in ("bare", "ours") if number % 2 == 0 else ("ours", "bare"):
            if side == "bare":
                runs.bare.append(watch(["benchmarks.bare", str(constants), str(bare), "float32"]))
            else:
                runs.ours.append(watch(["benchmarks.ours", master, str(small), str(item), str(ours)]))
        # The same command writes the same pixels: looked at once.
        files = json.loads(runs.ours[-1].said)["files"] if number == 0 else {}
        for name, path in files.items():
            compare(path, exact / f"{name}.tif", exactly=True)
            compare(path, bare / f"{name}.tif", exactly=False)
    for name in ("bare", "ours", "exact"):
        shutil.rmtree(BENCH / name)
    return runs


def _folder(name: str) -> Path:
    folder = BENCH / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def constants_of(item: Path, *, size: int) -> dict[str, Any]:
    """What a good engineer would have looked up: calibration and the atmosphere's terms of each band."""
    from swath.algo.atmosphere import Atmosphere, smac_terms  # noqa: PLC0415
    from swath.algo.smac_table import smac_sensor  # noqa: PLC0415
    from swath.readers.registry import read_scene  # noqa: PLC0415

    scene = read_scene(str(item))
    angles, air = scene.angles, Atmosphere(**dict(scene.atmosphere))
    bands = {}
    for name, asset in scene.assets.items():
        terms = smac_terms(
            smac_sensor(scene.platform).bands[name],
            sun_zenith_deg=90.0 - angles.sun_elevation_deg,
            view_zenith_deg=angles.view_zenith_deg,
            relative_azimuth_deg=angles.sun_azimuth_deg - angles.view_azimuth_deg,
            atmosphere=air,
        )
        calibration: Any = asset.calibration
        bands[name] = {
            "href": asset.href, "nodata": asset.nodata, "gain": calibration.gain, "offset": calibration.offset,
            "sine": 1.0 if calibration.sun_normalised else sin(radians(angles.sun_elevation_deg)),
            "path": float(terms.path_reflectance), "transmission": float(terms.transmission), "albedo": terms.spherical_albedo,
        }  # fmt: skip
    return {"size": size, "bands": bands, "thresholds": THRESHOLDS}


def compare(ours: str | Path, theirs: str | Path, *, exactly: bool) -> None:
    """See that two files hold the same pixels at all levels.

    Exactly: no pixel of full resolution, and no overview pixel of a continuous band, may differ. GDAL's MODE counts in its own
    order at odd levels, so class overviews may differ in ``CLOSE`` of 10,000 pixels. Otherwise (float32 arithmetic) that many
    may differ anywhere, continuous ones by one count.
    """
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        assert a.overviews(1) == b.overviews(1), (a.overviews(1), b.overviews(1))
        levels = [None, *range(len(a.overviews(1)))]
        continuous = a.dtypes[0] == "int16"
    for level in levels:
        opened = {} if level is None else {"overview_level": level}
        with rasterio.open(ours, **opened) as a, rasterio.open(theirs, **opened) as b:
            mine, other = a.read(1), b.read(1)
        different = mine != other
        if exactly and (continuous or level is None):
            assert not different.any(), f"{ours}: {different.sum()} pixels differ at level {level}"
            continue
        share = 10_000 * different.mean()
        assert share <= CLOSE or different.sum() <= 3, f"{ours}: {share:.2f} of 10,000 pixels differ at level {level}"
        if continuous and different.any():
            apart = np.abs(mine[different].astype(np.int32) - other[different])
            assert apart.max() <= 1, f"{ours}: {apart.max()} counts apart at level {level}"


def table(runs: Runs) -> str:
    """Ratios, CPU and memory, as Markdown."""
    low, middle, high = runs.ratios[0], median(runs.ratios), runs.ratios[-1]
    fixed = runs.cpu("ours", "again") / runs.cpu("bare")
    head = (
        f"Scene of {runs.size} x {runs.size} x 4, {len(runs.ours)} interleaved runs: **swath / bare loop = {middle:.2f}** "
        f"({low:.2f} to {high:.2f}), session start apart; {middle - fixed:.2f} without what any run costs. Pixels equal."
    )
    lines = [
        head,
        "",
        "| | CPU s | of bare loop | peak MB beside the JVM | JVM MB |",
        "|---|---|---|---|---|",
    ]
    whole = runs.cpu("bare")
    rows = (("bare loop", "bare", "chain"), ("swath, the scene", "ours", "chain"), ("swath, session start", "ours", "start"),
            (f"swath, a first scene of {SMALL} x {SMALL}", "ours", "first"),
            (f"swath, a run of a scene of {SMALL} x {SMALL} in a warm session", "ours", "again"))  # fmt: skip
    for title, side, phase in rows:
        found = [w.phases[phase] for w in getattr(runs, side)]
        cpu = median(p.cpu.total_s for p in found)
        memory, java = median(p.peak.other_mb for p in found), median(p.peak.java_mb for p in found)
        lines.append(f"| {title} | {cpu:.1f} | {cpu / whole:.2f} | {memory:.0f} | {java:.0f} |")
    lines += ["", "| stage | CPU s | of bare loop |", "|---|---|---|"]
    lines += [f"| {name} | {spent:.2f} | {spent / whole:.3f} |" for name, spent in _stages(runs)]
    return "\n".join(lines)


def _stages(runs: Runs) -> list[tuple[str, float]]:
    """Of both sides, by stage."""
    told = [json.loads(w.said) for w in runs.bare]
    stages = [(f"bare: {name}", median(t[name] for t in told)) for name in told[0]]
    ours = [json.loads(w.said)["seconds"] for w in runs.ours]
    stages += [(f"swath: {name}", median(t[name] for t in ours)) for name in ours[0]]
    java = median(w.phases["chain"].cpu.java_s for w in runs.ours)
    workers = median(w.phases["chain"].cpu.other_s - sum(t.values()) for w, t in zip(runs.ours, ours, strict=True))
    return [*stages, ("swath: driver and workers' Python", workers), ("swath: JVM", java)]
