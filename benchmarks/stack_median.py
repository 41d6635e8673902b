"""The median of 40 cloudy dates: swath against odc-stac with xarray and dask, CPU seconds and memory.

``python -m benchmarks --only stack`` prints the table; ``python -m benchmarks.stack_median ours|odc FOLDER OUTPUT`` are the two sides that
it watches. Both read the same Level-2 items (four bands of 16 bits and a scene classification), leave out cloud, take the median of
each band, and write one GeoTIFF a band.

* **odc**: ``odc.stac.load`` in chunks of 1024 x 1024, ``where``, ``median("time")``, written through GDAL; two threads.
* **ours**: strips of 1024 rows of one composite in two processes, as two workers make them, and its files. It also
  makes ``count``, ``date`` and ``source``, overviews and statistics, which the other side does not.
"""

import json
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from benchmarks.scenes import BENCH
from benchmarks.tree import Peak, Watched, next_phase, watch

DATES, DIFFERENT = 40, 8
BANDS = {"blue": 0.492, "green": 0.560, "red": 0.665, "nir": 0.833}
_EPSG, _LEFT, _TOP, _PIXEL = 32633, 600_000.0, 5_000_040.0, 20.0
_CLOUD, _CLEAR = 9, 4
_CHUNK = 1024
_PROCESSES = 2
Counts = NDArray[np.uint16]


def measure(size: int, repeats: int) -> str:
    """Both sides in turns; the table as Markdown.

    Args:
        size: Pixels a side.
        repeats: Runs of each side.
    """
    folder, out = _items(size), BENCH / "stack-out"
    runs: dict[str, list[Watched]] = {"odc": [], "ours": []}
    for number in range(repeats):
        for side in ("odc", "ours") if number % 2 == 0 else ("ours", "odc"):
            shutil.rmtree(out / side, ignore_errors=True)
            (out / side).mkdir(parents=True)
            runs[side].append(watch(["benchmarks.stack_median", side, str(folder), str(out / side)]))
        _compare(out, size=size)
    shutil.rmtree(out)
    return _table(runs, size=size)


def _table(runs: dict[str, list[Watched]], *, size: int) -> str:
    cpu = {side: median(w.phases["work"].cpu.total_s for w in found) for side, found in runs.items()}
    memory = {side: max(_all_mb(w.phases["work"].peak) for w in found) for side, found in runs.items()}
    rows = "".join(f"| {side} | {cpu[side]:.1f} | {memory[side]:.0f} |\n" for side in runs)
    return (
        f"Median of {DATES} dates of {size} x {size} x {len(BANDS)}:\n\n"
        f"| | CPU [s] | most memory of all processes [MB] |\n|---|---|---|\n"
        f"{rows}| ours / odc | {cpu['ours'] / cpu['odc']:.2f} | {memory['ours'] / memory['odc']:.2f} |\n"
    )


def _all_mb(peak: Peak) -> float:
    return peak.other_mb + peak.java_mb


def _compare(out: Path, *, size: int) -> None:
    """See that both sides have the same pixels: the middle between two counts is rounded by each in its own way."""
    for name in BANDS:
        with rasterio.open(out / "odc" / f"{name}.tif") as source:
            theirs = source.read(1)
        with rasterio.open(out / "ours" / f"{name}.tif") as source:
            row, col = round((source.transform.f - _TOP) / _PIXEL), round((_LEFT - source.transform.c) / _PIXEL)
            ours = source.read(1, window=RasterioWindow(col, row, size, size))
        assert np.array_equal(theirs == -9999, ours == -9999)
        assert np.abs(theirs.astype(np.int32) - ours).max() <= 1


def _items(size: int) -> Path:
    """A folder of items: days of their own, and files of ``DIFFERENT`` dates by turns."""
    folder = BENCH / f"stack-{size}"
    done = folder / "done"
    if done.is_file():
        return folder
    for number in range(DATES):
        home = folder / f"d{number:02d}"
        home.mkdir(parents=True, exist_ok=True)
        files = {**{name: f"{name}.tif" for name in BANDS}, "scl": "scl.tif"}
        for name, file in files.items():
            (home / file).unlink(missing_ok=True)
            if number < DIFFERENT:
                _write(home / file, _pixels(size, name=name, date=number))
            else:
                (home / file).hardlink_to(folder / f"d{number % DIFFERENT:02d}" / file)
        (home / f"d{number:02d}.json").write_text(json.dumps(_item(home, number=number, size=size)), encoding="utf-8")
    done.touch()
    return folder


def _pixels(size: int, *, name: str, date: int) -> Counts:
    y, x = np.mgrid[:size, :size].astype(np.float32)
    if name == "scl":
        waves = np.sin(x / 90.0 + date) + np.cos(y / 70.0 - 2.0 * date) + np.sin((x + y) / 200.0 + date)
        return np.where(waves > 0.7, _CLOUD, _CLEAR).astype(np.uint8)
    random = np.random.default_rng(17 * date + len(name))
    ground = 1500.0 + 400.0 * np.sin(x / 40.0) * np.cos(y / 55.0) + 30.0 * date
    return (ground + random.normal(0.0, 25.0, ground.shape).astype(np.float32)).astype(np.uint16)


def _write(path: Path, values: NDArray[Any]) -> None:
    transform = Affine(_PIXEL, 0.0, _LEFT, 0.0, -_PIXEL, _TOP)
    profile = {"driver": "GTiff", "count": 1, "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate"}
    profile |= {
        "zlevel": 1,
        "dtype": values.dtype,
        "height": values.shape[0],
        "width": values.shape[1],
        "predictor": 2,
        "nodata": 0,
    }
    with rasterio.open(path, "w", crs=CRS.from_epsg(_EPSG), transform=transform, **profile) as target:
        target.write(values, 1)


def _item(home: Path, *, number: int, size: int) -> dict[str, Any]:
    day = datetime(2024, 1, 3, 10, tzinfo=UTC) + timedelta(days=5 * number)
    scaled = {"raster:scale": 1e-4, "raster:offset": 0.0, "nodata": 0}
    assets: dict[str, Any] = {
        name: {"href": f"./{name}.tif", "eo:bands": [{"name": name, "common_name": name, "center_wavelength": centre}], **scaled}
        for name, centre in BANDS.items()
    }
    assets["scl"] = {"href": "./scl.tif"}
    for name, asset in assets.items():
        digest = sha256((home / f"{name}.tif").read_bytes()).hexdigest()
        asset |= {"type": "image/tiff; application=geotiff", "roles": ["data"], "file:checksum": f"1220{digest}"}
        asset |= {"proj:shape": [size, size], "proj:transform": [_PIXEL, 0.0, _LEFT, 0.0, -_PIXEL, _TOP]}
    west, south, east, north = 16.0, 44.0, 17.5, 45.5
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"S2A_33TXL_{day:%Y%m%d}_0_L2A", "collection": "sentinel-2-l2a",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v1.1.0/schema.json"],
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": [west, south, east, north], "links": [],
        "properties": {
            "datetime": f"{day:%Y-%m-%dT%H:%M:%SZ}", "platform": "sentinel-2a", "instruments": ["msi"],
            "processing:level": "L2A", "s2:processing_baseline": "03.01", "proj:epsg": _EPSG, "grid:code": "MGRS-33TXL",
        },
        "assets": assets,
    }  # fmt: skip


def ours(folder: Path, output: Path) -> None:
    """One composite, by two processes."""
    from swath.composites.plan import plan, tiling_for  # noqa: PLC0415 (each side imports what it needs)
    from swath.readers.level2.source import read_source  # noqa: PLC0415
    from swath.sinks.cog.assemble import CogTarget, assemble  # noqa: PLC0415
    from swath.stack.periods import periods_of  # noqa: PLC0415
    from swath.stack.recipe import CompositeRecipe, GridRule  # noqa: PLC0415
    from swath.stores.local import local_store  # noqa: PLC0415

    next_phase("work")
    sources = [read_source(str(path)) for path in sorted(folder.glob("*/*.json"))]
    rule = GridRule(crs=f"EPSG:{_EPSG}", resolution=_PIXEL, origin=(_LEFT, _TOP), tile_px=3072)
    recipe = CompositeRecipe(
        name="m", title="m", version=1, reducer="median", bands=tuple(BANDS), flags=("cloud",), grid=rule, memory_mb=512
    )
    tiling = tiling_for(recipe, sources)
    (composite,) = plan(sources, recipe=recipe, periods=periods_of("2024"), area=None, tiling=tiling).composites
    text, strips = composite.to_json(), range(0, composite.grid.height, _CHUNK)
    del sources
    parts: dict[str, list[Any]] = {}
    forks = get_context("forkserver")
    # As swath's own workers, whose code is loaded once and shared.
    forks.set_forkserver_preload(["swath.stack.strip", "swath.readers.pixels.bands", "swath.stores.local"])
    with ProcessPoolExecutor(_PROCESSES, mp_context=forks) as pool:
        for made in pool.map(partial(_strip, text, str(output)), strips):
            for part in made:
                parts.setdefault(part.asset, []).append(part)
    store = local_store(output)
    for name, found in parts.items():
        spec = composite.layers[name]
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description=spec.title, tags={})
        assemble(found, target, open_part=lambda p: store.fetch(p.href), output=output / f"{name}.tif")


def _strip(text: str, output: str, start: int) -> tuple[Any, ...]:
    from swath.readers.pixels.bands import BandReader  # noqa: PLC0415
    from swath.stack.composite import Composite  # noqa: PLC0415
    from swath.stack.strip import StackJob, run_stack  # noqa: PLC0415
    from swath.stores.local import local_store  # noqa: PLC0415

    composite = Composite.from_json(text, without={})
    rows = (start, min(start + _CHUNK, composite.grid.height))
    job = StackJob(composite=composite, rows=rows, number=start // _CHUNK, folder="parts")
    with BandReader() as reader:
        made = run_stack(job, store=local_store(Path(output)), reader=reader)
    sys.stderr.write(f"strip {start}: {dict(made.seconds)} {made.peak_mb:.0f} MiB\n")
    return made.parts


def odc(folder: Path, output: Path) -> None:
    """The same by odc-stac."""
    import dask  # noqa: PLC0415 (see above)
    import odc.stac  # noqa: PLC0415
    import pystac  # noqa: PLC0415
    from odc.geo.geobox import GeoBox  # noqa: PLC0415

    next_phase("work")
    items = [pystac.Item.from_file(str(path)) for path in sorted(folder.glob("*/*.json"))]
    size = items[0].assets["blue"].extra_fields["proj:shape"][0]
    box = GeoBox((size, size), Affine(_PIXEL, 0.0, _LEFT, 0.0, -_PIXEL, _TOP), f"EPSG:{_EPSG}")
    chunks = {"x": _CHUNK, "y": _CHUNK, "time": DATES}
    data = odc.stac.load(items, bands=[*BANDS, "scl"], geobox=box, chunks=chunks, groupby="id")
    clear = (data.scl != _CLOUD) & (data.scl != 0)
    with dask.config.set(scheduler="threads", num_workers=_PROCESSES):
        made = data[list(BANDS)].where(clear).median("time").compute()
    for name in BANDS:
        counts = np.where(np.isfinite(made[name]), np.rint(made[name]), -9999).astype(np.int16)
        _write(output / f"{name}.tif", counts)


if __name__ == "__main__":
    {"ours": ours, "odc": odc}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
