"""Looking things up in Sentinel-2's XML, wherever a format version put them, with errors that say what is missing."""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from xml.etree.ElementTree import Element

from swath.errors import MetadataError
from swath.readers.files.times import utc_time
from swath.readers.files.xml import parse_xml

#: Element names stay the same over format versions while their place and namespace move; so they are found by name.
_ANYWHERE = ".//{{*}}{name}"


@dataclass(frozen=True, slots=True)
class Fields:
    """One metadata document.

    Args:
        root: Root element.
        source: Name, for messages.
    """

    root: Element
    source: str

    @property
    def kind(self) -> str:
        """Local name of the root (``Level-1C_Tile_ID``)."""
        return self.root.tag.rpartition("}")[2]

    def first(self, *names: str) -> Element | None:
        """The first element with one of these names."""
        found = (self.root.find(_ANYWHERE.format(name=name)) for name in names)
        return next((element for element in found if element is not None), None)

    def every(self, name: str) -> list[Element]:
        """All elements with this name, in document order."""
        return self.root.findall(_ANYWHERE.format(name=name))

    def optional(self, *names: str) -> str:
        """Text of the first element with one of these names; ``''`` when there is none."""
        element = self.first(*names)
        return (element.text or "").strip() if element is not None else ""

    def text(self, *names: str) -> str:
        """Text of the first element with one of these names.

        Raises:
            MetadataError: There is none, or it is empty.
        """
        found = self.optional(*names)
        if not found:
            raise MetadataError(
                f"{names[0]} is missing from the metadata",
                expected=f"an element {' or '.join(names)}",
                got=f"none in {self.source}",
                remedy="Fetch the delivery again.",
            )
        return found

    def number(self, *names: str) -> float:
        """A finite number.

        Raises:
            MetadataError: Missing, not a number, or not finite.
        """
        return number_of(self.text(*names), name=names[0], source=self.source)

    def optional_number(self, *names: str) -> float | None:
        """A finite number, or None when it is not there.

        Raises:
            MetadataError: The text is not a finite number.
        """
        found = self.optional(*names)
        return number_of(found, name=names[0], source=self.source) if found else None

    def time(self, *names: str) -> datetime:
        """A time, aware, UTC.

        Raises:
            MetadataError: Missing or not an ISO 8601 time.
        """
        return time_of(self.text(*names), name=names[0], source=self.source)


def read_fields(href: str) -> Fields:
    """Parse a document; see ``readers.xml.parse_xml`` for what is refused."""
    return Fields(parse_xml(href), href)


def number_of(text: str, *, name: str, source: str) -> float:
    """A finite number from text.

    Raises:
        MetadataError: The text is not a finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise MetadataError(
            f"{name} is not a number",
            expected="a finite number",
            got=f"{text[:40]!r} in {source}",
            remedy="Fetch the delivery again.",
        )
    return value


def time_of(text: str, *, name: str, source: str) -> datetime:
    """An aware UTC time from ISO 8601 text; without a zone it is UTC, as all of ESA's times are.

    Raises:
        MetadataError: The text is not a time.
    """
    try:
        return utc_time(text)
    except ValueError as error:
        raise MetadataError(
            f"{name} is not a time",
            expected="an ISO 8601 time",
            got=f"{text[:40]!r} in {source}",
            remedy="Fetch the delivery again.",
        ) from error
