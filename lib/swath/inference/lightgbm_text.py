"""LightGBM's text model, turned into a forest of arrays; LightGBM itself is not needed."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import LEAF, MAX_FEATURES, MAX_NODES, MAX_THRESHOLDS, Forest

#: Bits of LightGBM's ``decision_type``: categorical split; where missing values go (0 = they count as 0.0).
_CATEGORICAL = 1
_MISSING_SHIFT, _MISSING_BITS = 2, 3
_REFUSED_KEYS = {"average_output": "random-forest averaging", "is_linear=1": "linear trees"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """One tree as LightGBM writes it: children >= 0 are inner nodes, ``~leaf`` otherwise."""

    feature: NDArray[np.int64]
    cut: NDArray[np.float32]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf: NDArray[np.float64]


def parse_lightgbm(text: str) -> Forest:
    """Build a forest from the text that ``Booster.model_to_string`` gives.

    Args:
        text: A model with objective ``multiclass`` or ``binary`` and numerical splits without missing values.

    Raises:
        ConfigError: It uses what the arrays cannot hold: categorical or linear trees, another objective, missing
            values, too many thresholds, features or nodes.
    """
    head, _, rest = text.partition("\nTree=0\n")
    if not rest:
        msg = "this is not the text of a LightGBM model with trees"
        raise ConfigError(msg)
    trees_text, _, _ = rest.partition("end of trees")
    for key, meaning in _REFUSED_KEYS.items():
        if key in head.split("\n") or key in trees_text.split("\n"):
            msg = f"{meaning} cannot be converted; train without"
            raise ConfigError(msg)
    facts = _pairs(head)
    outputs, sigmoid = _objective(facts)
    features = int(facts["max_feature_idx"]) + 1
    if features > MAX_FEATURES:
        msg = f"the model has {features} features; at most {MAX_FEATURES} are possible"
        raise ConfigError(msg)
    trees = [_tree(block) for block in _blocks(trees_text)]
    return _forest(trees, features=features, outputs=outputs, sigmoid=sigmoid)


def _pairs(block: str) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _blocks(text: str) -> Iterator[str]:
    block: list[str] = []
    for line in text.splitlines():
        if line.startswith("Tree="):
            yield "\n".join(block)
            block = []
        else:
            block.append(line)
    yield "\n".join(block)


def _objective(facts: Mapping[str, str]) -> tuple[int, float]:
    name, *words = facts.get("objective", "").split()
    told = dict(w.split(":", 1) for w in words if ":" in w)
    outputs = int(facts["num_tree_per_iteration"])
    if name == "multiclass" and outputs > 1:
        return outputs, 1.0
    if name == "binary" and outputs == 1:
        return 1, float(told.get("sigmoid", "1"))
    msg = f"objective {facts.get('objective')!r} cannot be converted; train with multiclass or binary"
    raise ConfigError(msg)


def _tree(block: str) -> _Tree:
    facts = _pairs(block)
    leaf = np.array(facts["leaf_value"].split(), dtype=np.float64)
    if int(facts["num_leaves"]) == 1:
        nothing = np.empty(0, dtype=np.int64)
        return _Tree(feature=nothing, cut=np.empty(0, dtype=np.float32), left=nothing, right=nothing, leaf=leaf[:1])
    kinds = np.array(facts["decision_type"].split(), dtype=np.int64)
    if (kinds & _CATEGORICAL).any():
        msg = "categorical splits cannot be converted; train on numbers"
        raise ConfigError(msg)
    if ((kinds >> _MISSING_SHIFT) & _MISSING_BITS).any():
        msg = "splits with a branch for missing values cannot be converted; train on pixels without missing features"
        raise ConfigError(msg)
    return _Tree(
        feature=np.array(facts["split_feature"].split(), dtype=np.int64),
        cut=_round_down(np.array(facts["threshold"].split(), dtype=np.float64)),
        left=np.array(facts["left_child"].split(), dtype=np.int64),
        right=np.array(facts["right_child"].split(), dtype=np.int64),
        leaf=leaf,
    )


def _round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    limit = np.finfo(np.float32).max
    single = np.clip(thresholds, -limit, limit).astype(np.float32)
    above = single.astype(np.float64) > thresholds
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return single


def _forest(trees: list[_Tree], *, features: int, outputs: int, sigmoid: float) -> Forest:
    cuts = [_cuts_of(trees, feature=f) for f in range(features)]
    parts = [_renumbered(tree, cuts=cuts) for tree in trees]
    child, feature, threshold, value = (np.concatenate([p[i] for p in parts]) for i in range(4))
    return Forest(
        child=child.astype(np.uint16),
        feature=feature.astype(np.uint8),
        threshold=threshold.astype(np.uint8),
        value=value.astype(np.float64),
        tree_offset=np.cumsum([0, *(p[0].size for p in parts)], dtype=np.int64),
        cut=np.concatenate(cuts).astype(np.float32),
        cut_offset=np.cumsum([0, *(c.size for c in cuts)], dtype=np.int64),
        outputs=outputs,
        sigmoid=sigmoid,
    )


def _cuts_of(trees: list[_Tree], *, feature: int) -> NDArray[np.float32]:
    cuts = np.unique(np.concatenate([t.cut[t.feature == feature] for t in trees]))
    if cuts.size > MAX_THRESHOLDS:
        msg = f"feature {feature} has {cuts.size} thresholds; at most {MAX_THRESHOLDS} are possible: train with max_bin <= 255"
        raise ConfigError(msg)
    return cuts


def _renumbered(tree: _Tree, *, cuts: list[NDArray[np.float32]]) -> tuple[NDArray[np.generic], ...]:
    """Number the nodes of a tree breadth first: child, feature, threshold, value, each (node,)."""
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
        child[new], feature[new] = free, tree.feature[old]
        threshold[new] = np.searchsorted(cuts[feature[new]], tree.cut[old])
        queue.extend([(free, int(tree.left[old])), (free + 1, int(tree.right[old]))])
        free += 2
    return child, feature, threshold, value
