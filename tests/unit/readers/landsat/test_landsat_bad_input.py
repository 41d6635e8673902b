"""What a broken Landsat delivery says: which scene, expected, got, what to do."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rasterio

from swath.errors import ArchiveError, GeometryError, MetadataError, MissingBandError, ReadError, UnsupportedSensorError
from swath.readers.landsat.scene import read_scene

WriteLandsat = Callable[..., Path]
ID = "LC09_L1TP_033033_20230716_20230716_02_T1"


def test_the_sun_below_the_horizon(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, edits={"SUN_ELEVATION": "-12.5"})
    with pytest.raises(GeometryError, match=rf"{ID}: the sun is not above the horizon: expected .* got -12\.5\. Night scenes"):
        read_scene(str(folder))


@pytest.mark.parametrize("key", ["SUN_ELEVATION", "SUN_AZIMUTH"])
def test_angles_that_are_no_numbers(write_landsat: WriteLandsat, tmp_path: Path, key: str) -> None:
    folder = write_landsat(tmp_path, edits={key: "NaN"})
    with pytest.raises(
        GeometryError, match=rf"{ID}: an angle is not a number: expected finite degrees; got .*nan.*Check the metadata"
    ):
        read_scene(str(folder))


def test_a_truncated_band(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path)
    band = folder / f"{ID}_B4.TIF"
    os.truncate(band, band.stat().st_size - 50)
    with pytest.raises(
        ReadError, match=rf"{ID}: a raster is truncated: expected \d+ bytes or more; got .*_B4\.TIF of \d+ bytes\. Fetch"
    ):
        read_scene(str(folder))


def test_a_band_of_no_bytes(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path)
    os.truncate(folder / f"{ID}_B4.TIF", 0)
    with pytest.raises(ReadError, match=rf"{ID}: a raster is empty: expected .* got .*_B4\.TIF of 0 bytes"):
        read_scene(str(folder))


def test_no_bands_at_all(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, without={f"B{n}" for n in range(1, 12)})
    with pytest.raises(
        MissingBandError, match=rf"{ID}: the delivery has no bands: expected files like {ID}_B1\.TIF; got none .* Put"
    ):
        read_scene(str(folder))


def test_a_band_of_numbers_that_no_delivery_has(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, rasters={"B5": {"dtype": "complex64"}})
    with pytest.raises(
        ReadError, match=rf"{ID}: band B5 is not a Level-1 raster: expected one band of whole numbers; got 1 of complex64 in"
    ):
        read_scene(str(folder))


def test_a_band_file_with_several_bands(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, rasters={"B5": {"count": 3}})
    with pytest.raises(ReadError, match=r"expected one band .* got 3 of uint16"):
        read_scene(str(folder))


def test_a_band_without_crs(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, rasters={"B2": {"crs": None}})
    with pytest.raises(GeometryError, match=rf"{ID}: the raster has no coordinate reference system: .*_B2\.TIF\. Georeference"):
        read_scene(str(folder))


@pytest.mark.parametrize(
    "profile",
    [
        {"transform": rasterio.Affine(30.0, 0.0, 400095.0, 0.0, -30.0, 4400115.0)},
        {"width": 60},
        {"crs": "EPSG:32614"},
    ],
)
def test_bands_over_different_ground(write_landsat: WriteLandsat, tmp_path: Path, profile: dict[str, Any]) -> None:
    folder = write_landsat(tmp_path, rasters={"B3": profile})
    with pytest.raises(
        GeometryError, match=rf"{ID}: bands .* different extents: expected B1 EPSG:32613 .* and B3 .* got B3 EPSG:.* Fetch"
    ):
        read_scene(str(folder))


def test_no_metadata(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path)
    next(folder.glob("*_MTL.txt")).unlink()
    with pytest.raises(
        MetadataError, match=r"no Landsat metadata: expected one \*_MTL\.txt, .* got none in .*\. Add the scene's MTL"
    ):
        read_scene(str(folder))


def test_metadata_of_two_scenes(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path)
    (folder / "OTHER_MTL.txt").write_text("GROUP = A\n")
    with pytest.raises(MetadataError, match=r"exactly one metadata file: .* got .*_MTL\.txt, OTHER_MTL\.txt in"):
        read_scene(str(folder))


def test_empty_metadata(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path)
    os.truncate(next(folder.glob("*_MTL.txt")), 0)
    with pytest.raises(MetadataError, match=r"a metadata file is empty: expected text; got .*_MTL\.txt"):
        read_scene(str(folder))


def test_cyclic_metadata(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    mtl = next(write_landsat(tmp_path).glob("*_MTL.txt"))
    mtl.write_text(mtl.read_text().replace("GROUP = IMAGE_ATTRIBUTES", "GROUP = LANDSAT_METADATA_FILE", 1))
    with pytest.raises(MetadataError, match="the group LANDSAT_METADATA_FILE inside itself"):
        read_scene(str(mtl))


def test_metadata_of_100_mb(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    mtl = next(write_landsat(tmp_path).glob("*_MTL.txt"))
    os.truncate(mtl, 100 << 20)
    with pytest.raises(MetadataError, match="too large"):
        read_scene(str(mtl))


def test_a_level_2_delivery(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, edits={"PROCESSING_LEVEL": '"L2SP"'})
    with pytest.raises(
        MetadataError, match=rf"{ID}: this delivery is not Level 1: expected L1TP, .* got L2SP\. Give the Level-1"
    ):
        read_scene(str(folder))


@pytest.mark.parametrize(
    ("spacecraft", "sensor"), [("LANDSAT_1", "MSS"), ("LANDSAT_5", "MSS"), ("LANDSAT_8", "TIRS"), ("LANDSAT_7", "TM")]
)
def test_a_sensor_that_is_not_processed(write_landsat: WriteLandsat, tmp_path: Path, spacecraft: str, sensor: str) -> None:
    folder = write_landsat(tmp_path, edits={"SPACECRAFT_ID": spacecraft, "SENSOR_ID": sensor})
    with pytest.raises(
        UnsupportedSensorError, match=rf"{ID}: this Landsat sensor is not processed: .* got {sensor} of Landsat \d\. Take"
    ):
        read_scene(str(folder))


def test_two_renamed_deliveries_in_one_folder(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    write_landsat(tmp_path, stem="one")
    folder = write_landsat(tmp_path, stem="two")
    with pytest.raises(MetadataError, match=rf"{ID}: it is ambiguous which files .* got one_.* and two_.*Leave one"):
        read_scene(str(folder))


def test_two_files_for_one_band(write_landsat: WriteLandsat, write_raster: Callable[..., Path], tmp_path: Path) -> None:
    folder = write_landsat(tmp_path, stem="crop")
    write_raster(folder / "cropB4.tif")
    with pytest.raises(
        MetadataError, match=r"ambiguous which file .* expected one file for B4; got cropB4\.tif and crop_B4\.TIF"
    ):
        read_scene(str(folder))


def test_a_broken_tar(tmp_path: Path) -> None:
    path = tmp_path / "LC09.tar"
    path.write_bytes(b"not a tar" * 100)
    with pytest.raises(
        ReadError, match=r"archive cannot be read: expected a tar \(plain, .*\) or a zip; got .*LC09\.tar that begins"
    ):
        read_scene(str(path))


def test_a_tar_whose_members_leave_their_archive(tmp_path: Path) -> None:
    import tarfile  # noqa: PLC0415 - only this test builds a hostile archive

    path = tmp_path / "LC09.tar.gz"
    (tmp_path / "a").write_text("x")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "a", "../../evil")
    with pytest.raises(
        ArchiveError, match=r"a member's name leads out of its archive: .* got '\.\./\.\./evil' in .*LC09\.tar\.gz"
    ):
        read_scene(str(path))


def test_a_link_in_a_tar_is_not_followed(write_landsat: Callable[..., Path], tmp_path: Path) -> None:
    import tarfile  # noqa: PLC0415 - only these tests build hostile archives

    folder = write_landsat(tmp_path / "scene")
    red = next(folder.glob("*_B4.TIF"))
    red.unlink()
    red.symlink_to("/etc/hostname")
    with tarfile.open(tmp_path / "LC09.tar.gz", "w:gz") as tar:
        tar.add(folder, ".")
    scene = read_scene(str(tmp_path / "LC09.tar.gz"))
    assert "red" not in scene.assets
    assert scene.left_out["red"].startswith("not in the delivery")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"the scene cannot be listed: expected a folder, MTL file or tar; got .*nothing"):
        read_scene(str(tmp_path / "nothing"))


def test_an_mtl_file_of_another_place_than_the_bands(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path)
    mtl = next(folder.glob("*_MTL.txt"))
    text = mtl.read_text(encoding="ascii")
    # The bands are near 106 W, 40 N.
    for west, refused in ((-107.2, False), (-104.2, True)):
        corners = [
            (corner, west + 1.0 * (corner[1] == "R"), 40.0 - 1.0 * (corner[0] == "L")) for corner in ("UL", "UR", "LL", "LR")
        ]
        lines = [f"    CORNER_{c}_LAT_PRODUCT = {lat}\n    CORNER_{c}_LON_PRODUCT = {lon}\n" for c, lon, lat in corners]
        mtl.write_text(text.replace("    SPACECRAFT_ID", "".join(lines) + "    SPACECRAFT_ID"), encoding="ascii")
        if refused:
            with pytest.raises(
                MetadataError, match=rf"{ID}: the MTL file and the bands are of different places.*-106\.1.*got -104\.2"
            ):
                read_scene(str(folder))
        else:
            assert read_scene(str(folder)).scene_id == ID
