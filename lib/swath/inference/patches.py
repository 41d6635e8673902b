"""Answers of a network over any window: from patches anchored on the grid, so that strips and pieces do not show."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from swath.grid import Window
from swath.inference.network import Network
from swath.place import Place

#: Answers of patches that are kept for neighbouring pieces [bytes].
_KEPT_BYTES = 64 << 20
#: Probabilities, (class, patch, patch), of one patch, (1, band, patch, patch); both float32.
Answer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class PatchPredictor:
    """A network with neighbourhoods; a ``inputs.Predictor``.

    Patches begin at ``first_px + k step_px`` of the grid's rows and columns, whatever window is asked for; where several
    meet, their answers are averaged by the network's weights, in the order of the grid.

    Args:
        answer: Function that answers one patch.
        network: Description of the network's input.
        halo_px: Influence radius that the manifest promises.
        classes: Classes of an answer.
    """

    def __init__(self, answer: Answer, *, network: Network, halo_px: int, classes: int) -> None:
        self._answer, self._network, self._classes = answer, network, classes
        self._side, self._step, self._first = network.patch_px, network.step_px(halo_px), network.first_px(halo_px)
        weights = network.weights(halo_px)
        self._weights = weights[:, np.newaxis] * weights[np.newaxis, :]
        self._mean, self._std = (np.array(n)[:, np.newaxis, np.newaxis] for n in (network.normalise.mean, network.normalise.std))
        self._kept: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        """Class probabilities [1] of ``place.wanted``, (class, y, x), of features, (band, y, x).

        Raises:
            ValueError: Another number of bands, not float32, or features that do not fill their place.
        """
        if features.ndim != 3 or features.shape[0] != self._mean.size or features.dtype != np.float32:
            msg = f"expected float32 ({self._mean.size}, y, x), got {features.dtype} {features.shape}"
            raise ValueError(msg)
        whole = Window(0, 0, *features.shape[1:])
        where = place or Place(given=whole, wanted=whole, grid=whole)
        if where.given.shape != features.shape[1:]:
            msg = f"features {features.shape} do not fill {where.given}"
            raise ValueError(msg)
        summed = np.zeros((self._classes, *where.wanted.shape))
        weight = np.zeros(where.wanted.shape)
        for patch in self._patches(where.wanted):
            met = patch.clip(where.wanted)
            own, there = patch.slices_of(met), where.wanted.slices_of(met)
            part = self._weights[own]
            if part.any():
                summed[:, *there] += self._answered(patch, features, where)[:, *own] * part
                weight[there] += part
        made: NDArray[np.float32] = (summed / weight).astype(np.float32)
        return made

    def _patches(self, wanted: Window) -> Iterator[Window]:
        """The patches that meet a window, in the order of the grid."""
        for row in self._starts(wanted.row, wanted.row_stop):
            for col in self._starts(wanted.col, wanted.col_stop):
                yield Window(row, col, self._side, self._side)

    def _starts(self, start: int, stop: int) -> range:
        before = (start - self._first - self._side) // self._step + 1
        return range(self._first + max(before, 0) * self._step, stop, self._step)

    def _answered(self, patch: Window, features: NDArray[np.float32], where: Place) -> NDArray[np.float32]:
        fed = self._fed(patch, features, where)
        if not fed.size:
            return np.full((self._classes, *patch.shape), 1.0 / self._classes, dtype=np.float32)
        # Neighbouring pieces share patches: by their content, so that no answer depends on what was asked before.
        key = hashlib.sha256(fed.tobytes()).digest()
        if key not in self._kept:
            answer = self._answer(fed)
            self._kept[key] = answer
            if len(self._kept) * answer.nbytes > _KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _fed(self, patch: Window, features: NDArray[np.float32], where: Place) -> NDArray[np.float32]:
        """Normalised features of a patch, (1, band, patch, patch); empty where no pixel of it has a value."""
        rows = self._indices(patch.row, size=where.grid.height) - where.given.row
        cols = self._indices(patch.col, size=where.grid.width) - where.given.col
        taken = np.full((features.shape[0], *patch.shape), np.nan, dtype=np.float32)
        down, across = ((i >= 0) & (i < n) for i, n in ((rows, where.given.height), (cols, where.given.width)))
        taken[:, down[:, np.newaxis] & across] = features[:, rows[down]][:, :, cols[across]].reshape(features.shape[0], -1)
        invalid = ~np.isfinite(taken)
        if invalid.any(axis=0).all():
            return np.empty(0, dtype=np.float32)
        taken[invalid] = self._network.fill
        centred = (taken - self._mean).astype(np.float32)
        normal: NDArray[np.float32] = (centred / self._std).astype(np.float32)
        return normal[np.newaxis]

    def _indices(self, start: int, *, size: int) -> NDArray[np.int64]:
        """Rows or columns of the grid under a patch; far outside where it has none."""
        index = np.arange(start, start + self._side)
        if self._network.edge == "symmetric":
            index %= 2 * size
            return np.where(index < size, index, 2 * size - 1 - index)
        return np.where((index >= 0) & (index < size), index, np.int64(-(1 << 40)))
