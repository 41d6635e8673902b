"""Files of people, read strictly: an unknown key is an error that names the nearest known one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from swath.errors import ConfigError
from swath.problem import problem_text
from swath.suggestion import did_you_mean


class Strict(BaseModel):
    """A frozen value that takes no key it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Model = TypeVar("Model", bound=Strict)
Result = TypeVar("Result")


def parse(model: type[Model], data: object, *, source: str) -> Model:
    """Make a value of ``data``, or say in one message everything that is wrong with it.

    Args:
        model: Type to build.
        data: Parsed YAML.
        source: The file, for the message.

    Raises:
        ConfigError: Not a mapping, an unknown key, a missing field, a value out of its range.
    """
    if not isinstance(data, Mapping):
        msg = f"{source}: expected a mapping of keys to values, got {type(data).__name__}"
        raise ConfigError(msg)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_line(model, item) for item in error.errors(include_url=False, include_input=False)]
        head = f"{source}: {len(lines)} problem{'s' if len(lines) > 1 else ''}"
        raise ConfigError("\n  ".join([head, *lines])) from error


def _line(model: type[BaseModel], item: Mapping[str, Any]) -> str:
    """One problem as ``where: what (what to do)``."""
    where = tuple(item["loc"])
    path = ".".join(str(part) for part in where) or "file"
    if item["type"] == "extra_forbidden":
        known = sorted(_known(model, where[:-1]))
        hint = did_you_mean(str(where[-1]), known) or f"; known: {', '.join(known)}"
        return f"{path}: unknown key{hint}"
    return f"{path}: {problem_text(item)}"


def _known(model: type[BaseModel], where: tuple[int | str, ...]) -> set[str]:
    """Field names that are allowed at ``where`` below ``model``."""
    found = {model}
    for part in where:
        deeper = {m for one in found if part in one.model_fields for m in _models(one.model_fields[str(part)].annotation)}
        found = deeper or found
    return {name for one in found for name in one.model_fields}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models inside an annotation: itself, an item of a tuple, a value of a mapping, one side of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def checked(function: Callable[[str], Result]) -> Callable[[object], Result | object]:
    """Make a reader of ours usable as a pydantic validator: its ConfigError keeps the path of the field."""

    def read(value: object) -> Result | object:
        if not isinstance(value, str):
            return value
        try:
            return function(value)
        except ConfigError as error:
            raise ValueError(str(error)) from error

    return read
