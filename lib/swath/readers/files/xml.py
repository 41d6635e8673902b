"""Untrusted XML: parsed without entities and network access, within a size limit."""

from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException, EntitiesForbidden
from defusedxml.ElementTree import DefusedXMLParser

from swath.errors import ArchiveError, MetadataError, ReadError
from swath.readers.files.inflated import open_inflated

#: Sentinel-2's largest granule metadata is under 1 MB, a STAC item under 100 kB.
MAX_METADATA_BYTES = 32 << 20
#: Real metadata nests under 15 deep; a deep tree only serves to exhaust the stack of the parser.
MAX_DEPTH = 64


def read_metadata(href: str, *, max_bytes: int = MAX_METADATA_BYTES) -> bytes:
    """The bytes of a metadata file, never more than a limit.

    Args:
        href: Address as ``readers.href.gdal_href`` spells it.
        max_bytes: The most that is read, once it is unpacked.

    Raises:
        MetadataError: The file is missing, empty, or larger than the limit.
        ArchiveError: Archive cannot be unpacked.
    """
    try:
        with open_inflated(href) as file:
            data = file.read(max_bytes + 1)
    except ArchiveError:
        raise
    except ReadError as error:
        raise MetadataError(
            "a metadata file cannot be read", expected="a readable file", got=error.got, remedy=error.remedy
        ) from error
    if len(data) > max_bytes:
        raise MetadataError(
            "a metadata file is too large",
            expected=f"at most {max_bytes} bytes",
            got=f"{href} with more",
            remedy="This is not a delivery's metadata; fetch the delivery again.",
        )
    if not data.strip(b" \t\r\n\0"):
        raise MetadataError("a metadata file is empty", expected="text", got=f"{href}", remedy="Fetch the delivery again.")
    return data


def parse_xml(href: str) -> Element:
    """Parse an XML file; see ``xml_of_bytes`` and ``read_metadata`` for what is refused."""
    return xml_of_bytes(read_metadata(href), name=href)


def xml_of_bytes(data: bytes, *, name: str) -> Element:
    """Parse XML bytes.

    Args:
        data: The document.
        name: Name for messages.

    Raises:
        MetadataError: Not well-formed, nested too deep, or it declares entities.
    """
    parser = DefusedXMLParser(target=_BoundedBuilder(name), forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except EntitiesForbidden as error:
        raise _refused(name, what=f"the entity {error.name!r}") from error
    except DefusedXmlException as error:
        raise _refused(name, what=str(error)) from error
    except (ParseError, ValueError, LookupError) as error:
        raise MetadataError(
            "a metadata file is not well-formed XML",
            expected="XML",
            got=f"{name}: {error}",
            remedy="Fetch the delivery again.",
        ) from error
    return root


class _BoundedBuilder(TreeBuilder):
    """Builds a tree, but not a bottomless one."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """Open an element."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise MetadataError(
                "a metadata file nests too deep",
                expected=f"at most {MAX_DEPTH} levels",
                got=f"{self._name} with more",
                remedy="This is not a delivery's metadata; fetch the delivery again.",
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        """Close an element."""
        self._depth -= 1
        return super().end(tag)


def _refused(name: str, *, what: str) -> MetadataError:
    return MetadataError(
        "XML with entities is refused",
        expected="XML without entity declarations",
        got=f"{name} with {what}",
        remedy="No delivery of Landsat or Sentinel-2 has them; fetch it again from a source that you trust.",
    )
