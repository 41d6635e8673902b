"""Kinds of predictors by name: those of swath, and those that a user's package plugs in (entry points ``swath.predictors``)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from swath.errors import ConfigError
from swath.plugged import load_plugged, plugged_targets
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
    target = _targets().get(name, "")
    if not target:
        msg = f"there is no kind of predictor {name!r}; {unknown_kind(name)}"
        raise ConfigError(msg)
    found = load_plugged(name, target, noun="kind of predictor")
    if not isinstance(found, PredictorKind):
        msg = f"{target} is not a kind of predictor: expected a swath.inference.kinds.PredictorKind, got {type(found).__name__}"
        raise ConfigError(msg)
    return found


def unknown_kind(name: str) -> str:
    """Why a name is not a kind of predictor, with those that are; empty when it is one."""
    known = _targets()
    return "" if name in known else f"kind must be {' or '.join(known)}, got {name!r}{did_you_mean(str(name), known)}"


@lru_cache(maxsize=1)
def _targets() -> Mapping[str, str]:
    """Where each kind is, those of swath first."""
    return plugged_targets(ENTRY_POINTS, builtin=BUILTIN, noun="kind of predictor")
