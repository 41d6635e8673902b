"""The three spellings of Landsat metadata (ODL text, JSON, XML), read into groups of keys.

ODL: Object Description Language as in the Landsat Collection 2 Level 1 Data Format Control Book (LSDS-1822), section 3.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from swath.errors import MetadataError
from swath.readers.files.xml import read_metadata, xml_of_bytes

#: A real MTL has at most 30 kB; one was seen padded to 64 kB.
MAX_MTL_BYTES = 4 << 20
#: Real files nest 2 deep.
MAX_GROUP_DEPTH = 8

_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Groups = Mapping[str, Mapping[str, str]]


def read_groups(href: str) -> Groups:
    """Read an MTL file, whatever its spelling.

    Args:
        href: A path or GDAL name; the spelling is detected from the content, not from the name.

    Returns:
        Values by group and key, as written, without quotes. The outermost group is left out; of a key that a group
        repeats, the first value.

    Raises:
        MetadataError: Missing, empty, too large, not Landsat metadata, or its groups do not balance.
    """
    data = read_metadata(href, max_bytes=MAX_MTL_BYTES).removeprefix(b"\xef\xbb\xbf")
    if data.startswith(_UTF16) or b"\0=" in data or b"=\0" in data:
        raise _broken(name=href, what="text in UTF-16, which an editor or PowerShell may have written; save it as UTF-8")
    start = data.lstrip()[:1]
    if start == b"<":
        return _merged(_of_xml(xml_of_bytes(data, name=href)))
    if start == b"{":
        return _merged(_of_json(data, name=href))
    return _merged(_of_odl(data, name=href))


@dataclass(frozen=True, slots=True, kw_only=True)
class MtlText:
    """The values of an MTL by key, and messages that name the file and the key."""

    fields: Mapping[str, str]
    href: str

    def optional(self, *keys: str) -> str:
        """The first of ``keys`` that has a value, or ``''``."""
        return next((self.fields[k] for k in keys if self.fields.get(k)), "")

    def required(self, *keys: str) -> str:
        """The first of ``keys`` that has a value.

        Raises:
            MetadataError: No key has a value.
        """
        value = self.optional(*keys)
        if not value:
            raise MetadataError(
                "the Landsat metadata is incomplete",
                expected=f"a value for {' or '.join(keys)}",
                got=f"none in {self.href}",
                remedy="Fetch the MTL file again.",
            )
        return value

    def number(self, key: str) -> float:
        """A number; NaN passes, because its user knows better what is wrong with it.

        Raises:
            MetadataError: The key is missing, or its value is not a number.
        """
        value = self.required(key)
        try:
            return float(value)
        except ValueError as error:
            raise MetadataError(
                "a value of the Landsat metadata is not a number",
                expected=f"a number for {key}",
                got=f"{value[:40]!r} in {self.href}",
                remedy="Fetch the MTL file again.",
            ) from error


def read_text(href: str) -> MtlText:
    """Read an MTL file, all keys in one mapping.

    The first group wins where groups share a key: Level-2 files repeat the Level-1 record behind their own.

    Raises:
        MetadataError: See ``read_groups``.
    """
    fields: dict[str, str] = {}
    for group in read_groups(href).values():
        for key, value in group.items():
            fields.setdefault(key, value)
    return MtlText(fields=fields, href=href)


def _merged(values: Iterator[tuple[str, str, str]]) -> Groups:
    groups: dict[str, dict[str, str]] = {}
    for group, key, value in values:
        groups.setdefault(group, {}).setdefault(key, value)
    return groups


def _of_xml(root: Element) -> Iterator[tuple[str, str, str]]:
    for group in root:
        for entry in group:
            yield group.tag, entry.tag, (entry.text or "").strip()


def _of_json(data: bytes, *, name: str) -> Iterator[tuple[str, str, str]]:
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(name, what=f"JSON that cannot be parsed ({error})") from error
    while isinstance(document, dict) and len(document) == 1 and isinstance(inner := next(iter(document.values())), dict):
        document = inner
        if not any(isinstance(v, dict) for v in document.values()):
            break
    if not isinstance(document, dict):
        raise _broken(name, what="JSON without groups")
    for group, entries in document.items():
        if isinstance(entries, dict):
            for key, value in entries.items():
                yield group, key, str(value)


def _of_odl(data: bytes, *, name: str) -> Iterator[tuple[str, str, str]]:
    """Walk the lines until END; what follows it (padding, old signatures) is ignored."""
    open_groups: list[str] = []
    seen = False
    for raw in data.split(b"\n"):
        line = raw.strip(b" \t\r\0").decode("ascii", errors="replace")
        if line == "END":
            break
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            if not seen and line:
                raise _broken(name, what=f"text that begins with {line[:40]!r}")
            continue
        seen = True
        if key == "GROUP":
            _enter(open_groups, group=value, name=name)
        elif key == "END_GROUP":
            _leave(open_groups, group=value, name=name)
        elif open_groups:
            yield open_groups[-1], key, value.strip('"')
    if open_groups:
        raise _broken(name, what=f"the group {open_groups[-1]} left open")


def _enter(open_groups: list[str], *, group: str, name: str) -> None:
    if group in open_groups:
        raise _broken(name, what=f"the group {group} inside itself")
    if len(open_groups) >= MAX_GROUP_DEPTH:
        raise _broken(name, what=f"groups nested deeper than {MAX_GROUP_DEPTH}")
    open_groups.append(group)


def _leave(open_groups: list[str], *, group: str, name: str) -> None:
    if not open_groups or open_groups[-1] != group:
        inside = open_groups[-1] if open_groups else "no group"
        raise _broken(name, what=f"END_GROUP = {group} inside {inside}")
    open_groups.pop()


def _broken(name: str, *, what: str) -> MetadataError:
    return MetadataError(
        "the Landsat metadata cannot be understood",
        expected="an MTL file with balanced groups",
        got=f"{name}: {what}",
        remedy="Fetch the MTL file again.",
    )
