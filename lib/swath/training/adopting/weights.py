"""Weights as the library that trained keeps them, and what becomes of them here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swath.errors import ConfigError
from swath.inference.foreign import DATA_FLAVOURS
from swath.inference.forest import Forest
from swath.inference.lightgbm_text import names_of, parse_lightgbm
from swath.inference.manifest import Manifest
from swath.inference.onnx_file import problems_of
from swath.inference.onnx_trees import trees_of_onnx
from swath.inference.xgboost_model import parse_xgboost

Library = Literal["onnx", "lightgbm", "xgboost"]
#: Larger files are no model of pixels [bytes].
_MAX_BYTES = 512 << 20
_FOREST_FILE, _ONNX_FILE = "forest.npz", "model.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignWeights:
    """A file of weights.

    Args:
        library: That wrote it.
        path: The file.
    """

    library: Library
    path: Path

    def __post_init__(self) -> None:
        """Refuse what is no plain file of a possible size.

        Raises:
            ConfigError: With what is there.
        """
        if self.path.is_symlink() or not self.path.is_file():
            msg = f"{self.path.name}: not a plain file of weights"
            raise ConfigError(msg)
        size = self.path.stat().st_size
        if not 0 < size <= _MAX_BYTES:
            msg = f"{self.path.name}: {size} bytes; weights have 1 to {_MAX_BYTES}"
            raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """Weights as a manifest names them.

    Args:
        kind: Kind of predictor.
        file: File name of the weights.
        content: The file.
        names: Names of the features, where the file has them.
        forest: The trees; None of a network.
    """

    kind: Literal["forest", "onnx"]
    file: str
    content: bytes
    names: tuple[str, ...] = ()
    forest: Forest | None = None


def converted(weights: ForeignWeights, *, features: int) -> Converted:
    """What a file of weights becomes: trees of every library are arrays, networks stay as they are.

    Args:
        weights: The file.
        features: Number of bands.

    Raises:
        ConfigError: It cannot be converted exactly, or a network must not run here; with the reason.
    """
    try:
        return _converted(weights, features=features)
    except ConfigError as error:
        msg = f"{weights.path.name}: {error}"
        raise ConfigError(msg) from error


def _converted(weights: ForeignWeights, *, features: int) -> Converted:
    data = weights.path.read_bytes()
    if weights.library == "lightgbm":
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            msg = "not the text of a LightGBM model; save it again: booster.save_model('model.txt')"
            raise ConfigError(msg) from error
        return _of_forest(parse_lightgbm(text), names=_own_names(names_of(text)))
    if weights.library == "xgboost":
        found = parse_xgboost(data)
        return _of_forest(found.forest, names=found.names)
    problems = list(problems_of(weights.path))
    if problems:
        raise ConfigError("; ".join(problems))
    forest = trees_of_onnx(weights.path, features=features)
    return Converted(kind="onnx", file=_ONNX_FILE, content=data) if forest is None else _of_forest(forest, names=())


def _of_forest(forest: Forest, *, names: tuple[str, ...]) -> Converted:
    return Converted(kind="forest", file=_FOREST_FILE, content=forest.to_bytes(), names=names, forest=forest)


def _own_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names that somebody gave: LightGBM invents others for arrays."""
    return () if names == tuple(f"Column_{n}" for n in range(len(names))) else names


def refuse_other_names(found: Converted, manifest: Manifest) -> None:
    """Refuse weights whose features have other names, or another order, than the manifest's bands.

    Raises:
        ConfigError: With both.
    """
    if found.names and found.names != manifest.bands:
        msg = (
            f"the weights were trained with the features {', '.join(found.names)}, the manifest says {', '.join(manifest.bands)}"
        )
        raise ConfigError(msg)


def library_of(name: str) -> Library | None:
    """Library that writes files of this name; None when it does not say."""
    if name == "xgboost-model":
        return "xgboost"
    found: tuple[Library, ...] = ("onnx", "lightgbm", "xgboost")
    return next((lib for lib in found if name.endswith(DATA_FLAVOURS[lib])), None)
