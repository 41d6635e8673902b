"""One patch through an ONNX network with neighbourhoods."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.network import Activation
from swath.inference.onnx_runtime import onnxruntime


class OnnxNetwork:
    """What a network makes of one patch.

    It takes float32 (1, band, patch, patch), and its output ``probabilities`` (or its only output) gives float32
    (1, class, patch, patch).

    Args:
        session: A session of one CPU thread.
        path: File of the network, for messages.
        shape: Bands, classes, and side of a patch [px].
        activation: Function that makes probabilities of the output.

    Raises:
        ConfigError: The network takes or gives another shape.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, *, path: Path, shape: tuple[int, int, int], activation: Activation
    ) -> None:
        self._session, self._activation = session, activation
        bands, classes, side = shape
        outputs = 1 if activation == "sigmoid" else classes
        inputs, given = session.get_inputs(), session.get_outputs()
        chosen = next((o for o in given if o.name == "probabilities"), given[0])
        if len(inputs) != 1 or not _fits(inputs[0], (1, bands, side, side)) or not _fits(chosen, (1, outputs, side, side)):
            msg = (
                f"{path}: the network must take float32 (1, {bands}, {side}, {side}) "
                f"and give float32 (1, {outputs}, {side}, {side}); "
                f"it takes {[(i.type, i.shape) for i in inputs]} and gives {(chosen.type, chosen.shape)}"
            )
            raise ConfigError(msg)
        self._input, self._output, self._wanted = inputs[0].name, chosen.name, (1, outputs, side, side)

    def __call__(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [1], (class, y, x), of a normalised patch, (1, band, y, x).

        Raises:
            ValueError: The network gives another shape than it says.
        """
        (scores,) = self._session.run([self._output], {self._input: patch})
        if scores.shape != self._wanted:
            msg = f"the network gave {scores.shape}, it says {self._wanted}"
            raise ValueError(msg)
        return activated(scores[0], activation=self._activation)


def activated(scores: NDArray[np.float32], *, activation: Activation) -> NDArray[np.float32]:
    """Probabilities [1], (class, y, x), of scores, (output, y, x); a sigmoid's one output is that of the second class."""
    if activation == "none":
        return scores
    if activation == "sigmoid":
        second = 1.0 / (1.0 + np.exp(-scores[0].astype(np.float64)))
        return np.stack([1.0 - second, second]).astype(np.float32)
    raised = np.exp(scores - scores.max(axis=0, keepdims=True))
    made: NDArray[np.float32] = raised / raised.sum(axis=0, keepdims=True)
    return made


def _fits(port: onnxruntime.NodeArg, wanted: tuple[int, ...]) -> bool:
    """Whether a port is float32 of a shape; sizes that are names may be anything."""
    if port.type != "tensor(float)" or len(port.shape) != len(wanted):
        return False
    return all(not isinstance(found, int) or found == size for found, size in zip(port.shape, wanted, strict=True))
