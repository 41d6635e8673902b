"""Small deliveries in the real layouts, for tests of readers."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.unit.readers.stac_items import write_item

__all__ = ["write_item"]

PRODUCT_ID = "LC09_L1TP_033033_20230716_20230716_02_T1"
RASTER = {
    "driver": "GTiff",
    "width": 64,
    "height": 48,
    "count": 1,
    "dtype": "uint16",
    "crs": "EPSG:32613",
    "transform": rasterio.Affine(30.0, 0.0, 400005.0, 0.0, -30.0, 4400115.0),
    "compress": "deflate",
}
PAN = {"width": 128, "height": 96, "transform": rasterio.Affine(15.0, 0.0, 399997.5, 0.0, -15.0, 4400122.5)}

WriteRaster = Callable[..., Path]
WriteLandsat = Callable[..., Path]


def _write_raster(path: Path, **profile: Any) -> Path:
    full = {**RASTER, **profile}
    rng = np.random.default_rng(7)
    values = rng.integers(1, 200, (full["count"], full["height"], full["width"])).astype(full["dtype"])
    with rasterio.open(path, "w", **full) as target:
        target.write(values)
    return path


def _mtl_fields() -> dict[str, dict[str, str]]:
    spectral = [f"BAND_{n}" for n in range(1, 12)]
    contents = {
        "LANDSAT_PRODUCT_ID": f'"{PRODUCT_ID}"',
        "PROCESSING_LEVEL": '"L1TP"',
        "COLLECTION_NUMBER": "02",
        "COLLECTION_CATEGORY": '"T1"',
        **{f"FILE_NAME_{b}": f'"{PRODUCT_ID}_B{b[5:]}.TIF"' for b in spectral},
        "FILE_NAME_QUALITY_L1_PIXEL": f'"{PRODUCT_ID}_QA_PIXEL.TIF"',
        "FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION": f'"{PRODUCT_ID}_QA_RADSAT.TIF"',
    }
    image = {
        "SPACECRAFT_ID": '"LANDSAT_9"',
        "SENSOR_ID": '"OLI_TIRS"',
        "WRS_PATH": "33",
        "WRS_ROW": "33",
        "DATE_ACQUIRED": "2023-07-16",
        "SCENE_CENTER_TIME": '"17:38:42.1234567Z"',
        "CLOUD_COVER": "12.34",
        "SUN_AZIMUTH": "123.5",
        "SUN_ELEVATION": "64.25",
        "EARTH_SUN_DISTANCE": "1.0163990",
    }
    record = {"LANDSAT_SCENE_ID": '"LC90330332023197LGN00"', "PROCESSING_SOFTWARE_VERSION": '"LPGS_16.3.0"'}
    rescaling = {
        **{f"RADIANCE_MULT_{b}": "1.2500E-02" for b in spectral},
        **{f"RADIANCE_ADD_{b}": "-62.50000" for b in spectral},
        **{f"REFLECTANCE_MULT_{b}": "2.0000E-05" for b in spectral[:9]},
        **{f"REFLECTANCE_ADD_{b}": "-0.100000" for b in spectral[:9]},
        **{f"QUANTIZE_CAL_MAX_{b}": "65535" for b in spectral},
        **{f"QUANTIZE_CAL_MIN_{b}": "1" for b in spectral},
    }
    thermal = {f"{k}_CONSTANT_BAND_{b}": v for b in (10, 11) for k, v in (("K1", "799.0284"), ("K2", "1329.2405"))}
    return {
        "PRODUCT_CONTENTS": contents,
        "IMAGE_ATTRIBUTES": image,
        "LEVEL1_PROCESSING_RECORD": record,
        "LEVEL1_RADIOMETRIC_RESCALING": rescaling,
        "LEVEL1_THERMAL_CONSTANTS": thermal,
    }


def _mtl_text(edits: Mapping[str, str | None]) -> str:
    """ODL; ``edits`` replaces values by key, None takes the key out."""
    lines = ["GROUP = LANDSAT_METADATA_FILE"]
    for group, fields in _mtl_fields().items():
        lines.append(f"  GROUP = {group}")
        told = {key: edits.get(key, value) for key, value in fields.items()}
        lines += [f"    {key} = {value}" for key, value in told.items() if value is not None]
        lines.append(f"  END_GROUP = {group}")
    return "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END", ""])


def _write_landsat(
    folder: Path,
    *,
    edits: Mapping[str, str | None] | None = None,
    without: Collection[str] = (),
    rasters: Mapping[str, Mapping[str, Any]] | None = None,
    stem: str = PRODUCT_ID,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{PRODUCT_ID}_MTL.txt").write_text(_mtl_text(edits or {}), encoding="ascii")
    for token in (*(f"B{n}" for n in range(1, 12)), "QA_PIXEL", "QA_RADSAT"):
        if token not in without:
            profile = {**(PAN if token == "B8" else {}), **(rasters or {}).get(token, {})}
            _write_raster(folder / f"{stem}_{token}.TIF", **profile)
    return folder


@pytest.fixture(scope="session")
def write_raster() -> WriteRaster:
    """Write a small GeoTIFF or JPEG 2000: ``write_raster(path, **profile)``."""
    return _write_raster


@pytest.fixture(scope="session")
def write_landsat() -> WriteLandsat:
    """Write a Landsat 9 Collection 2 Level-1 folder: ``write_landsat(folder, edits=, without=, rasters=, stem=)``."""
    return _write_landsat


@pytest.fixture(scope="session")
def mtl_text() -> Callable[[Mapping[str, str | None]], str]:
    """The metadata file of ``write_landsat`` as text, with values replaced by key (None takes a key out)."""
    return _mtl_text
