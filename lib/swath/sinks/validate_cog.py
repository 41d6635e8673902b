"""Whether a file is a cloud-optimised GeoTIFF whose blocks decode."""

from pathlib import Path

import rasterio
from rasterio.errors import RasterioError
from rio_cogeo.cogeo import cog_validate


def problems_of(file: Path) -> list[str]:
    """What is wrong with a COG, in words; empty when nothing is.

    The layout is checked strictly, and every block is decoded: validators alone look at no pixel.
    """
    try:
        _, errors, warnings = cog_validate(file, strict=True, quiet=True)
        problems = [*errors, *warnings]
        with rasterio.open(file) as source:
            for _, window in source.block_windows(1):
                source.read(1, window=window)
    except RasterioError as error:
        problems = [f"cannot be read: {error.__cause__ or error}"]
    return problems
