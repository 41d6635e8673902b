"""What one strip leaves of one asset: compressed blocks in a part file, and a small manifest."""

import base64
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Self

import numpy as np
from isal import igzip_lib, isal_zlib
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK, first_row_from, level_sizes, reduce_rows, rows_needed
from swath.product import Encoding, Statistics
from swath.sinks.blocks import encode_rows, frame
from swath.stores.parts import UploadedPart

#: Overview levels that a strip computes itself; the finalizer makes the rest from the last of them.
LOCAL_LEVELS = 2
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of bytes in the part file: a row of framed blocks (``sizes``), or raw pixel rows (no ``sizes``)."""

    level: int
    row: int
    rows: int
    offset: int
    length: int
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartManifest:
    """Everything that the finalizer must know of a part without reading it.

    Args:
        asset: Asset key.
        strip: Number of the strip.
        href: The part file, relative to the output.
        bytes: Its length.
        statistics: Over the strip's own rows.
        pieces: In order; level 0 first and contiguous from offset 0.
        uploaded: The part of a shared upload that holds level 0; the part file then has the rest alone, from offset 0.
    """

    asset: str
    strip: int
    href: str
    bytes: int
    statistics: Statistics
    pieces: tuple[Piece, ...]
    uploaded: UploadedPart | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        s = self.statistics
        return {
            "asset": self.asset, "strip": self.strip, "href": self.href, "bytes": self.bytes,
            "statistics": [s.count, s.valid, s.clamped, s.minimum, s.maximum, s.total, s.squares],
            "histogram": {str(k): v for k, v in s.histogram.items()},
            "uploaded": self.uploaded.to_plain() if self.uploaded else None,
            "pieces": [
                [p.level, p.row, p.rows, p.offset, p.length, base64.b64encode(np.array(p.sizes, "<u4").tobytes()).decode()]
                for p in self.pieces
            ],
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        count, valid, clamped, minimum, maximum, total, squares = plain["statistics"]
        statistics = Statistics(
            count=count, valid=valid, clamped=clamped, minimum=minimum, maximum=maximum, total=total, squares=squares,
            histogram={int(k): v for k, v in plain["histogram"].items()},
        )  # fmt: skip
        pieces = tuple(
            Piece(
                level=p[0], row=p[1], rows=p[2], offset=p[3], length=p[4],
                sizes=tuple(np.frombuffer(base64.b64decode(p[5]), "<u4").tolist()),
            )
            for p in plain["pieces"]
        )  # fmt: skip
        return cls(
            asset=plain["asset"], strip=plain["strip"], href=plain["href"], bytes=plain["bytes"],
            statistics=statistics, pieces=pieces,
            uploaded=UploadedPart.from_plain(plain["uploaded"]) if plain.get("uploaded") else None,
        )  # fmt: skip


def rows_beyond(*, height: int, width: int, row_stop: int) -> int:
    """Rows below a strip's own that its overviews read: 0 on even sizes, a few on odd ones."""
    sizes = (height, width), *level_sizes(height, width)[:LOCAL_LEVELS]
    stops = [row_stop]
    for above, below in pairwise(sizes):
        stops.append(first_row_from(stops[-1], source=above[0], target=below[0]))
    need = stops[-1]
    for (above, below), own in zip(reversed(list(pairwise(sizes))), reversed(stops[:-1]), strict=True):
        need = max(own, rows_needed(need, source=above[0], target=below[0]))
    return need - row_stop


@dataclass(slots=True, kw_only=True)
class _Level:
    """One level of one strip: collects rows in order, cuts them into rows of blocks, feeds the next level."""

    number: int
    size: tuple[int, int]
    start: int
    stop: int
    raw: bool
    encoding: Encoding
    below: "_Level | None" = None
    held: list[NDArray[np.integer]] = field(default_factory=list)
    held_at: int = 0
    source: list[NDArray[np.integer]] = field(default_factory=list)
    source_at: int = 0
    next_below: int = 0

    def feed(self, rows: NDArray[np.integer], out: "PartWriter") -> None:
        """Take rows that follow the ones before; rows beyond ``stop`` only serve the level below."""
        own = rows[: max(self.stop - self._seen, 0)]
        if own.shape[0]:
            self._cut(own, out)
        if self.below is not None:
            self._pass_on(rows, out)

    @property
    def _seen(self) -> int:
        return self.held_at + sum(len(h) for h in self.held)

    def _cut(self, rows: NDArray[np.integer], out: "PartWriter") -> None:
        while rows.shape[0]:
            seen = self._seen
            room = (seen // BLOCK + 1) * BLOCK - seen
            self.held.append(rows[:room])
            rows = rows[room:]
            if self._seen % BLOCK == 0 or self._seen == self.stop:
                self.flush(out)

    def flush(self, out: "PartWriter") -> None:
        """Write the held rows: encoded when they are a whole row of blocks, raw otherwise."""
        if not self.held:
            return
        rows = self.held[0] if len(self.held) == 1 else np.concatenate(self.held)
        whole = self.held_at % BLOCK == 0 and (rows.shape[0] == BLOCK or self.held_at + rows.shape[0] == self.size[0])
        out.write(rows, level=self.number, row=self.held_at, encoded=whole and not self.raw)
        self.held_at += rows.shape[0]
        self.held = []

    def _pass_on(self, rows: NDArray[np.integer], out: "PartWriter") -> None:
        below = self.below
        if below is None:
            return
        if rows.shape[0]:
            self.source.append(rows)
        have = self.source_at + sum(s.shape[0] for s in self.source)
        last = below.stop if below.below is None else max(below.stop, _ext_stop(below))
        stop = self.next_below
        while stop < last and rows_needed(stop + 1, source=self.size[0], target=below.size[0]) <= have:
            stop += 1
        if stop == self.next_below:
            return
        joined = self.source[0] if len(self.source) == 1 else np.concatenate(self.source)
        made = reduce_rows(
            joined, first=self.source_at, start=self.next_below, stop=stop, source=self.size, target=below.size,
            rule=self.encoding.overviews, nodata=self.encoding.nodata,
        )  # fmt: skip
        keep = min(int(np.floor(stop * self.size[0] / below.size[0] + 1e-9)), have)
        rest = joined[keep - self.source_at :]
        self.source, self.source_at = [rest] if rest.shape[0] else [], keep
        self.next_below = stop
        below.feed(made, out)


def _ext_stop(level: _Level) -> int:
    """Rows of this level that the level below it needs, beyond its own."""
    below = level.below
    if below is None:
        return level.stop
    return rows_needed(below.stop, source=level.size[0], target=below.size[0])


class PartWriter:
    """Streams the rows of one strip of one asset into a part file.

    Args:
        file: Where the part goes.
        encoding: How the asset is stored.
        size: (height, width) of the whole asset.
        rows: (start, stop) of the strip.
    """

    def __init__(self, file: BinaryIO, encoding: Encoding, *, size: tuple[int, int], rows: tuple[int, int]) -> None:
        self._file = file
        self._encoding = encoding
        self._offset = 0
        self._zero: list[Piece] = []
        self._later: list[Piece] = []
        # Overviews come while full resolution is still being written: they wait in a file, not in memory.
        folder = Path(file.name).parent if isinstance(getattr(file, "name", None), str) else None
        self._waiting = TemporaryFile(dir=folder)  # noqa: SIM115 (lives as long as the writer)
        self._waiting_bytes = 0
        weakref.finalize(self, self._waiting.close)
        sizes = (size, *level_sizes(*size)[:LOCAL_LEVELS])
        start, stop = rows
        levels: list[_Level] = []
        for number, this in enumerate(sizes):
            if number:
                start = first_row_from(start, source=sizes[number - 1][0], target=this[0])
                stop = first_row_from(stop, source=sizes[number - 1][0], target=this[0])
            raw = number > 0 and number == len(sizes) - 1
            level = _Level(number=number, size=this, start=start, stop=stop, raw=raw, encoding=encoding)
            level.held_at = level.source_at = start
            if levels:
                levels[-1].below = level
                levels[-1].next_below = start
            levels.append(level)
        self._levels = levels

    def feed(self, rows: NDArray[np.integer]) -> None:
        """Take the next stored rows, (y, x), full width; after the strip's own, ``rows_beyond`` more."""
        self._levels[0].feed(rows, self)

    def write(self, rows: NDArray[np.integer], *, level: int, row: int, encoded: bool) -> None:
        """Put rows of a level into the part: level 0 at once, overviews after it."""
        if encoded:
            blocks = encode_rows(rows, self._encoding)
            data = frame(*blocks)
            sizes = tuple(len(b) for b in blocks)
        else:
            data, sizes = [bytes(igzip_lib.compress(np.ascontiguousarray(rows), 1, igzip_lib.COMP_ZLIB))], ()
        at = self._offset if level == 0 else self._waiting_bytes
        length = sum(len(d) for d in data)
        piece = Piece(level=level, row=row, rows=rows.shape[0], offset=at, length=length, sizes=sizes)
        if level == 0:
            # Block by block: joined, they would be copied twice more.
            self._file.writelines(data)
            self._offset += length
            self._zero.append(piece)
        else:
            self._waiting.writelines(data)
            self._waiting_bytes += length
            self._later.append(piece)

    def close(self) -> tuple[Piece, ...]:
        """Write what is left.

        Raises:
            ValueError: The strip did not get all its rows.
        """
        for level in self._levels:
            level.flush(self)
            if level.held_at != level.stop:
                msg = f"level {level.number} has rows up to {level.held_at} of {level.stop}"
                raise ValueError(msg)
        self._waiting.seek(0)
        shutil.copyfileobj(self._waiting, self._file, _CHUNK)
        self._waiting.close()
        done = (*self._zero, *(replace(p, offset=p.offset + self._offset) for p in self._later))
        self._offset += self._waiting_bytes
        return done


def raw_rows(data: bytes, *, rows: int, width: int, dtype: str) -> NDArray[np.integer]:
    """Pixel rows that a part kept uncut, (rows, width)."""
    return np.frombuffer(isal_zlib.decompress(data, bufsize=rows * width * np.dtype(dtype).itemsize), dtype=dtype).reshape(
        rows, width
    )
