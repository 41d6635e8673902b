"""Full-width rows gathered from windows."""

import numpy as np
from numpy.typing import NDArray


class GatheredRows:
    """Rows in the making: windows come from left to right, then down; whole rows leave at the top.

    Args:
        width: Width of a row [px].
        start: The first row to come.
    """

    def __init__(self, width: int, *, start: int) -> None:
        self._width = width
        self.start = self.stop = start
        self._held: NDArray[np.integer] | None = None

    @property
    def rows(self) -> NDArray[np.integer]:
        """Rows ``start`` to ``stop``, (y, width), all whole; good until the next call.

        Raises:
            ValueError: No window came.
        """
        if self._held is None:
            msg = "no window came"
            raise ValueError(msg)
        return self._held[: self.stop - self.start]

    def paste(self, pixels: NDArray[np.integer], *, col: int, capacity: int) -> bool:
        """Take a window whose first row is ``stop``.

        Args:
            pixels: (y, x).
            col: Column of its left edge [px].
            capacity: Rows to have room for, at least.

        Returns:
            Whether the window was the last of its rows, which then are whole.
        """
        height, width = pixels.shape
        at = self.stop - self.start
        if self._held is None or self._held.shape[0] < at + height:
            roomier = np.empty((max(capacity, at + height), self._width), dtype=pixels.dtype)
            if at and self._held is not None:
                roomier[:at] = self._held[:at]
            self._held = roomier
        self._held[at : at + height, col : col + width] = pixels
        if col + width < self._width:
            return False
        self.stop += height
        return True

    def drop(self, before: int) -> None:
        """Let go of the rows above ``before``."""
        gone, rest = before - self.start, self.stop - before
        if rest and gone and self._held is not None:
            self._held[:rest] = self._held[gone : gone + rest]
        self.start = before

    def skip(self, to: int) -> None:
        """Rows up to ``to`` were not needed."""
        self.start = self.stop = to
