"""Windowed reads of bands: the numbers as delivered, their nodata, and files that are not what ingest saw."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from swath.errors import ReadError
from swath.grid import Grid, Window
from swath.readers.pixels import bands
from swath.readers.pixels.bands import BandReader
from swath.scene import Angles, Asset, Band, Reflectance, Scene

GRID = Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=10.0, dy=10.0, width=50, height=40)
PIXELS = np.random.default_rng(0).integers(0, 12, (2, 40, 50)).astype(np.uint16)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    file = tmp_path / "red.tif"
    profile = {"driver": "GTiff", "height": 40, "width": 50, "count": 2, "dtype": "uint16", "crs": GRID.crs}
    with rasterio.open(file, "w", **profile, transform=rasterio.Affine(*GRID.transform)) as dataset:
        dataset.write(PIXELS)
    asset = Asset(
        band=Band(name="red", native_id="B4", resolution_m=10.0), href=str(file), grid=GRID, dtype="uint16", nodata=0,
        saturated=None, calibration=Reflectance(gain=1.0, offset=0.0, sun_normalised=True), digest="0" * 64,
    )  # fmt: skip
    return Scene(
        scene_id="S1", platform="p", instrument="i", family="f", acquired=datetime(2024, 1, 1, tzinfo=UTC), assets={"red": asset},
        angles=Angles(sun_elevation_deg=45.0, sun_azimuth_deg=1.0), reader="t", source_href="", metadata_href="", digest="d",
    )  # fmt: skip


def _with(scene: Scene, **changes: Any) -> Scene:
    return replace(scene, assets={"red": replace(scene.assets["red"], **changes)})


def _read(scene: Scene, window: Window = GRID.window) -> Any:
    with BandReader() as reader:
        return reader.read(scene, "red", window)


def test_a_window_holds_the_delivered_numbers(scene: Scene) -> None:
    layer = _read(scene, Window(3, 5, 20, 30))
    np.testing.assert_array_equal(layer.values, PIXELS[0, 3:23, 5:35])
    np.testing.assert_array_equal(layer.valid, PIXELS[0, 3:23, 5:35] != 0)
    np.testing.assert_array_equal(_read(_with(scene, band_index=2)).values, PIXELS[1])


def test_without_nodata_everything_is_valid(scene: Scene) -> None:
    layer = _read(_with(scene, nodata=None))
    assert layer.valid is None
    assert layer.usable.all()


def test_residue_of_compression_is_read_as_nodata(scene: Scene) -> None:
    layer = _read(_with(scene, residue=3))
    np.testing.assert_array_equal(layer.valid, PIXELS[0] > 3)
    np.testing.assert_array_equal(layer.values, np.where(PIXELS[0] > 3, PIXELS[0], 0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "uint8"}, r"S1: band red has another type than at ingest: expected uint8; got uint16\. The file changed"),
        (
            {"grid": replace(GRID, width=49)},
            r"a raster has another size than at ingest: expected 49 x 40; got .*red\.tif of 50 x 40",
        ),
        ({"href": "/nowhere/red.tif"}, r"S1: band red \(B4\) cannot be read: expected an intact raster; got /nowhere/red\.tif: "),
        ({"band_index": 3}, r"a raster has fewer bands than at ingest: expected band 3; got .*red\.tif of 2\. The file changed"),
    ],
)
def test_a_file_that_is_not_what_ingest_saw_is_refused(scene: Scene, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        _read(_with(scene, **changes))


@pytest.mark.parametrize("content", [b"", b"no raster", b"<VRTDataset rasterXSize='50' rasterYSize='40'/>"])
def test_other_kinds_of_files_are_refused(scene: Scene, content: bytes) -> None:
    Path(scene.assets["red"].href).write_bytes(content)
    with pytest.raises(ReadError, match=r"S1: band red \(B4\) cannot be read: expected an intact raster"):
        _read(scene)


def test_a_truncated_file_is_refused(scene: Scene) -> None:
    file = Path(scene.assets["red"].href)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(ReadError, match=r"S1: band red \(B4\) cannot be read"):
        _read(scene)


def test_a_file_read_past_gdal_gives_the_same_and_tells_the_same(scene: Scene, tmp_path: Path) -> None:
    plain = scene.assets["red"].href
    tiled = tmp_path / "tiled.tif"
    rasterio.shutil.copy(
        plain, tiled, driver="GTiff", tiled=True, blockxsize=64, blockysize=64, compress="DEFLATE", interleave="BAND"
    )
    with BandReader() as reader:
        layer = reader.read(_with(scene, href=str(tiled)), "red", Window(3, 0, 20, 50))
        np.testing.assert_array_equal(layer.values, PIXELS[0, 3:23])
        assert (str(tiled), 1) in reader._deflated
    with rasterio.open(tiled) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    data = tiled.read_bytes()
    tiled.write_bytes(data[: offset + 20] + bytes([data[offset + 20] ^ 0xFF]) + data[offset + 21 :])
    with pytest.raises(ReadError, match=r"S1: band red \(B4\) cannot be read"):
        _read(_with(scene, href=str(tiled)))


def test_a_block_that_gdal_would_take_in_spite_of_its_checksum_is_refused_again_and_again(scene: Scene, tmp_path: Path) -> None:
    tiled = tmp_path / "tiled.tif"
    rasterio.shutil.copy(
        scene.assets["red"].href, tiled, driver="GTiff", tiled=True, blockxsize=64, blockysize=64, compress="DEFLATE",
        interleave="BAND",
    )  # fmt: skip
    with rasterio.open(tiled) as dataset:
        offset, size = (int(dataset.get_tag_item(f"BLOCK_{n}_0_0", "TIFF", bidx=1)) for n in ("OFFSET", "SIZE"))
    data = bytearray(tiled.read_bytes())
    data[offset + size - 1] ^= 0xFF  # of the checksum
    tiled.write_bytes(data)
    with rasterio.open(tiled) as dataset:
        dataset.read(1)
    with BandReader() as reader:
        for _ in range(2):
            message = (
                r"S1: band red \(B4\) cannot be read: expected an intact raster; got .*: block 0, 0 of band 1: .*incorrect data"
            )
            with pytest.raises(ReadError, match=message):
                reader.read(_with(scene, href=str(tiled)), "red", Window(0, 0, 20, 50))


def test_files_stay_open_up_to_a_limit(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "OPEN_FILES", 2)
    reader = BandReader()
    for name in ("a", "b", "c", "b"):
        copy = tmp_path / f"{name}.tif"
        copy.write_bytes(Path(scene.assets["red"].href).read_bytes())
        reader.read(_with(scene, href=str(copy)), "red", GRID.window)
    held = list(reader._open.items())
    assert [Path(href).stem for href, _ in held] == ["c", "b"]
    reader.close()
    assert all(dataset.closed for _, dataset in held)
