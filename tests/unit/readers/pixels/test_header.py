from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from tests.unit.algo.test_rpc import simple

from swath.algo.raw_image import model_of
from swath.algo.rpc import Rpc
from swath.errors import GeometryError, MetadataError, ReadError, SceneError
from swath.readers.files.digest import fingerprint
from swath.readers.pixels import header as header_module
from swath.readers.pixels.header import RasterHeader, inspect


def test_the_header_tells_what_rasterio_tells(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", nodata=7, dtype="int16")
    header = inspect(str(path))
    with rasterio.open(path) as source:
        assert header.grid.transform == tuple(source.transform)[:6]
        assert (header.grid.width, header.grid.height) == (source.width, source.height)
        assert (header.dtype, header.count, header.nodata) == ("int16", source.count, source.nodata)
    assert header.grid.crs == "EPSG:32613"


def test_a_crs_without_authority_is_told_in_wkt(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", crs="+proj=laea +lat_0=47.123 +lon_0=11.321 +ellps=GRS80 +units=m")
    assert "Lambert" in inspect(str(path)).grid.crs


def test_a_fingerprint_taken_before_gives_the_same_header(write_raster: Any, tmp_path: Path) -> None:
    path = str(write_raster(tmp_path / "a.tif"))
    assert inspect(path, known=fingerprint(path)) == inspect(path)


@pytest.mark.parametrize(
    "profile", [{"compress": "deflate"}, {"tiled": True, "blockxsize": 16, "blockysize": 16}, {"BIGTIFF": "YES"}]
)
def test_a_tiff_cut_short_anywhere_is_noticed(write_raster: Any, tmp_path: Path, profile: dict[str, Any]) -> None:
    whole = write_raster(tmp_path / "a.tif", **profile).read_bytes()
    for keep in (len(whole) - 1, len(whole) // 2, 300, 20):
        cut = tmp_path / "cut.tif"
        cut.write_bytes(whole[:keep])
        with pytest.raises(ReadError, match="truncated"):
            inspect(str(cut))


def test_a_jpeg_2000_cut_short_is_noticed(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.jp2", driver="JP2OpenJPEG", compress=None)
    assert inspect(str(path)).dtype == "uint16"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ReadError, match=r"truncated: expected an end-of-codestream marker .* got .*a\.jp2 of \d+ bytes"):
        inspect(str(path))


def test_an_empty_file_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    with pytest.raises(ReadError, match=r"a raster is empty: .* of 0 bytes\. Fetch the file again"):
        inspect(str(tmp_path / "a.tif"))


def test_a_missing_file_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"cannot be read: .*none\.tif"):
        inspect(str(tmp_path / "none.tif"))


def test_a_vrt_that_calls_itself_tif_is_not_opened(write_raster: Any, tmp_path: Path) -> None:
    secret = write_raster(tmp_path / "secret.tif")
    vrt = tmp_path / "a.tif"
    vrt.write_text(
        '<VRTDataset rasterXSize="64" rasterYSize="48"><SRS>EPSG:32613</SRS><GeoTransform>4e5,30,0,4e6,0,-30</GeoTransform>'
        '<VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with rasterio.open(vrt) as source:
        assert source.driver == "VRT"  # GDAL itself would open it
    with pytest.raises(ReadError, match="not a raster that swath opens"):
        inspect(str(vrt))


def test_a_raster_without_crs_is_refused(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", crs=None)
    with pytest.raises(GeometryError, match=r"no coordinate reference system: .*a\.tif"):
        inspect(str(path))


@pytest.mark.parametrize("crs", ["EPSG:4978", "+proj=geocent +ellps=GRS80", 'LOCAL_CS["hall 3",UNIT["metre",1]]', "EPSG:5773"])
def test_a_system_that_is_of_no_map_is_refused(write_raster: Any, crs: str, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", crs=crs)
    with pytest.raises(GeometryError, match=r"is not one of a map: expected a projected system, .* of .*a\.tif\. Warp it"):
        inspect(str(path))


@pytest.mark.parametrize("crs", ["EPSG:4979", "EPSG:32633+5773", "EPSG:2263", "EPSG:4269"])
def test_a_map_with_heights_or_in_feet_is_a_map(write_raster: Any, crs: str, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", crs=crs)
    assert inspect(str(path)).grid.crs


def test_a_turned_raster_keeps_its_turn(write_raster: Any, tmp_path: Path) -> None:
    turned = rasterio.Affine(30, 5, 4e5, 5, -30, 4e6)
    south_up = rasterio.Affine(30, 0, 4e5, 0, 30, 4e6)
    for number, transform in enumerate((turned, south_up)):
        grid = inspect(str(write_raster(tmp_path / f"{number}.tif", transform=transform))).grid
        assert not grid.upright
        assert grid.transform == tuple(transform)[:6]


def test_a_raster_whose_pixels_have_no_area_is_refused_by_name(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", transform=rasterio.Affine(30, 30, 4e5, 30, 30, 4e6))
    with pytest.raises(GeometryError, match=r"grid is unusable: expected .* an area; got .*a\.tif: "):
        inspect(str(path))


def test_an_absurd_size_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    profile = {"driver": "GTiff", "width": 2**20, "height": 4, "count": 1, "dtype": "uint8", "SPARSE_OK": True, "tiled": True}
    with rasterio.open(path, "w", crs="EPSG:32613", transform=rasterio.Affine(30, 0, 0, 0, -30, 0), BIGTIFF="YES", **profile):
        pass
    with pytest.raises(ReadError, match="absurd size"):
        inspect(str(path))


def test_more_pixels_than_the_sensor_has_are_not_believed(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif")
    with pytest.raises(ReadError, match=r"absurd size: expected .* 3000 in all"):
        inspect(str(path), max_pixels=3000)


def test_a_sparse_tiff_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=48, count=1, dtype="uint8", SPARSE_OK=True, crs="EPSG:32613",
        transform=rasterio.Affine(30, 0, 4e5, 0, -30, 4e6),
    ):  # fmt: skip
        pass
    assert inspect(str(path)).grid.width == 64


@pytest.mark.parametrize("big", ["YES", "NO"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 500), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_a_scene_error_or_a_header(write_raster: Any, tmp_path: Path, big: str, at: int, junk: bytes) -> None:
    good = tmp_path / "good.tif"
    if not good.exists():
        write_raster(good, BIGTIFF=big)
    data = bytearray(good.read_bytes())
    data[at : at + len(junk)] = junk
    bad = tmp_path / "bad.tif"
    bad.write_bytes(data)
    with suppress(SceneError):  # anything else fails
        assert np.isfinite(inspect(str(bad)).grid.left)


def test_offsets_beyond_any_file_are_truncation(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", BIGTIFF="YES")
    data = bytearray(path.read_bytes())
    data[8:16] = b"\xff" * 8  # where the directory lies
    path.write_bytes(data)
    with pytest.raises(ReadError, match="truncated"):
        inspect(str(path))


def test_an_image_with_rpcs_is_told_from_one_without_a_place(write_raster: Any, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", crs=None)
    terms = {f"{part}_{of}_COEFF": " ".join(["1"] * 20) for part in ("LINE", "SAMP") for of in ("NUM", "DEN")}
    numbers = {f"{n}_{k}": "1" for n in ("LINE", "SAMP", "LAT", "LONG", "HEIGHT") for k in ("OFF", "SCALE")}
    with rasterio.open(path, "r+") as target:
        target.update_tags(ns="RPC", **terms, **numbers)
    with pytest.raises(MetadataError, match="the RPC of the image cannot be used: the denominator of its lines is zero inside"):
        inspect(str(path))


def with_points(path: Path, *, off_px: float, system: CRS, several: int = 9) -> None:
    """A raster of 8 x 8 pixels of 2 m, turned a little, whose first control point is off by so many pixels."""
    places = [(float(r), float(c)) for r in (0, 4, 8) for c in (0, 4, 8)][:several]
    off = {(0.0, 0.0): 2.06 * off_px}
    points = [
        GroundControlPoint(row=r, col=c, x=500000 + 2 * c + 0.5 * r + off.get((r, c), 0.0), y=4e6 - 2 * r + 0.5 * c)
        for r, c in places
    ]
    shape: dict[str, Any] = {"width": 8, "height": 8, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", gcps=points, crs=system, **shape) as target:
        target.write(np.ones((1, 8, 8), dtype=np.uint8))


def test_control_points_with_a_system_make_an_affine_map_and_tell_what_they_are_off(tmp_path: Path) -> None:
    path = tmp_path / "gcps.tif"
    with_points(path, off_px=0.0, system=CRS.from_epsg(32631))
    header = inspect(str(path))
    assert header.grid.crs == "EPSG:32631"
    assert header.grid.transform == pytest.approx((2.0, 0.5, 500000.0, 0.5, -2.0, 4e6))
    assert header.control["swath:control_most_px"] == pytest.approx(0.0, abs=1e-4)
    with_points(path, off_px=0.9, system=CRS.from_epsg(32631))
    told = inspect(str(path)).control
    assert (told["swath:control_points"], told["swath:control_model"]) == (9, "affine map")
    # The corner of nine points draws the map with it, by its leverage of 16/36.
    assert told["swath:control_most_px"] == pytest.approx(0.9 * (1 - 16 / 36), abs=0.02)
    assert 0.1 < float(told["swath:control_rms_px"]) < 0.3


@pytest.mark.parametrize(("off", "epsg", "several"), [(3.0, 32631, 9), (0.0, None, 9), (0.0, 32631, 3)])
def test_control_points_without_a_system_too_few_or_off_a_plane_are_refused(
    tmp_path: Path, off: float, epsg: int | None, several: int
) -> None:
    path = tmp_path / "gcps.tif"
    with_points(path, off_px=off, system=CRS.from_epsg(epsg) if epsg else CRS(), several=several)
    system = "EPSG:32631" if epsg else "no system"
    told = rf"control points in place of a map.*with {several} control points in {system}.*`gdalwarp"
    with pytest.raises(GeometryError, match=told):
        inspect(str(path))


def rpc00b(rpc: Rpc) -> str:
    """The tagged record RPC00B of a model, 1041 characters (STDI-0002)."""
    numbers = [f"{rpc.line_off:06.0f}", f"{rpc.samp_off:05.0f}", f"{rpc.lat_off:+08.4f}", f"{rpc.long_off:+09.4f}"]
    numbers += [f"{rpc.height_off:+05.0f}", f"{rpc.line_scale:06.0f}", f"{rpc.samp_scale:05.0f}", f"{rpc.lat_scale:+08.4f}"]
    numbers += [f"{rpc.long_scale:+09.4f}", f"{rpc.height_scale:+05.0f}"]
    terms = [f"{v:+.6E}" for v in rpc.coefficients.ravel()]
    return "".join(["1", "0000.00", "0000.00", *numbers, *(t[:-2] + t[-1] for t in terms)])


@pytest.fixture(params=["rpc"])
def nitf(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A NITF with corners, and with RPC00B unless it has corners alone."""
    path, rpc = tmp_path / "image.ntf", simple(line_off=34.0, line_scale=35.0, samp_off=44.0, samp_scale=45.0)
    shape: dict[str, Any] = {"width": 90, "height": 70, "count": 1, "dtype": "uint16"}
    corners = "+44.010+004.980+44.010+005.020+43.990+005.020+43.990+004.980"
    model = {} if request.param == "corners" else {"TRE": f"RPC00B={rpc00b(rpc)}"}
    with rasterio.open(path, "w", driver="NITF", **model, ICORDS="D", IGEOLO=corners, **shape) as target:
        target.write((np.arange(70 * 90).reshape(1, 70, 90) % 4000 + 1).astype(np.uint16))
    return path


def test_a_nitf_is_a_raw_image_by_its_model_not_a_map_by_its_corners(nitf: Path) -> None:
    with rasterio.open(nitf, driver="NITF") as source:
        assert source.crs is not None or source.gcps[0], "the file has corners"
    header = inspect(str(nitf))
    assert (header.grid.raw, header.grid.width, header.grid.height, header.dtype) == (True, 90, 70, "uint16")
    found, expected = model_of(header.grid.crs).rpc, simple(line_off=34.0, line_scale=35.0, samp_off=44.0, samp_scale=45.0)
    # RPC00B keeps six digits of a coefficient.
    np.testing.assert_allclose(found.coefficients, expected.coefficients, atol=1e-6)
    place = np.array([5.005]), np.array([44.004]), np.array([480.0])
    np.testing.assert_allclose(found.image_of(*place), expected.image_of(*place), atol=1e-3)


def test_a_nitf_that_is_cut_off_or_of_another_version_is_refused(nitf: Path) -> None:
    data = nitf.read_bytes()
    nitf.write_bytes(data[:-500])
    with pytest.raises(ReadError, match=f"a raster is truncated: expected {len(data)} bytes or more"):
        inspect(str(nitf))
    nitf.write_bytes(data[:200])
    with pytest.raises(ReadError, match="a raster is truncated"):
        inspect(str(nitf))
    nitf.write_bytes(b"NITF01.10" + data[9:])
    with pytest.raises(ReadError, match=r"not a raster that swath opens: expected a GeoTIFF, JPEG 2000 or NITF 2\.1"):
        inspect(str(nitf))


@pytest.mark.parametrize("nitf", ["corners"], indirect=True)
def test_a_nitf_without_a_model_is_no_map_by_its_corners(nitf: Path) -> None:
    with pytest.raises(GeometryError, match="the NITF has no model of its image: expected RPC00B"):
        inspect(str(nitf))


def _same_place(path: Path, *, value: int, **changed: Any) -> str:
    """A raster of two bands, its blocks of another size for another value; ``changed`` has its profile, tags and description."""
    tags, name, masked = changed.pop("tags", {}), changed.pop("name", ""), changed.pop("masked", False)
    profile: dict[str, Any] = {
        "driver": "GTiff", "height": 40, "width": 50, "count": 2, "dtype": "uint16", "crs": "EPSG:32633", "compress": "deflate",
        "transform": rasterio.Affine(30, 0, 5e5, 0, -30, 5e6),
    }  # fmt: skip
    side = {k: changed.pop(k) for k in ("scales", "offsets") if k in changed}
    profile |= changed
    shape = (profile["count"], profile["height"], profile["width"])
    values = np.random.default_rng(value).integers(0, value + 1, shape).astype(profile["dtype"])
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as target:
        target.write(values)
        target.update_tags(**tags)
        if name:
            target.set_band_description(1, name)
        for attribute, of_bands in side.items():
            setattr(target, attribute, of_bands)
        if masked:
            target.write_mask(values[0] > 0)
    return str(path)


def _unseen(path: str, monkeypatch: pytest.MonkeyPatch) -> RasterHeader:
    """The header as a process tells it that has seen no other file."""
    with monkeypatch.context() as patched:
        patched.setattr(header_module, "_SEEN", {})
        return inspect(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"nodata": 3}, {"dtype": "int16"}, {"crs": "EPSG:32634"}, {"width": 51}, {"count": 3}, {"BIGTIFF": "YES"},
        {"ENDIANNESS": "BIG"},
        {"transform": rasterio.Affine(30, 0, 5e5, 0, -30, 5e6 + 30)}, {"tags": {"a": "b"}}, {"name": "red"}, {"masked": True},
        {"scales": (0.5, 1.0)}, {"offsets": (3.0, 0.0)}, {"ALPHA": "YES"}, {"tiled": True, "blockxsize": 16, "blockysize": 16},
        {"crs": "+proj=laea +lat_0=47.123 +lon_0=11.321 +ellps=GRS80 +units=m"},
    ],
    ids=str,
)  # fmt: skip
def test_a_file_is_taken_for_one_seen_before_only_where_gdal_would_say_the_same(
    changed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_module, "_SEEN", {})
    plain, other = _same_place(tmp_path / "a.tif", value=900), _same_place(tmp_path / "b.tif", value=2, **changed)
    first = inspect(plain)
    assert inspect(other) == _unseen(other, monkeypatch)
    assert inspect(plain) == first == _unseen(plain, monkeypatch)


def test_files_that_differ_in_pixels_alone_are_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_module, "_SEEN", {})
    files = [_same_place(tmp_path / f"{n}.tif", value=n) for n in (1, 50, 9000)]
    sizes = [Path(f).stat().st_size for f in files]
    assert len(set(sizes)) == 3
    opened: list[str] = []

    def openable(href: str) -> str:
        opened.append(href)
        return href

    monkeypatch.setattr(header_module, "openable", openable)
    headers = [inspect(f) for f in files]
    assert [h.file_bytes for h in headers] == sizes
    assert len({repr(replace(h, file_bytes=0)) for h in headers}) == 1
    assert opened == files[:1]


def test_a_mask_beside_a_file_counts_though_the_file_itself_was_seen(tmp_path: Path) -> None:
    with_mask, without = _same_place(tmp_path / "a.tif", value=9), _same_place(tmp_path / "b.tif", value=8)
    assert inspect(without).mask is None
    assert inspect(with_mask).mask is None
    _same_place(Path(f"{with_mask}.msk"), value=1, count=1, dtype="uint8")
    found = inspect(with_mask).mask
    assert found is not None
    assert found.kind == "sidecar"
    assert inspect(without).mask is None
