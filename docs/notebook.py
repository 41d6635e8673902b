# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # From a scene to a table in pandas, and swath's functions in Spark SQL
#
# Open it with `jupyter lab` (and the package `jupytext`), or run it: `python docs/notebook.py`. It writes into `notebook/` below the working folder.

# %%
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio

HOME = Path("notebook").absolute()
SWATH = str(Path(sys.executable).with_name("swath"))

# %% [markdown]
# ## A scene
# Simulated, in the format of a real delivery: your own folder, archive or STAC item goes in its place.

# %%
from swath.simulator.simulate import simulate

simulate(kind="landsat9", folder=HOME / "input", size=128, clouds=0.1, truth=False)
(scene,) = (HOME / "input" / "scenes").iterdir()
print(scene.name, sorted(path.name.rpartition("_")[2] for path in scene.iterdir())[:5])

# %% [markdown]
# ## Its products
# The command line is the interface; its exit code says how it went.

# %%
run = [SWATH, "run", "surface-reflectance", "--input", str(scene), "--output", str(HOME / "out"), "--run-id", "notebook"]
subprocess.run(run, check=True)

# %% [markdown]
# ## Pixels as a table
# Every asset is a cloud-optimised GeoTIFF with scale, offset and nodata, and the item says which asset is what.

# %%
import json

(path,) = (HOME / "out" / "products").rglob("LC09*/LC09*.json")
item = json.loads(path.read_text(encoding="utf-8"))


def values(band: str) -> np.ndarray:
    """Physical values of an asset, NaN where there is none."""
    with rasterio.open(path.parent / item["assets"][band]["href"]) as asset:
        stored = asset.read(1, masked=True)
        return (stored * asset.scales[0] + asset.offsets[0]).filled(np.nan)


bands = ["blue", "green", "red", "nir08"]
pixels = pd.DataFrame({band: values(band).ravel() for band in bands}).dropna()
pixels["ndvi"] = (pixels.nir08 - pixels.red) / (pixels.nir08 + pixels.red)
print(pixels.describe().loc[["count", "mean", "50%"]].round(3))

# %% [markdown]
# ## What the run wrote down
# The ledger is Delta tables; DuckDB, polars and delta-rs read them too ([viewing](viewing.md)). Here Spark does.

# %%
from pyspark.sql import functions as F

from swath.spark.start.session import build_session, stop_session

spark = build_session(app="notebook", master="local[2]")
products = spark.read.format("delta").load(str(HOME / "out" / "tables" / "products"))
print(products.select("product_id", "pipeline", "acquired", F.size("assets").alias("assets")).toPandas())

# %% [markdown]
# ## The same formulas in SQL
# Calibration and correction are ordinary pandas UDFs over tiles: bytes of pixels in row order. They give what a run gives.

# %%
from swath.algo.atmosphere import Atmosphere
from swath.readers.discover import discover
from swath.readers.registry import read_scene
from swath.spark.udf import calibrate, correct

(href,) = discover([str(scene)])
known = read_scene(href)
red = known.assets["red"]
spark.udf.register("to_toa", calibrate(red.calibration, sun_elevation_deg=known.angles.sun_elevation_deg, dtype=red.dtype, nodata=red.nodata))
spark.udf.register("to_surface", correct(known.platform, "red", angles=known.angles, atmosphere=Atmosphere()))

with rasterio.open(red.href) as delivered:
    counts = delivered.read(1)
tiles = [(n, row.astype("<u2").tobytes()) for n, row in enumerate(counts)]
spark.createDataFrame(tiles, "line int, dn binary").createOrReplaceTempView("tiles")
lines = spark.sql("SELECT line, to_surface(to_toa(dn)) AS sr FROM tiles ORDER BY line").collect()
by_sql = np.stack([np.frombuffer(line.sr, "<f8") for line in lines])

# %% [markdown]
# The product holds the same numbers, rounded to its steps of 0.0001.

# %%
difference = np.nanmax(np.abs(by_sql - values("red")))
print(f"largest difference between SQL and product: {difference:.6f}")
stop_session(spark)
