"""What one strip leaves of one asset: compressed blocks in a part file, and a small manifest."""

import base64
import shutil
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Self

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from swath.algo.overviews import first_row_from, level_sizes, rows_needed
from swath.product import Encoding, Statistics
from swath.sinks.cog.part_level import PartLevel, Piece
from swath.stores.parts import UploadedPart

#: Overview levels that a strip computes itself; the finalizer makes the rest from the last of them.
LOCAL_LEVELS = 2
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PartManifest:
    """Everything that the finalizer must know of a part without reading it.

    Args:
        asset: Asset key.
        strip: Number of the strip.
        href: The part file, relative to the output.
        bytes: Length.
        statistics: Over the strip's own rows.
        pieces: Pieces in order; level 0 first and contiguous from offset 0.
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


def _aside(files: ExitStack, *, folder: Path | None) -> BinaryIO:
    """A file without a name that closes with the others."""
    file: BinaryIO = files.enter_context(TemporaryFile(dir=folder))  # noqa: SIM115 (it is one)
    return file


class PartWriter:
    """Streams one strip of one asset into a part file, window by window.

    Args:
        file: Destination of the part.
        encoding: Encoding of the asset.
        size: (height, width) of the whole asset.
        rows: (start, stop) of the strip.
    """

    def __init__(self, file: BinaryIO, encoding: Encoding, *, size: tuple[int, int], rows: tuple[int, int]) -> None:
        self._file = file
        # Overviews come while full resolution is still being written: they wait in files, not in memory.
        folder = Path(file.name).parent if isinstance(getattr(file, "name", None), str) else None
        files = ExitStack()
        weakref.finalize(self, files.close)
        # Levels know the files, not the writer: in a circle, their rows would stay until the next garbage collection.
        aside = partial(_aside, files, folder=folder)
        sizes = (size, *level_sizes(*size)[:LOCAL_LEVELS])
        start, stop = rows
        self._row = start
        self._levels: list[PartLevel] = []
        for number, this in enumerate(sizes):
            if number:
                start = first_row_from(start, source=sizes[number - 1][0], target=this[0])
                stop = first_row_from(stop, source=sizes[number - 1][0], target=this[0])
            level = PartLevel(
                number=number, size=this, start=start, stop=stop, raw=0 < number == len(sizes) - 1, encoding=encoding,
                file=aside() if number else file, aside=aside,
            )  # fmt: skip
            self._levels.append(level)
        for above, below in pairwise(self._levels):
            above.put_above(below)

    def feed(self, pixels: NDArray[np.integer], *, col: int = 0) -> None:
        """Take the next window: from left to right, then down; after the strip's own rows, ``rows_beyond`` more.

        Args:
            pixels: Stored values, (y, x). Windows side by side have the same rows.
            col: Column of the window's left edge [px].

        Raises:
            ValueError: A window cuts blocks that its neighbours do not.
        """
        top = self._levels[0]
        top.feed(pixels, row=self._row, col=col)
        if col + pixels.shape[1] == top.size[1]:
            self._row += pixels.shape[0]

    def close(self) -> tuple[Piece, ...]:
        """Put overviews behind full resolution.

        Raises:
            ValueError: The strip did not get all its rows.
        """
        for level in self._levels:
            level.check()
        done: list[Piece] = []
        at = 0
        for level in self._levels:
            done += (replace(p, offset=p.offset + at) for p in level.pieces)
            at += level.offset
            if level.number:
                level.file.seek(0)
                shutil.copyfileobj(level.file, self._file, _CHUNK)
                level.file.close()
        return tuple(done)


def raw_rows(data: bytes, *, rows: int, width: int, dtype: str) -> NDArray[np.integer]:
    """Pixel rows that a part kept uncut, (rows, width)."""
    return np.frombuffer(isal_zlib.decompress(data, bufsize=rows * width * np.dtype(dtype).itemsize), dtype=dtype).reshape(
        rows, width
    )
