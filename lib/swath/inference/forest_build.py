"""From trees as libraries write them to a forest of arrays."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import LEAF, LIGHTGBM, MAX_FEATURES, MAX_NODES, MAX_THRESHOLDS, NAN_IS_ZERO, Forest


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree: children >= 0 are inner nodes, ``~leaf`` otherwise; node 0 is the root of a tree with inner nodes.

    Args:
        feature: Feature that a node compares, (node,).
        cut: A value goes left when it is not greater, (node,).
        rule: Direction that each node gives NaN: ``NAN_LEFT`` and the like, (node,).
        left: Left children, (node,).
        right: Right children, (node,).
        leaf: Values of the leaves, (leaf,).
    """

    feature: NDArray[np.int64]
    cut: NDArray[np.float32]
    rule: NDArray[np.uint8]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf: NDArray[np.float64]

    @classmethod
    def of_leaf(cls, value: float) -> "Tree":
        """A tree without a split."""
        none = np.empty(0, dtype=np.int64)
        nothing, no_rule = np.empty(0, dtype=np.float32), np.empty(0, dtype=np.uint8)
        return cls(feature=none, cut=nothing, rule=no_rule, left=none, right=none, leaf=np.array([value], dtype=np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What becomes of the leaves' values.

    Args:
        outputs: Sums of a pixel; tree t adds to sum ``t % outputs``.
        link: ``LIGHTGBM``, ``XGBOOST`` or ``PLAIN``.
        sigmoid: Slope of LightGBM's sigmoid.
        base: Start value of the sums; 0 if empty.
    """

    outputs: int
    link: int = LIGHTGBM
    sigmoid: float = 1.0
    base: tuple[float, ...] = ()


def forest_of(trees: Sequence[Tree], *, features: int, sums: Sums) -> Forest:
    """The forest of some trees.

    Raises:
        ConfigError: The forest has more features, thresholds or nodes than the arrays can hold.
    """
    if not 1 <= features <= MAX_FEATURES:
        msg = f"the model has {features} features; 1 to {MAX_FEATURES} are possible"
        raise ConfigError(msg)
    columns = _Columns.of(trees, features=features)
    parts = [_renumbered(tree, columns=columns) for tree in trees]
    child, feature, threshold, value = (np.concatenate([p[i] for p in parts]) for i in range(4))
    plain = columns.are_features(features)
    return Forest(
        child=child.astype(np.uint16),
        feature=feature.astype(np.uint8),
        threshold=threshold.astype(np.uint8),
        value=value.astype(np.float64),
        tree_offset=np.cumsum([0, *(p[0].size for p in parts)], dtype=np.int64),
        cut=np.concatenate(columns.cuts).astype(np.float32),
        cut_offset=np.cumsum([0, *(c.size for c in columns.cuts)], dtype=np.int64),
        outputs=sums.outputs,
        sigmoid=sums.sigmoid,
        source=np.array([] if plain else columns.sources, dtype=np.uint8),
        rule=np.array([] if plain else columns.rules, dtype=np.uint8),
        base=np.array(sums.base, dtype=np.float64),
        link=sums.link,
        inputs=0 if plain else features,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Thresholds by feature and rule, in parts of ``MAX_THRESHOLDS``; ``first`` and ``every`` by (feature, rule)."""

    sources: list[int]
    rules: list[int]
    cuts: list[NDArray[np.float32]]
    first: dict[tuple[int, int], int]
    every: dict[tuple[int, int], NDArray[np.float32]]

    @classmethod
    def of(cls, trees: Iterable[Tree], *, features: int) -> "_Columns":
        found = cls(sources=[], rules=[], cuts=[], first={}, every={})
        feature, rule, cut = (np.concatenate([getattr(t, n) for t in trees]) for n in ("feature", "rule", "cut"))
        for number in range(features):
            own = feature == number
            for code in np.unique(rule[own]).tolist() or [NAN_IS_ZERO]:
                found._add((number, code), np.unique(cut[own & (rule == code)]))
        if len(found.cuts) > MAX_FEATURES:
            msg = (
                f"the thresholds of its {features} features fill {len(found.cuts)} columns of {MAX_THRESHOLDS}, at most "
                f"{MAX_FEATURES} are possible: train with fewer thresholds (max_bin <= 255)"
            )
            raise ConfigError(msg)
        return found

    def _add(self, key: tuple[int, int], cuts: NDArray[np.float32]) -> None:
        self.first[key], self.every[key] = len(self.cuts), cuts
        for start in range(0, max(1, cuts.size), MAX_THRESHOLDS):
            self.sources.append(key[0])
            self.rules.append(key[1])
            self.cuts.append(cuts[start : start + MAX_THRESHOLDS])

    def are_features(self, features: int) -> bool:
        return self.sources == list(range(features)) and set(self.rules) == {NAN_IS_ZERO}

    def place(self, tree: Tree, node: int) -> tuple[int, int]:
        """Column of a node, and the number of its threshold there."""
        key = (int(tree.feature[node]), int(tree.rule[node]))
        column, threshold = divmod(int(np.searchsorted(self.every[key], tree.cut[node])), MAX_THRESHOLDS)
        return self.first[key] + column, threshold


def _renumbered(tree: Tree, *, columns: _Columns) -> tuple[NDArray[np.generic], ...]:
    """Number the nodes of a tree breadth first: child, column, threshold, value, each (node,)."""
    nodes = tree.feature.size + tree.leaf.size
    if nodes > MAX_NODES:
        msg = f"a tree has {nodes} nodes; at most {MAX_NODES} are possible"
        raise ConfigError(msg)
    child, feature = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    threshold, value = np.full(nodes, LEAF, dtype=np.int64), np.zeros(nodes)
    queue = deque([(0, 0 if tree.feature.size else -1)])
    free = 1
    while queue:
        new, old = queue.popleft()
        if old < 0:
            child[new], value[new] = new, tree.leaf[~old]
            continue
        if free + 1 >= nodes:
            msg = "a tree leads back to one of its own nodes: the file is damaged"
            raise ConfigError(msg)
        child[new] = free
        feature[new], threshold[new] = columns.place(tree, old)
        queue.extend([(free, int(tree.left[old])), (free + 1, int(tree.right[old]))])
        free += 2
    return child, feature, threshold, value


def round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is not above each: a float32 is below one exactly when it is below the other."""
    with np.errstate(over="ignore"):
        single = thresholds.astype(np.float32)
    above = single.astype(np.float64) > thresholds
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return single


def step_down(thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """The next float32 below each threshold t: a value is below t exactly when it is not above that."""
    return np.nextafter(thresholds, np.float32(-np.inf))
