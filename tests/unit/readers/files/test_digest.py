import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.errors import ReadError
from swath.readers.files.digest import (
    CHUNK_BYTES,
    EDGE_BYTES,
    combined_digest,
    file_digest,
    fingerprint,
    multihash,
    sha256_of_multihash,
)
from swath.readers.files.href import gdal_href

BYTES = bytes(range(256)) * (CHUNK_BYTES // 256 + 5)


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_digest(str(path)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("size", [0, 1, EDGE_BYTES, CHUNK_BYTES, CHUNK_BYTES + 1, len(BYTES)])
def test_head_tail_and_size_are_the_files(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(BYTES[:size])
    known = fingerprint(str(path))
    assert (known.size, known.head, known.tail) == (size, BYTES[:size][:EDGE_BYTES], BYTES[:size][-EDGE_BYTES:])
    assert known.sha256 == hashlib.sha256(BYTES[:size]).hexdigest()


def test_a_member_of_an_archive_has_the_digest_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BYTES)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "in/a.bin")
    for name, mode in (("x.tar", "w"), ("x.tar.gz", "w:gz")):
        with tarfile.open(tmp_path / name, mode) as tar:  # type: ignore[call-overload]  # the mode is a literal union
            tar.add(path, "./in/a.bin")
    hrefs = [gdal_href(str(tmp_path / name), member="in/a.bin") for name in ("x.zip", "x.tar", "x.tar.gz")]
    assert {file_digest(href) for href in hrefs} == {file_digest(str(path))}


def test_a_damaged_archive_is_a_read_error(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", BYTES)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ReadError, match="Bad CRC-32"):
        file_digest(gdal_href(str(path), member="a"))


def test_a_corrupt_deflate_stream_is_a_read_error(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    (tmp_path / "a").write_bytes(BYTES)
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "a", "a")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"archive is corrupt|cannot be read"):
        file_digest(gdal_href(str(path), member="a"))


def test_the_digest_of_a_delivery_does_not_depend_on_order_but_on_names() -> None:
    files = [("b.tif", "1" * 64), ("a.tif", "2" * 64)]
    assert combined_digest(files) == combined_digest(reversed(files))
    assert combined_digest(files) != combined_digest([("a.tif", "1" * 64), ("b.tif", "2" * 64)])


@given(st.binary(max_size=50))
def test_a_multihash_gives_its_digest_back(data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    assert sha256_of_multihash(multihash(digest)) == digest
    assert sha256_of_multihash(multihash(digest).upper()) == digest


@pytest.mark.parametrize("checksum", ["", "1220", "1114" + "0" * 40, "1220" + "g" * 64, "0" * 68, "1220" + "0" * 63])
def test_what_holds_no_sha256_gives_none(checksum: str) -> None:
    assert sha256_of_multihash(checksum) == ""
