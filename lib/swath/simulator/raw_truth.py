"""What a simulated raw image is compared by: its picture as it was taken, and where an orthoimage of it shows known points."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from swath.grid import Grid
from swath.simulator.ground_points import off_m
from swath.simulator.raw_image import RawScene, flat_off_m
from swath.truth import PlaceTruth

#: Percentiles of each band that become black and white.
_STRETCH: Final = (2.0, 98.0)


def measured(path: Path, *, raw: RawScene) -> tuple[PlaceTruth, PlaceTruth]:
    """How far the marks are off in an orthoimage, and in the raw image when it is laid on the map at one height.

    Args:
        path: A band of the orthoimage, in the map of the marks.
        raw: The raw image, with its marks.
    """
    with rasterio.open(path) as source:
        where = tuple(source.transform)[:6]
        grid = Grid.from_transform(where, crs=source.crs.to_string(), width=source.width, height=source.height)
        stored = source.read(1)
        values = np.where(stored == source.nodata, np.nan, stored.astype(np.float64))
    found = (off_m(values, point=p, grid=grid) for p in raw.points)
    return (
        _error("Orthoimage", (off for off in found if off is not None)),
        _error("Raw image, laid on the map at one height", (flat_off_m(raw.rpc, p) for p in raw.points)),
    )


def write_picture(raw: RawScene) -> Path:
    """Write the raw image in true colour as it was taken, without a map; the PNG is beside its item."""
    bands = []
    for name in ("red", "green", "blue"):
        with rasterio.open(raw.rasters[name]) as source:
            values = source.read(1).astype(np.float64)
        low, high = np.percentile(values, _STRETCH)
        bands.append(np.rint(255.0 * np.clip((values - low) / (high - low), 0.0, 1.0)).astype(np.uint8))
    path, shown = raw.item.with_suffix(".png"), np.stack(bands)
    count, height, width = shown.shape
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.Env(GDAL_PAM_ENABLED="NO"),
        rasterio.open(path, "w", driver="PNG", width=width, height=height, count=count, dtype="uint8") as target,
    ):
        target.write(shown)
    return path


def _error(image: str, off: Iterable[float]) -> PlaceTruth:
    values = np.array(list(off))
    return PlaceTruth(image=image, rms_m=float(np.sqrt(np.mean(values**2))), most_m=float(values.max()), points=values.size)
