"""How large files are, against GDAL's COG driver at DEFLATE 1, over the bands of the real scenes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK
from swath.product import REFLECTANCE
from swath.sinks.cog.blocks import encode_rows
from swath.sinks.cog.tiff import parse

pytestmark = pytest.mark.real
#: Sizes of blocks in a TIFF.
BYTE_COUNTS = 325
#: Fewer rows and columns say nothing of a block [px].
LEAST = 200
#: Not bands: quality bits, angles, aerosol, elevation, pictures, and two copies of other files.
OTHERS = re.compile("QA|Zenith|Azimuth|aod|SCL|RGB|srtm|DEM|nogeo|ref_check")
#: Numbers of reflectance to a count of an 8-bit sensor: what the gains of Thematic Mappers make of them.
TM_GAIN = 37


def _bands(scenes: Path) -> Iterator[tuple[str, NDArray[np.integer], int]]:
    """Name, stored values and nodata of each band."""
    for path in sorted(p for p in scenes.rglob("*") if p.suffix.lower() == ".tif" and not OTHERS.search(p.name)):
        with rasterio.open(path) as source:
            if min(source.shape) < LEAST or not np.issubdtype(source.dtypes[0], np.integer):
                continue
            nodata = 0 if source.nodata is None else int(source.nodata)
            for number in source.indexes:
                values = source.read(number)
                if values.dtype == np.uint8:
                    values = np.where(values == nodata, -9999, values * np.int16(TM_GAIN)).astype(np.int16)
                yield f"{path.name}:{number}", values, -9999 if source.dtypes[0] == "uint8" else nodata


def _gdal(values: NDArray[np.integer], *, nodata: int) -> int:
    """Bytes of full resolution in the file of GDAL's COG driver."""
    height, width = values.shape
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="COG", height=height, width=width, count=1, dtype=values.dtype, nodata=nodata, crs="EPSG:32633",
            transform=rasterio.Affine(30, 0, 399960, 0, -30, 6000000), blocksize=BLOCK, compress="DEFLATE", level=1,
            predictor="YES", overviews="NONE",
        ) as target:  # fmt: skip
            target.write(values, 1)
        (sizes,) = (t for t in parse(memory.read()) if t.code == BYTE_COUNTS)
    return int(np.frombuffer(sizes.value, {3: "<u2", 4: "<u4"}[sizes.kind]).sum())


def test_files_are_at_most_two_percent_larger_than_gdals_in_the_mean_and_seven_in_the_worst(scenes: Path) -> None:
    ratios = {}
    for name, values, nodata in _bands(scenes):
        encoding = replace(REFLECTANCE, dtype="int16" if values.dtype == np.int16 else "uint16", nodata=nodata)
        rows = (values[top : top + BLOCK] for top in range(0, values.shape[0], BLOCK))
        ours = sum(len(block) for row in rows for block in encode_rows(row, encoding))
        ratios[name] = ours / _gdal(values, nodata=nodata)
    assert len(ratios) > 60
    assert mean(ratios.values()) < 1.02, ratios
    assert max(ratios.values()) < 1.07, ratios
