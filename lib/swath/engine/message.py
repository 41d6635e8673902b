"""What a message between driver, worker and child is: a frozen dataclass with its JSON form. Light: workers import it."""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from swath.engine.refused import Refused
from swath.engine.spool import Spooled

Json = dict[str, Any]
#: Makes a field's value of its JSON.
Reader = Callable[[Any], Any]
A_co = TypeVar("A_co", covariant=True)


class Answered(Protocol):
    """What every answer tells of its cost."""

    @property
    def cpu_s(self) -> float:
        """CPU time of the child [s]."""
        ...

    @property
    def peak_mb(self) -> float:
        """Most memory of the child so far [MiB]; 0 when not measured."""
        ...


class Request(Protocol[A_co]):
    """A request that a child answers with an ``A_co``, unless it refuses."""

    def to_plain(self) -> Json:
        """The request as it travels; ``op`` names its kind."""
        ...

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> A_co:
        """The answer as it came."""
        ...


class Message:
    """Base of messages, which are dataclasses: the JSON of a message is its fields by name.

    ``readers`` says how fields are made that JSON does not hold as they are, ``inlined`` which fields are messages whose own
    fields are in its JSON. A field that is left out has its default, and an unknown one is an error.
    """

    __slots__ = ()
    op: ClassVar[str] = ""
    readers: ClassVar[Mapping[str, Reader]] = {}
    inlined: ClassVar[Mapping[str, "type[Message]"]] = {}

    def to_plain(self) -> Json:
        """JSON-able; requests begin with their ``op``."""
        plain: Json = {"op": self.op} if self.op else {}
        for name in names_of(type(self)):
            told = plain_of(getattr(self, name))
            plain |= told if name in self.inlined else {name: told}
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``.

        Raises:
            TypeError: A field is unknown, or one without a default is missing.
        """
        left = {name: value for name, value in plain.items() if name != "op"}
        found: Json = {}
        for name, kind in cls.inlined.items():
            found[name] = kind.from_plain({own: left.pop(own) for own in names_of(kind) if own in left})
        readers = cls.readers
        return cls(**found, **{name: readers[name](value) if name in readers else value for name, value in left.items()})


@dataclass(frozen=True, slots=True)
class JsonRequest:
    """A request whose fields its sender and its child alone know.

    Args:
        plain: The request as it travels.
    """

    plain: Json

    def to_plain(self) -> Json:
        """The request as it travels."""
        return self.plain

    @classmethod
    def answered(cls, plain: Mapping[str, Any]) -> Json:
        """The answer as it came."""
        return dict(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed(Generic[A_co]):
    """An answer that waits: a driver holds those of three waves, and as values they are ten times as large.

    Args:
        data: JSON of the answer, by ``pack``, in memory or in a file.
        reader: Makes the answer of its JSON.
        cpu_s: See ``Answered``.
        peak_mb: See ``Answered``.
    """

    data: bytes | Spooled
    reader: Callable[[Mapping[str, Any]], A_co]
    cpu_s: float = 0.0
    peak_mb: float = 0.0

    def open(self) -> A_co:
        """The answer."""
        data = self.data if isinstance(self.data, bytes) else self.data.read()
        return self.reader(json.loads(unpack(data)))


def pack(text: str) -> bytes:
    """Text as bytes that are few; quickly rather than well."""
    return zlib.compress(text.encode(), 1)


def unpack(data: bytes) -> str:
    """The text again."""
    return zlib.decompress(data).decode()


def names_of(kind: type[Message]) -> tuple[str, ...]:
    """Fields of a message."""
    return tuple(f.name for f in fields(kind))  # type: ignore[arg-type]  # messages are dataclasses


def plain_of(value: Any) -> Any:
    """A field's value as JSON has it."""
    if hasattr(value, "to_plain"):
        return value.to_plain()
    return [plain_of(v) for v in value] if isinstance(value, tuple) else value


def tuple_of(reader: Reader) -> Reader:
    """Reads a list."""
    return lambda values: tuple(reader(v) for v in values)


def answer_to(request: Request[A_co], plain: Mapping[str, Any]) -> A_co | Refused:
    """What became of a request."""
    refused = Refused.within(plain)
    return refused if refused is not None else request.answered(plain)
