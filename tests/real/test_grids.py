"""Real scenes on a grid in the neighbouring zone, through a run, against GDAL's exact warper."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

if TYPE_CHECKING:
    from swath.report.summary import RunSummary

pytestmark = [pytest.mark.real, pytest.mark.spark, pytest.mark.slow]
LANDSAT = "sat_image/image_test/lc8_image"
SENTINEL = "eodatasets/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip"
#: Input, a zone beside its own, and the resolution of its pixels.
CASES = {"landsat": (LANDSAT, "EPSG:32613", 30), "sentinel-2": (SENTINEL, "EPSG:32757", 500)}


def _read(path: Path, *, like: Path | None = None, resampling: Resampling = Resampling.nearest) -> NDArray[np.int64]:
    """Stored numbers; with ``like`` as GDAL warps them onto that file's grid."""
    with rasterio.open(path) as source:
        if like is None:
            return np.asarray(source.read(1), dtype=np.int64)
        nodata = 1 if source.nodata is None else source.nodata
        with (
            rasterio.open(like) as grid,
            WarpedVRT(
                source, crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height,
                resampling=resampling, tolerance=1e-9, src_nodata=source.nodata, nodata=nodata,
            ) as vrt,
        ):  # fmt: skip
            return np.asarray(vrt.read(1), dtype=np.int64)


@pytest.mark.parametrize("case", CASES)
def test_products_on_a_grid_of_the_next_zone_are_gdals(case: str, scenes: Path, run_job: Any, tmp_path: Path) -> None:
    href, crs, pixel = CASES[case]
    native: RunSummary = run_job("toa", scenes / href, output=tmp_path / "native")
    settings = (f"grid.crs={crs}", f"grid.resolution_m={pixel}")
    moved: RunSummary = run_job("toa", scenes / href, output=tmp_path / "moved", settings=settings)
    ((before,), (after,)) = (s.products for s in (native, moved))
    files = {name: (tmp_path / "native" / href, tmp_path / "moved" / after.to_contract()["assets"][name])
             for name, href in before.to_contract()["assets"].items()}  # fmt: skip
    finer = []
    for name, (old, new) in files.items():
        with rasterio.open(old) as source, rasterio.open(new) as target:
            assert target.crs == crs
            assert (target.res, target.transform.c % pixel, target.transform.f % pixel) == ((pixel, pixel), 0.0, 0.0)
            if source.res[0] * 1.4 < pixel:
                finer.append(name)  # these are averaged: GDAL's average takes whole pixels
                continue
            nodata = source.nodata
        resampling = Resampling.nearest if name == "qa" else Resampling.bilinear
        ours, theirs = _read(new), _read(old, like=new, resampling=resampling)
        if name == "qa":
            np.testing.assert_array_equal(ours, theirs)
            continue
        assert np.mean((ours == nodata) != (theirs == nodata)) < 1e-3, name
        both = (ours != nodata) & (theirs != nodata)
        assert both.sum() > 1000
        assert np.mean(np.abs(ours - theirs)[both] <= 1) >= 0.999, name
    assert len(finer) < len(files) / 2
    _check_item(json.loads((tmp_path / "moved" / after.item).read_text(encoding="utf-8")), crs=crs)


def _check_item(item: dict[str, Any], *, crs: str) -> None:
    properties = item["properties"]
    assert properties["proj:code"] == crs
    assert {s["name"]: s["parameters"] for s in properties["swath:steps"]}["grid"]["crs"] == crs
    assert {a["swath:layer"] for a in item["assets"].values() if "swath:layer" in a} >= {"toa:red", "qa"}
    footprint = shapely.geometry.shape(item["geometry"])
    assert footprint.is_valid
    west, south, east, north = item["bbox"]
    assert footprint.within(shapely.box(west - 1e-6, south - 1e-6, east + 1e-6, north + 1e-6))
    assert properties["swath:radiometry"]["verdict"] in {"agrees", "silent"}
