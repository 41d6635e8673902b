"""The exported pandas UDFs give what the fused pass gives."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from swath.algo.atmosphere import Atmosphere
from swath.engine.encode import encode_layer, encode_values
from swath.grid import Grid
from swath.inference.digest import model_digest
from swath.inference.loader import load_predictor
from swath.inference.manifest import read_manifest
from swath.inference.step_model import StepModel
from swath.inputs import Inputs
from swath.pipeline import Layer
from swath.product import PROBABILITY, REFLECTANCE, LayerSpec
from swath.scene import Angles, Asset, Band, Reflectance, Scene
from swath.spark.udf import calibrate, correct, predict
from swath.steps.landcover import Landcover
from swath.steps.smac import Smac
from swath.steps.toa import Toa

SIDE = 32
BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22")
NATIVE = ("B2", "B3", "B4", "B5", "B6", "B7")
CALIBRATION = Reflectance(gain=2e-5, offset=-0.1, sun_normalised=False)
ANGLES = Angles(sun_elevation_deg=51.2, sun_azimuth_deg=140.0, view_zenith_deg=3.0, view_azimuth_deg=100.0)
GRID = Grid(crs="EPSG:32633", left=500000, top=5000000, dx=30, dy=30, width=SIDE, height=SIDE)


def _scene() -> Scene:
    assets = {
        name: Asset(
            band=Band(name=name, native_id=native, resolution_m=30),
            href=f"/nowhere/{name}.tif",
            grid=GRID,
            dtype="uint16",
            nodata=0,
            saturated=65535,
            calibration=CALIBRATION,
            digest="0" * 64,
        )
        for name, native in zip(BANDS, NATIVE, strict=True)
    }
    return Scene(
        scene_id="made-up", platform="landsat-8", instrument="oli", family="landsat-oli",
        acquired=datetime(2024, 8, 5, tzinfo=UTC), assets=assets, angles=ANGLES, reader="landsat",
        source_href="/nowhere", metadata_href="/nowhere/MTL.txt", digest="0" * 64,
    )  # fmt: skip


def _dn(seed: int) -> NDArray[np.uint16]:
    dn = np.random.default_rng(seed).integers(5000, 30000, (SIDE, SIDE), dtype=np.uint16)
    dn[:3, :5] = 0
    return dn


def _fused(scene: Scene, dn: dict[str, NDArray[np.uint16]]) -> dict[str, Layer]:
    """The steps as the engine calls them."""
    made: dict[str, Layer] = {f"dn:{b}": Layer(values=v, grid=GRID, window=GRID.window, valid=v != 0) for b, v in dn.items()}
    given: dict[str, LayerSpec] = {}
    for step in (Toa(), Smac()):
        for recipe in step.recipes(scene, given=given):
            inputs = {name: made[name] for name in recipe.needs}
            made.update(step.run(recipe, inputs, window=GRID.window, scene=scene, inputs=Inputs()))
            given.update({s.name: s for s in recipe.makes})
    return made


def test_udf_calibration_and_correction_equal_the_fused_pass(spark: SparkSession) -> None:
    scene, dn = _scene(), {b: _dn(i) for i, b in enumerate(BANDS)}
    fused = _fused(scene, dn)
    to_toa = calibrate(CALIBRATION, sun_elevation_deg=ANGLES.sun_elevation_deg)
    to_sr = correct("landsat-8", "blue", angles=ANGLES, atmosphere=Atmosphere())
    tiles = spark.createDataFrame([(dn["blue"].tobytes(),)], "dn binary")
    row = tiles.withColumn("toa", to_toa("dn")).withColumn("sr", to_sr("toa")).collect()[0]
    for kind in ("toa", "sr"):
        got = np.frombuffer(row[kind], "<f8").reshape(SIDE, SIDE)
        expected = fused[f"{kind}:blue"]
        np.testing.assert_array_equal(np.isnan(got), ~expected.usable)
        stored, _ = encode_values(got, REFLECTANCE)
        np.testing.assert_array_equal(stored, encode_layer(expected, REFLECTANCE).stored)


def test_udf_prediction_equals_the_fused_pass(spark: SparkSession, small_model: Path) -> None:
    scene, dn = _scene(), {b: _dn(i) for i, b in enumerate(BANDS)}
    fused = _fused(scene, dn)
    manifest, digest = read_manifest(small_model), model_digest(small_model)
    step = Landcover(model=StepModel(name="small", version="1", digest=digest, manifest=manifest))
    given = {s.name: s for s in (m for r in Smac().recipes(scene, given=_toa_specs(scene)) for m in r.makes)}
    (recipe,) = step.recipes(scene, given=given)
    inputs = Inputs(given={step.model.asked: load_predictor(str(small_model), digest)})
    expected = step.run(recipe, {n: fused[n] for n in recipe.needs}, window=GRID.window, scene=scene, inputs=inputs)
    names = [f"sr_{b}" for b in manifest.bands]
    values = tuple(fused[f"sr:{b}"].physical.astype("<f8").tobytes() for b in manifest.bands)
    tiles = spark.createDataFrame([values], ", ".join(f"{n} binary" for n in names))
    row = tiles.select(predict(str(small_model), digest, manifest=manifest)(*names).alias("map")).collect()[0]["map"]
    classes = np.frombuffer(row["landcover"], np.uint8).reshape(SIDE, SIDE)
    np.testing.assert_array_equal(classes, encode_layer(expected["landcover"], recipe.makes[0].encoding).stored)
    percent = np.frombuffer(row["probability"], np.uint8).reshape(SIDE, SIDE)
    np.testing.assert_array_equal(percent, encode_layer(expected["landcover_probability"], PROBABILITY).stored)
    assert len(np.unique(classes)) > 2, "the made-up model tells classes apart, otherwise this proves nothing"


def _toa_specs(scene: Scene) -> dict[str, LayerSpec]:
    return {s.name: s for r in Toa().recipes(scene, given={}) for s in r.makes}
