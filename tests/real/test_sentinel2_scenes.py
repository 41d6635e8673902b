"""Sentinel-2 deliveries as agencies and catalogues made them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from numpy.typing import NDArray

from swath.readers.angles import angle_field
from swath.readers.files.xml import parse_xml
from swath.readers.pixels.bands import BandReader
from swath.readers.sentinel2.bands import NAME_BY_NATIVE, NATIVE_IDS, band_of
from swath.readers.sentinel2.layout import find_delivery
from swath.readers.sentinel2.metadata import Sentinel2Metadata, read_sentinel2_metadata
from swath.readers.sentinel2.product import read_product
from swath.readers.sentinel2.scene import read_scene
from swath.readers.sentinel2.stac import stac_properties
from swath.readers.sentinel2.tile import read_tile
from swath.scene import Reflectance, Scene

Numbers = NDArray[np.float64]
pytestmark = pytest.mark.real

S2A = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
S2B_TILE = "S2B_OPER_MSI_L1C_TL_EPAE_20180617T013729_A006677_T55JGF_N02.06"
FOLDERS = (
    "S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248.SAFE",
    "S2A_MSIL2A_20150826T185436_N0212_R070_T11SLT_20210412T023147",
    "S2A_MSIL2A_20180721T053721_N0212_R062_T43MDV_20201011T181419.SAFE",
    "S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857.SAFE",
    "S2A_OPER_MSI_L2A_DS_2APS_20230105T201055_S20230105T163809",
    "S2A_OPER_MSI_L2A_TL_SGS__20181231T210250_A018414_T10SDG",
    "S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBP",
    "S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBQ",
    "S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBQ-no-tileDataGeometry",
    "S2A_OPER_MSI_L2A_TL_VGS1_20220401T110010_A035382_T34LBQ-no-tileDataGeometry-no-product-metadata",
    "S2B_MSIL2A_20191228T210519_N0212_R071_T01CCV_20201003T104658.SAFE",
    "S2B_OPER_MSI_L2A_DS_VGS1_20201101T095401_S20201101T074429-no-data",
    "esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE",
)
EXPECTED = tuple(FOLDERS[i] for i in (0, 3, 5, 6, 7, 10, 12))
#: No granule beside the product's own metadata.
PRODUCT_ONLY = FOLDERS[2]


def metadata_of(scenes: Path, folder: str) -> Sentinel2Metadata:
    return read_sentinel2_metadata(find_delivery(str(scenes / "stactools_sentinel2" / "data-files" / folder)).metadata)


def expected_of(scenes: Path, folder: str) -> dict[str, Any]:
    path = scenes / "stactools_sentinel2" / "data-files" / folder / "expected_output.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_every_folder_and_every_expectation_is_listed_here(scenes: Path) -> None:
    root = scenes / "stactools_sentinel2" / "data-files"
    assert sorted(p.name for p in root.iterdir()) == sorted(FOLDERS)
    assert sorted(p.parent.name for p in root.glob("*/expected_output.json")) == sorted(EXPECTED)


@pytest.mark.parametrize("folder", FOLDERS)
def test_all_metadata_parses(scenes: Path, folder: str) -> None:
    metadata = metadata_of(scenes, folder)
    assert metadata.scene_id.startswith(("S2A_MSIL", "S2B_MSIL"))
    assert metadata.platform in {"sentinel-2a", "sentinel-2b"}
    assert metadata.acquired.utcoffset() is not None
    if folder == PRODUCT_ONLY:
        assert metadata.tile is None
        return
    assert metadata.tile is not None
    assert f"_T{metadata.tile.mgrs}_" in metadata.scene_id
    assert set(metadata.tile.views) == set(NATIVE_IDS)
    assert metadata.tile.angles is not None
    for grid in (metadata.tile.angles.sun, *metadata.tile.angles.views.values()):
        assert grid.zenith_deg.shape == grid.azimuth_deg.shape == (23, 23)
        assert np.isfinite(grid.zenith_deg).all()
        assert np.isfinite(grid.azimuth_deg).all()


@pytest.mark.parametrize("folder", EXPECTED)
def test_the_item_is_the_one_expected(scenes: Path, folder: str) -> None:
    """Time, place, angles and ``s2:``, ``sat:``, ``mgrs:`` fields.

    Not the id: stactools names an item by acquisition, so all processings of one share an id; our products are named by
    ``scene_id``, which holds baseline and processing time, because two processings are two scenes.
    """
    metadata, expected = metadata_of(scenes, folder), expected_of(scenes, folder)
    properties = expected["properties"]
    assert metadata.acquired == datetime.fromisoformat(properties["datetime"])
    np.testing.assert_allclose(shapely.Polygon(metadata.footprint).bounds, expected["bbox"], atol=1e-5, rtol=0)
    assert metadata.platform == properties["platform"]
    assert metadata.cloud_cover_percent == properties["eo:cloud_cover"]
    assert 90 - metadata.sun.zenith_deg == pytest.approx(properties["view:sun_elevation"], abs=1e-9)
    assert metadata.sun.azimuth_deg == pytest.approx(properties["view:sun_azimuth"], abs=1e-9)
    assert metadata.view is not None
    assert metadata.view.azimuth_deg == pytest.approx(properties["view:azimuth"], abs=1e-9)
    assert metadata.view.zenith_deg == pytest.approx(properties["view:incidence_angle"], abs=1e-9)
    ours = stac_properties(metadata)
    theirs = {k: v for k, v in properties.items() if k.startswith(("s2:", "sat:", "mgrs:", "grid:"))}
    assert theirs
    assert {name: ours.get(name) for name in theirs} == theirs


@pytest.mark.parametrize("folder", EXPECTED)
def test_projection_bands_and_scales_are_the_ones_expected(scenes: Path, folder: str) -> None:
    metadata, expected = metadata_of(scenes, folder), expected_of(scenes, folder)
    assert metadata.grids[10].crs == expected["properties"]["proj:code"]
    by_name = {
        asset["eo:bands"][0]["name"]: asset
        for key, asset in expected["assets"].items()
        if len(asset.get("eo:bands", [])) == 1 and key != "preview" and "gsd" in asset
    }
    assert set(by_name) >= set(NATIVE_IDS) - {"B10"}
    for native, asset in by_name.items():
        band, eo, raster = band_of(native, platform=metadata.platform), asset["eo:bands"][0], asset["raster:bands"][0]
        # Before eo 1.1 the three red edges had one name.
        assert band.name.startswith("rededge") if eo["common_name"] == "rededge" else band.name == eo["common_name"]
        assert band.resolution_m == asset["gsd"] == raster["spatial_resolution"]
        # Theirs are the design's wavelengths, ours are those measured on each satellite: B08 842 and 832.8 nm.
        assert band.centre_um == pytest.approx(eo["center_wavelength"], rel=0.012)
        grid = metadata.grids[asset["gsd"]]
        assert grid.transform == tuple(asset["proj:transform"])
        assert [grid.height, grid.width] == asset["proj:shape"]
        assert list(grid.bounds) == asset["proj:bbox"]
        assert 1 / metadata.quantification == raster["scale"]
        assert metadata.nodata == raster["nodata"]
        if folder == EXPECTED[3]:
            # stactools supposes the offset of baseline 04.00 where no metadata tells it; here nothing is supposed.
            assert raster["offset"] == -0.1
            assert metadata.product is None
        else:
            assert metadata.offset_dn(native) / metadata.quantification == pytest.approx(raster["offset"], abs=1e-12)


@pytest.mark.parametrize("folder", EXPECTED)
def test_centroids_are_the_ones_expected(scenes: Path, folder: str) -> None:
    found = shapely.Polygon(metadata_of(scenes, folder).footprint).centroid
    expected = expected_of(scenes, folder)["properties"]["proj:centroid"]
    # In the AWS layout theirs is of a ring that was thinned out first.
    tolerance_deg = 1e-3 if "_OPER_" in folder else 1e-5
    np.testing.assert_allclose((found.x, found.y), (expected["lon"], expected["lat"]), atol=tolerance_deg, rtol=0)


@pytest.mark.parametrize("folder", [FOLDERS[0], FOLDERS[12]])
def test_wavelengths_are_those_of_the_products_own_responses(scenes: Path, folder: str) -> None:
    """Centre as written in the product, width at half maximum by linear interpolation of its 1 nm samples."""
    metadata = metadata_of(scenes, folder)
    files = find_delivery(str(scenes / "stactools_sentinel2" / "data-files" / folder)).metadata
    assert files.product is not None
    found = list(parse_xml(files.product).iter("Spectral_Information"))
    assert len(found) == 13
    for native, element in zip(NATIVE_IDS, found, strict=True):
        band = band_of(native, platform=metadata.platform)
        assert band.centre_um == pytest.approx(float(element.findtext("Wavelength/CENTRAL") or "nan") / 1000, abs=1e-6)
        response = np.array((element.findtext("Spectral_Response/VALUES") or "").split(), dtype=np.float64)
        inside = np.flatnonzero(response >= response.max() / 2)
        first, last = inside[0], inside[-1]
        half = response.max() / 2
        start = first - (response[first] - half) / (response[first] - response[first - 1])
        stop = last + (response[last] - half) / (response[last] - response[last + 1])
        assert band.fwhm_um == pytest.approx((stop - start) / 1000, abs=1e-4)


@pytest.fixture(scope="module")
def s2a(scenes: Path) -> Scene:
    return read_scene(str(scenes / "eodatasets" / f"{S2A}.zip"))


@pytest.fixture(scope="module")
def s2b(scenes: Path) -> Scene:
    return read_scene(str(scenes / "eodatasets" / f"{S2B_TILE}.AWSPDS.zip"))


def test_the_safe_zip_reads(s2a: Scene) -> None:
    assert s2a.scene_id == S2A
    assert [a.band.native_id for a in s2a.assets.values()] == list(NATIVE_IDS)
    assert (s2a.baseline, s2a.platform) == ("02.06", "sentinel-2a")
    assert 90 - s2a.angles.sun_elevation_deg == pytest.approx(59.516, abs=5e-4)
    assert s2a.properties["grid:code"] == "MGRS-56JMM"
    for asset in s2a.assets.values():
        assert asset.calibration == Reflectance(gain=1e-4, offset=0.0, sun_normalised=True)


def test_the_products_own_numbers(scenes: Path) -> None:
    files = find_delivery(str(scenes / "eodatasets" / f"{S2A}.zip")).metadata
    assert files.product is not None
    product = read_product(files.product)
    assert (product.baseline, product.quantification, dict(product.offsets)) == ("02.06", 10000.0, {})
    assert (product.nodata, product.saturated) == (0, 65535)


def test_grids_are_the_jp2s_own_not_the_metadatas(s2a: Scene, s2b: Scene) -> None:
    for scene in (s2a, s2b):
        for asset in scene.assets.values():
            with rasterio.open(asset.href) as source:
                assert asset.grid.transform == tuple(source.transform)[:6]
                assert (asset.grid.width, asset.grid.height) == (source.width, source.height)
                assert asset.grid.crs == f"EPSG:{source.crs.to_epsg()}"
    assert {a.grid.width for a in s2a.assets.values()} == {439, 219, 73}


@pytest.mark.parametrize(
    "name", ["blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "cirrus", "swir22"]
)
def test_a_quarter_of_the_scene_has_no_data(s2a: Scene, name: str) -> None:
    """27 % +- 1.

    This delivery's JPEG 2000 is lossy: beyond the swath's edge it left small DN in places (in B02 25.7 % are 0, in B06
    1.1 %), which are read as no data too. B11 cannot be held against it: there the ground itself may be as dark.
    """
    asset = s2a.assets[name]
    with BandReader() as reader:
        layer = reader.read(s2a, name, asset.grid.window)
    assert 1 - layer.usable.mean() == pytest.approx(0.27, abs=0.01)
    with rasterio.open(asset.href) as source:
        delivered = source.read(1)
    np.testing.assert_array_equal(layer.usable, delivered > (asset.residue or 0))
    np.testing.assert_array_equal(layer.values[layer.usable], delivered[layer.usable])


def test_where_the_ground_may_be_dark_only_0_is_no_data(s2a: Scene) -> None:
    assert {n for n, a in s2a.assets.items() if a.residue is None} == {"cirrus", "swir16", "swir22"}
    assert {a.residue for a in s2a.assets.values()} == {10, None}


def test_the_aws_zip_reads(s2b: Scene) -> None:
    assert s2b.scene_id == "S2B_MSIL1C_20180617T001109_N0206_R073_T55JGF_20180617T013729"
    assert len(s2b.assets) == 13
    assert s2b.acquired == datetime.fromisoformat("2018-06-17T00:11:07.458Z")
    assert s2b.cloud_cover_percent == pytest.approx(41.1953)
    assert set(s2b.left_out) == {"visual", "product_metadata"}


def positions(start: float, *, step: float, number: int) -> Numbers:
    return np.asarray(start + step * np.arange(number), dtype=np.float64)


@pytest.mark.parametrize("name", ["s2a", "s2b"])
def test_angles_on_the_scenes_grid_agree_with_their_means(request: pytest.FixtureRequest, name: str) -> None:
    scene: Scene = request.getfixturevalue(name)
    field = angle_field(scene)
    assert field is not None
    grid = scene.reference
    x = positions(grid.left + grid.dx / 2, step=grid.dx, number=grid.width)
    y = positions(grid.top - grid.dy / 2, step=-grid.dy, number=grid.height)
    sun_zenith, sun_azimuth, view_zenith, _ = field.sample(x=x, y=y, band="blue")
    assert sun_zenith.mean() == pytest.approx(90 - scene.angles.sun_elevation_deg, abs=1e-3)
    assert sun_azimuth.mean() == pytest.approx(scene.angles.sun_azimuth_deg, abs=0.01)
    assert 0 <= view_zenith.min() <= view_zenith.max() < 15


def values_of(element: Any, part: str) -> Numbers:
    return np.array([v.text.split() for v in element.find(part).iter("VALUES")], dtype=np.float64)


@pytest.mark.parametrize("native", ["B04", "B12"])
@pytest.mark.parametrize("name", ["s2a", "s2b"])
def test_the_real_grids_nodes_are_reproduced(request: pytest.FixtureRequest, name: str, native: str) -> None:
    """Against the delivered text: the sun, nodes that one detector alone saw, and the mean of all detectors' nodes."""
    scene: Scene = request.getfixturevalue(name)
    field = angle_field(scene)
    assert field is not None
    assert scene.angles_href is not None
    root = parse_xml(scene.angles_href)
    x = positions(scene.reference.left, step=5000, number=23)
    y = positions(scene.reference.top, step=-5000, number=23)
    sampled = field.sample(x=x, y=y, band=NAME_BY_NATIVE[native])
    sun = next(root.iter("Sun_Angles_Grid"))
    np.testing.assert_array_equal(sampled[0], values_of(sun, "Zenith"))
    np.testing.assert_allclose(sampled[1], values_of(sun, "Azimuth"), atol=1e-9)
    grids = root.iter("Viewing_Incidence_Angles_Grids")
    detectors = [grid for grid in grids if NATIVE_IDS[int(grid.attrib["bandId"])] == native]
    zeniths = np.stack([values_of(d, "Zenith") for d in detectors])
    azimuths = np.stack([values_of(d, "Azimuth") for d in detectors])
    seen = np.isfinite(zeniths).sum(axis=0)
    assert (seen == 1).sum() > 100
    np.testing.assert_array_equal(sampled[2][seen == 1], np.nansum(zeniths, axis=0)[seen == 1])
    np.testing.assert_allclose(sampled[3][seen == 1], np.nansum(azimuths, axis=0)[seen == 1], atol=1e-9)
    # ESA's mean view zenith counts a node once for each detector that saw it.
    mean = read_tile(scene.angles_href).views[native].zenith_deg
    assert np.average(sampled[2], weights=seen) == pytest.approx(mean, abs=1e-5)


def test_common_names_are_unique() -> None:
    assert len(set(NAME_BY_NATIVE.values())) == 13
