"""Networks as tools of others export them that must not run here: each is refused at admission, by name."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from swath.inference.admission import AdmissionTerms, findings_of
from swath.inference.manifest import Manifest
from swath.inference.network import Network, Normalise
from swath.product import Category

CLASSES = tuple(Category(value=n, name=f"c{n}", title=f"C{n}") for n in (1, 2))
PATCH = Network(
    reach="patch",
    patch_px=16,
    align_px=8,
    anchor_px=-8,
    activation="softmax",
    normalise=Normalise(mean=(0.0, 0.0), std=(1.0, 1.0)),
)


def problems(folder: Path, network: onnx.ModelProto, *, patch: bool = False) -> str:
    folder.mkdir()
    manifest = Manifest(
        name="net", kind="onnx", weights="net.onnx", bands=("red", "nir08"), of="toa", classes=CLASSES, licence="MIT",
        network=PATCH if patch else None,
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (folder / "card.md").write_text("# Net\n", encoding="utf-8")
    (folder / "net.onnx").write_bytes(network.SerializeToString())
    return "; ".join(str(f) for f in findings_of(folder, called="net", terms=AdmissionTerms()) if f.grave)


def pixels(*nodes: onnx.NodeProto, kind: int = TensorProto.FLOAT, classes: int = 2) -> onnx.ModelProto:
    """A layer with a softmax, or ``nodes`` instead of the softmax: (pixel, 2) to (pixel, class)."""
    dtype = np.float32 if kind == TensorProto.FLOAT else np.float64
    weights = numpy_helper.from_array(np.linspace(-1.0, 1.0, 2 * classes, dtype=dtype).reshape(2, classes), "w")
    last = nodes or (helper.make_node("Softmax", ["y"], ["p"], axis=1),)
    given, made = (helper.make_tensor_value_info(n, kind, [None, w]) for n, w in (("x", 2), ("p", classes)))
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"]), *last], "g", [given], [made], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def branches() -> tuple[onnx.NodeProto, ...]:
    """``If`` of the number of pixels: a softmax, or nothing."""
    out = helper.make_tensor_value_info("q", TensorProto.FLOAT, [None, 2])
    then = helper.make_graph([helper.make_node("Softmax", ["y"], ["q"], axis=1)], "then", [], [out])
    other = helper.make_graph([helper.make_node("Identity", ["y"], ["q"])], "else", [], [out])
    return (
        helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(1, dtype=np.bool_))),
        helper.make_node("If", ["yes"], ["p"], then_branch=then, else_branch=other),
    )


def scan() -> tuple[onnx.NodeProto, ...]:
    """``Scan`` over the pixels."""
    row, out = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in ("row", "out"))
    body = helper.make_graph([helper.make_node("Softmax", ["row"], ["out"], axis=0)], "body", [row], [out])
    return (helper.make_node("Scan", ["y"], ["p"], body=body, num_scan_inputs=1),)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (pixels(kind=TensorProto.DOUBLE), r"must take float32 .*tensor\(double\)"),
        (pixels(*branches()), "its operator If runs a graph as often as the data say"),
        (pixels(*scan()), "its operator Scan runs a graph as often as the data say"),
        (pixels(helper.make_node("Identity", ["y"], ["p"])), "expected probabilities that sum to 1 over the classes, found"),
        (pixels(classes=3), r"must take float32 \(pixel, 2\) and give float32 \(pixel, 2\)"),
    ],
    ids=["double", "if", "scan", "scores", "classes"],
)  # fmt: skip
def test_a_network_of_pixels_that_must_not_run_is_refused(tmp_path: Path, network: onnx.ModelProto, told: str) -> None:
    found = problems(tmp_path / "net", network)
    assert found.startswith("net: weights: ")
    assert re.search(told, found), found


def test_a_network_whose_patch_has_no_size_is_fed_the_manifests_and_another_size_is_refused(tmp_path: Path) -> None:
    """Exports with dynamic axes take any patch; what they are fed is the manifest's, so no answer depends on a strip."""
    sizes = {"fixed": [1, 2, 16, 16], "dynamic": [1, 2, "h", "w"], "other": [1, 2, 32, 32]}
    found = {}
    for name, shape in sizes.items():
        given, made = (helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("x", "p"))
        graph = helper.make_graph([helper.make_node("Softmax", ["x"], ["p"], axis=1)], "g", [given], [made])
        network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        found[name] = problems(tmp_path / name, network, patch=True)
    assert (found["fixed"], found["dynamic"]) == ("", "")
    assert "must take float32 (1, 2, 16, 16)" in found["other"]
