"""Universal Binary JSON, as XGBoost writes it: https://ubjson.org, draft 12."""

import struct
from typing import Any

import numpy as np

from swath.errors import ConfigError

_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}
_INTEGERS = (b"i", b"U", b"I", b"l", b"L")
#: Models are nested some ten levels deep.
_MAX_DEPTH = 64


def read_ubjson(data: bytes) -> Any:
    """The value that ``data`` holds; arrays of one type of number are NumPy arrays.

    Raises:
        ConfigError: The data is cut short, nested too deeply, or not Universal Binary JSON.
    """
    try:
        return _Reader(data).value(depth=0)
    except (struct.error, IndexError, ValueError, UnicodeDecodeError, KeyError) as error:
        msg = f"not Universal Binary JSON, or truncated: {error}"
        raise ConfigError(msg) from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def _take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count or count < 0:
            msg = f"{count} bytes are promised at {self._at}, {len(found)} are left"
            raise ValueError(msg)
        self._at += count
        return found

    def value(self, *, depth: int, marker: bytes = b"") -> Any:
        marker = marker or self._take(1)
        if depth > _MAX_DEPTH:
            msg = f"nested deeper than {_MAX_DEPTH} levels"
            raise ValueError(msg)
        if marker in _NUMBERS:
            return self._numbers(marker, 1)[0].item()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in (b"S", b"C"):
            return self._take(self._length() if marker == b"S" else 1).decode()
        if marker == b"[":
            return self._array(depth=depth)
        if marker == b"{":
            return self._object(depth=depth)
        msg = f"marker {marker!r} at byte {self._at - 1}"
        raise ValueError(msg)

    def _length(self) -> int:
        marker = self._take(1)
        if marker not in _INTEGERS:
            msg = f"{marker!r} at byte {self._at - 1} is not a length type"
            raise ValueError(msg)
        return int(self._numbers(marker, 1)[0])

    def _numbers(self, marker: bytes, count: int) -> Any:
        kind = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self._take(kind.itemsize * count), dtype=kind).astype(kind.newbyteorder("="))

    def _header(self) -> tuple[bytes, int | None]:
        """Type and number of the elements of an array or object, where they are stated."""
        kind, count = b"", None
        if self._data[self._at : self._at + 1] == b"$":
            self._at += 1
            kind = self._take(1)
        if self._data[self._at : self._at + 1] == b"#":
            self._at += 1
            count = self._length()
        return kind, count

    def _array(self, *, depth: int) -> Any:
        kind, count = self._header()
        if kind in _NUMBERS and count is not None:
            return self._numbers(kind, count)
        found: list[Any] = []
        while count is None or len(found) < count:
            marker = kind or self._take(1)
            if count is None and marker == b"]":
                break
            found.append(self.value(depth=depth + 1, marker=marker))
        return found

    def _object(self, *, depth: int) -> dict[str, Any]:
        kind, count = self._header()
        found: dict[str, Any] = {}
        while count is None or len(found) < count:
            if count is None and self._data[self._at : self._at + 1] == b"}":
                self._at += 1
                break
            name = self._take(self._length()).decode()
            found[name] = self.value(depth=depth + 1, marker=kind)
        return found
