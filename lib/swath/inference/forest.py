"""A boosted tree forest as plain arrays: data only, readable without LightGBM.

Thresholds are few (LightGBM bins features to at most 255 values), so each feature is replaced by its bin, the count
of thresholds below it, and a node compares one byte. Thresholds are rounded *down* to float32: for a float32 ``x``,
``x <= t`` in float64 equals ``x <= floor32(t)``, so the decisions are those of LightGBM itself.

Nodes compare *columns*. A column is a feature with at most 254 of its thresholds and one rule for missing values, so a
feature with more thresholds, or with nodes that send NaN to different sides, has several.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

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
#: Where a column sends NaN. LightGBM also reads values up to 1e-35 as 0; XGBoost and ONNX take every value as it is.
NAN_IS_ZERO, NAN_LEFT, NAN_RIGHT, ZERO_LEFT, ZERO_RIGHT, EXACT_LEFT, EXACT_RIGHT = range(7)
#: From sums to probabilities: LightGBM's in float64; XGBoost's, with sums, in float32; the sums themselves.
LIGHTGBM, XGBOOST, PLAIN = range(3)
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
#: Absent from the file of a forest whose columns are its features, and that links as LightGBM does.
_MORE = {"source": np.uint8, "rule": np.uint8, "base": np.float64, "link": np.int64, "inputs": np.int64}
_SCALARS = ("outputs", "sigmoid", "link", "inputs")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forest:
    """Trees as arrays; nodes of a tree are numbered breadth first, a right child follows its left sibling.

    Args:
        child: Left child within its tree, (node,); a leaf points to itself.
        feature: Column that a node compares, (node,).
        threshold: A pixel goes right when its bin is greater, (node,); ``LEAF`` at leaves.
        value: Raw score of a leaf, (node,); 0 at inner nodes.
        tree_offset: First node of each tree, and the end, (tree + 1,); tree t adds to output ``t % outputs``.
        cut: Sorted float32 thresholds of all columns, (cut,).
        cut_offset: First cut of each column, and the end, (column + 1,).
        outputs: Raw scores per pixel: 1 (two classes by a sigmoid) or the number of classes (softmax).
        sigmoid: Slope of the sigmoid; unused when there are several outputs.
        source: Feature of each column, (column,); the column itself when empty.
        rule: Direction that each column gives NaN, (column,); as 0 if empty.
        base: Start value of each sum, (outputs,); 0 if empty.
        link: ``LIGHTGBM``, ``XGBOOST`` or ``PLAIN``.
        inputs: Number of features; that of the columns when 0.

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
    source: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))
    rule: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, dtype=np.uint8))
    base: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    link: int = LIGHTGBM
    inputs: int = 0

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
        # A cut may be infinite: scikit-learn splits off missing values alone at +inf.
        if not (np.isfinite(self.value).all() and not np.isnan(self.cut).any() and np.isfinite(self.sigmoid)):
            return False
        return self._columns_are_sound(cuts) and self._cuts_rise() and self._nodes_descend(sizes, numbers)

    def _columns_are_sound(self, columns: int) -> bool:
        sizes = (self.source.size in (0, columns), self.rule.size in (0, columns), self.base.size in (0, self.outputs))
        if not all(sizes) or not np.isfinite(self.base).all() or self.link not in (LIGHTGBM, XGBOOST, PLAIN):
            return False
        if not 0 <= self.inputs <= MAX_FEATURES or (self.rule > EXACT_RIGHT).any():
            return False
        return bool((self.source_of < self.features).all())

    def _cuts_rise(self) -> bool:
        falls = np.flatnonzero(~(self.cut[1:] > self.cut[:-1])) + 1
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
    def columns(self) -> int:
        """Number of columns."""
        return self.cut_offset.size - 1

    @property
    def features(self) -> int:
        """Number of features."""
        return self.inputs or self.columns

    @property
    def source_of(self) -> NDArray[np.uint8]:
        """Feature of each column, (column,)."""
        return self.source if self.source.size else np.arange(self.columns, dtype=np.uint8)

    @property
    def rule_of(self) -> NDArray[np.uint8]:
        """Where each column sends NaN, (column,)."""
        return self.rule if self.rule.size else np.full(self.columns, NAN_IS_ZERO, dtype=np.uint8)

    @property
    def base_of(self) -> NDArray[np.float64]:
        """What each sum begins with, (outputs,)."""
        return self.base if self.base.size else np.zeros(self.outputs)

    def cuts_of_feature(self, feature: int) -> NDArray[np.float32]:
        """Sorted thresholds of a feature, over its columns."""
        own = np.flatnonzero(self.source_of == feature)
        parts = [self.cut[self.cut_offset[c] : self.cut_offset[c + 1]] for c in own]
        return np.unique(np.concatenate([*parts, np.empty(0, dtype=np.float32)]))

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
        kept = _ARRAYS | (_MORE if self._is_more_than_lightgbms else {})
        return array_bytes({n: np.asarray(getattr(self, n), dtype=t) for n, t in kept.items()})

    @property
    def _is_more_than_lightgbms(self) -> bool:
        return bool(self.source.size or self.rule.size or self.base.size or self.link or self.inputs)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read what ``to_bytes`` wrote; data only.

        Raises:
            ConfigError: Not such a file, too large when unpacked, or no forest.
        """
        with stored_arrays(path, most_bytes=MAX_FOREST_BYTES, content="forest") as stored:
            kept = _ARRAYS | (_MORE if "link" in stored else {})
            arrays = {name: stored[name] for name in kept}
        for name, dtype in kept.items():
            if arrays[name].dtype != dtype or arrays[name].ndim != (0 if name in _SCALARS else 1):
                msg = f"{path}: array {name} has type {arrays[name].dtype} and {arrays[name].ndim} dimensions"
                raise ConfigError(msg)
        scalars: dict[str, Any] = {n: arrays.pop(n).item() for n in _SCALARS if n in arrays}
        return cls(**arrays, **scalars)


def _is_ladder(offsets: NDArray[np.int64], *, end: int) -> bool:
    return bool(offsets[0] == 0 and offsets[-1] == end and (np.diff(offsets) >= 0).all())
