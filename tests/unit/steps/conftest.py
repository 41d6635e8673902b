"""A small scene that needs no file."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from swath.grid import Grid
from swath.scene import Angles, Asset, Band, Calibration, Quality, Reflectance, Scene, Thermal

GRID = Grid(crs="EPSG:32633", left=500000.0, top=5000000.0, dx=30.0, dy=30.0, width=90, height=80)
PAN_GRID = Grid(crs="EPSG:32633", left=499992.5, top=5000007.5, dx=15.0, dy=15.0, width=181, height=161)


def asset(name: str, *, calibration: Calibration, grid: Grid = GRID, dtype: str = "uint16", nodata: int | None = 0) -> Asset:
    return Asset(
        band=Band(name=name, native_id=name.upper(), resolution_m=grid.dx),
        href=f"/data/{name}.tif",
        grid=grid,
        dtype=dtype,
        nodata=nodata,
        saturated=None if calibration.kind == "quality" else 65535,
        calibration=calibration,
        digest="0" * 64,
    )


@pytest.fixture
def make_scene() -> Callable[..., Scene]:
    """Build a Landsat 9 scene; keywords replace fields of ``Scene``."""
    reflectance = Reflectance(gain=2e-5, offset=-0.1, sun_normalised=False)
    bands = {
        "blue": asset("blue", calibration=reflectance),
        "red": asset("red", calibration=reflectance),
        "nir08": asset("nir08", calibration=reflectance),
        "cirrus": asset("cirrus", calibration=reflectance),
        "pan": asset("pan", calibration=reflectance, grid=PAN_GRID),
        "lwir11": asset("lwir11", calibration=Thermal(gain=3.342e-4, offset=0.1, k1=774.89, k2_k=1321.08)),
        "qa_pixel": asset("qa_pixel", calibration=Quality(scheme="landsat-c2-qa-pixel"), nodata=1),
        "qa_radsat": asset("qa_radsat", calibration=Quality(scheme="landsat-c2-qa-radsat"), nodata=None),
    }

    def build(**changes: Any) -> Scene:
        fields: dict[str, Any] = {
            "scene_id": "LC09_L1TP_190025_20230614_20230614_02_T1",
            "platform": "landsat-9",
            "instrument": "oli",
            "family": "landsat-oli",
            "acquired": datetime(2023, 6, 14, 9, 52, tzinfo=UTC),
            "assets": bands,
            "angles": Angles(sun_elevation_deg=58.0, sun_azimuth_deg=144.0),
            "reader": "landsat",
            "source_href": "/data",
            "metadata_href": "/data/MTL.txt",
            "digest": "a" * 64,
        }
        return Scene(**{**fields, **changes})

    return build
