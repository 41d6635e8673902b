"""How the data of a model package are laid out: which file is the model, and which files nobody must open."""

from dataclasses import dataclass
from pathlib import Path

from swath.errors import ConfigError
from swath.inference.manifest import MANIFEST_FILE
from swath.training.adopting.weights import ForeignWeights

#: Files that are code, or that only code opens, and what to do instead.
_CODE = {
    ".joblib": "a pickle of scikit-learn: convert it with skl2onnx to model.onnx",
    ".pkl": "a pickle: save the booster with its own save_model, or export model.onnx",
    ".pickle": "a pickle: save the booster with its own save_model, or export model.onnx",
    ".pth": "a pickle of PyTorch: export model.onnx with torch.onnx.export(..., opset_version=17)",
    ".pt": "a pickle of PyTorch: export model.onnx with torch.onnx.export(..., opset_version=17)",
    ".py": "code: swath runs models as data alone; leave it out of the tar",
    ".so": "machine code: leave it out of the tar",
}
_KNOWN = "known are xgboost-model, model.txt of LightGBM, model.onnx, and a folder of swath (manifest.json, weights, card.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """What was found.

    Args:
        folder: Folder of a model of swath; None when there is none.
        weights: Weights of another library; None when there are none.
    """

    folder: Path | None = None
    weights: ForeignWeights | None = None


def laid_out(home: Path, *, called: str) -> Laid:
    """The model among unpacked files.

    Raises:
        ConfigError: There is code, no model, or more than one.
    """
    files = sorted(p for p in home.rglob("*") if p.is_file())
    code = [(p, why) for p in files if (why := _CODE.get(p.suffix))]
    if code:
        path, why = code[0]
        msg = f"{called}: it holds {path.relative_to(home).as_posix()}, {why}"
        raise ConfigError(msg)
    manifests = [p for p in files if p.name == MANIFEST_FILE]
    found = [
        *(Laid(folder=p.parent) for p in manifests),
        *(laid for p in files if not manifests and (laid := _weights(p)) is not None),
    ]
    if len(found) != 1:
        names = ", ".join(p.relative_to(home).as_posix() for p in files[:8]) or "nothing"
        msg = f"{called}: {len(found)} models in it, expected one; it holds {names}; {_KNOWN}"
        raise ConfigError(msg)
    return found[0]


def _weights(path: Path) -> Laid | None:
    if path.name == "xgboost-model":
        return Laid(weights=ForeignWeights(library="xgboost", path=path))
    if path.name == "model.txt":
        return Laid(weights=ForeignWeights(library="lightgbm", path=path))
    return Laid(weights=ForeignWeights(library="onnx", path=path)) if path.name == "model.onnx" else None
