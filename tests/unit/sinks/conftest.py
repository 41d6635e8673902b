"""A product to record: Landsat-like, with every kind of asset."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from swath.grid import Grid
from swath.product import (
    REFLECTANCE,
    TEMPERATURE,
    AppliedStep,
    AssetRecord,
    Category,
    LayerSpec,
    ModelRef,
    Product,
    Tally,
    bit_field,
    class_map,
)
from swath.scene import Angles, Asset, Band, Reflectance, Scene, Thermal

UTM12 = Grid(crs="EPSG:32612", left=450_000.0, top=5_200_000.0, dx=30.0, dy=30.0, width=100, height=80)
COARSE = Grid(crs="EPSG:32612", left=450_000.0, top=5_200_000.0, dx=60.0, dy=60.0, width=50, height=40)
RED = Band(name="red", native_id="B4", resolution_m=30.0, centre_um=0.655, fwhm_um=0.038)
LWIR = Band(name="lwir11", native_id="B10", resolution_m=100.0, centre_um=10.9, fwhm_um=0.6)
MODEL = ModelRef(name="landcover-demo", version="3", digest="ab" * 32)
CLASSES = class_map(
    (
        Category(value=0, name="water", title="Water", rgb=(30, 90, 180)),
        Category(value=1, name="forest", title="Forest", rgb=(20, 110, 50)),
    )
)
BITS = bit_field((Category(value=0, name="nodata", title="No data"), Category(value=2, name="cloud", title="Cloud")))


def scene_on(grid: Grid) -> Scene:
    """A Landsat 8 scene with one reflective and one thermal band."""
    red = Asset(
        band=RED,
        href="B4.TIF",
        grid=grid,
        dtype="uint16",
        nodata=0,
        saturated=65535,
        calibration=Reflectance(gain=2e-5, offset=-0.1, sun_normalised=False),
        digest="11" * 32,
    )
    thermal = replace(
        red,
        band=LWIR,
        href="B10.TIF",
        calibration=Thermal(gain=3.3e-4, offset=0.1, k1=774.9, k2_k=1321.1),
        digest="22" * 32,
    )
    return Scene(
        scene_id="LC08_L1TP_040028_20140712_20200911_02_T1",
        platform="landsat-8",
        instrument="oli",
        family="landsat-oli",
        acquired=datetime(2014, 7, 12, 18, 22, 31, 500_000, tzinfo=UTC),
        assets={"red": red, "lwir11": thermal},
        angles=Angles(sun_elevation_deg=61.2, sun_azimuth_deg=-140.5),
        reader="landsat",
        source_href="scenes/LC08_L1TP_040028_20140712_20200911_02_T1",
        metadata_href="scenes/LC08_L1TP_040028_20140712_20200911_02_T1/MTL.txt",
        digest="cd" * 32,
        cloud_cover_percent=12.5,
        atmosphere={"aot550": 0.14},
        properties={"landsat:wrs_path": "040", "platform": "not this one"},
        left_out={"pan": "not in the delivery"},
    )


def _layer(name: str, asset: str, **more: Any) -> LayerSpec:
    return LayerSpec(name=name, asset=asset, title=f"The {asset}", **more)


def _record(layer: LayerSpec, values: list[int], **more: Any) -> AssetRecord:
    tally = Tally(layer.encoding)
    tally.add(np.array([values], dtype=layer.encoding.dtype))
    return AssetRecord(
        name=layer.asset,
        layer=layer.name,
        href=f"p.{layer.asset}.0123456789ab.tif",
        key="01" * 32,
        bytes=1234,
        digest="ef" * 32,
        statistics=tally.statistics(),
        **more,
    )


@pytest.fixture
def make_product() -> Callable[..., Product]:
    """Build the product on any grid, of any scene."""

    def make(grid: Grid = UTM12, *, scene: Scene | None = None) -> Product:
        scene = scene or scene_on(grid)
        red = _layer("sr:red", "red", grid=grid, encoding=REFLECTANCE, band=RED, roles=("data", "reflectance"))
        heat = _layer("bt:lwir11", "lwir11", grid=COARSE, encoding=TEMPERATURE, band=LWIR)
        cover = _layer("landcover", "landcover", grid=grid, encoding=CLASSES, model=MODEL)
        bits = _layer("qa", "qa", grid=grid, encoding=BITS, roles=("metadata",))
        assets = (
            _record(red, [100, 200, 300, -9999]),
            _record(heat, [29000, 29100, 0]),
            _record(cover, [0, 1, 1, 1, 255], model=MODEL),
            _record(bits, [0, 1, 4]),
        )
        return Product(
            product_id=f"{scene.scene_id}.ard",
            pipeline="ard",
            pipeline_version=1,
            collection=f"ard-{scene.family}",
            scene=scene,
            grid=scene.reference,
            layers={x.asset: x for x in (red, heat, cover, bits)},
            assets=assets,
            left_out={"cirrus": "the delivery has no such band"},
            steps=(
                AppliedStep(name="toa", version=1, parameters={}),
                AppliedStep(name="smac", version=2, parameters={"pressure_hpa": 1013.0, "aot550": None}),
            ),
            code="0.1.0",
            facts={"smac": {"atmosphere": {"aot550": {"value": 0.14, "source": "scene"}}}},
        )

    return make


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    """The product in UTM zone 12 north."""
    return make_product()
