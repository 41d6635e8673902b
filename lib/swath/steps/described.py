"""What a step says of itself: what it makes, and each parameter with its default; of plug-ins as of swath's own."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from inspect import cleandoc
from typing import Any

from swath.steps.registry import kinds_of, parameter_names, step_class

_SECTION = "Args:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a step.

    Args:
        name: Name in a pipeline file.
        text: Description; empty where the class gives none.
        required: Whether a pipeline file must give a value.
        default: Value without one; None where ``required``.
    """

    name: str
    text: str
    required: bool
    default: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """A step in words.

    Args:
        name: Name of the step.
        version: Version of its results.
        text: Description of its result: the first paragraph of its class.
        kinds: Kinds of layers that it makes.
        parameters: Parameters, in the order of the class.
    """

    name: str
    version: int
    text: str
    kinds: tuple[str, ...]
    parameters: tuple[Parameter, ...]


def describe(name: str) -> StepDescription:
    """What a step says of itself.

    Raises:
        ConfigError: There is no such step.
    """
    made = step_class(name)
    doc = cleandoc(made.__doc__ or "")
    told, known = _arguments(doc), parameter_names(name)
    values = {f.name: f for f in fields(made)} if known else {}
    parameters = tuple(
        Parameter(
            name=n,
            text=told.get(n, ""),
            required=values[n].default is MISSING and values[n].default_factory is MISSING,
            default=None if values[n].default is MISSING else values[n].default,
        )
        for n in known
    )
    text = " ".join(doc.split("\n\n")[0].split())
    return StepDescription(name=name, version=int(made.version), text=text, kinds=kinds_of(name), parameters=parameters)


def _arguments(doc: str) -> Mapping[str, str]:
    """Descriptions by parameter: the section ``Args:`` of a class, one entry a parameter, indented lines continue it."""
    found: dict[str, str] = {}
    lines = iter(doc.splitlines())
    for line in lines:
        if line == _SECTION:
            break
    last = ""
    for line in lines:
        if not line.startswith(" "):
            break
        if line.startswith(" " * 8):
            found[last] += f" {line.strip()}"
        else:
            last, _, text = line.strip().partition(": ")
            found[last] = text
    return found
