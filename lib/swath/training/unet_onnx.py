"""A fitted U-Net as an ONNX file: the same weights give the same bytes, whatever the version of PyTorch."""

from typing import TYPE_CHECKING, Any

import numpy as np

from swath.training.unet import Unet

if TYPE_CHECKING:
    from onnx import NodeProto

OPSET = 17
#: Layout of the file that opset 17 came with: ONNX 1.12.
_IR = 8


def onnx_of(unet: Unet, *, bands: int, classes: int) -> bytes:
    """The network: float32 (1, band, patch, patch) ``features`` to (1, class, patch, patch) ``scores``.

    Args:
        unet: The network.
        bands: Number of bands.
        classes: Number of classes.
    """
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415  half a second: only where networks are trained

    side = unet.settings.patch_px
    graph = helper.make_graph(
        _nodes(unet.settings.depth),
        "unet",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, (1, bands, side, side))],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, classes, side, side))],
        [numpy_helper.from_array(np.ascontiguousarray(w), name=n) for n, w in unet.weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR, producer_name="swath")
    made: bytes = model.SerializeToString(deterministic=True)
    return made


def _nodes(depth: int) -> list["NodeProto"]:
    """The network's operators, as ``training.unet`` runs them."""
    from onnx import helper  # noqa: PLC0415  as above

    nodes: list[Any] = []

    def add(kind: str, given: list[str], made: str, **how: Any) -> str:
        nodes.append(helper.make_node(kind, given, [made], **how))
        return made

    def convolved(given: str, name: str, *, kind: str = "Conv", made: str = "", **how: Any) -> str:
        return add(kind, [given, f"{name}.weight", f"{name}.bias"], made or name, **how)

    def twice(given: str, name: str) -> str:
        for part in ("a", "b"):
            sums = convolved(given, f"{name}.{part}", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            given = add("Relu", [sums], f"{name}.{part}.relu")
        return given

    last, kept = "features", list[str]()
    for level in range(depth):
        kept.append(twice(last, f"down{level}"))
        last = add("MaxPool", [kept[-1]], f"down{level}.pool", kernel_shape=[2, 2], strides=[2, 2])
    last = twice(last, "bottom")
    for level in reversed(range(depth)):
        raised = convolved(last, f"up{level}", kind="ConvTranspose", kernel_shape=[2, 2], strides=[2, 2])
        last = twice(add("Concat", [kept[level], raised], f"join{level}.both", axis=1), f"join{level}")
    convolved(last, "head", made="scores", kernel_shape=[1, 1])
    return nodes
