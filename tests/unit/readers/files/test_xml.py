import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.errors import MetadataError
from swath.readers.files.xml import MAX_DEPTH, MAX_METADATA_BYTES, parse_xml, read_metadata, xml_of_bytes


def test_plain_xml_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<?xml version="1.0"?><a><b c="1">text</b></a>')
    found = parse_xml(str(path)).find("b")
    assert found is not None
    assert (found.text, found.get("c")) == ("text", "1")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b'<!DOCTYPE a [<!ENTITY lol "lol">]><a>&lol;</a>', "'lol'"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "'x'"),
        (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://host/evil.dtd"> %p;]><a/>', "'p'"),
    ],
)
def test_entities_are_refused_by_name(document: bytes, named: str) -> None:
    with pytest.raises(
        MetadataError, match=rf"XML with entities is refused: expected .* got a\.xml with the entity {named}\. No delivery"
    ):
        xml_of_bytes(document, name="a.xml")


def test_a_billion_laughs_are_not_laughed() -> None:
    lines = [f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10)]
    document = f'<!DOCTYPE a [<!ENTITY l0 "lol">{"".join(lines)}]><a>&l9;</a>'
    with pytest.raises(MetadataError, match="the entity 'l0'"):
        xml_of_bytes(document.encode(), name="a.xml")


def test_deep_nesting_is_refused() -> None:
    assert xml_of_bytes(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH, name="a.xml").tag == "a"
    with pytest.raises(MetadataError, match=f"nests too deep: expected at most {MAX_DEPTH} levels"):
        xml_of_bytes(b"<a>" * 1_000_000, name="a.xml")


def test_a_sparse_file_of_100_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "MTD_TL.xml"
    path.touch()
    os.truncate(path, 100 << 20)
    with pytest.raises(
        MetadataError, match=rf"too large: expected at most {MAX_METADATA_BYTES} bytes; got .*MTD_TL\.xml with more"
    ):
        parse_xml(str(path))


@pytest.mark.parametrize("content", [b"", b" \n", b"\0\0\0"])
def test_empty_metadata_is_named_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(MetadataError, match=r"a metadata file is empty: expected text; got .*a\.xml"):
        read_metadata(str(path))


def test_a_link_to_itself_is_a_metadata_error(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.symlink_to(path)
    with pytest.raises(MetadataError, match="cannot be read"):
        parse_xml(str(path))


@given(st.binary(max_size=200))
def test_any_bytes_are_xml_or_a_metadata_error(data: bytes) -> None:
    with suppress(MetadataError):  # anything else fails
        assert xml_of_bytes(data, name="a.xml").tag
