"""Kinds of predictors by name: those of swath, and those that a user's package plugs in (entry points ``swath.predictors``)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from swath.errors import ConfigError
from swath.suggestion import did_you_mean

if TYPE_CHECKING:
    from swath.inference.manifest import Manifest
    from swath.inputs import Predictor

ENTRY_POINTS: Final = "swath.predictors"
#: ``module:object`` by kind; loaded when asked for, because a process that runs no such model must not pay for numba or
#: onnxruntime.
BUILTIN: Final[Mapping[str, str]] = MappingProxyType(
    {"forest": "swath.inference.forest_predictor:KIND", "onnx": "swath.inference.onnx:KIND"}
)


def _nothing(weights: Path, manifest: "Manifest") -> Iterable[str]:
    del weights, manifest
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorKind:
    """How models of one kind are loaded and admitted.

    Args:
        suffix: End of the file name of the weights: their data format.
        tolerance: Largest difference of a probability from the trainer's own at admission.
        load: Predictor of a file of weights and a manifest; raises ConfigError when the weights do not keep the manifest's
            promise.
        problems: Check for faults of weights that do load, in words; called at admission.
    """

    suffix: str
    tolerance: float
    load: "Callable[[Path, Manifest], Predictor]"
    problems: "Callable[[Path, Manifest], Iterable[str]]" = _nothing


def kind_of(name: str) -> PredictorKind:
    """The kind that a manifest names.

    Raises:
        ConfigError: There is no such kind, or its module cannot be loaded.
    """
    target = BUILTIN.get(name) or _plugged().get(name, "")
    if not target:
        msg = f"there is no kind of predictor {name!r}; {unknown_kind(name)}"
        raise ConfigError(msg)
    module, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = f"the kind of predictor {name!r} cannot be loaded from {target!r}: {error}"
        raise ConfigError(msg) from error
    if not isinstance(found, PredictorKind):
        msg = f"{target} is not a kind of predictor: expected a swath.inference.kinds.PredictorKind, got {type(found).__name__}"
        raise ConfigError(msg)
    return found


def unknown_kind(name: str) -> str:
    """Why a name is not a kind of predictor, with those that are; empty when it is one."""
    if name in BUILTIN or name in _plugged():
        return ""
    known = (*BUILTIN, *_plugged())
    return f"kind must be {' or '.join(known)}, got {name!r}{did_you_mean(str(name), known)}"


@lru_cache(maxsize=1)
def _plugged() -> Mapping[str, str]:
    """Plugged-in kinds. None may replace one of swath: the answers of a model could then not be told apart."""
    plugged = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    for name, value in plugged.items():
        if BUILTIN.get(name, value) != value:
            msg = f"the plug-in {value!r} takes the name of swath's own kind of predictor {name!r}; rename it"
            raise ConfigError(msg)
    return {name: value for name, value in plugged.items() if name not in BUILTIN}
