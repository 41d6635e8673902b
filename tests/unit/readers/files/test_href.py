import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.errors import ReadError
from swath.readers.files.href import gdal_href, open_bytes, split_href, user_href


@pytest.mark.parametrize(
    ("href", "member", "expected"),
    [
        ("/data/a.tif", None, "/data/a.tif"),
        ("file:///data/a.tif", None, "/data/a.tif"),
        ("s3://bucket/key/a.tif", None, "/vsis3/bucket/key/a.tif"),
        ("https://host/a.tif", None, "/vsicurl/https://host/a.tif"),
        ("/data/a.zip", "in/b.jp2", "/vsizip/{/data/a.zip}/in/b.jp2"),
        ("/data/a.tar", "b.TIF", "/vsitar/{/data/a.tar}/b.TIF"),
        ("/data/A.TGZ", "b.TIF", "/vsitar/{/data/A.TGZ}/b.TIF"),
        ("s3://bucket/a.zip", "b", "/vsizip/{/vsis3/bucket/a.zip}/b"),
        ("/vsizip/{/a.zip}/b", None, "/vsizip/{/a.zip}/b"),
    ],
)
def test_names_are_spelled_as_gdal_spells_them(href: str, member: str | None, expected: str) -> None:
    assert gdal_href(href, member=member) == expected


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert gdal_href("a.tif") == str(tmp_path / "a.tif")


@pytest.mark.parametrize("member", ["../etc/passwd", "/etc/passwd", "a/../../b"])
def test_a_member_cannot_lead_out_of_its_archive(member: str) -> None:
    with pytest.raises(ReadError, match="leads out of its archive"):
        gdal_href("/data/a.zip", member=member)


@given(st.text(st.characters(codec="ascii", exclude_characters="{}\0/"), min_size=1, max_size=20).filter(lambda m: m != ".."))
def test_a_name_taken_apart_gives_its_parts_back(member: str) -> None:
    assert split_href(gdal_href("/data/a.zip", member=member)) == ("zip", "/data/a.zip", member)


def test_a_folder_with_braces_holds_archives_too(tmp_path: Path) -> None:
    folder = tmp_path / "{2023}"
    folder.mkdir()
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("in/{b}.txt", "words")
    href = gdal_href(str(folder / "a.zip"), member="in/{b}.txt")
    assert split_href(href) == ("zip", str(folder / "a.zip"), "in/{b}.txt")
    with open_bytes(href) as file:
        assert file.read() == b"words"


def test_bytes_that_are_elsewhere_are_not_opened() -> None:
    with (
        pytest.raises(
            ReadError, match=r"at a place that cannot be read: expected a local path, s3:// or https://; got /vsiaz/box/a"
        ),
        open_bytes(gdal_href("/vsiaz/box/a")),
    ):
        pass


@pytest.mark.parametrize("href", ["/data/a b.tif", "s3://bucket/key/a.tif"])
def test_a_whole_file_gives_its_name_back(href: str) -> None:
    assert user_href(gdal_href(href)) == href


@pytest.mark.parametrize("kind", ["a pipe that nobody writes to", "a device that never ends", "a folder"])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "red.tif"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a device that never ends":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)
    with pytest.raises(ReadError, match=r"the file cannot be read: .*red\.tif: not a regular file"), open_bytes(str(path)):
        pass
