"""How far products are from the truth that the simulator kept."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from swath.simulator.forward import CLEAR
from swath.truth import BandTruth

_ROWS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthComparison:
    """A product against the truth.

    Args:
        bands: Surface reflectance, band by band.
        landcover_accuracy: Share of clear pixels with the right class; None without a map.
    """

    bands: tuple[BandTruth, ...]
    landcover_accuracy: float | None


def compare(files: Mapping[str, Path], truth_folder: Path) -> TruthComparison:
    """Compare surface reflectance and land cover with the truth where the sky was clear.

    Args:
        files: Asset files by STAC asset key.
        truth_folder: ``truth/<scene_id>`` as the simulator wrote it.
    """
    record: dict[str, Any] = json.loads((truth_folder / "truth.json").read_text(encoding="utf-8"))
    clouds = truth_folder / record["clouds"]["file"]
    known = record["surface_reflectance"]["files"]
    bands = tuple(_band(name, files[name], truth=truth_folder / known[name], clouds=clouds) for name in files if name in known)
    accuracy = None
    if "landcover" in files:
        accuracy = _accuracy(files["landcover"], truth=truth_folder / record["landcover"]["file"], clouds=clouds)
    return TruthComparison(bands=bands, landcover_accuracy=accuracy)


def _rows(path: Path, *, others: tuple[Path, ...]) -> Iterator[tuple[NDArray[Any], ...]]:
    """Strips of a raster, and of others brought to its grid by nearest neighbour."""
    with rasterio.open(path) as main:
        opened = [rasterio.open(o) for o in others]
        views = [
            WarpedVRT(
                o, crs=main.crs, transform=main.transform, width=main.width, height=main.height,
                resampling=Resampling.nearest,
            )
            for o in opened
        ]  # fmt: skip
        try:
            for row in range(0, main.height, _ROWS):
                window = Window(0, row, main.width, min(_ROWS, main.height - row))
                yield (main.read(1, window=window), *(v.read(1, window=window) for v in views))
        finally:
            for dataset in (*views, *opened):
                dataset.close()


def _band(name: str, path: Path, *, truth: Path, clouds: Path) -> BandTruth:
    pixels, total, squares = 0, 0.0, 0.0
    with rasterio.open(path) as made, rasterio.open(truth) as known:
        nodata, scale, truth_nodata = made.nodata, made.scales[0], known.nodata
    for ours, theirs, sky in _rows(path, others=(truth, clouds)):
        clear = (sky == CLEAR) & (ours != nodata) & (theirs != truth_nodata)
        difference = (ours[clear].astype(np.float64) - theirs[clear]) * scale
        pixels += difference.size
        total += float(difference.sum())
        squares += float((difference * difference).sum())
    count = max(pixels, 1)
    return BandTruth(band=name, rmse=(squares / count) ** 0.5, bias=total / count, pixels=pixels)


def _accuracy(path: Path, *, truth: Path, clouds: Path) -> float | None:
    right, pixels = 0, 0
    for ours, theirs, sky in _rows(path, others=(truth, clouds)):
        clear = (sky == CLEAR) & (ours != 255) & (theirs != 255)
        right += int(np.count_nonzero(ours[clear] == theirs[clear]))
        pixels += int(np.count_nonzero(clear))
    return right / pixels if pixels else None
