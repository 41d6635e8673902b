"""Real Landsat deliveries: whole, cropped, decimated, renamed, packed; and published numbers through their coefficients."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.algo.radiometry import brightness_temperature_k, linear, toa_reflectance
from swath.readers.discover import discover
from swath.readers.landsat.scene import read_scene
from swath.readers.registry import read_scene as read_any
from swath.scene import Asset, Reflectance, Scene, Thermal

pytestmark = pytest.mark.real

LEVEL_1 = {
    "sat_image/image_test/lc8_image": ("LC80400282014193LGN00", {"pan", "bqa"}),
    "sat_image/image_test/lt5_image": ("LT05_L1TP_040028_20060706_20160909_01_T1", set()),
    "sat_image/image_test/le7_image": ("LE07_L1TP_039028_20100702_20160915_01_T1", {"pan", "lwir11_high"}),
    "satellite_r/inst/extdata/LC08_L1TP_195025_20130707_20170503_01_T1_MTL.txt": (
        "LC08_L1TP_195025_20130707_20170503_01_T1",
        set(),
    ),
    "satellite_r/inst/extdata/LE07_L1TP_195025_20010730_20170204_01_T1_MTL.txt": (
        "LE07_L1TP_195025_20010730_20170204_01_T1",
        set(),
    ),
    "eodatasets/LC08_L1TP_090084_20160121_20170405_01_T1": ("LC08_L1TP_090084_20160121_20170405_01_T1", set()),
    "eodatasets/LT05_L1TP_090085_19970406_20161231_01_T1.tar.gz": ("LT05_L1TP_090085_19970406_20161231_01_T1", set()),
    "rio_tiler_pds/landsat-pds/c1/L8/016/037/LC08_L1TP_016037_20170813_20170814_01_RT": (
        "LC08_L1TP_016037_20170813_20170814_01_RT",
        set(),
    ),
    "rstoolbox/inst/external/landsat": ("LT52240631988227CUB02", set()),
}


def _dn(asset: Asset) -> NDArray[Any]:
    with rasterio.open(asset.href) as source:
        values: NDArray[Any] = source.read(1)
    return values


@pytest.fixture(params=LEVEL_1)
def scene(request: pytest.FixtureRequest, scenes: Path) -> tuple[str, Scene]:
    if not (scenes / request.param).exists():
        pytest.fail(f"{request.param} is gone")
    return request.param, read_scene(str(scenes / request.param))


def test_each_delivery_is_a_scene_with_the_rasters_own_grids(scene: tuple[str, Scene]) -> None:
    path, found = scene
    scene_id, left_out = LEVEL_1[path]
    assert found.scene_id == scene_id
    assert set(found.left_out) == left_out
    for asset in found.assets.values():
        with rasterio.open(asset.href) as source:
            assert (asset.grid.height, asset.grid.width) == source.shape
            assert asset.grid.bounds == pytest.approx(tuple(source.bounds), abs=1e-6)
    assert Scene.from_json(found.to_json()) == found


def test_toa_of_landsat_8_is_the_published_raster(scenes: Path) -> None:
    scene = read_scene(str(scenes / "sat_image/image_test/lc8_image"))
    coastal = scene.assets["coastal"]
    assert coastal.href.endswith("LC804014193_B1.TIF")
    assert isinstance(coastal.calibration, Reflectance)
    dn = _dn(coastal)
    rho = toa_reflectance(
        dn, gain=coastal.calibration.gain, offset=coastal.calibration.offset, sun_elevation_deg=scene.angles.sun_elevation_deg
    )
    with rasterio.open(scenes / "sat_image/image_test/lc8_image/LC8_reflct_B1.TIF") as source:
        expected = source.read(1).astype(np.float64)
    assert np.abs(np.trunc(65535 * rho) - expected)[dn != coastal.nodata].max() <= 1


def test_temperature_of_landsat_8_is_the_published_raster(scenes: Path) -> None:
    scene = read_scene(str(scenes / "sat_image/image_test/lc8_image"))
    thermal = scene.assets["lwir11"]
    assert isinstance(thermal.calibration, Thermal)
    dn = _dn(thermal)
    radiance = linear(dn, gain=thermal.calibration.gain, offset=thermal.calibration.offset)
    kelvin = brightness_temperature_k(radiance, k1=thermal.calibration.k1, k2_k=thermal.calibration.k2_k)
    with rasterio.open(scenes / "sat_image/image_test/lc8_image/LC8_brightemp_B10.TIF") as source:
        expected = source.read(1)
    assert np.abs(kelvin - expected)[dn != thermal.nodata].max() <= 1e-3


@pytest.mark.parametrize(("folder", "row", "column", "oracle"), [("lt5_image", 150, 150, 0), ("le7_image", 300, 300, 1)])
def test_temperature_of_older_landsats_is_the_published_point(
    scenes: Path, oracles: dict[str, Any], folder: str, row: int, column: int, oracle: int
) -> None:
    told = oracles["toa_points"][oracle]
    assert told["pixel_rc"] == [row, column]
    scene = read_scene(str(scenes / "sat_image/image_test" / folder))
    thermal = scene.assets["lwir11"].calibration
    assert isinstance(thermal, Thermal)
    radiance = linear(_dn(scene.assets["lwir11"]), gain=thermal.gain, offset=thermal.offset)
    kelvin = brightness_temperature_k(radiance, k1=thermal.k1, k2_k=thermal.k2_k)[row, column]
    tolerance = told["tol"] if isinstance(told["tol"], float) else told["tol"][1]
    assert kelvin == pytest.approx(told.get("bt_b6_K", told.get("bt_b6_vcid1_K")), abs=tolerance)


def test_toa_of_landsat_5_is_the_published_point(scenes: Path, oracles: dict[str, Any]) -> None:
    told = oracles["toa_points"][0]
    scene = read_scene(str(scenes / "sat_image/image_test/lt5_image"))
    blue = scene.assets["blue"].calibration
    assert isinstance(blue, Reflectance)
    rho = toa_reflectance(
        _dn(scene.assets["blue"]), gain=blue.gain, offset=blue.offset, sun_elevation_deg=scene.angles.sun_elevation_deg
    )
    assert rho[tuple(told["pixel_rc"])] == pytest.approx(told["toa_b1"], abs=told["tol"][0])


def test_reflectance_through_esun_agrees_with_the_delivered_coefficients(scenes: Path, tmp_path: Path) -> None:
    """Landsat 7: the metadata of 2017 gives both ways, so the old way can be held against the new one."""
    source = scenes / "satellite_r/inst/extdata"
    stem = "LE07_L1TP_195025_20010730_20170204_01_T1"
    delivered = read_scene(str(source / f"{stem}_MTL.txt"))
    for path in source.glob(f"{stem}_B*.TIF"):
        (tmp_path / path.name).symlink_to(path)
    lines = (source / f"{stem}_MTL.txt").read_text().splitlines()
    (tmp_path / f"{stem}_MTL.txt").write_text("\n".join(line for line in lines if "REFLECTANCE_" not in line))
    folded = read_scene(str(tmp_path))
    for name, asset in delivered.assets.items():
        if isinstance(asset.calibration, Reflectance):
            mine = folded.assets[name].calibration
            assert isinstance(mine, Reflectance)
            # USGS folds with its own irradiance (ChKur spectrum, other digits): 5 % in the pan band, less elsewhere
            assert mine.gain == pytest.approx(asset.calibration.gain, rel=0.05), name


def test_every_level_1_delivery_is_discovered_and_read(scenes: Path) -> None:
    wanted = {scene_id for scene_id, _ in LEVEL_1.values()}
    folders = [scenes / f for f in ("sat_image", "satellite_r", "eodatasets", "rio_tiler_pds", "rstoolbox/inst")]
    hrefs = [h for h in discover([str(f) for f in folders]) if "S2" not in Path(h).name and not h.endswith(".json")]
    assert {read_any(h).scene_id for h in hrefs} == wanted
