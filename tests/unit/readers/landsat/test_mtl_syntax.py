import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swath.errors import MetadataError
from swath.readers.landsat.mtl_syntax import read_groups, read_text

ODL = """GROUP = FILE
  GROUP = ONE
    A = "text = here"
    B = 2
  END_GROUP = ONE
  GROUP = TWO
    A = 3
  END_GROUP = TWO
END_GROUP = FILE
END
"""
GROUPS = {"ONE": {"A": "text = here", "B": "2"}, "TWO": {"A": "3"}}


def _write(folder: Path, text: str | bytes) -> str:
    path = folder / "X_MTL.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def test_the_three_spellings_tell_the_same(tmp_path: Path) -> None:
    xml = "<FILE><ONE><A>text = here</A><B>2</B></ONE><TWO><A>3</A></TWO></FILE>"
    for text in (ODL, json.dumps({"FILE": GROUPS}), xml):
        assert read_groups(_write(tmp_path, text)) == GROUPS


@pytest.mark.parametrize("tail", [b"", b"\0" * 60_000, b"\xff\xfe signature = 1\nGROUP = X\n"])
def test_what_follows_the_end_is_ignored(tmp_path: Path, tail: bytes) -> None:
    assert read_groups(_write(tmp_path, ODL.encode() + tail)) == GROUPS


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    assert read_groups(_write(tmp_path, b"\xef\xbb\xbf" + ODL.replace("\n", "\r\n").encode())) == GROUPS


def test_the_first_of_repeated_keys_wins(tmp_path: Path) -> None:
    assert read_text(_write(tmp_path, ODL)).fields == {"A": "text = here", "B": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("GROUP = A\nB = 1\n", "the group A left open"),
        ("GROUP = A\nEND_GROUP = B\nEND\n", "END_GROUP = B inside A"),
        ("B = 1\nEND_GROUP = B\nEND\n", "END_GROUP = B inside no group"),
        ("GROUP = A\nGROUP = B\nGROUP = A\n", "the group A inside itself"),
        ("".join(f"GROUP = G{i}\n" for i in range(50)), "groups nested deeper than 8"),
        ("hello world\n", "text that begins with 'hello world'"),
        ("{]", "JSON that cannot be parsed"),
        ("[" * 100_000, "text that begins with"),
        ('{"a":' * 100_000, "JSON that cannot be parsed"),
    ],
)
def test_broken_metadata_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(
        MetadataError, match=rf"cannot be understood: expected an MTL file with balanced groups; got .*X_MTL\.txt: {message}"
    ):
        read_groups(_write(tmp_path, text))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_an_editor_s_encoding_is_called_so(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(MetadataError, match=r"X_MTL\.txt: text in UTF-16, .*; save it as UTF-8"):
        read_groups(_write(tmp_path, ODL.encode(encoding)))


def test_100_mb_are_refused_unread(tmp_path: Path) -> None:
    href = _write(tmp_path, ODL)
    os.truncate(href, 100 << 20)
    with pytest.raises(MetadataError, match="too large"):
        read_groups(href)


def test_a_folder_is_not_metadata(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read"):
        read_groups(str(tmp_path))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 4000), junk=st.binary(min_size=1, max_size=8))
def test_damage_gives_groups_or_a_metadata_error(
    tmp_path: Path, mtl_text: Callable[[dict[str, Any]], str], at: int, junk: bytes
) -> None:
    data = bytearray(mtl_text({}).encode())
    data[at : at + len(junk)] = junk
    with suppress(MetadataError):  # anything else fails
        assert isinstance(read_groups(_write(tmp_path, bytes(data))), dict)
