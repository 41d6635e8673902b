"""What an ONNX file holds, read without running it: operators, their domains and versions, tensors in other files.

The format is that of protocol buffers (https://protobuf.dev/programming-guides/encoding) with the numbers of onnx.proto.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: Operators of these sets run, from and to these versions: what onnxruntime implements and its tests cover.
OPSETS: Final = {"": (7, 23), "ai.onnx": (7, 23), "ai.onnx.ml": (1, 5)}
#: Operators that run a graph as often as their data say.
_UNBOUNDED: Final = frozenset({"Loop", "Scan", "If", "SequenceMap"})
#: Numbers of fields in onnx.proto.
_GRAPH, _OPSET, _FUNCTIONS = 7, 8, 25
_NODE, _INITIALIZER = 1, 5
_OP_TYPE, _ATTRIBUTE, _DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _TENSOR_OUTSIDE = 5, 13


def problems_of(path: Path) -> Iterator[str]:
    """What speaks against a network, in words; nothing when it may run."""
    try:
        yield from _of_model(path.read_bytes())
    except (IndexError, UnicodeDecodeError) as error:
        yield f"{path.name} is not an ONNX file: {error}"


def _of_model(data: bytes) -> Iterator[str]:
    graphs = []
    for number, value in _fields(data):
        if number == _OPSET and isinstance(value, bytes):
            yield from _of_opset(dict(_fields(value)))
        elif number == _FUNCTIONS:
            yield "it defines operators of its own (functions)"
        elif number == _GRAPH and isinstance(value, bytes):
            graphs.append(value)
    for graph in graphs:
        yield from sorted(set(_of_graph(graph)))


def _of_opset(opset: dict[int, int | bytes]) -> Iterator[str]:
    domain, version = _text(opset.get(1, b"")), opset.get(2, 0)
    low, high = OPSETS.get(domain, (0, 0))
    if domain not in OPSETS:
        yield f"it takes operators of the domain {domain!r}; known are {', '.join(d for d in OPSETS if d)}"
    elif not isinstance(version, int) or not low <= version <= high:
        yield f"it takes version {version!r} of the operators {domain or 'ai.onnx'}; versions {low} to {high} run"


def _of_graph(data: bytes) -> Iterator[str]:
    for number, value in _fields(data):
        if number == _NODE and isinstance(value, bytes):
            yield from _of_node(value)
        elif number == _INITIALIZER and isinstance(value, bytes):
            yield from _of_tensor(value)


def _of_node(data: bytes) -> Iterator[str]:
    kind = domain = ""
    for number, value in _fields(data):
        if not isinstance(value, bytes):
            continue
        if number == _OP_TYPE:
            kind = _text(value)
        elif number == _DOMAIN:
            domain = _text(value)
        elif number == _ATTRIBUTE:
            for field, part in _fields(value):
                if field == _ATTRIBUTE_TENSOR and isinstance(part, bytes):
                    yield from _of_tensor(part)
    if kind in _UNBOUNDED:
        yield f"its operator {kind} runs a graph as often as the data say; nothing bounds its time"
    if domain not in OPSETS:
        yield f"its operator {kind} is of the domain {domain!r}, which ONNX does not define"


def _of_tensor(data: bytes) -> Iterator[str]:
    if any(number == _TENSOR_OUTSIDE for number, _ in _fields(data)):
        yield "it keeps numbers in another file (external data): save it as one file"


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message; fixed-width ones as bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            whole, at = _varint(data, at)
            yield tag >> 3, whole
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            msg = f"a field of kind {kind} at byte {at}"
            raise IndexError(msg)
        if at + size > len(data):
            msg = f"cut at byte {at}"
            raise IndexError(msg)
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
        if shift > 63:
            msg = f"a number without end at byte {at}"
            raise IndexError(msg)


def _text(value: int | bytes) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
