"""A boosted tree forest as plain arrays: data only, readable without LightGBM.

Thresholds are few (LightGBM bins features to at most 255 values), so each feature is replaced by its bin, the count
of thresholds below it, and a node compares one byte. Thresholds are rounded *down* to float32: for a float32 ``x``,
``x <= t`` in float64 equals ``x <= floor32(t)``, so the decisions are those of LightGBM itself.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.array_file import array_bytes, stored_arrays

#: One byte holds a bin; 255 is the threshold of leaves, which no bin exceeds.
MAX_THRESHOLDS = 254
LEAF = 255
MAX_NODES = 65_535
MAX_FEATURES = 255
#: Unpacked size of all arrays [bytes].
MAX_FOREST_BYTES = 512 << 20
_ARRAYS = {
    "child": np.uint16,
    "feature": np.uint8,
    "threshold": np.uint8,
    "value": np.float64,
    "tree_offset": np.int64,
    "cut": np.float32,
    "cut_offset": np.int64,
    "outputs": np.int64,
    "sigmoid": np.float64,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forest:
    """Trees as arrays; nodes of a tree are numbered breadth first, a right child follows its left sibling.

    Args:
        child: Left child within its tree, (node,); a leaf points to itself.
        feature: Feature that a node compares, (node,).
        threshold: A pixel goes right when its bin is greater, (node,); ``LEAF`` at leaves.
        value: Raw score of a leaf, (node,); 0 at inner nodes.
        tree_offset: First node of each tree, and the end, (tree + 1,); tree t adds to output ``t % outputs``.
        cut: Sorted float32 thresholds of all features, (cut,).
        cut_offset: First cut of each feature, and the end, (feature + 1,).
        outputs: Raw scores per pixel: 1 (two classes by a sigmoid) or the number of classes (softmax).
        sigmoid: Slope of the sigmoid; unused when there are several outputs.

    Raises:
        ConfigError: The arrays are no forest (so that the kernel may trust them).
    """

    child: NDArray[np.uint16]
    feature: NDArray[np.uint8]
    threshold: NDArray[np.uint8]
    value: NDArray[np.float64]
    tree_offset: NDArray[np.int64]
    cut: NDArray[np.float32]
    cut_offset: NDArray[np.int64]
    outputs: int
    sigmoid: float = 1.0

    def __post_init__(self) -> None:
        """Refuse arrays that would lead the kernel astray."""
        if not self._is_sound():
            msg = "the forest's arrays contradict each other; the file is damaged or was not written by swath"
            raise ConfigError(msg)

    def _is_sound(self) -> bool:
        nodes, trees, cuts = self.value.size, self.tree_offset.size - 1, self.cut_offset.size - 1
        if not (1 <= cuts <= MAX_FEATURES and trees >= 1 and self.outputs >= 1 and trees % self.outputs == 0):
            return False
        if not (_is_ladder(self.tree_offset, end=nodes) and _is_ladder(self.cut_offset, end=self.cut.size)):
            return False
        sizes, numbers = np.diff(self.tree_offset), np.diff(self.cut_offset)
        if sizes.min() < 1 or sizes.max() > MAX_NODES or numbers.max() > MAX_THRESHOLDS:
            return False
        if not all(a.shape == (nodes,) for a in (self.child, self.feature, self.threshold)):
            return False
        if not (np.isfinite(self.value).all() and np.isfinite(self.cut).all() and np.isfinite(self.sigmoid)):
            return False
        return self._cuts_rise() and self._nodes_descend(sizes, numbers)

    def _cuts_rise(self) -> bool:
        falls = np.flatnonzero(np.diff(self.cut) <= 0) + 1
        return bool(np.isin(falls, self.cut_offset).all())

    def _nodes_descend(self, sizes: NDArray[np.int64], numbers: NDArray[np.int64]) -> bool:
        own = np.arange(self.value.size) - np.repeat(self.tree_offset[:-1], sizes)
        leaf = self.threshold == LEAF
        inner = ~leaf
        if not (self.child[leaf] == own[leaf]).all() or (self.feature >= numbers.size).any():
            return False
        last = np.repeat(sizes, sizes)[inner] - 1
        below = (self.child[inner] > own[inner]) & (self.child[inner] + 1 <= last)
        return bool(below.all() and (self.threshold[inner] < numbers[self.feature[inner]]).all())

    @property
    def features(self) -> int:
        """Number of features."""
        return self.cut_offset.size - 1

    @property
    def classes(self) -> int:
        """Number of classes."""
        return max(2, self.outputs)

    @property
    def trees(self) -> int:
        """Number of trees over all outputs."""
        return self.tree_offset.size - 1

    def to_bytes(self) -> bytes:
        """The forest as a compressed npz; the same forest gives the same bytes."""
        return array_bytes({n: np.asarray(getattr(self, n), dtype=t) for n, t in _ARRAYS.items()})

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read what ``to_bytes`` wrote; data only.

        Raises:
            ConfigError: Not such a file, too large when unpacked, or no forest.
        """
        with stored_arrays(path, most_bytes=MAX_FOREST_BYTES, content="forest") as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
        for name, dtype in _ARRAYS.items():
            if arrays[name].dtype != dtype or arrays[name].ndim != (0 if name in ("outputs", "sigmoid") else 1):
                msg = f"{path}: array {name} has type {arrays[name].dtype} and {arrays[name].ndim} dimensions"
                raise ConfigError(msg)
        outputs, sigmoid = int(arrays.pop("outputs")), float(arrays.pop("sigmoid"))
        return cls(**arrays, outputs=outputs, sigmoid=sigmoid)


def _is_ladder(offsets: NDArray[np.int64], *, end: int) -> bool:
    return bool(offsets[0] == 0 and offsets[-1] == end and (np.diff(offsets) >= 0).all())
