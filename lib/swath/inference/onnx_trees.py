"""Tree ensembles of ONNX files, as scikit-learn's converters write them, turned into a forest of arrays."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.forest import EXACT_LEFT, EXACT_RIGHT, LIGHTGBM, PLAIN, Forest
from swath.inference.forest_build import Sums, Tree, forest_of, step_down

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_OPERATOR = "TreeEnsembleClassifier"
#: Operators beside the trees that change no probability.
_HARMLESS = frozenset({"Cast", "Identity", "ZipMap"})
_LINKS = {"NONE": PLAIN, "LOGISTIC": LIGHTGBM, "SOFTMAX": LIGHTGBM}


def trees_of_onnx(path: Path, *, features: int) -> Forest | None:
    """The forest of an ONNX file; None for files that are no tree ensemble: these stay networks.

    Args:
        path: The file.
        features: Number of features that its input has.

    Raises:
        ConfigError: The file is not ONNX, or a tree ensemble with nodes, links or weights that the arrays cannot hold.
    """
    nodes = list(_loaded(path).graph.node)
    trees = [n for n in nodes if n.op_type == _OPERATOR and n.domain == "ai.onnx.ml"]
    if len(trees) != 1 or {n.op_type for n in nodes} - _HARMLESS - {_OPERATOR}:
        return None
    try:
        return _forest(_attributes(trees[0]), features=features)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        msg = f"{path.name}: its {_OPERATOR} is damaged: {type(error).__name__} {error}; write the file anew"
        raise ConfigError(msg) from error


def _loaded(path: Path) -> "ModelProto":
    # Imported here: models are imported seldom, and runs never need it.
    import onnx  # noqa: PLC0415
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError, ValueError) as error:
        msg = f"{path.name}: not an ONNX file: {error}"
        raise ConfigError(msg) from error


def _attributes(node: "NodeProto") -> dict[str, Any]:
    from onnx import helper  # noqa: PLC0415 (as above)

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _forest(told: Mapping[str, Any], *, features: int) -> Forest:
    labels = told.get("classlabels_int64s") or told["classlabels_strings"]
    ids = np.asarray(told["class_ids"], dtype=np.int64)
    # One weight a leaf for two classes is the second class's.
    outputs = 1 if len(labels) == 2 and np.unique(ids).size == 1 else len(labels)
    post = bytes(told.get("post_transform", b"NONE")).decode()
    if post not in _LINKS or (post == "LOGISTIC") != (outputs == 1 and post != "NONE"):
        msg = f"post_transform {post} of {outputs} outputs cannot be converted; NONE, LOGISTIC of one and SOFTMAX of several can"
        raise ConfigError(msg)
    groups: list[list[Tree]] = [[] for _ in range(outputs)]
    for number in np.unique(told["nodes_treeids"]).tolist():
        for output, tree in _by_output(told, tree=number, outputs=outputs):
            groups[output].append(tree)
    most = max(len(g) for g in groups)
    padded = [[*g, *[Tree.of_leaf(0.0)] * (most - len(g))] for g in groups]
    base = tuple(float(v) for v in told.get("base_values", ()))
    if len(base) not in (0, outputs):
        msg = f"{len(base)} base values for {outputs} outputs"
        raise ValueError(msg)
    sums = Sums(outputs=outputs, link=_LINKS[post], base=base)
    return forest_of(list(chain.from_iterable(zip(*padded, strict=True))), features=features, sums=sums)


def _by_output(told: Mapping[str, Any], *, tree: int, outputs: int) -> Iterator[tuple[int, Tree]]:
    """A tree once for each output that its leaves add to."""
    own = np.asarray(told["nodes_treeids"]) == tree
    ids, true, false, feature = (
        np.asarray(told[f"nodes_{n}"], dtype=np.int64)[own] for n in ("nodeids", "truenodeids", "falsenodeids", "featureids")
    )
    modes = np.array([m.decode() for m in told["nodes_modes"]])[own]
    values = np.asarray(told["nodes_values"], dtype=np.float64).astype(np.float32)[own]
    tracks = np.asarray(told.get("nodes_missing_value_tracks_true", [0] * own.size), dtype=np.int64)[own]
    unknown = sorted(set(modes.tolist()) - {"LEAF", "BRANCH_LEQ", "BRANCH_LT"})
    if unknown or not np.array_equal(ids, np.arange(ids.size)):
        msg = f"nodes of mode {', '.join(unknown)}" if unknown else "nodes that are not numbered in order"
        raise ConfigError(f"{msg} cannot be converted; compare with <= or <")
    leaf = modes == "LEAF"
    inner = np.flatnonzero(~leaf)
    number = np.zeros(ids.size, dtype=np.int64)
    number[inner], number[leaf] = np.arange(inner.size), ~np.arange(int(leaf.sum()))
    for output, weights in _weights(told, tree=tree, nodes=ids.size, outputs=outputs):
        if not inner.size:
            yield output, Tree.of_leaf(float(weights[0]))
            continue
        yield (
            output,
            Tree(
                feature=feature[inner],
                cut=np.where(modes[inner] == "BRANCH_LT", step_down(values[inner]), values[inner]).astype(np.float32),
                rule=np.where(tracks[inner] != 0, EXACT_LEFT, EXACT_RIGHT).astype(np.uint8),
                left=number[true[inner]],
                right=number[false[inner]],
                leaf=weights[leaf],
            ),
        )


def _weights(told: Mapping[str, Any], *, tree: int, nodes: int, outputs: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """What the nodes of a tree add to each output that they add to, (node,)."""
    own = np.asarray(told["class_treeids"]) == tree
    nodeids, ids = (np.asarray(told[n], dtype=np.int64)[own] for n in ("class_nodeids", "class_ids"))
    weights = np.asarray(told["class_weights"], dtype=np.float64)[own]
    output = np.zeros_like(ids) if outputs == 1 else ids
    for number in np.unique(output).tolist():
        found = np.zeros(nodes)
        np.add.at(found, nodeids[output == number], weights[output == number])
        yield number, found
