"""ONNX networks byte by byte (protocol buffers), so that tests need no ONNX library."""

import struct

import numpy as np
from numpy.typing import NDArray


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: bytes | str | int) -> bytes:
    """One field of a protocol-buffer message: a length-delimited or a varint one."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dims = b"".join(field(1, n) for n in values.shape)
    return dims + field(2, 1) + field(8, name) + field(9, struct.pack(f"<{values.size}f", *values.ravel()))


def port(name: str, *sizes: int | str) -> bytes:
    """A float32 tensor; sizes that are words are free."""
    shape = b"".join(field(1, field(1, s) if isinstance(s, int) else field(2, s)) for s in sizes)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def node(kind: str, inputs: list[str], output: str, **attributes: list[int]) -> bytes:
    """A node; attributes are lists of whole numbers, or one of them."""
    ends = b"".join(field(1, i) for i in inputs) + field(2, output) + field(4, kind)
    return ends + b"".join(field(5, _attribute(n, v)) for n, v in attributes.items())


def _attribute(name: str, values: list[int]) -> bytes:
    if name in ("axis", "group"):
        return field(1, name) + field(3, values[0]) + field(20, 2)
    return field(1, name) + b"".join(field(8, v) for v in values) + field(20, 7)


def outside(name: str, shape: tuple[int, ...], *, location: str) -> bytes:
    """A tensor whose numbers lie in another file."""
    pair = field(1, "location") + field(2, location)
    return b"".join(field(1, n) for n in shape) + field(2, 1) + field(8, name) + field(13, pair) + field(14, 1)


def model(nodes: list[bytes], tensors: list[bytes], *, given: bytes, made: bytes, opset: int = 13) -> bytes:
    """A whole model."""
    graph = b"".join(field(1, n) for n in nodes) + field(2, "tiny") + b"".join(field(5, t) for t in tensors)
    return field(1, 8) + field(7, graph + field(11, given) + field(12, made)) + field(8, field(1, "") + field(2, opset))


def unet(*, bands: int, classes: int, side: int, pooled: bool = False, seed: int = 0) -> bytes:
    """A U-Net of one level with random weights: 3 x 3, down, 3 x 3, up, beside each other, 1 x 1; scores without softmax.

    Args:
        bands: Bands that it takes.
        classes: Scores that it gives.
        side: Side of a patch.
        pooled: Adds the mean over the whole patch: no answer is local then.
        seed: Of the weights.
    """
    random = np.random.default_rng(seed)

    def weights(name: str, *shape: int) -> bytes:
        return tensor(name, random.normal(0.0, 0.6, shape).astype(np.float32))

    nodes = [
        node("Conv", ["x", "w1"], "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", ["a"], "b"),
        node("MaxPool", ["b"], "c", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["c", "w2"], "d", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("ConvTranspose", ["d", "w3"], "e", kernel_shape=[2, 2], strides=[2, 2]),
        node("Concat", ["b", "e"], "f", axis=[1]),
        node("Conv", ["f", "w4"], "g" if pooled else "scores", kernel_shape=[1, 1]),
    ]
    if pooled:
        nodes += [node("GlobalAveragePool", ["g"], "h"), node("Add", ["g", "h"], "scores")]
    tensors = [
        weights("w1", 4, bands, 3, 3),
        weights("w2", 4, 4, 3, 3),
        weights("w3", 4, 4, 2, 2),
        weights("w4", classes, 8, 1, 1),
    ]
    return model(nodes, tensors, given=port("x", 1, bands, side, side), made=port("scores", 1, classes, side, side))
