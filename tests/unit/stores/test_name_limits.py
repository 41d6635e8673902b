"""How long names may be, against the file system itself."""

from pathlib import Path

import pytest

from swath.stores.local import local_store
from swath.stores.names import name_limits
from swath.stores.s3 import S3Store


def test_a_name_at_the_limit_can_be_written_and_one_beyond_cannot(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    limits = name_limits(store)
    store.write("x" * limits.part, b"1")
    assert store.read("x" * limits.part) == b"1"
    with pytest.raises(OSError, match="File name too long"):
        store.write("x" * (limits.part + 1), b"1")
    assert str(tmp_path) in limits.told


def test_on_s3_the_key_counts_as_a_whole() -> None:
    assert name_limits(S3Store("s3://bucket/a/prefix")).path == 1024 - len("a/prefix/")
