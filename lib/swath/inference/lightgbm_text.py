"""LightGBM's text model, turned into a forest of arrays; LightGBM itself is not needed."""

from collections.abc import Iterator, Mapping

import numpy as np

from swath.errors import ConfigError
from swath.inference.forest import NAN_IS_ZERO, NAN_LEFT, NAN_RIGHT, ZERO_LEFT, ZERO_RIGHT, Forest
from swath.inference.forest_build import Sums, Tree, forest_of, round_down

#: Bits of LightGBM's ``decision_type``: categorical split; missing values go left; what is missing.
_CATEGORICAL, _LEFT = 1, 2
_MISSING_SHIFT, _MISSING_BITS = 2, 3
#: Rule by what is missing (nothing; zero and NaN; NaN) and side (right, left).
_RULES = np.array([[NAN_IS_ZERO, NAN_IS_ZERO], [ZERO_RIGHT, ZERO_LEFT], [NAN_RIGHT, NAN_LEFT]], dtype=np.uint8)
_REFUSED_KEYS = {"average_output": "random-forest averaging", "is_linear=1": "linear trees"}


def parse_lightgbm(text: str) -> Forest:
    """Build a forest from the text that ``Booster.model_to_string`` gives.

    Args:
        text: A model with objective ``multiclass`` or ``binary`` and numerical splits.

    Raises:
        ConfigError: The model uses what the arrays cannot hold: categorical or linear trees, another objective, too many
            thresholds, features or nodes.
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
    trees = [_tree(block) for block in _blocks(trees_text)]
    return forest_of(trees, features=int(facts["max_feature_idx"]) + 1, sums=Sums(outputs=outputs, sigmoid=sigmoid))


def names_of(text: str) -> tuple[str, ...]:
    """Names of the features that a model was trained with; LightGBM invents ``Column_0`` and so on for arrays."""
    return tuple(_pairs(text.partition("\nTree=0\n")[0]).get("feature_names", "").split())


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


def _tree(block: str) -> Tree:
    facts = _pairs(block)
    leaf = np.array(facts["leaf_value"].split(), dtype=np.float64)
    if int(facts["num_leaves"]) == 1:
        return Tree.of_leaf(float(leaf[0]))
    kinds = np.array(facts["decision_type"].split(), dtype=np.int64)
    if (kinds & _CATEGORICAL).any():
        msg = "categorical splits cannot be converted; train on numbers"
        raise ConfigError(msg)
    missing = (kinds >> _MISSING_SHIFT) & _MISSING_BITS
    if (missing >= len(_RULES)).any():
        msg = f"decision type {int(kinds[missing >= len(_RULES)][0])} is one that LightGBM never writes: the file is damaged"
        raise ConfigError(msg)
    return Tree(
        feature=np.array(facts["split_feature"].split(), dtype=np.int64),
        cut=round_down(np.array(facts["threshold"].split(), dtype=np.float64)),
        rule=_RULES[missing, (kinds & _LEFT) // _LEFT],
        left=np.array(facts["left_child"].split(), dtype=np.int64),
        right=np.array(facts["right_child"].split(), dtype=np.int64),
        leaf=leaf,
    )
