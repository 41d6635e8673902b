"""Steps in a Python file of a user: found, and checked against what swath asks of a step, without a pipeline."""

import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib.util import module_from_spec, spec_from_file_location
from inspect import Parameter, isclass, signature
from pathlib import Path
from typing import Any, Final

from swath.errors import ConfigError
from swath.steps.registry import BUILTIN, PARTS

#: Arguments that swath gives to each method by name.
_GIVEN: Final = {"recipes": ("given",), "run": ("window", "scene", "inputs")}


def problems_of_file(path: Path) -> list[str]:
    """What is wrong with the steps of a file; the file is imported for that.

    Raises:
        ConfigError: It cannot be imported, or has no class that looks like a step.
    """
    found = _classes(path)
    if not found:
        msg = f"{path}: it has no step: expected a class with {', '.join(PARTS)} (swath template step)"
        raise ConfigError(msg)
    return [f"{made.__name__}: {problem}" for made in found for problem in _problems(made)]


def _classes(path: Path) -> list[type[Any]]:
    """Classes of the file that have a name and a ``run`` or ``recipes``."""
    spec = spec_from_file_location(f"swath_validated_{path.stem}", path)
    if spec is None or spec.loader is None:
        msg = f"{path}: not a Python file"
        raise ConfigError(msg)
    module = module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        msg = f"{path}: cannot be imported: {type(error).__name__}: {error}"
        raise ConfigError(msg) from error
    finally:
        del sys.modules[spec.name]
    own = (c for c in vars(module).values() if isclass(c) and c.__module__ == spec.name)
    return [c for c in own if hasattr(c, "name") and (hasattr(c, "run") or hasattr(c, "recipes"))]


def _problems(made: type[Any]) -> Iterator[str]:
    lacking = [part for part in PARTS if not hasattr(made, part)]
    if lacking:
        yield f"lacks {', '.join(lacking)}"
        return
    if not isinstance(made.name, str) or not made.name:
        yield f"name must be a word, got {made.name!r}"
    elif made.name in BUILTIN:
        yield f"name {made.name!r} is a step of swath; products could not be told apart: choose another"
    if not isinstance(made.version, int) or made.version < 1:
        yield f"version must be a whole number from 1, got {made.version!r}"
    if not isinstance(made.kinds, tuple) or not made.kinds or not all(isinstance(k, str) for k in made.kinds):
        yield f'kinds must be a tuple of names such as ("brightness",), got {made.kinds!r}'
    if not is_dataclass(made) or not made.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # of every dataclass
        yield "must be a dataclass with frozen=True: its fields are its parameters, which are part of keys"
    for method, given in _GIVEN.items():
        takes = signature(getattr(made, method)).parameters
        if any(p.kind is Parameter.VAR_KEYWORD for p in takes.values()):
            continue
        unknown = [name for name in given if name not in takes]
        if unknown:
            yield f"{method}() must take {', '.join(unknown)} as keyword{'s' if len(unknown) > 1 else ''}"
