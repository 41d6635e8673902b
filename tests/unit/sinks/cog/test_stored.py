"""Files of ours are read back without GDAL as GDAL reads them; others are left to it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.unit.sinks.cog.conftest import ENCODINGS

from swath.product import REFLECTANCE, Encoding
from swath.sinks.cog.stored import rows_of


@pytest.mark.parametrize("size", [(64, 64), (65, 1100), (512, 512), (1300, 700)], ids=str)
@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
def test_rows_are_those_that_were_stored(cogs: Any, encoding: Encoding, size: tuple[int, int], tmp_path: Path) -> None:
    stored = cogs.pixels(*size, encoding=encoding)
    cogs.write(stored, encoding, output=tmp_path / "x.tif", strip_rows=512)
    rows = rows_of((tmp_path / "x.tif").read_bytes())
    assert rows is not None
    found = np.concatenate(list(rows))
    assert found.dtype == stored.dtype
    np.testing.assert_array_equal(found, stored)


@pytest.mark.parametrize(
    "profile",
    [{"compress": "LZW"}, {"compress": "DEFLATE", "blocksize": 256}, {"compress": "DEFLATE", "predictor": 3, "dtype": "float32"}],
    ids=str,
)
def test_other_files_are_left_to_gdal(cogs: Any, profile: dict[str, Any], tmp_path: Path) -> None:
    told = {"blocksize": 512, "dtype": "int16", **profile}
    stored = cogs.pixels(600, 600, encoding=REFLECTANCE).astype(told["dtype"])
    side = told.pop("blocksize")
    place = {"transform": rasterio.Affine(30, 0, 5e5, 0, -30, 5e6), "crs": "EPSG:32633", "blockxsize": side, "blockysize": side}
    with rasterio.open(
        tmp_path / "x.tif", "w", driver="GTiff", height=600, width=600, count=1, tiled=True, **place, **told
    ) as file:  # fmt: skip
        file.write(stored, 1)
    assert rows_of((tmp_path / "x.tif").read_bytes()) is None
    assert rows_of(b"MM" + (tmp_path / "x.tif").read_bytes()[2:]) is None
