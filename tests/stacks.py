"""Level-2 items as swath and others write them, small and made here: the sources of composites in tests."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from swath.algo.qa import QA_BITS

BITS = {c.name: 1 << c.value for c in QA_BITS}
JUDGED = BITS["cloud_from_quality"]
CLOUD = JUDGED | BITS["cloud"]


@dataclass(frozen=True, kw_only=True)
class Date:
    """One date of a stack as a product of swath.

    Args:
        reflectance: Stored counts (1e-4) by band, (y, x); -9999 is nodata.
        qa: Bits, (y, x); None for a product without.
        day: Day of acquisition.
        name: Name of the product.
        left: Left edge of its grid [m].
        top: Top edge of its grid [m].
        pixel: Pixel size of its grid [m].
        epsg: EPSG code of its grid.
        properties: More of the item.
    """

    reflectance: dict[str, NDArray[np.int16]]
    qa: NDArray[np.uint16] | None
    day: datetime
    name: str
    left: float = 600_000.0
    top: float = 5_000_010.0
    pixel: float = 30.0
    epsg: int = 32633
    properties: dict[str, Any] = field(default_factory=dict)


def write_product(date: Date, folder: Path) -> Path:
    """Write the files and the item of a date; the item's path."""
    home = folder / date.name
    home.mkdir(parents=True, exist_ok=True)
    assets = {band: _asset(date, home, band, values, layer=f"sr:{band}") for band, values in date.reflectance.items()}
    if date.qa is not None:
        assets["qa"] = _asset(date, home, "qa", date.qa, layer="qa")
        shares = {name: float(100 * np.mean(date.qa & bit != 0)) for name, bit in BITS.items()}
        assets["qa"]["swath:bit_percent"] = shares
    shape = next(iter(date.reflectance.values())).shape
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": date.name,
        "collection": "ard-landsat-oli",
        "geometry": None,
        "links": [],
        "properties": {
            "datetime": date.day.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "platform": "landsat-8",
            "instruments": ["oli", "tirs"],
            "view:off_nadir": 0.0,
            "swath:pipeline": "ard",
            "swath:scene_id": date.name,
            "proj:code": f"EPSG:{date.epsg}",
            "proj:shape": list(shape),
            "proj:transform": [date.pixel, 0.0, date.left, 0.0, -date.pixel, date.top],
            **date.properties,
        },
        "assets": assets,
    }
    path = home / f"{date.name}.json"
    path.write_text(json.dumps(item), encoding="utf-8")
    return path


def _asset(date: Date, home: Path, band: str, values: NDArray[Any], *, layer: str) -> dict[str, Any]:
    path = home / f"{date.name}.{band}.tif"
    write_raster(path, values, left=date.left, top=date.top, pixel=date.pixel, epsg=date.epsg)
    scaled = {} if layer == "qa" else {"nodata": -9999, "raster:scale": 1e-4}
    return {
        "href": f"./{path.name}",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "data_type": str(values.dtype),
        "swath:layer": layer,
        "file:checksum": f"1220{sha256(path.read_bytes()).hexdigest()}",
        **scaled,
    }


def write_raster(path: Path, values: NDArray[Any], *, left: float, top: float, pixel: float, epsg: int) -> None:
    """A tiled GeoTIFF."""
    height, width = values.shape
    profile = {"driver": "GTiff", "dtype": values.dtype, "count": 1, "height": height, "width": width, "tiled": True}
    profile |= {"blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    transform = Affine(pixel, 0.0, left, 0.0, -pixel, top)
    with rasterio.open(path, "w", crs=CRS.from_epsg(epsg), transform=transform, **profile) as target:
        target.write(values, 1)
