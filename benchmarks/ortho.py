"""``python -m benchmarks.ortho [SIDE]``: an orthoimage by swath and by gdalwarp of the same raw image, elevation and kernel.

Both write compressed blocks; swath's pass is the engine's, without Spark, and makes overviews and statistics besides. CPU seconds of
whole processes, their imports left aside; peak memory of swath's strips.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.rpc import RPC
from rasterio.transform import from_origin

from swath.config import load_pipeline, prepare, with_settings
from swath.engine.child.tasks import do
from swath.engine.child.warm_up import warm_up
from swath.engine.messages import MakeStrip
from swath.engine.product_plan import plan_product
from swath.engine.subject import Cutting, Subject
from swath.inference.registry import Registry
from swath.inputs import RasterSource
from swath.readers.registry import read_scene

_PIXEL_DEG = 5e-6
_ROUNDS = 3


def model(side: int) -> RPC:
    """An image of ``side`` lines and samples that looks 20 degrees to the east, over terrain of 0 to 1000 m."""
    half, zeros = side / 2.0, [0.0] * 20
    line, samp, den = zeros.copy(), zeros.copy(), zeros.copy()
    line[1], line[2], line[3], line[4] = 0.02, -1.0, 0.01, 0.001
    samp[1], samp[2], samp[3], samp[7] = 1.0, 0.03, -364.0 / half, 0.002
    den[0], den[1] = 1.0, 0.0005
    scale = half * _PIXEL_DEG
    return RPC(
        height_off=500.0, height_scale=500.0, lat_off=44.5, lat_scale=scale, long_off=5.5, long_scale=scale * 1.4, line_off=half - 0.5,
        line_scale=half, samp_off=half - 0.5, samp_scale=half, line_num_coeff=line, line_den_coeff=den, samp_num_coeff=samp,
        samp_den_coeff=den, err_bias=None, err_rand=None,
    )  # fmt: skip


def write(folder: Path, side: int) -> None:
    """The image with its item, and the elevation."""
    random = np.random.default_rng(1)
    coarse = random.integers(200, 3000, (side // 8 + 1, side // 8 + 1)).astype(np.uint16)
    pixels = np.kron(coarse, np.ones((8, 8), dtype=np.uint16))[:side, :side] + random.integers(0, 60, (side, side)).astype(
        np.uint16
    )
    shape: dict[str, Any] = {"width": side, "height": side, "count": 1, "dtype": "uint16", "tiled": True, "compress": "deflate"}
    with rasterio.open(
        folder / "pan.tif", "w", driver="GTiff", rpcs=model(side), nodata=0, zlevel=1, predictor=2, **shape
    ) as target:
        target.write(pixels, 1)
    steps = np.arange(1201) / 1200.0
    heights = (
        500.0 + 300.0 * np.sin(steps[:, None] * 60.0) * np.cos(steps[None, :] * 45.0) + 100.0 * np.sin(steps[None, :] * 400.0)
    )
    profile: dict[str, Any] = {"width": 1201, "height": 1201, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    where = from_origin(5.0 - 0.5 / 1200, 45.0 + 0.5 / 1200, 1 / 1200, 1 / 1200)
    with rasterio.open(folder / "dem.tif", "w", driver="GTiff", transform=where, **profile) as target:
        target.write(heights.astype(np.float32), 1)
    properties = {
        "datetime": "2024-06-01T10:30:00Z",
        "platform": "bench-1",
        "view:sun_elevation": 60.0,
        "view:sun_azimuth": 150.0,
    }
    band = {"name": "pan", "eo:common_name": "pan", "unit": "counts", "nodata": 0}
    item: dict[str, Any] = {
        "type": "Feature", "stac_version": "1.1.0", "id": "bench", "geometry": None, "links": [],
        "properties": {**properties, "swath:level": "L1"},
        "assets": {"pan": {"href": "pan.tif", "type": "image/tiff", "roles": ["data"], "bands": [band]}},
    }  # fmt: skip
    (folder / "item.json").write_text(json.dumps(item), encoding="utf-8")


def ours(folder: Path, text: str) -> float:
    """CPU seconds of all strips."""
    scene, output = read_scene(str(folder / "item.json")), folder / "out"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    subject = Subject(scene=scene.to_json(), scene_id=scene.scene_id, pipeline=text, output=str(output))
    since = process_time()
    strips = plan_product(subject.scene, text).cut(rows=None, split=True).strips
    cut = Cutting(split=True, strip_rows=None, folder=".scratch", pictures=False)
    for number in range(strips):
        do(MakeStrip(product=subject, cut=cut, strip=number))
    return process_time() - since


def gdal(folder: Path, text: str, *, error_px: str) -> float:
    """CPU seconds of gdalwarp."""
    grid = plan_product(read_scene(str(folder / "item.json")).to_json(), text).graph.reference
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.gdalwarp", "-overwrite", "-rpc", "-to", f"RPC_DEM={folder / 'dem.tif'}", "-et", error_px,
            "-r", "bilinear", "-t_srs", grid.crs, "-te", *(repr(v) for v in grid.bounds), "-tr", *2 * [repr(grid.dx)],
            "-srcnodata", "0", "-dstnodata", "0", "-co", "TILED=YES", "-co", "COMPRESS=DEFLATE", "-co", "ZLEVEL=1", "-co", "PREDICTOR=2",
            "-wm", "256", str(folder / "pan.tif"), str(folder / "gdal.tif"),
        ],
        check=True, text=True, stdout=subprocess.PIPE, env={**os.environ, "GDAL_CACHEMAX": "512"},
    )  # fmt: skip
    return float(done.stdout.split()[-1])


def main(side: int) -> None:
    """Measure in turns, and print the ratios."""
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, side)
        dem = RasterSource(path=str(folder / "dem.tif"), datum="ellipsoid")
        asked = with_settings(load_pipeline("ortho"), [])
        text = json.dumps(prepare(asked, registry=Registry.beside(folder / "registry"), rasters={"dem": dem}).plain)
        warm_up()
        ours(folder, text)
        rows = [
            (ours(folder, text), gdal(folder, text, error_px="0.125"), gdal(folder, text, error_px="0")) for _ in range(_ROUNDS)
        ]
        best, fast, exact = (min(column) for column in zip(*rows, strict=True))
        grid = plan_product(read_scene(str(folder / "item.json")).to_json(), text).graph.reference
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{side} x {side} raw pixels to {grid.height} x {grid.width}; best of {_ROUNDS} in turns")
        print(
            f"swath {best:.2f} CPU s, peak {peak:.0f} MiB; of gdalwarp -et 0.125 {best / fast:.2f}, of -et 0 {best / exact:.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
