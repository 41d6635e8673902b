"""Scenes on a store whose signatures GDAL cannot make are read by presigned addresses."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.readers.files.gdal_env import gdal_env, openable
from swath.readers.pixels.header import inspect
from swath.stores.s3_client import s3_client


def test_a_raster_and_a_member_of_an_archive_are_read_by_presigned_addresses(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(12, dtype=np.uint16).reshape(1, 3, 4)
    file = tmp_path / "x.TIF"
    transform = rasterio.Affine(30, 0, 9, 0, -30, 0)
    with rasterio.open(
        file, "w", driver="GTiff", width=4, height=3, count=1, dtype="uint16", crs="EPSG:32633", transform=transform
    ) as d:
        d.write(values)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(file, "in/x.TIF")
    for name in ("x.TIF", "x.zip"):
        bucket.client.upload_file(str(tmp_path / name), bucket.name, f"a b/{name}")
    # An access point that happens to be a bucket of the test's server.
    rack = {"rack": {"kind": "s3-outposts", "access_point": bucket.name, "endpoint": bucket.endpoint, "region": "us-east-1"}}
    monkeypatch.setenv("SWATH_STORES", json.dumps(rack))
    s3_client.cache_clear()
    for href in ("/vsis3/rack/a b/x.TIF", "/vsizip/{/vsis3/rack/a b/x.zip}/in/x.TIF"):
        assert inspect(href).grid.width == 4
        assert "/vsis3/" not in openable(href)
        with gdal_env(href), rasterio.open(openable(href)) as dataset:
            np.testing.assert_array_equal(dataset.read(), values)
    assert openable("/vsis3/other/x.TIF") == "/vsis3/other/x.TIF"
    assert openable("/data/x.TIF") == "/data/x.TIF"
