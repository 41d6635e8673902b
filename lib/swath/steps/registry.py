"""Steps by name: those of swath, and those that a user's package plugs in (entry points ``swath.steps``)."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from inspect import signature
from types import MappingProxyType
from typing import Any, Final, get_type_hints

from swath.errors import ConfigError
from swath.inference.step_model import StepModel
from swath.pipeline import Step
from swath.plugged import load_plugged, plugged_targets
from swath.suggestion import did_you_mean

ENTRY_POINTS: Final = "swath.steps"
#: What every step has.
PARTS: Final = ("name", "version", "kinds", "parameters", "recipes", "run")
#: The parameter of a step that uses a model: a name or a folder in a pipeline file, a ``StepModel`` once it is pinned.
_MODEL: Final = "model"
#: ``module:Class`` by step name; loaded when asked for, so that a step that needs much costs nothing elsewhere.
BUILTIN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "toa": "swath.steps.toa:Toa",
        "smac": "swath.steps.smac:Smac",
        "counts": "swath.steps.counts:Counts",
        "qa": "swath.steps.qa:Qa",
        "ndvi": "swath.steps.ndvi:Ndvi",
        "classes": "swath.steps.classes:Classes",
        "clouds": "swath.steps.clouds:Clouds",
        "landcover": "swath.steps.landcover:Landcover",
        "landcover_shadow": "swath.steps.landcover_shadow:LandcoverShadow",
        "pansharpen": "swath.steps.pansharpen:Pansharpen",
    }
)


def step(name: str, parameters: Mapping[str, Any]) -> Step:
    """Build a step from a name and parameters, as a pipeline file or ``--set`` gives them.

    Raises:
        ConfigError: There is no such step, or it has no such parameter, or a value is unusable.
    """
    made = step_class(name)
    known = parameter_names(name)
    for key in parameters:
        if key not in known:
            told = f"{', '.join(known)}; `swath steps show {name}` describes them" if known else "none"
            msg = f"step {name!r} has no parameter {key!r}{did_you_mean(key, known)} (its parameters: {told})"
            raise ConfigError(msg)
    try:
        # Values are frozen: a list of a YAML file is a tuple of the step.
        built = made(**{k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()})
    except TypeError as error:
        msg = f"step {name!r} cannot be built from {dict(parameters)}: {error}"
        raise ConfigError(msg) from error
    if not isinstance(built, Step):
        lacking = ", ".join(part for part in PARTS if not hasattr(built, part))
        msg = f"{made.__module__}.{made.__qualname__} is not a step: it lacks {lacking} (see swath.pipeline.Step)"
        raise ConfigError(msg)
    if "context" in signature(built.run).parameters:
        msg = (
            f"step {name!r} is written for an earlier swath: its run() does not take `inputs`;"
            " rename `context`, list what it needs in Recipe.inputs, and read it with inputs.of(...)"
        )
        raise ConfigError(msg)
    return built


def step_names() -> tuple[str, ...]:
    """Names of all steps, plug-ins among them, in order."""
    return tuple(sorted(_targets()))


def parameter_names(name: str) -> tuple[str, ...]:
    """The parameters of a step, in the order of its class.

    Raises:
        ConfigError: There is no such step.
    """
    made = step_class(name)
    return tuple(f.name for f in fields(made) if f.init) if is_dataclass(made) else ()


def takes_model(name: str) -> bool:
    """Whether a step uses a model: its class has the parameter ``model: StepModel``, or ``StepModel | None``.

    Raises:
        ConfigError: There is no such step.
    """
    return _MODEL in parameter_names(name) and get_type_hints(step_class(name)).get(_MODEL) in (StepModel, StepModel | None)


def works_without_model(name: str) -> bool:
    """Whether a step that takes a model does without one: its parameter is ``model: StepModel | None = None``.

    Raises:
        ConfigError: There is no such step.
    """
    return takes_model(name) and get_type_hints(step_class(name))[_MODEL] == StepModel | None


def kinds_of(name: str) -> tuple[str, ...]:
    """The kinds of layers that a step can make, by its class.

    Raises:
        ConfigError: There is no such step.
    """
    kinds = getattr(step_class(name), "kinds", ())
    return kinds if isinstance(kinds, tuple) else ()


def step_class(name: str) -> type[Any]:
    """The class behind a step's name.

    Raises:
        ConfigError: There is no such step, or its module is not there.
    """
    targets = _targets()
    if name not in targets:
        msg = f"there is no step {name!r}{did_you_mean(name, targets)} (steps: {', '.join(sorted(targets))})"
        raise ConfigError(msg)
    found: type[Any] = load_plugged(name, targets[name], noun="step")
    return found


@lru_cache(maxsize=1)
def _targets() -> Mapping[str, str]:
    """Where each step is."""
    return plugged_targets(ENTRY_POINTS, builtin=BUILTIN, noun="step")
