"""Sentinel-2 deliveries as downloads and copies leave them."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from tests.unit.readers.sentinel2.conftest import NAME

from swath.errors import ArchiveError, GeometryError, MetadataError, MissingBandError
from swath.readers.discover import discover
from swath.readers.passed_over import PassedOver
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene

WriteSafe = Callable[..., Path]


def _same(scene: Scene, expected: Scene) -> None:
    """The same bands with the same pixels; names of files are part of a scene's digest, so it is not compared."""
    assert scene.scene_id == expected.scene_id
    assert {n: a.digest for n, a in scene.assets.items()} == {n: a.digest for n, a in expected.assets.items()}
    with BandReader() as reader:
        got, wanted = (reader.read(s, "cirrus", s.assets["cirrus"].grid.window).values for s in (scene, expected))
    assert wanted.any()
    np.testing.assert_array_equal(got, wanted)


def _flat(safe: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in [p for p in safe.rglob("*") if p.is_file()]:
        shutil.copy(path, folder / path.name)
    return folder


def test_all_files_in_one_folder_are_the_scene(write_safe: WriteSafe, tmp_path: Path) -> None:
    safe = write_safe()
    expected = read_scene(str(safe))
    flat = _flat(safe, tmp_path / "download")
    assert list(discover([str(flat)])) == [str(flat)]
    _same(read_scene(str(flat)), expected)


def test_files_of_two_tiles_in_one_folder_are_ambiguous(write_safe: WriteSafe, tmp_path: Path) -> None:
    flat = _flat(write_safe(), tmp_path / "download")
    shutil.copy(next(flat.glob("*_B02.jp2")), flat / "T32TQN_20250601T101041_B02.jp2")
    with pytest.raises(MetadataError, match=r"ambiguous which files .* T32TQM_20250601T101041_ and T32TQN_20250601T101041_ in"):
        read_scene(str(flat))


def test_bands_of_two_deliveries_in_one_folder_are_told_which_layout_is_expected(write_safe: WriteSafe, tmp_path: Path) -> None:
    elsewhere = rasterio.Affine(20.0, 0.0, 700000.0, 0.0, -20.0, 5100000.0)
    flat = _flat(write_safe(rasters={"B11": {"transform": elsewhere}}), tmp_path / "download")
    with pytest.raises(GeometryError, match=r"different extents: .*All files are in one folder: .* layout: .*IMG_DATA \(SAFE\)"):
        read_scene(str(flat))


def test_bands_in_a_layout_that_we_do_not_know_are_told(write_safe: WriteSafe) -> None:
    safe = write_safe()
    images = next(safe.glob("GRANULE/*/IMG_DATA"))
    images.rename(images.with_name("PICTURES"))
    with pytest.raises(
        MissingBandError,
        match=r"no bands: expected B01 to B12 .* in GRANULE/\*/IMG_DATA \(SAFE\), as B01\.jp2 beside tileInfo\.json \(AWS\)"
        r".* got 13 rasters elsewhere, such as GRANULE/\S+/PICTURES/\S+_B01\.jp2, in",
    ):
        read_scene(str(safe))


@pytest.mark.parametrize("suffix", [".JP2", ".Jp2"])
def test_suffixes_in_capitals_are_the_scene(write_safe: WriteSafe, suffix: str) -> None:
    safe = write_safe()
    before = read_scene(str(safe))
    for path in list(safe.rglob("*.jp2")):
        path.rename(path.with_suffix(suffix))
    after = read_scene(str(safe))
    assert [a.digest for a in after.assets.values()] == [a.digest for a in before.assets.values()]


@pytest.mark.parametrize("suffix", [".tif", ".TIF", ".tiff"])
def test_copies_of_the_bands_as_geotiff_are_read(write_safe: WriteSafe, suffix: str) -> None:
    safe = write_safe()
    before = read_scene(str(safe))
    for path in list(safe.rglob("*.jp2")):
        with (
            rasterio.open(path) as source,
            rasterio.open(
                path.with_suffix(suffix), "w", **{**source.profile, "driver": "GTiff", "tiled": False, "blockysize": 16}
            ) as copy,
        ):
            copy.write(source.read())
        path.unlink()
    after = read_scene(str(safe))
    assert {n: a.grid for n, a in after.assets.items()} == {n: a.grid for n, a in before.assets.items()}
    assert after.assets["red"].href.endswith(suffix)


def test_an_original_wins_over_its_copy(write_safe: WriteSafe) -> None:
    safe = write_safe()
    for path in list(safe.rglob("*_B04.jp2")):
        path.with_suffix(".tif").write_bytes(b"a copy that is not there yet")
    assert read_scene(str(safe)).assets["red"].href.endswith(".jp2")


def test_what_a_mac_leaves_is_ignored(write_safe: WriteSafe) -> None:
    safe = write_safe()
    expected = read_scene(str(safe))
    for path in [p for p in safe.rglob("*") if p.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7 AppleDouble")
    (safe / ".DS_Store").touch()
    shutil.copytree(next(safe.glob("GRANULE")), safe / "__MACOSX" / safe.name / "GRANULE")
    (safe / "GRANULE" / "._L1C").mkdir()
    passed_over = PassedOver()
    assert list(discover([str(safe.parent)], passed_over=passed_over)) == [str(safe)]
    assert read_scene(str(safe)).digest == expected.digest
    assert passed_over.count == 0


@pytest.mark.parametrize("name", ["x.SAFE", "S2A.zip", "no_suffix", "x.tar"])
def test_a_zip_under_another_name_is_the_scene(write_safe: WriteSafe, name: str, tmp_path: Path) -> None:
    safe = write_safe()
    expected = read_scene(str(safe))
    archive = tmp_path / "in" / name
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in [p for p in sorted(safe.rglob("*")) if p.is_file()]:
            packed.writestr(f"home\\me\\another top\\{path.relative_to(safe).as_posix()}".replace("/", "\\"), path.read_bytes())
            packed.writestr(f"__MACOSX/another top/._{path.name}", b"\0\5\26\7")
    (href,) = discover([str(archive.parent)])
    scene = read_scene(href)
    assert scene.digest == expected.digest
    _same(scene, expected)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_of_a_safe_is_the_scene(write_safe: WriteSafe, mode: str, tmp_path: Path) -> None:
    safe = write_safe()
    expected = read_scene(str(safe))
    with tarfile.open(tmp_path / "s2.tar.gz", mode) as tar:  # type: ignore[call-overload]  # modes are literals
        tar.add(safe, safe.name)
    (href,) = discover([str(tmp_path / "s2.tar.gz")])
    scene = read_scene(href)
    assert scene.digest == expected.digest
    _same(scene, expected)


def _pack(path: Path, files: dict[str, Path]) -> None:
    """Write files into an archive of the kind that its suffix says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, file in files.items():
                packed.write(file, name)
        return
    with tarfile.open(path, {".gz": "w:gz", ".bz2": "w:bz2"}.get(path.suffix, "w")) as tar:  # type: ignore[call-overload]
        for name, file in files.items():
            tar.add(file, name)


@pytest.fixture
def granules(write_safe: WriteSafe) -> tuple[Path, list[str]]:
    """A SAFE with two granules of one tile, and the digest of each by its folder."""
    safe = write_safe()
    only = next((safe / "GRANULE").iterdir())
    first = only.rename(only.with_name("L1C_T32TQM_A003901_20250601T101043"))
    second = Path(shutil.copytree(first, first.with_name("L1C_T32TQM_A003901_20250601T999999")))
    metadata = (second / "MTD_TL.xml").read_text()
    (second / "MTD_TL.xml").write_text(metadata.replace("<ZENITH_ANGLE>6.0</ZENITH_ANGLE>", "<ZENITH_ANGLE>6.05</ZENITH_ANGLE>"))
    return safe, [read_scene(str(g)).digest for g in (first, second)]


@pytest.mark.parametrize("top", ["named", "none", "deep"])
@pytest.mark.parametrize("name", ["many.zip", "many.tar", "many.tar.gz", "S2A_OPER_PRD_MSIL1C_PDMC_2016.zip", f"{NAME}.tar.gz"])
def test_each_granule_of_a_safe_in_an_archive_is_a_scene(
    name: str, top: str, granules: tuple[Path, list[str]], tmp_path: Path
) -> None:
    safe, digests = granules
    path = tmp_path / "in" / name
    path.parent.mkdir()
    root = {"named": f"{safe.name}/", "none": "", "deep": f"a/b/{safe.name}/"}[top]
    _pack(path, {f"{root}{p.relative_to(safe).as_posix()}": p for p in safe.rglob("*") if p.is_file()})
    found = list(discover([str(tmp_path / "in")]))
    assert found == [f"{path}#{root}GRANULE/{g.name}" for g in sorted((safe / "GRANULE").iterdir())]
    scenes = [read_scene(href) for href in found]
    assert [s.digest for s in scenes] == digests
    assert [s.scene_id for s in scenes] == [read_scene(str(g)).scene_id for g in sorted((safe / "GRANULE").iterdir())]
    assert list(discover(found)) == found
    with pytest.raises(ArchiveError, match=r"holds several scenes: .* got \S*GRANULE/L1C_T32TQM_\S+, \S+ in .*name each scene"):
        read_scene(str(path))


@pytest.mark.parametrize("name", ["both.zip", "both.tar.bz2"])
def test_each_product_in_an_archive_is_a_scene(name: str, write_safe: WriteSafe, tmp_path: Path) -> None:
    safe = write_safe()
    path = tmp_path / "in" / name
    path.parent.mkdir()
    files = {f"{t}/{p.relative_to(safe).as_posix()}": p for t in ("A.SAFE", "x/B.SAFE") for p in safe.rglob("*") if p.is_file()}
    _pack(path, files)
    found = list(discover([str(path)]))
    assert found == [f"{path}#A.SAFE", f"{path}#x/B.SAFE"]
    assert {read_scene(href).digest for href in found} == {read_scene(str(safe)).digest}
