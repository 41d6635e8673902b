"""The chain as a good engineer writes it without a system: two processes, rasterio, NumPy, GDAL's COG driver.

``python -m benchmarks.bare CONSTANTS OUTPUT float32|float64``. Strips of 2048 rows, read with two rows more on each side; all
arithmetic in whole arrays, in float32 (in float64 it gives exactly swath's pixels); results go to raw files that both
processes share in memory; then GDAL's COG driver makes a file of each, at the DEFLATE levels that swath uses.
No statistics, no digests, no pictures, no records: only pixels.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window

from benchmarks.tree import next_phase

ROWS = 2048
HALO = 2
NODATA, CLASS_NODATA = -9999, 255
COG = {"driver": "COG", "blocksize": 512, "compress": "DEFLATE", "bigtiff": "IF_SAFER", "num_threads": 1}
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What every process knows."""

    constants: dict[str, Any]
    output: str
    dtype: str

    def raw(self, name: str) -> Array:
        """The shared raw file of one output."""
        size, dtype = self.constants["size"], np.uint8 if name == "classes" else np.int16
        return np.memmap(f"{self.output}/{name}.img", dtype=dtype, mode="r+", shape=(size, size))


def reflectance(dn: Array, band: dict[str, Any], dtype: str) -> Array:
    """DN to surface reflectance, NaN where invalid."""
    toa = dn.astype(dtype)
    toa *= band["gain"]
    toa += band["offset"]
    toa /= band["sine"]
    toa -= band["path"]
    toa /= band["transmission"] + toa * band["albedo"]
    toa[dn == band["nodata"]] = np.nan
    return toa


def counts(reflectances: Array) -> Array:
    """Reflectance to int16 counts."""
    scaled = np.rint(reflectances / 1e-4)
    invalid = np.isnan(scaled)
    np.clip(scaled, -9998, 32767, out=scaled)
    scaled[invalid] = NODATA
    return scaled.astype(np.int16)


def box(values: Array) -> Array:
    """Sums over 5 x 5 pixels, of an array padded by two."""
    height, width = values.shape[0] - 4, values.shape[1] - 4
    columns = values[:height] + values[1 : 1 + height]
    for shift in range(2, 5):
        columns += values[shift : shift + height]
    total: Array = columns[:, :width] + columns[:, 1 : 1 + width]
    for shift in range(2, 5):
        total += columns[:, shift : shift + width]
    return total


def classes(red: Array, nir: Array, thresholds: list[float]) -> Array:
    """Filtered NDVI of arrays padded by two, cut into classes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = nir + red
        index = np.clip((nir - red) / np.where(total > 0, total, np.nan), -1, 1)
        valid = ~np.isnan(index)
        mean = box(index) / 25 if valid.all() else box(np.where(valid, index, 0)) / box(valid.astype(np.uint8))
        found = np.zeros(mean.shape, dtype=np.uint8)
        for threshold in thresholds:
            found += mean >= threshold
    found[~valid[2:-2, 2:-2]] = CLASS_NODATA
    return found


def strip(row: int, job: Job) -> dict[str, float]:
    """Read, compute and store one strip of all outputs; CPU seconds by stage."""
    constants, size = job.constants, job.constants["size"]
    rows = min(ROWS, size - row)
    above, below = min(HALO, row), min(HALO, size - row - rows)
    clock, seconds = process_time(), {}
    halo: dict[str, Array] = {}
    for name, band in constants["bands"].items():
        with rasterio.open(band["href"]) as source:
            dn = source.read(1, window=Window(0, row - above, size, above + rows + below))
        seconds["read"] = seconds.get("read", 0.0) + process_time() - clock
        clock = process_time()
        sr = reflectance(dn, band, job.dtype)
        job.raw(name)[row : row + rows] = counts(sr[above : above + rows])
        if name in {"red", "nir"}:
            margins = ((HALO - above, HALO - below), (HALO, HALO))
            halo[name] = np.pad(sr, margins, constant_values=np.nan)
        seconds["compute"] = seconds.get("compute", 0.0) + process_time() - clock
        clock = process_time()
    job.raw("classes")[row : row + rows] = classes(halo["red"], halo["nir"], constants["thresholds"])
    seconds["compute"] += process_time() - clock
    return seconds


def cog(name: str, output: str) -> dict[str, float]:
    """One file by GDAL's COG driver."""
    clock = process_time()
    if name == "classes":
        options = {**COG, "level": 6, "predictor": "NO", "overview_resampling": "MODE"}
    else:
        options = {**COG, "level": 1, "predictor": "YES", "overview_resampling": "AVERAGE"}
    copy_raster(f"{output}/{name}.img", f"{output}/{name}.tif", **options)
    Path(f"{output}/{name}.img").unlink()
    return {"cog": process_time() - clock}


def prepare(name: str, output: str, constants: dict[str, Any]) -> None:
    """An empty raw file with a header that GDAL understands (ENVI)."""
    with rasterio.open(next(iter(constants["bands"].values()))["href"]) as source:
        profile = {"crs": source.crs, "transform": source.transform, "height": source.height, "width": source.width}
    kind = ("uint8", CLASS_NODATA) if name == "classes" else ("int16", NODATA)
    with rasterio.open(f"{output}/{name}.img", "w", driver="ENVI", count=1, dtype=kind[0], nodata=kind[1], **profile):
        pass


def main(path: str, output: str, dtype: str) -> None:
    """Run all, print seconds by stage as JSON."""
    constants = json.loads(Path(path).read_text())
    next_phase("chain")
    names = [*constants["bands"], "classes"]
    for name in names:
        prepare(name, output, constants)
    seconds: dict[str, float] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        starts = range(0, constants["size"], ROWS)
        told = list(pool.map(strip, starts, repeat(Job(constants, output, dtype))))
        told += pool.map(cog, names, repeat(output))
    for stages in told:
        for stage, spent in stages.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
    print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
