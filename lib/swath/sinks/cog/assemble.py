"""One cloud-optimised GeoTIFF from the parts of many strips. Level 0 is joined without being decoded."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK, level_sizes, reduce_rows
from swath.grid import Grid
from swath.product import Encoding, Statistics
from swath.sinks.cog.blocks import encode_rows, frame
from swath.sinks.cog.part_level import Piece
from swath.sinks.cog.strip_part import LOCAL_LEVELS, PartManifest, raw_rows
from swath.sinks.cog.tiff import CLASSIC_LIMIT, TiffLevel, header, twin_tags

_CHUNK = 1 << 19
OpenPart = Callable[[PartManifest], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class CogTarget:
    """What the file is to say of itself.

    Args:
        grid: Grid of the file's pixels.
        encoding: Encoding of the pixels.
        description: Description of the band.
        tags: File metadata; only what the asset key holds, so that equal keys give equal bytes.
    """

    grid: Grid
    encoding: Encoding
    description: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A finished file."""

    bytes: int
    digest: str
    statistics: Statistics


def assemble(parts: list[PartManifest], target: CogTarget, *, open_part: OpenPart, output: Path) -> Written:
    """Write the COG of one asset.

    Args:
        parts: One manifest a strip, any order.
        target: Header and tags of the file.
        open_part: Opens a part file for reading; the caller's store decides how.
        output: The file to write (a temporary one; publishing it is the store's business).

    Returns:
        Size, sha256 and statistics of the file.

    Raises:
        ValueError: A strip is missing or given twice, or a part ends early.
    """
    parts = in_order(parts, height=target.grid.height)
    with ExitStack() as stack:
        files = [stack.enter_context(open_part(p)) for p in parts]
        front = front_of(parts, files, target=target)
        with output.open("wb") as out:
            digest = hashlib.sha256()
            for data in front.pieces:
                _put(out, data, digest)
            for part, file in zip(parts, files, strict=True):
                _join(out, file, length=zero_bytes(part), digest=digest)
            length = out.tell()
    return Written(bytes=length, digest=digest.hexdigest(), statistics=front.statistics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Everything of the file before full resolution.

    Args:
        pieces: Header, then framed blocks of the overviews, the coarsest first; read once, while the part files are open.
        statistics: Over all strips.
    """

    pieces: Iterator[bytes]
    statistics: Statistics


def front_of(parts: list[PartManifest], files: list[BinaryIO], *, target: CogTarget) -> Front:
    """Header and overviews. Of full resolution the sizes suffice; its bytes are not looked at.

    Args:
        parts: Parts, in the order of their strips.
        files: Part files.
        target: Header and tags of the file.
    """
    statistics = sum((p.statistics for p in parts), Statistics())
    size = (target.grid.height, target.grid.width)
    overviews = _overviews(parts, files, size=size, encoding=target.encoding)
    zero = np.array([s for p in parts for q in p.pieces if q.level == 0 for s in q.sizes], dtype=np.uint32)
    levels = (TiffLevel(height=size[0], width=size[1], sizes=zero), *(level for level, _ in overviews))
    big = sum(level.framed_bytes + level.table_bytes for level in levels) > CLASSIC_LIMIT
    tags = twin_tags(
        target.grid, target.encoding, statistics=statistics, description=target.description, tags=target.tags, big=big
    )
    blocks = (_blocks_of(run) for _, runs in reversed(overviews) for run in runs)
    return Front(pieces=chain([header(tags, levels, big=big)], blocks), statistics=statistics)


def zero_bytes(part: PartManifest) -> int:
    """Bytes of full resolution in a part, which are at its beginning."""
    return sum(q.length for q in part.pieces if q.level == 0)


def in_order(parts: list[PartManifest], *, height: int) -> list[PartManifest]:
    """The parts by strip.

    Raises:
        ValueError: A strip is missing or given twice.
    """
    ordered = sorted(parts, key=lambda p: p.strip)
    if [p.strip for p in ordered] != list(range(len(ordered))):
        msg = f"strips {[p.strip for p in ordered]} do not make an asset"
        raise ValueError(msg)
    _check_rows([q for p in ordered for q in p.pieces if q.level == 0], height=height)
    return ordered


def _check_rows(pieces: list[Piece], *, height: int) -> None:
    """Refuse pieces of one level, in order, that do not follow each other from its first to its last row."""
    row = 0
    for piece in pieces:
        if piece.row != row:
            break
        row += piece.rows
    if row != height or sum(p.rows for p in pieces) != height:
        msg = f"rows {row} to {height} of level {pieces[0].level if pieces else 0} are missing or given twice"
        raise ValueError(msg)


def _put(out: BinaryIO, data: bytes | memoryview, digest: "hashlib._Hash") -> None:
    out.write(data)
    digest.update(data)


def _join(out: BinaryIO, file: BinaryIO, *, length: int, digest: "hashlib._Hash") -> None:
    """Append the first ``length`` bytes of a part."""
    file.seek(0)
    left = length
    # A buffer that stays in the core's cache while it is read, digested and written.
    buffer = memoryview(bytearray(_CHUNK))
    while left:
        got = file.readinto(buffer[: min(_CHUNK, left)])  # type: ignore[attr-defined]  # BinaryIO does not name it
        if not got:
            msg = f"a part ends {left} bytes early"
            raise ValueError(msg)
        _put(out, buffer[:got], digest)
        left -= got


#: Framed blocks one after the other, or the piece of a part file that holds them.
_Run = bytes | tuple[Piece, BinaryIO]


def _blocks_of(run: _Run) -> bytes:
    return run if isinstance(run, bytes) else _bytes(*run)


def _overviews(
    parts: list[PartManifest], files: list[BinaryIO], *, size: tuple[int, int], encoding: Encoding
) -> list[tuple[TiffLevel, list[_Run]]]:
    """Each overview level with its blocks, finest first."""
    sizes = level_sizes(*size)
    done: list[tuple[TiffLevel, list[_Run]]] = []
    pixels: NDArray[np.integer] | None = None
    for number, (height, width) in enumerate(sizes, start=1):
        if number <= LOCAL_LEVELS:
            runs, blocks, pixels = _local_level(parts, files, number=number, size=(height, width), encoding=encoding)
        else:
            above = sizes[number - 2]
            if pixels is None:
                msg = "the last local level travels as pixels"
                raise ValueError(msg)
            pixels = reduce_rows(
                pixels, first=0, start=0, stop=height, source=above, target=(height, width),
                rule=encoding.overviews, nodata=encoding.nodata,
            )  # fmt: skip
            runs, blocks = _encode_all(pixels, encoding)
        done.append((TiffLevel(height=height, width=width, sizes=np.array(blocks, dtype=np.uint32)), runs))
    return done


def _encode_all(pixels: NDArray[np.integer], encoding: Encoding) -> tuple[list[_Run], list[int]]:
    """Rows of framed blocks, and the size of each block."""
    runs: list[_Run] = []
    sizes: list[int] = []
    for row in range(0, pixels.shape[0], BLOCK):
        blocks = encode_rows(pixels[row : row + BLOCK], encoding)
        runs.append(b"".join(frame(*blocks)))
        sizes += (len(b) for b in blocks)
    return runs, sizes


def _local_level(
    parts: list[PartManifest], files: list[BinaryIO], *, number: int, size: tuple[int, int], encoding: Encoding
) -> tuple[list[_Run], list[int], NDArray[np.integer] | None]:
    """Blocks of a level that strips made and their sizes; its pixels too when it travelled as pixels."""
    found = [(piece, file) for part, file in zip(parts, files, strict=True) for piece in part.pieces if piece.level == number]
    found.sort(key=lambda f: f[0].row)
    _check_rows([piece for piece, _ in found], height=size[0])
    if all(not piece.sizes for piece, _ in found):
        pixels = np.empty(size, dtype=encoding.dtype)
        for piece, file in found:
            pixels[piece.row : piece.row + piece.rows] = _pixels(piece, file, width=size[1], dtype=encoding.dtype)
        return *_encode_all(pixels, encoding), pixels
    runs: list[_Run] = []
    sizes: list[int] = []
    held: list[NDArray[np.integer]] = []
    for piece, file in found:
        if piece.sizes:
            # Encoded already: its bytes are read when they are written.
            runs.append((piece, file))
            sizes += piece.sizes
            continue
        held.append(_pixels(piece, file, width=size[1], dtype=encoding.dtype))
        stop = piece.row + piece.rows
        if stop % BLOCK == 0 or stop == size[0]:
            encoded, more = _encode_all(np.concatenate(held), encoding)
            runs += encoded
            sizes += more
            held = []
    return runs, sizes, None


def _bytes(piece: Piece, file: BinaryIO) -> bytes:
    file.seek(piece.offset)
    data = file.read(piece.length)
    if len(data) != piece.length:
        msg = f"a part ends {piece.length - len(data)} bytes early"
        raise ValueError(msg)
    return data


def _pixels(piece: Piece, file: BinaryIO, *, width: int, dtype: str) -> NDArray[np.integer]:
    return raw_rows(_bytes(piece, file), rows=piece.rows, width=width, dtype=dtype)
