"""The grid of a pipeline file as users write it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.errors import ConfigError
from swath.grid_choice import GridChoice
from swath.grid_settings import grid_choice


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ("native", None),
        ("utm", GridChoice(crs="utm")),
        ("UTM", GridChoice(crs="utm")),
        ("EPSG:32633", GridChoice(crs="EPSG:32633")),
        ("epsg:32633", GridChoice(crs="EPSG:32633")),
        (32633, GridChoice(crs="EPSG:32633")),
        ({"crs": "utm", "resolution_m": 30}, GridChoice(crs="utm", resolution=30.0)),
        (
            {"crs": "EPSG:3035", "resolution_m": 10.5, "origin": [3, -4.5], "interpolation": "cubic"},
            GridChoice(crs="EPSG:3035", resolution=10.5, origin=(3.0, -4.5), interpolation="cubic"),
        ),
        ({"crs": "EPSG:4326", "resolution_deg": 0.00025}, GridChoice(crs="EPSG:4326", resolution=0.00025)),
    ],
)
def test_what_users_write(said: object, expected: GridChoice | None) -> None:
    assert grid_choice(said) == expected
    if expected is not None:
        assert GridChoice.from_plain(expected.to_plain()) == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["utm"], r"grid: expected native, utm, EPSG:<code>"),
        ({"resolution_m": 10}, r"grid: expected native, utm, EPSG:<code>.*; got \['resolution_m'\]"),
        ({"crs": "utm", "resolutionm": 10}, r"grid: unknown key 'resolutionm'; did you mean 'resolution_m'\?"),
        ("EPSG:99999", r"grid: a coordinate system is unknown: .*got 'EPSG:99999'"),
        ("utm33", r"grid: a coordinate system is unknown"),
        ("EPSG:4326", r"EPSG:4326 is in degrees: give resolution_deg"),
        ({"crs": "EPSG:4326", "resolution_m": 10}, r"EPSG:4326 is in degrees: give resolution_deg, not resolution_m"),
        ({"crs": "utm", "resolution_deg": 1e-4}, r"utm is in metres: give resolution_m, not resolution_deg"),
        ({"crs": "utm", "resolution_m": 0.00027}, r"resolution_m must be metres from 0.01, got 0.00027; is it in another unit\?"),
        ({"crs": "EPSG:4326", "resolution_deg": 30}, r"resolution_deg must be degrees above 0 and up to 10, got 30"),
        ({"crs": "utm", "resolution_m": "ten"}, r"resolution_m must be a number, got 'ten'"),
        ({"crs": "utm", "resolution_m": -10}, r"resolution_m must be metres from 0.01"),
        ({"crs": "utm", "resolution_m": float("nan")}, r"resolution_m must be a number, got nan"),
        ({"crs": "EPSG:2263"}, r"grid: EPSG:2263 is in US survey foot; expected a map in metres"),
        ({"crs": 'LOCAL_CS["plane"]'}, r"expected a map in metres"),
        ({"crs": "utm", "origin": 5}, r"origin is x and y of a corner of some pixel, got 5"),
        ({"crs": "utm", "interpolation": "lanczos"}, r"interpolation must be one of nearest, bilinear, cubic, got 'lanczos'"),
        ({"crs": "utm", "distortion_percent": 0}, r"distortion_percent must be above 0"),
        ({"tile": "33UUP"}, r"a tile needs resolution_m and nothing else of the grid"),
        ({"tile": "33UUP", "resolution_m": 30, "crs": "utm"}, r"a tile needs resolution_m and nothing else"),
        ({"tile": "33UUP", "resolution_m": 7}, r"pixels of 7 m do not fill a tile of 109800 m"),
        ({"tile": "33UUI", "resolution_m": 10}, r"'33UUI' is not a tile: expected zone, latitude band"),
        ({"tile": "33UAP", "resolution_m": 10}, r"'33UAP' is not a tile"),
        ({"tile": "61UUP", "resolution_m": 10}, r"'61UUP' is not a tile"),
        ({"tile": "33CUF", "resolution_m": 10}, r"row F does not meet the latitude band C"),
        ({"like": "/nowhere.tif"}, r"grid: like: "),
        ({"like": "/nowhere.tif", "crs": "utm"}, r"like names the whole grid; leave out crs"),
    ],
)
def test_what_cannot_be_is_refused(said: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        grid_choice(said)


def _raster(path: Path, **changes: Any) -> Path:
    profile = {"driver": "GTiff", "width": 7, "height": 5, "count": 1, "dtype": "uint8", "crs": "EPSG:32633"}
    profile |= {"transform": rasterio.Affine(30, 0, 300_015, 0, -30, 5_000_015)} | changes
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.ones((5, 7), dtype=np.uint8), 1)
    return path


def test_like_takes_a_rasters_grid(tmp_path: Path) -> None:
    found = grid_choice({"like": str(_raster(tmp_path / "a.tif"))})
    assert found is not None
    assert found.fixed is not None
    assert (found.fixed.crs, found.fixed.bounds) == ("EPSG:32633", (300_015.0, 4_999_865.0, 300_225.0, 5_000_015.0))
    turned = _raster(tmp_path / "b.tif", transform=rasterio.Affine(30, 5, 0, 5, -30, 0))
    with pytest.raises(ConfigError, match=r"like: .*b\.tif is turned"):
        grid_choice({"like": str(turned)})
