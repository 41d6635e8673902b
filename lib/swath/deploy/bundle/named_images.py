"""Every image that objects name, wherever they name it: no list that is kept by hand."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from swath.deploy.bundle.reference import ImageReference, is_surely_one

_FIELDS = frozenset({"image", "imageName"})
#: What separates words in arguments, variables, JSON inside of a string and scripts.
_BETWEEN = re.compile(r"""[\s,;='"`()\[\]{}<>|]+""")
#: Descriptions of a kind's fields have images in their examples.
_PASSED_OVER = frozenset({"CustomResourceDefinition"})


def named_images(objects: Iterable[Mapping[str, Any]]) -> dict[ImageReference, list[str]]:
    """Images by name, each with the objects and fields that name it.

    Args:
        objects: Anything that is rendered: manifests, requests to a service.

    Raises:
        ConfigError: A field for an image holds something else.
    """
    found: dict[ImageReference, list[str]] = {}
    for made in objects:
        if made.get("kind") in _PASSED_OVER:
            continue
        for reference, where in _walk(made, where=title(made)):
            places = found.setdefault(reference, [])
            if where not in places:
                places.append(where)
    return dict(sorted(found.items()))


def title(made: Mapping[str, Any]) -> str:
    """Kind and name of an object, for messages."""
    metadata = made.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, Mapping) else made.get("name", "")
    return f"{made.get('kind', 'request')} {name}".strip()


def _walk(part: Any, *, where: str) -> Iterator[tuple[ImageReference, str]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _field(str(key), value, where=f"{where}.{key}" if "." in where else f"{where}: .{key}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from _walk(value, where=f"{where}[{number}]")
    elif isinstance(part, str):
        words = (w.rstrip(".") for w in _BETWEEN.split(part))
        yield from ((ImageReference.read(w, where=where), where) for w in words if is_surely_one(w))


def _field(key: str, value: Any, *, where: str) -> Iterator[tuple[ImageReference, str]]:
    if key in _FIELDS and isinstance(value, str) and value:
        yield ImageReference.read(value, where=where), where
    elif key in _FIELDS and isinstance(value, Mapping) and value.get("repository"):
        # values of charts have the parts one by one
        host, tag = str(value.get("registry") or ""), str(value.get("tag") or "")
        text = f"{host}{'/' if host else ''}{value['repository']}{f':{tag}' if tag else ''}"
        digest = str(value.get("digest") or "")
        yield ImageReference.read(f"{text}{f'@{digest}' if digest else ''}", where=where), where
    else:
        yield from _walk(value, where=where)
