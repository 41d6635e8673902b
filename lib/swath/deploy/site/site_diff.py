"""The values in which two sites differ."""

from collections.abc import Iterator
from typing import Any

from swath.deploy.site.memory import Memory
from swath.deploy.site.site import Site
from swath.deploy.site.strict import Strict

_ABSENT = "-"


def differences(a: Site, b: Site) -> Iterator[tuple[str, str, str]]:
    """Path and both values, in the order of the fields; ``-`` for what is not there."""
    left, right = dict(_flat(a, path="")), dict(_flat(b, path=""))
    for path in dict.fromkeys([*left, *right]):
        pair = left.get(path, _ABSENT), right.get(path, _ABSENT)
        if pair[0] != pair[1]:
            yield path, *pair


def _flat(value: Any, *, path: str) -> Iterator[tuple[str, str]]:
    """Leaves of a site, as they would be written."""
    if isinstance(value, Memory):
        yield path, value.spark
    elif isinstance(value, Strict):
        for name in type(value).model_fields:
            yield from _flat(getattr(value, name), path=f"{path}.{name}".lstrip("."))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, path=f"{path}.{name}")
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _flat(inner, path=f"{path}[{number}]")
    elif value is not None:
        yield path, str(value)
