"""One level of one strip: windows become blocks or raw rows in a file of the level's own, and pixels of the next level."""

from collections.abc import Callable
from dataclasses import dataclass, field
from os import SEEK_END
from typing import BinaryIO

import numpy as np
from isal import igzip_lib
from numpy.typing import NDArray

from swath.algo.overviews import BLOCK, halved, reduce_rows, rows_needed
from swath.product import Encoding
from swath.sinks.cog.blocks import encode_rows, frame
from swath.sinks.cog.gathered import GatheredRows

#: Windows are halved one by one where their width is a multiple of this, as in most runs; others wait for whole rows.
_HALVED_PX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of bytes in the part file: a row of framed blocks (``sizes``), or raw pixel rows (no ``sizes``)."""

    level: int
    row: int
    rows: int
    offset: int
    length: int
    sizes: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True)
class PartLevel:
    """Takes windows from left to right, then down; a window may be as wide as the level.

    Args:
        number: 0 for full resolution.
        size: (height, width) of the whole level.
        start: First row of the strip on this level.
        stop: First row that is not the strip's.
        raw: Keep pixel rows instead of blocks.
        encoding: Encoding of the asset.
        file: File that receives blocks and rows, one after the other.
        aside: Opens a file for blocks that come before their turn.
    """

    number: int
    size: tuple[int, int]
    start: int
    stop: int
    raw: bool
    encoding: Encoding
    file: BinaryIO
    aside: Callable[[], BinaryIO]
    pieces: list[Piece] = field(init=False, default_factory=list)
    offset: int = field(init=False, default=0)
    _below: "PartLevel | None" = field(init=False, default=None)
    _own: GatheredRows = field(init=False)
    _source: GatheredRows = field(init=False)
    _next_below: int = field(init=False, default=0)
    _direct: bool = field(init=False, default=False)
    _halving: bool = field(init=False, default=False)
    _early: dict[tuple[int, int], tuple[int, int]] = field(init=False, default_factory=dict)
    _waiting: BinaryIO | None = field(init=False, default=None)
    _sizes: list[int] = field(init=False, default_factory=list)
    _row_began: int = field(init=False, default=0)
    _block_row: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Nothing has come yet."""
        self._own, self._source = (GatheredRows(self.size[1], start=self.start) for _ in range(2))
        self._block_row = self.start // BLOCK

    def put_above(self, below: "PartLevel") -> None:
        """Have the next level made too."""
        self._below, self._next_below = below, below.start

    def feed(self, pixels: NDArray[np.integer], *, row: int, col: int) -> None:
        """Take a window, (y, x); rows beyond ``stop`` only serve the level below.

        Raises:
            ValueError: The windows of a row are not of one kind.
        """
        own = pixels[: max(self.stop - row, 0)]
        if own.shape[0]:
            self._write(own, row=row, col=col)
        if self._below is not None:
            self._pass_on(pixels, self._below, row=row, col=col)

    def check(self) -> None:
        """See that the strip got all its rows; whatever is whole is written by then.

        Raises:
            ValueError: The strip did not get all its rows.
        """
        if self._own.stop != self.stop:
            msg = f"level {self.number} has rows up to {self._own.stop} of {self.stop}"
            raise ValueError(msg)

    def _write(self, pixels: NDArray[np.integer], *, row: int, col: int) -> None:
        """Encode a window of whole blocks at once; others wait until their rows are whole."""
        whole = self._whole_blocks(pixels, row=row, col=col)
        if col == 0:
            self._direct = whole
        if not self._direct:
            if self._own.paste(pixels, col=col, capacity=0 if self.raw else BLOCK):
                self._cut()
            return
        if not whole:
            msg = f"level {self.number}: a window of {pixels.shape} at {row}, {col} cuts a block"
            raise ValueError(msg)
        for top in range(0, pixels.shape[0], BLOCK):
            for number, block in enumerate(encode_rows(pixels[top : top + BLOCK], self.encoding)):
                self._take((row + top) // BLOCK, col // BLOCK + number, block=block)
        if col + pixels.shape[1] == self.size[1]:
            self._own.skip(row + pixels.shape[0])

    def _whole_blocks(self, pixels: NDArray[np.integer], *, row: int, col: int) -> bool:
        (height, width), (rows, columns) = pixels.shape, self.size
        down = row % BLOCK == 0 and (height % BLOCK == 0 or row + height == rows)
        across = col % BLOCK == 0 and (width % BLOCK == 0 or col + width == columns)
        return down and across and not self.raw

    def _take(self, row: int, column: int, *, block: bytes) -> None:
        """Write a block when it is its turn: from left to right, then down. Others wait in a file, not in memory."""
        if (row, column) != (self._block_row, len(self._sizes)):
            if self._waiting is None:
                self._waiting = self.aside()
            self._early[row, column] = self._waiting.seek(0, SEEK_END), len(block)
            self._waiting.write(block)
            return
        self._write_block(block)
        while self._waiting is not None and (place := self._early.pop((self._block_row, len(self._sizes)), None)) is not None:
            self._waiting.seek(place[0])
            self._write_block(self._waiting.read(place[1]))
        if not self._early and self._waiting is not None:
            self._waiting.truncate(0)

    def _write_block(self, block: bytes) -> None:
        self._put(frame(block))
        self._sizes.append(len(block))
        if len(self._sizes) == -(-self.size[1] // BLOCK):
            top = self._block_row * BLOCK
            self._told(top, rows=min(BLOCK, self.size[0] - top), sizes=tuple(self._sizes))
            self._block_row += 1
            self._sizes = []

    def _cut(self) -> None:
        """Write gathered rows up to the edge of a block or of the strip: encoded, or raw where strips share a row of blocks."""
        while self._own.stop > self._own.start:
            top = self._own.start
            edge = min((top // BLOCK + 1) * BLOCK, self.stop)
            if self._own.stop < edge and not self.raw:
                return
            rows = self._own.rows[: edge - top]
            bottom = top + rows.shape[0]
            if top % BLOCK == 0 and (rows.shape[0] == BLOCK or bottom == self.size[0]) and not self.raw:
                blocks = encode_rows(rows, self.encoding)
                self._put(frame(*blocks))
                self._told(top, rows=rows.shape[0], sizes=tuple(len(b) for b in blocks))
            else:
                self._put([bytes(igzip_lib.compress(np.ascontiguousarray(rows), 1, igzip_lib.COMP_ZLIB))])
                self._told(top, rows=rows.shape[0], sizes=())
            self._own.drop(bottom)
            self._block_row = bottom // BLOCK

    def _put(self, data: list[bytes]) -> None:
        # One after the other: joined, they would be copied twice more.
        self.file.writelines(data)
        self.offset += sum(len(d) for d in data)

    def _told(self, row: int, *, rows: int, sizes: tuple[int, ...]) -> None:
        began, self._row_began = self._row_began, self.offset
        self.pieces.append(Piece(level=self.number, row=row, rows=rows, offset=began, length=self.offset - began, sizes=sizes))

    def _pass_on(self, pixels: NDArray[np.integer], below: "PartLevel", *, row: int, col: int) -> None:
        height, width = pixels.shape
        if col == 0:
            self._halving = self._halves(below, row=row, height=height, width=width)
        if not self._halving:
            if self._source.paste(pixels, col=col, capacity=0):
                self._reduce(below)
            return
        below.feed(halved(pixels, rule=self.encoding.overviews, nodata=self.encoding.nodata), row=row // 2, col=col // 2)
        if col + width == self.size[1]:
            self._source.skip(row + height)
            self._next_below = (row + height) // 2

    def _halves(self, below: "PartLevel", *, row: int, height: int, width: int) -> bool:
        """Whether a row of windows can be halved window by window."""
        exact = self.size == (2 * below.size[0], 2 * below.size[1])
        held = self._source.stop > self._source.start
        return exact and not held and row % 2 == height % 2 == 0 and (width % _HALVED_PX == 0 or width == self.size[1])

    def _reduce(self, below: "PartLevel") -> None:
        """Make the rows of the level below that the gathered ones suffice for."""
        held = self._source
        last, stop = below.rows_of_interest, self._next_below
        while stop < last and rows_needed(stop + 1, source=self.size[0], target=below.size[0]) <= held.stop:
            stop += 1
        if stop == self._next_below:
            return
        made = reduce_rows(
            held.rows, first=held.start, start=self._next_below, stop=stop, source=self.size, target=below.size,
            rule=self.encoding.overviews, nodata=self.encoding.nodata,
        )  # fmt: skip
        held.drop(min(int(np.floor(stop * self.size[0] / below.size[0] + 1e-9)), held.stop))
        start, self._next_below = self._next_below, stop
        below.feed(made, row=start, col=0)

    @property
    def rows_of_interest(self) -> int:
        """Rows before this one are the strip's own, or needed by its level below."""
        if self._below is None:
            return self.stop
        return max(self.stop, rows_needed(self._below.stop, source=self.size[0], target=self._below.size[0]))
