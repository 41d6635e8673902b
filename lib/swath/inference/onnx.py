"""Class probabilities from an ONNX network, of single pixels or with neighbourhoods."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.influence import influence_px
from swath.inference.kinds import PredictorKind
from swath.inference.manifest import Manifest
from swath.inference.onnx_file import problems_of
from swath.inference.onnx_network import OnnxNetwork
from swath.inference.onnx_runtime import onnxruntime
from swath.inference.patches import PatchPredictor
from swath.inputs import Predictor
from swath.place import Place
from swath.settings import Settings

#: Rows of one call. Matrix kernels may round differently for other row counts, so the count never varies for a model.
PATCH_PX = 8192
#: Rows of networks with more weights than ``_LARGE_BYTES``: a call costs their arithmetic for all rows, however few are asked.
LARGE_PATCH_PX = 512
_LARGE_BYTES = 4 << 20
_MAX_ONNX_BYTES = 512 << 20
_GPU = "CUDAExecutionProvider"


class OnnxPredictor:
    """An ONNX session on one CPU thread; a ``inputs.Predictor`` of single pixels.

    The network takes float32 (pixel, feature) and its output ``probabilities`` (or its only output) gives float32
    (pixel, class), rows that sum to 1.

    Args:
        path: The ``.onnx`` file; weights outside of it are looked for beside it only.
        features: Features that the manifest promises.
        classes: Classes that the manifest promises.

    Raises:
        ConfigError: Not an ONNX model that runs here, too large, or of another shape than promised.
    """

    def __init__(self, path: Path, *, features: int, classes: int) -> None:
        self._session = _session(path)
        self._features, self._classes = features, classes
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        chosen = next((o for o in outputs if o.name == "probabilities"), outputs[0])
        if len(inputs) != 1 or not _fits(inputs[0], width=features) or not _fits(chosen, width=classes):
            msg = (
                f"{path}: the network must take float32 (pixel, {features}) and give float32 (pixel, {classes}); "
                f"it takes {[(i.type, i.shape) for i in inputs]} and gives {(chosen.type, chosen.shape)}"
            )
            raise ConfigError(msg)
        self._input, self._output = inputs[0].name, chosen.name
        fixed = isinstance(inputs[0].shape[0], int)
        self._rows = LARGE_PATCH_PX if path.stat().st_size > _LARGE_BYTES and not fixed else PATCH_PX

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        """Class probabilities [1] of pixels in any arrangement, (class, ...), of features, (feature, ...).

        Raises:
            ValueError: Another number of features, or not float32.
        """
        del place
        if features.ndim < 2 or features.shape[0] != self._features or features.dtype != np.float32:
            msg = f"expected float32 ({self._features}, pixels), got {features.dtype} {features.shape}"
            raise ValueError(msg)
        answer = self._of_pixels(features.reshape(self._features, -1))
        return answer.reshape(self._classes, *features.shape[1:])

    def _of_pixels(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        result = np.empty((self._classes, features.shape[1]), dtype=np.float32)
        patch = np.zeros((self._rows, self._features), dtype=np.float32)
        for start in range(0, features.shape[1], self._rows):
            part = features[:, start : start + self._rows]
            patch[: part.shape[1]] = part.T
            (answer,) = self._session.run([self._output], {self._input: patch})
            result[:, start : start + self._rows] = answer[: part.shape[1]].T
        return result


def _session(path: Path) -> onnxruntime.InferenceSession:
    if path.stat().st_size > _MAX_ONNX_BYTES:
        msg = f"{path}: larger than {_MAX_ONNX_BYTES} bytes"
        raise ConfigError(msg)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    provider = _provider(path)
    try:
        session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=[provider])
    except Exception as error:  # onnxruntime raises types of its own, made in C++, without a common base
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        msg = f"{path}: onnxruntime cannot load it: {error}"
        raise ConfigError(msg) from error
    if provider not in session.get_providers():
        # onnxruntime takes the CPU instead, without an error
        msg = f"{path}: onnxruntime did not start {provider}; see its warning above, and the image's drivers and libraries"
        raise ConfigError(msg)
    return session


def _provider(path: Path) -> str:
    """The CPU, or the GPUs where the task has some: a job that asks for them is not silently computed elsewhere."""
    if not Settings.of().gpus:
        return "CPUExecutionProvider"
    there = onnxruntime.get_available_providers()
    if _GPU not in there:
        msg = (
            f"{path}: the job has GPUs, and the onnxruntime of the image has no {_GPU} (it has {', '.join(there)}). "
            "Use an image with onnxruntime-gpu, or leave resources.gpu out"
        )
        raise ConfigError(msg)
    return _GPU


def _fits(port: onnxruntime.NodeArg, *, width: int) -> bool:
    if port.type != "tensor(float)" or len(port.shape) != 2:
        return False
    rows, columns = port.shape
    return (not isinstance(rows, int) or rows == PATCH_PX) and columns == width


def _load(weights: Path, manifest: Manifest) -> Predictor:
    bands, classes, network = len(manifest.bands), len(manifest.classes), manifest.network
    if network is None:
        return OnnxPredictor(weights, features=bands, classes=classes)
    shape = (bands, classes, network.patch_px)
    answer = OnnxNetwork(_session(weights), path=weights, shape=shape, activation=network.activation)
    return PatchPredictor(answer, network=network, halo_px=manifest.halo_px, classes=classes)


def _problems(weights: Path, manifest: Manifest) -> Iterator[str]:
    """What speaks against a network: what its file holds, and a halo that is smaller than what answers depend on."""
    found = list(problems_of(weights))
    yield from found
    network = manifest.network
    if found or network is None or network.reach == "patch":
        return
    shape = (len(manifest.bands), len(manifest.classes), network.patch_px)
    answer = OnnxNetwork(_session(weights), path=weights, shape=shape, activation=network.activation)
    measured = influence_px(answer, network=network, bands=shape[0])
    if measured > manifest.halo_px:
        yield f"an answer depends on pixels {measured} px away, the manifest promises a halo of {manifest.halo_px} px"


#: Kernels of networks round differently on other processors.
KIND = PredictorKind(suffix=".onnx", tolerance=1e-5, load=_load, problems=_problems)
