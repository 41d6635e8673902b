"""Limits that EMR on EKS enforces late, read from botocore's service model.

botocore itself checks types, required members, unknown members and minimum lengths; maxima, patterns and enumerations
are in its model, and only the service looks at them: after the request was sent.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from swath.deploy.site.refused import SiteRefusal

_SHOWN = 40


@lru_cache(maxsize=1)
def request_shape() -> Shape:
    """Shape of a StartJobRun request in botocore's model."""
    model = botocore.session.get_session().get_service_model("emr-containers")
    shape = model.operation_model("StartJobRun").input_shape
    if shape is None:
        raise TypeError("botocore's model of StartJobRun has no input")
    return shape


def request_refusals(request: Mapping[str, Any]) -> tuple[SiteRefusal, ...]:
    """Everything in a StartJobRun request that botocore or the service would refuse."""
    report = ParamValidator().validate(dict(request), request_shape())
    found = [
        SiteRefusal("emr-request", line.strip(), "Fix the request")
        for line in report.generate_report().splitlines()
        if line.strip()
    ]
    return (*found, *_walk(request_shape(), request, at="request"))


def _walk(shape: Shape, value: Any, *, at: str) -> Iterator[SiteRefusal]:
    """Check one value against one shape, and what is inside it."""
    yield from _size(shape, value, at=at)
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, inner in value.items():
            if name in shape.members:
                yield from _walk(shape.members[name], inner, at=f"{at}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(shape.member, inner, at=f"{at}[{number}]")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(shape.key, key, at=f"{at} key {key[:_SHOWN]!r}")
            yield from _walk(shape.value, inner, at=f"{at}[{key[:_SHOWN]!r}]")
    elif isinstance(shape, StringShape) and isinstance(value, str):
        yield from _text(shape, value, at=at)


def _size(shape: Shape, value: Any, *, at: str) -> Iterator[SiteRefusal]:
    """Length of texts, lists and maps; size of numbers."""
    if isinstance(value, bool) or not isinstance(value, str | list | Mapping | int):
        return
    size, unit = (value, "") if isinstance(value, int) else (len(value), " characters" if isinstance(value, str) else " entries")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield SiteRefusal("emr-limit", f"{at} has {size}{unit}, at least {low} are needed", "Fill it, or leave it out")
    if high is not None and size > high:
        yield SiteRefusal(
            "emr-limit", f"{at} has {size}{unit}, at most {high} are allowed", "Shorten it; long JSON belongs in S3"
        )


def _text(shape: StringShape, value: str, *, at: str) -> Iterator[SiteRefusal]:
    """Pattern and enumeration. The service matches the whole text."""
    pattern = shape.metadata.get("pattern")
    if pattern and value and not re.fullmatch(pattern, value):
        yield SiteRefusal("emr-pattern", f"{at} does not match {pattern}", "Write only what the pattern allows")
    if shape.enum and value not in shape.enum:
        yield SiteRefusal("emr-enum", f"{at} is {value[:_SHOWN]!r}, allowed are {', '.join(shape.enum)}", "Choose one of them")
