"""Content digests of files, taken at ingest: what asset keys depend on."""

import hashlib
from collections.abc import Iterable
from functools import partial
from zlib import error as ZlibError

from swath.errors import ChecksumError, ReadError
from swath.readers.files.digest_memory import memory_in_use
from swath.readers.files.fingerprint import EDGE_BYTES, Fingerprint
from swath.readers.files.href import open_bytes
from swath.readers.files.multihash import Hasher, multihash_in

__all__ = [
    "EDGE_BYTES", "Fingerprint", "checked_fingerprint", "combined_digest", "file_digest", "fingerprint", "multihash",
    "sha256_of_multihash",
]  # fmt: skip

CHUNK_BYTES = 1 << 20
#: Multihash prefix of sha2-256: code 0x12, length 0x20 (multiformats; STAC's ``file:checksum``).
MULTIHASH_SHA256 = "1220"
SHA256 = "sha256"
HEX_LENGTH = 64


def fingerprint(href: str, *, also: str = "") -> Fingerprint:
    """Digest a file, or a member of an archive, in bounded memory; one that a memory in use knows is not read again.

    Args:
        href: Address as ``readers.href.gdal_href`` spells it.
        also: Another algorithm of ``readers.multihash`` that is wanted; empty for none.

    Raises:
        ReadError: The bytes cannot be read to the end.
    """
    memory = memory_in_use()
    if memory is None:
        return _taken(href, also=also)
    return memory.fingerprint(href, take=partial(_taken, also=also), also=also)


def _taken(href: str, *, also: str = "") -> Fingerprint:
    sha, size, head, tail = hashlib.sha256(), 0, b"", b""
    other = Hasher(also) if also else None
    try:
        with open_bytes(href) as file:
            while chunk := file.read(CHUNK_BYTES):
                sha.update(chunk)
                if other is not None:
                    other.update(chunk)
                size += len(chunk)
                head = head or chunk[:EDGE_BYTES]
                tail = (tail + chunk[-EDGE_BYTES:])[-EDGE_BYTES:]
    except ZlibError as error:
        raise ReadError(
            "the archive is corrupt",
            expected="intact compressed data",
            got=f"{href}: {error}",
            remedy="Fetch it again.",
        ) from error
    others = {} if other is None else {also: other.hexdigest()}
    return Fingerprint(sha256=sha.hexdigest(), size=size, head=head, tail=tail, others=others)


def checked_fingerprint(href: str, *, checksum: str) -> Fingerprint:
    """The fingerprint of a file that is what its ``file:checksum`` says, as far as that can be checked.

    Args:
        href: Address as ``readers.href.gdal_href`` spells it.
        checksum: A multihash; one of a kind that ``hashlib`` lacks is not believed and not checked.

    Raises:
        ChecksumError: The bytes are other ones.
        ReadError: The file cannot be read to its end.
    """
    said = multihash_in(checksum)
    if said is None:
        return fingerprint(href)
    known = fingerprint(href, also="" if said.algorithm == SHA256 else said.algorithm)
    taken = known.sha256 if said.algorithm == SHA256 else known.others[said.algorithm]
    if not said.agrees(taken):
        raise ChecksumError(
            "a file is not what its checksum says",
            expected=f"{said.algorithm} {said.digest[:16]}... by file:checksum",
            got=f"{taken[:16]}... of {href}",
            remedy="Fetch the file again; if it was changed on purpose, correct file:checksum.",
        )
    return known


def file_digest(href: str) -> str:
    """Hex sha256 of a file's bytes; see ``fingerprint``."""
    return fingerprint(href).sha256


def combined_digest(files: Iterable[tuple[str, str]]) -> str:
    """Hex sha256 over (name, hex digest) pairs, whatever their order: the version of a whole delivery."""
    lines = sorted(f"{digest}  {name}\n" for name, digest in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def multihash(sha256: str) -> str:
    """STAC's ``file:checksum`` of a hex sha256."""
    return MULTIHASH_SHA256 + sha256


def sha256_of_multihash(checksum: str) -> str:
    """The hex sha256 in a ``file:checksum``; ``''`` when it holds none, or only a part of one."""
    said = multihash_in(checksum)
    return said.digest if said is not None and said.algorithm == SHA256 and len(said.digest) == HEX_LENGTH else ""
