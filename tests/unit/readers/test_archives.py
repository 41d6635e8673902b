"""Archives as users have them: told by their bytes, read where they lie, within limits."""

import bz2
import gzip
import io
import lzma
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from swath.errors import ArchiveError
from swath.readers import recognise
from swath.readers.archives import archive as archives
from swath.readers.archives.limits import ArchiveLimits, Budget
from swath.readers.discover import discover
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.scene import Scene

WriteLandsat = Callable[..., Path]
Pack = Callable[[Path], bytes]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where copies would lie; each test ends with an empty one."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    while archives._KEPT:
        archives._KEPT.pop().close()


def _tar(folder: Path, *, mode: str = "w", top: str = ".", **options: object) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode, **options) as tar:  # type: ignore[call-overload]  # modes are literals
        for path in sorted(folder.iterdir()):
            tar.add(path, f"{top}/{path.name}")
    return data.getvalue()


def _mac_tar(folder: Path) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path in sorted(folder.iterdir()):
            for name in (f"./._{path.name}", f"__MACOSX/{path.name}", f"./{path.name}"):
                own = path.read_bytes() if name.startswith("./L") else b"\0\5\26\7"
                info = tarfile.TarInfo(name)
                info.size = len(own)
                tar.addfile(info, io.BytesIO(own))
    return data.getvalue()


def _zip(folder: Path, *, method: int = zipfile.ZIP_DEFLATED, separator: str = "/", top: str = "LC09") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as packed:
        for path in sorted(folder.iterdir()):
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = f"{top}{separator}{path.name}", method
            packed.writestr(info, path.read_bytes())
    return data.getvalue()


def _zstd(data: bytes) -> bytes:
    return bytes(imagecodecs.zstd_encode(data))


PACKED: dict[str, Pack] = {
    "gzip.tar": lambda f: _tar(f, mode="w:gz"),
    "plain.tar.gz": _tar,
    "plain.tgz": _tar,
    "x.tar.bz2": lambda f: _tar(f, mode="w:bz2"),
    "x.tar.xz": lambda f: _tar(f, mode="w:xz"),
    "x.tar.zst": lambda f: _zstd(_tar(f)),
    "zstd.tar": lambda f: _zstd(_tar(f)),
    "parallel.tar.zst": lambda f: b"\x50\x2a\x4d\x18\4\0\0\0abcd" + _zstd(_tar(f)[:20_000]) + _zstd(_tar(f)[20_000:]),
    "x.tar.lz4": lambda f: bytes(imagecodecs.lz4f_encode(_tar(f))),
    "bzip2.tar.gz": lambda f: _tar(f, mode="w:bz2"),
    "UPPER.TAR": _tar,
    "UPPER.TAR.GZ": lambda f: _tar(f, mode="w:gz"),
    "pax.tar": lambda f: _tar(f, top="d" * 90 + "/" + "e" * 90, format=tarfile.PAX_FORMAT),
    "pax.tar.gz": lambda f: _tar(f, mode="w:gz", top="d" * 90 + "/" + "é" * 40, format=tarfile.PAX_FORMAT),
    "gnu.tar": lambda f: _tar(f, top="d" * 90 + "/" + "e" * 90, format=tarfile.GNU_FORMAT),
    "windows.tar": lambda f: _tar(f, top="LC09\\in"),
    "mac.tar": _mac_tar,
    "landsat.zip": _zip,
    "UPPER.ZIP": _zip,
    "zip.tar": _zip,
    "tar.zip": _tar,
    "windows.zip": lambda f: _zip(f, separator="\\"),
    "stored.zip": lambda f: _zip(f, method=zipfile.ZIP_STORED),
    "bzip2.zip": lambda f: _zip(f, method=zipfile.ZIP_BZIP2),
    "lzma.zip": lambda f: _zip(f, method=zipfile.ZIP_LZMA),
    "umlaut {1}.zip": lambda f: _zip(f, top="Müller {2}"),
    "no_suffix": lambda f: _tar(f, mode="w:gz"),
    "LC09_L1TP_033033_20230716_20230716_02_T1": _tar,
}


def _pixels(scene: Scene, band: str) -> NDArray[np.generic]:
    with BandReader() as reader:
        return reader.read(scene, band, scene.assets[band].grid.window).values


@pytest.mark.parametrize("name", PACKED)
def test_an_archive_is_its_folder_whatever_its_name_says(name: str, write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    expected = read_scene(str(folder))
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes(PACKED[name](folder))
    (href,) = discover([str(path.parent)])
    assert href == str(path)
    scene = read_scene(href)
    assert scene.digest == expected.digest
    assert {n: a.digest for n, a in scene.assets.items()} == {n: a.digest for n, a in expected.assets.items()}
    with rasterio.open(expected.assets["red"].href) as source:
        np.testing.assert_array_equal(_pixels(scene, "red"), source.read(1))


def test_pixels_are_found_again_in_a_process_that_did_not_list_the_archive(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    (tmp_path / "LC09.tar").write_bytes(PACKED["gzip.tar"](folder))
    scene = Scene.from_json(read_scene(str(tmp_path / "LC09.tar")).to_json())
    while archives._KEPT:
        archives._KEPT.pop().close()
    with rasterio.open(next(folder.glob("*_B4.TIF"))) as source:
        np.testing.assert_array_equal(_pixels(scene, "red"), source.read(1))


@pytest.mark.parametrize("packed", ["tar", "zip"])
@pytest.mark.parametrize("order", ["before", "behind"])
def test_a_file_of_another_folder_does_not_win(packed: str, order: str, write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    expected = read_scene(str(folder))
    path = tmp_path / f"LC09.{packed}"
    own = [(f"LC09/{p.name}", p.read_bytes()) for p in sorted(folder.iterdir())]
    other = [(f"LC09/old/{p.name}", b"another") for p in sorted(folder.iterdir())]
    _write(path, [*other, *own] if order == "before" else [*own, *other])
    assert read_scene(str(path)).digest == expected.digest


def _write(path: Path, files: list[tuple[str, bytes]]) -> None:
    if path.name.endswith(".zst"):
        plain = path.with_name("plain.tar")
        _write(plain, files)
        path.write_bytes(_zstd(plain.read_bytes()))
        plain.unlink()
        return
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, data in files:
                packed.writestr(name, data)
        return
    mode = {".gz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # modes are literals
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


SEVERAL: dict[str, dict[str, str]] = {
    "two folders": {"a/": "", "b/": ""},
    "different depths": {"a/": "", "b/c/": ""},
    "a scene below another": {"": "", "more/": "2"},
    "one folder": {"d/": "", "d//": "2"},
}


@pytest.mark.parametrize("suffix", [".tar", ".zip", ".tar.gz", ".tar.zst"])
@pytest.mark.parametrize("case", SEVERAL)
def test_each_scene_of_an_archive_is_made(case: str, suffix: str, write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    digest = read_scene(str(folder)).digest
    path = tmp_path / f"bulk{suffix}"
    files = []
    for top, other in SEVERAL[case].items():
        for p in folder.iterdir():
            # Another scene has another name, in its file names and in its metadata.
            name, data = p.name.replace("LC09_L1TP_033033", f"LC09_L1TP_03303{other or 3}"), p.read_bytes()
            data = data.replace(b"LC09_L1TP_033033", f"LC09_L1TP_03303{other or 3}".encode()) if "MTL" in name else data
            files.append((f"{top.replace('//', '/')}{name}", data))
    _write(path, files)
    found = list(discover([str(path)]))
    assert len(found) == 2
    assert all(href.startswith(f"{path}#") and href.endswith("_MTL.txt") for href in found)
    scenes = [read_scene(href) for href in found]
    assert len({s.source_href for s in scenes}) == 2
    assert len({s.scene_id for s in scenes}) == 1 + any(SEVERAL[case].values())
    assert {s.scene_id: s.digest for s in scenes}["LC09_L1TP_033033_20230716_20230716_02_T1"] == digest
    assert (len({s.digest for s in scenes}) == 1) != any(SEVERAL[case].values())
    for scene in scenes:
        with rasterio.open(next(folder.glob("*_B4.TIF"))) as source:
            np.testing.assert_array_equal(_pixels(scene, "red"), source.read(1))


@pytest.mark.parametrize("name", ["LC09.tar", "LC09_L1TP_033033_20230716_20230716_02_T1.tar.gz"])
def test_an_archive_of_two_scenes_that_is_named_alone_is_told(name: str, write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    path = tmp_path / name
    _write(path, [(f"{top}/{p.name}", p.read_bytes()) for top in ("a", "b/c") for p in folder.iterdir()])
    with pytest.raises(
        ArchiveError,
        match=r"the archive holds several scenes: .* got a/LC09_\S+_MTL\.txt, b/c/LC09_\S+ in .*name each scene: .*#a/",
    ) as told:
        read_scene(str(path))
    assert told.value.stage == "discover"
    with pytest.raises(ArchiveError, match=r"no scene at that place: expected one of a/LC09_\S+, b/c/\S+; got x of"):
        read_scene(f"{path}#x")


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".tar.zst"])
def test_a_small_compressed_archive_is_looked_into_whatever_its_name(
    suffix: str, write_landsat: WriteLandsat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_landsat(tmp_path / "scene")
    path = tmp_path / f"LC09_L1TP_033033_20230716_20230716_02_T1{suffix}"
    _write(path, [(f"{top}/{p.name}", p.read_bytes()) for top in ("a", "b/c") for p in folder.iterdir()])
    found = list(discover([str(path)]))
    assert [href.removeprefix(f"{path}#").split("/")[0] for href in found] == ["a", "b"]
    assert len({read_scene(href).digest for href in found}) == 1
    monkeypatch.setattr(recognise, "CHEAP_BYTES", path.stat().st_size - 1)
    assert list(discover([str(path)])) == [str(path)]


SIDE_CARS = (
    "_MTL.json",
    "_MTL.xml",
    "_stac.json",
    "_B4.TIF.ovr",
    "_B4.TIF.aux.xml",
    "_B4.RPB",
    "_B4_RPC.TXT",
    "_B4.TFW",
    "_ANG.txt",
)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.xz", ".tar.zst", ".zip"])
def test_files_beside_the_bands_change_nothing(suffix: str, write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    digest = read_scene(str(folder)).digest
    stem = next(folder.glob("*_MTL.txt")).name.removesuffix("_MTL.txt")
    others = [(f"LC09/{stem}{end}", b"<Nonsense>{") for end in SIDE_CARS]
    macs = [(f"LC09/._{p.name}", b"\0\5\26\7") for p in folder.iterdir()]
    path = tmp_path / f"LC09{suffix}"
    _write(path, [*macs, *others, *((f"LC09/{p.name}", p.read_bytes()) for p in folder.iterdir())])
    assert list(discover([str(path)])) == [str(path)]
    scene = read_scene(str(path))
    assert scene.digest == digest
    with rasterio.open(next(folder.glob("*_B4.TIF"))) as source:
        np.testing.assert_array_equal(_pixels(scene, "red"), source.read(1))


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".zip"])
def test_a_mask_beside_a_band_is_seen_in_an_archive(suffix: str, write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "scene")
    band = next(folder.glob("*_B4.TIF"))
    with rasterio.open(band) as source:
        there = np.full(source.shape, 255, np.uint8)
        profile = {**source.profile, "dtype": "uint8", "nodata": None}
    there[:, :20] = 0
    with rasterio.open(f"{band}.msk", "w", **profile) as target:
        target.write(there, 1)
    expected = read_scene(str(folder))
    path = tmp_path / f"LC09{suffix}"
    _write(path, [(p.name, p.read_bytes()) for p in folder.iterdir()])
    scene = read_scene(str(path))
    assert scene.digest == expected.digest
    with BandReader() as reader:
        valid = reader.read(scene, "red", scene.assets["red"].grid.window).valid
    np.testing.assert_array_equal(valid, there > 0)


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("LC09.7z", b"7z\xbc\xaf\x27\x1c", "7z"),
        ("scenes.rar", b"Rar!\x1a\x07\x01", "RAR"),
        ("LC09_L1TP_033033_20230716_20230716_02_T1.tar.gz", b"7z\xbc\xaf\x27\x1c", "7z"),
        ("LE07_L1TP_033033_20030716.tar.Z", b"\x1f\x9d\x90", r"compress \(\.Z\)"),
        ("no_suffix", b"7z\xbc\xaf\x27\x1c", "7z"),
    ],
)
def test_an_archive_of_a_kind_that_is_not_read_is_told(name: str, head: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(head + bytes(600))
    assert list(discover([str(tmp_path)])) == [str(tmp_path / name)]
    with pytest.raises(
        ArchiveError, match=rf"of a kind that is not read: .* got {kind} in .*Unpack it and name the folder"
    ) as told:
        read_scene(str(tmp_path / name))
    assert (told.value.stage, told.value.error_class) == ("discover", "archive")


@pytest.mark.parametrize(
    "inside", ["bulk/LC09_L1TP_033033_20230716_20230716_02_T1.tar", "order-17.zip", "in/deep/S2A_MSIL1C_X.SAFE", "part.tgz"]
)
@pytest.mark.parametrize("outer", ["bulk.tar", "bulk.zip", "bulk.tar.xz"])
def test_an_archive_of_archives_is_told(write_landsat: WriteLandsat, inside: str, outer: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / outer
    path.parent.mkdir()
    _write(path, [(inside, _tar(write_landsat(tmp_path / "scene"))), ("order.pdf", b"%PDF")])
    assert list(discover([str(path.parent)])) == [str(path)]
    with pytest.raises(
        ArchiveError, match=rf"holds other archives: .* got {inside} in .*{outer}\. Unpack it and name the folder"
    ) as told:
        read_scene(str(path))
    assert (told.value.stage, told.value.error_class) == ("discover", "archive")


def test_an_archive_beside_a_scene_in_an_archive_is_not_lost(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    folder = write_landsat(tmp_path / "one")
    path = tmp_path / "bulk.zip"
    other = "two/LC09_L1TP_044034_20230716_20230716_02_T1.tar"
    named = [(f"one/{f.name}", f.read_bytes()) for f in sorted(folder.iterdir())]
    _write(path, [*named, (other, _tar(folder)), ("two/licence.zip", b"PK"), (f"one/{other[4:]}", b"")])
    scene, refused = discover([str(path)])
    assert read_scene(scene).assets
    assert refused == f"{path}#{other}"
    with pytest.raises(ArchiveError, match=rf"holds other archives: .* got {other} in .*bulk\.zip\. Unpack"):
        read_scene(refused)


def _damaged(data: bytes) -> bytes:
    """A header in the middle of a tar, one byte of its checksum changed."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        at = tar.getmembers()[len(tar.getmembers()) // 2].offset
    return data[: at + 150] + bytes([data[at + 150] ^ 1]) + data[at + 151 :]


BROKEN: dict[str, tuple[Pack, str]] = {
    "cut.tar.gz": (lambda f: _tar(f, mode="w:gz")[:-3000], "archive cannot be read: .* got .*cut"),
    "cut.tar.bz2": (lambda f: _tar(f, mode="w:bz2")[:-3000], "archive cannot be read: .* got .*cut"),
    "cut.tar.zst": (lambda f: _zstd(_tar(f))[:-3000], "archive cannot be read: .* got .*cut.*[Tt]runcated"),
    "header.tar.zst": (lambda f: _zstd(_damaged(_tar(f))), "archive is corrupt: .* a damaged header in .*header"),
    "cut.tar": (lambda f: _tar(f)[:-12000], "archive cannot be read: .*unexpected end of data|archive is corrupt"),
    "cut.zip": (lambda f: _zip(f)[:-3000], "archive cannot be read: .* got .*cut"),
    "header.tar": (lambda f: _damaged(_tar(f)), "archive is corrupt: .* a damaged header in .*header"),
    "header.tar.gz": (lambda f: gzip.compress(_damaged(_tar(f))), "archive is corrupt: .* a damaged header in .*header"),
    "crc.tar.gz": (lambda f: _tar(f, mode="w:gz")[:-8] + bytes(8), "archive cannot be read: .*CRC check failed"),
    "empty.tar": (lambda _: b"", "the archive is empty: .* got .*empty.* of 0 bytes"),
    "zeros.zip": (lambda _: bytes(4096), "archive cannot be read: .* a zip; got .*zeros.* begins with"),
    "words.tar.gz": (lambda _: gzip.compress(b"words" * 999), "archive cannot be read: .* got .*words"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("prefix", ["", "LC09_L1TP_033033_20230716_20230716_02_T1_"])
def test_a_broken_archive_is_found_and_told_at_discovery(
    name: str, prefix: str, write_landsat: WriteLandsat, tmp_path: Path
) -> None:
    pack, message = BROKEN[name]
    path = tmp_path / "in" / f"{prefix}{name}"
    path.parent.mkdir()
    path.write_bytes(pack(write_landsat(tmp_path / "scene")))
    assert list(discover([str(path.parent)])) == [str(path)]
    with pytest.raises(ArchiveError, match=message) as told:
        read_scene(str(path))
    assert told.value.stage == "discover"


def test_a_zip_with_a_password_is_told(write_landsat: WriteLandsat, tmp_path: Path) -> None:
    data = bytearray(_zip(write_landsat(tmp_path / "scene")))
    for magic, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            data[at + flags] |= 1
    (tmp_path / "LC09.zip").write_bytes(data)
    with pytest.raises(ArchiveError, match=r"needs a password: .* got LC09/\S+ in .*LC09\.zip\. Unpack it with its password"):
        read_scene(str(tmp_path / "LC09.zip"))


def _bomb(*, declared: bool) -> bytes:
    """40 GiB of zeros in some 30 kB: as the one member of a tar, or behind its end."""
    header = tarfile.TarInfo("LC09_MTL.txt")
    header.size = 40 << 30 if declared else 0
    zeros = bz2.compress(bytes(64 << 20))
    return bz2.compress(header.tobuf()) + zeros * 640


@pytest.mark.parametrize("where", ["declared", "behind"])
def test_an_archive_that_inflates_beyond_belief_is_refused_before(where: str, tmp_path: Path) -> None:
    path = tmp_path / "LC09.tar.bz2"
    path.write_bytes(_bomb(declared=where == "declared"))
    since = time.process_time()
    with pytest.raises(ArchiveError, match=r"the archive unpacks to more than a delivery: expected at most .* got \d+ or more"):
        read_scene(str(path))
    assert path.stat().st_size < 64 << 10
    assert time.process_time() - since < 20


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_an_archive_of_too_many_members_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"LC09{suffix}"
    _write(path, [(f"m{number}", b"") for number in range(10_001)])
    with pytest.raises(ArchiveError, match=r"expected at most 10000 members; got 10001 or more in .*LC09"):
        read_scene(str(path))


def test_an_archive_that_takes_too_long_is_refused() -> None:
    budget = Budget(name="slow.tar.xz", packed=1, limits=ArchiveLimits(seconds=0.0))
    with pytest.raises(ArchiveError, match=r"expected at most 0 s to unpack; got 5 bytes in that time in slow\.tar\.xz"):
        budget.inflate(5)


def test_a_full_disk_is_not_the_archives_fault(
    write_landsat: WriteLandsat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "LC09.tar.gz").write_bytes(_tar(write_landsat(tmp_path / "scene"), mode="w:gz"))

    def full(**_: object) -> io.BufferedRandom:
        return open("/dev/full", "r+b", buffering=0)  # type: ignore[return-value]  # noqa: PTH123  a file that is full

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left on device"):
        read_scene(str(tmp_path / "LC09.tar.gz"))


def test_other_archives_are_no_scene(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as packed:
        packed.writestr("word/document.xml", "<x/>")
    (tmp_path / "numbers.csv.gz").write_bytes(gzip.compress(b"1,2"))
    (tmp_path / "broken.docx").write_bytes(b"PK\3\4 cut")
    (tmp_path / "log.xz").write_bytes(lzma.compress(b"words"))
    (tmp_path / "item.json").write_text('{"type": "Feature", "stac_version": "1.1.0"}')
    assert list(discover([str(tmp_path)])) == [str(tmp_path / "item.json")]


def test_records_that_are_no_items_are_told(tmp_path: Path) -> None:
    path = tmp_path / "items.zip"
    _write(path, [("a/item.json", b"{}"), ("a/red.tif", b"II*")])
    assert list(discover([str(tmp_path)])) == [str(path)]
    with pytest.raises(ArchiveError, match=r"holds STAC records and no item: .* got a/item\.json in .*items\.zip\. Unpack it"):
        read_scene(str(path))
