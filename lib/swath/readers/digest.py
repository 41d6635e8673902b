"""Content digests of files, taken at ingest: what asset keys depend on."""

import hashlib
from collections.abc import Iterable
from zlib import error as ZlibError

from swath.errors import MetadataError, ReadError
from swath.readers.digest_memory import memory_in_use
from swath.readers.fingerprint import EDGE_BYTES, Fingerprint
from swath.readers.href import open_bytes

__all__ = ["EDGE_BYTES", "Fingerprint", "combined_digest", "file_digest", "fingerprint", "multihash", "sha256_of_multihash"]

CHUNK_BYTES = 1 << 20
#: Multihash prefix of sha2-256: code 0x12, length 0x20 (multiformats; STAC's ``file:checksum``).
MULTIHASH_SHA256 = "1220"
HEX_LENGTH = 64


def fingerprint(href: str) -> Fingerprint:
    """Digest a file, or a member of an archive, in bounded memory; one that a memory in use knows is not read again.

    Args:
        href: As ``readers.href.gdal_href`` spells it.

    Raises:
        ReadError: The bytes cannot be read to the end.
    """
    memory = memory_in_use()
    return memory.fingerprint(href, take=_taken) if memory is not None else _taken(href)


def _taken(href: str) -> Fingerprint:
    sha, size, head, tail = hashlib.sha256(), 0, b"", b""
    try:
        with open_bytes(href) as file:
            while chunk := file.read(CHUNK_BYTES):
                sha.update(chunk)
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
    return Fingerprint(sha256=sha.hexdigest(), size=size, head=head, tail=tail)


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
    """The hex sha256 in a ``file:checksum``.

    Raises:
        MetadataError: It is not a sha2-256 multihash.
    """
    text = checksum.lower()
    digest = text.removeprefix(MULTIHASH_SHA256)
    if len(text) != len(MULTIHASH_SHA256) + HEX_LENGTH or len(digest) != HEX_LENGTH or set(digest) - set("0123456789abcdef"):
        raise MetadataError(
            "a file:checksum is of an unknown kind",
            expected=f"{MULTIHASH_SHA256} and {HEX_LENGTH} hex digits (sha2-256)",
            got=repr(checksum[:100]),
            remedy="Leave file:checksum out; the digest is then taken from the file.",
        )
    return digest
