"""Multihashes, as STAC's ``file:checksum`` holds them: which algorithm, and the digest (multiformats; hex)."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

#: Names of ``hashlib`` by the codes of multicodec's table; BLAKE2's lengths have codes of their own.
_CODES: Final = {
    0x11: "sha1", 0x12: "sha256", 0x13: "sha512", 0x14: "sha3_512", 0x15: "sha3_384", 0x16: "sha3_256", 0x17: "sha3_224",
    0x18: "shake_128", 0x19: "shake_256", 0x20: "sha384", 0xD5: "md5", 0x1013: "sha224", 0x1014: "sha512_224",
    0x1015: "sha512_256",
}  # fmt: skip
#: Algorithms by the names that people write before a colon (``md5:``, ``SHA-256:``).
_NAMED: Final = {name: code for code, name in _CODES.items() if "_" not in name}
_BLAKE2B: Final = range(0xB201, 0xB241)
_BLAKE2S: Final = range(0xB241, 0xB261)
_SHAKES: Final = frozenset({"shake_128", "shake_256"})
#: A digest that was cut shorter than this vouches for nothing.
_LEAST_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Multihash:
    """A digest of which we know how to take it.

    Args:
        algorithm: A name for ``hasher`` (``sha256``, ``blake2b-32``, ``shake_256-64``): with a length where there are several.
        digest: Hex; it may be the beginning of what the algorithm gives.
    """

    algorithm: str
    digest: str

    def agrees(self, taken: str) -> bool:
        """Whether a hex digest that was taken of the file begins with this one."""
        return taken.startswith(self.digest)


def multihash_in(checksum: str) -> Multihash | None:
    """The digest in a ``file:checksum``; None when it is none, or of a kind that ``hashlib`` does not have."""
    try:
        data = _bytes_of(checksum.strip())
        code, data = _varint(data)
        length, data = _varint(data)
    except ValueError:
        return None
    algorithm = _algorithm(code, length=length)
    if not algorithm or len(data) != length or not _LEAST_BYTES <= length <= _size(algorithm):
        return None
    return Multihash(algorithm=algorithm, digest=data.hex())


class Hasher:
    """Takes one digest, a piece at a time.

    Args:
        algorithm: Algorithm, as a ``Multihash`` names it.
    """

    def __init__(self, algorithm: str) -> None:
        name, _, size = algorithm.partition("-")
        self._length = int(size) if name in _SHAKES else None
        self._hash: Any
        if name == "blake2b":
            self._hash = hashlib.blake2b(digest_size=int(size))
        elif name == "blake2s":
            self._hash = hashlib.blake2s(digest_size=int(size))
        else:
            # Not for security: an attacker who can change the file can change the item beside it.
            self._hash = hashlib.new(name, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Take the next piece."""
        self._hash.update(data)

    def hexdigest(self) -> str:
        """The digest of all pieces."""
        return str(self._hash.hexdigest() if self._length is None else self._hash.hexdigest(self._length))


def _algorithm(code: int, *, length: int) -> str:
    if code in _BLAKE2B:
        return f"blake2b-{code - _BLAKE2B.start + 1}"
    if code in _BLAKE2S:
        return f"blake2s-{code - _BLAKE2S.start + 1}"
    name = _CODES.get(code, "")
    if name not in hashlib.algorithms_available:
        return ""
    return f"{name}-{length}" if name in _SHAKES else name


def _size(algorithm: str) -> int:
    """Bytes of the full digest."""
    name, _, size = algorithm.partition("-")
    return int(size) if size else hashlib.new(name, usedforsecurity=False).digest_size


def _bytes_of(checksum: str) -> bytes:
    """A multihash in hex, also as multibase writes it (``f1220...``), or with the name before it (``sha256:...``).

    Raises:
        ValueError: It is none.
    """
    name, colon, digest = checksum.partition(":")
    if not colon:
        return bytes.fromhex(checksum[1:] if checksum[:1] in ("f", "F") and len(checksum) % 2 else checksum)
    code = _NAMED.get(re.sub(r"(?<=sha)2-|[-_ ]", "", name.lower()))
    if code is None:
        msg = "not an algorithm that swath knows"
        raise ValueError(msg)
    data = bytes.fromhex(digest)
    return _as_varint(code) + _as_varint(len(data)) + data


def _as_varint(value: int) -> bytes:
    """A number below 16,384 as unsigned LEB128."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7])


def _varint(data: bytes) -> tuple[int, bytes]:
    """An unsigned LEB128 number of at most four bytes, and what follows.

    Raises:
        ValueError: There is none.
    """
    value = 0
    for index, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, data[index + 1 :]
    msg = "no number"
    raise ValueError(msg)
