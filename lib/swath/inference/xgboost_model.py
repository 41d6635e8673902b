"""XGBoost's own model files, JSON and UBJ, turned into a forest of arrays; XGBoost itself is not needed."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import EXACT_LEFT, EXACT_RIGHT, XGBOOST, Forest
from swath.inference.forest_build import Sums, Tree, forest_of, step_down
from swath.inference.ubjson import read_ubjson

#: Larger files are no model of pixels [bytes].
MAX_BYTES = 512 << 20
_OBJECTIVES = ("binary:logistic", "multi:softprob")
_RESAVE = "save it again with XGBoost >= 1.6: booster.save_model('model.ubj')"


def is_xgboost(data: bytes) -> bool:
    """Whether a file begins as XGBoost's JSON or UBJ does."""
    head = data[:64].lstrip()
    return head[:1] == b"{" and (head[1:2] in (b"L", b"l", b"i", b"U", b"I", b"#", b"$") or b'"' in head)


@dataclass(frozen=True, slots=True, kw_only=True)
class XgboostModel:
    """A model as its file says.

    Args:
        forest: The arrays.
        names: Names of the features; empty when it was trained on arrays.
    """

    forest: Forest
    names: tuple[str, ...]


def parse_xgboost(data: bytes) -> XgboostModel:
    """Build a forest from a model file.

    Args:
        data: Output of ``Booster.save_model`` as ``.json`` or ``.ubj``; objective ``binary:logistic`` or ``multi:softprob``.

    Raises:
        ConfigError: An older binary or pickled file, another booster or objective, categorical splits, several targets, or
            training that stopped early and kept trees beyond its best.
    """
    if len(data) > MAX_BYTES or not is_xgboost(data):
        msg = f"not a model in JSON or UBJ below {MAX_BYTES} bytes: its older binary form and pickles are not read; {_RESAVE}"
        raise ConfigError(msg)
    try:
        learner = _read(data)["learner"]
        return _model(learner)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        msg = f"not a complete XGBoost model: {type(error).__name__} {error}; {_RESAVE}"
        raise ConfigError(msg) from error


def _read(data: bytes) -> Any:
    if data.lstrip()[1:2] in (b'"', b"\n", b" ", b"\r", b"\t"):
        return json.loads(data)
    return read_ubjson(data)


def _model(learner: Mapping[str, Any]) -> XgboostModel:
    booster, objective = learner["gradient_booster"], str(learner["objective"]["name"])
    facts = learner["learner_model_param"]
    classes, targets = int(facts["num_class"]), int(facts.get("num_target", 1))
    outputs = classes if objective == "multi:softprob" else 1
    known = {
        f"booster {booster['name']!r}": booster["name"] == "gbtree",
        # XGBoost 3.4 saves dropout (DART) as a gbtree whose trees have weights.
        "dropout (DART, weighted trees)": all(float(w) == 1.0 for w in booster.get("model", {}).get("weight_drop", ())),
        f"objective {objective!r}": objective in _OBJECTIVES,
        f"{targets} targets": targets == 1 or (objective == "multi:softprob" and targets == classes),
    }
    for what, fits in known.items():
        if not fits:
            msg = f"{what} of XGBoost cannot be converted; train a gbtree with {' or '.join(_OBJECTIVES)} and one target"
            raise ConfigError(msg)
    trees = _by_turns(booster["model"], outputs=outputs)
    _refuse_early_stop(learner, rounds=len(trees) // outputs)
    base = _margins(facts["base_score"], objective=objective, outputs=outputs)
    forest = forest_of(trees, features=int(facts["num_feature"]), sums=Sums(outputs=outputs, link=XGBOOST, base=base))
    return XgboostModel(forest=forest, names=tuple(map(str, learner.get("feature_names", ()))))


def _by_turns(model: Mapping[str, Any], *, outputs: int) -> list[Tree]:
    """Trees so that tree t adds to output ``t % outputs``; the order within an output, which rounding depends on, stays."""
    groups: list[list[Tree]] = [[] for _ in range(outputs)]
    for tree, group in zip(model["trees"], model["tree_info"], strict=True):
        groups[int(group)].append(_tree(tree))
    if len({len(g) for g in groups}) != 1 or not groups[0]:
        msg = f"{[len(g) for g in groups]} trees by class, expected as many for each"
        raise ValueError(msg)
    return list(chain.from_iterable(zip(*groups, strict=True)))


def _tree(plain: Mapping[str, Any]) -> Tree:
    left, right = (np.asarray(plain[n], dtype=np.int64) for n in ("left_children", "right_children"))
    if np.asarray(plain.get("split_type", ())).any() or len(plain.get("categories", ())):
        msg = "categorical splits of XGBoost cannot be converted; train on numbers"
        raise ConfigError(msg)
    if int(plain["tree_param"].get("size_leaf_vector", "1")) > 1:
        msg = "trees of several targets of XGBoost cannot be converted; train with multi_strategy='one_output_per_tree'"
        raise ConfigError(msg)
    split = np.asarray(plain["split_conditions"], dtype=np.float64).astype(np.float32)
    is_leaf = left == -1
    if is_leaf[0]:
        return Tree.of_leaf(float(split[0]))
    # Leaves and inner nodes are numbered apart; removed nodes are reached from nowhere, and left out.
    reached = _reached(left, right)
    number = np.zeros(left.size, dtype=np.int64)
    inner, leaves = np.flatnonzero(reached & ~is_leaf), np.flatnonzero(reached & is_leaf)
    number[inner], number[leaves] = np.arange(inner.size), ~np.arange(leaves.size)
    default_left = np.asarray(plain["default_left"], dtype=np.int64)[inner]
    return Tree(
        feature=np.asarray(plain["split_indices"], dtype=np.int64)[inner],
        cut=step_down(split[inner]),
        rule=np.where(default_left, EXACT_LEFT, EXACT_RIGHT).astype(np.uint8),
        left=number[left[inner]],
        right=number[right[inner]],
        leaf=split[leaves].astype(np.float64),
    )


def _reached(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
    reached = np.zeros(left.size, dtype=bool)
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if reached[node]:
            msg = f"node {node} has two parents"
            raise ValueError(msg)
        reached[node] = True
        if left[node] != -1:
            waiting.extend((int(left[node]), int(right[node])))
    return reached


def _margins(told: Any, *, objective: str, outputs: int) -> tuple[float, ...]:
    """What the sums begin with. One number before version 3.1, a list ``[...]`` of one or of each class since."""
    numbers = [np.float32(w) for w in str(told).strip("[] ").split(",")]
    if len(numbers) not in (1, outputs) or not np.isfinite(numbers).all():
        msg = f"base_score {told!r} of {outputs} outputs"
        raise ValueError(msg)
    if objective == "binary:logistic":
        # The file has a probability; the sum is of log-odds, in float32.
        (p,) = numbers
        if not 0.0 < p < 1.0:
            msg = f"base_score {told!r} is not a probability"
            raise ValueError(msg)
        return (-float(np.float32(math.log(np.float32(1.0) / p - np.float32(1.0)))),)
    return tuple(float(n) for n in (numbers * outputs if len(numbers) == 1 else numbers))


def _refuse_early_stop(learner: Mapping[str, Any], *, rounds: int) -> None:
    best = learner.get("attributes", {}).get("best_iteration")
    if best is not None and int(best) + 1 < rounds:
        msg = (
            f"training stopped early, and the file has {rounds} rounds of which {int(best) + 1} are the best: which of them "
            "predict depends on the caller; save `booster[: booster.best_iteration + 1]`"
        )
        raise ConfigError(msg)
