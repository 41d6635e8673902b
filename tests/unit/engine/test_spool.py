"""Bytes that wait in a file come back as they were, whatever the file does."""

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swath.engine.spool import AnswerSpool, Spooled


@given(st.lists(st.binary(max_size=50)), st.integers(0, 200))
def test_what_is_kept_is_read_again(parts: list[bytes], most: int) -> None:
    spool = AnswerSpool(most=most)
    kept = [spool.keep(bytearray(part)) for part in parts]
    assert [k if isinstance(k, bytes) else k.read() for k in kept] == parts
    assert sum(len(k) for k in kept if isinstance(k, bytes)) <= most


def test_the_file_is_gone_with_what_is_in_it() -> None:
    spool = AnswerSpool(most=0)
    kept = spool.keep(b"a")
    assert isinstance(kept, Spooled)
    handle = kept.file.handle
    assert os.fstat(handle).st_nlink == 0, "it has no name in any folder"
    del spool
    assert kept.read() == b"a"
    del kept
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


def test_a_disk_that_is_full_costs_memory_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    assert AnswerSpool(most=0).keep(b"abc") == b"abc"
    monkeypatch.setattr("os.pwrite", lambda *_: 1)
    assert AnswerSpool(most=0).keep(b"abc") == b"abc"
