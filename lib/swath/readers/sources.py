"""Which reader reads a source of composites: an item, a Landsat delivery of Level 2, or a Sentinel-2 product of Level 2A."""

from importlib import import_module
from typing import Final, Protocol, cast

from swath.readers.gate.times import check_time
from swath.readers.registry import kind_of
from swath.source import Source

#: Module by kind of delivery; whatever else there is, is read as an item and refused as one.
_READERS: Final = {"landsat": "swath.readers.landsat.surface", "sentinel2": "swath.readers.sentinel2.surface"}
_ITEMS: Final = "swath.readers.level2.source"


class _SourceReader(Protocol):
    """What such a module offers."""

    def read_source(self, href: str) -> Source:
        """Read a source; raise ``SceneError`` when it cannot be one."""
        ...


def read_source(href: str) -> Source:
    """Read a Level-2 delivery or item.

    Args:
        href: Address from ``discover``: a folder, MTL file, archive, STAC item, or ``collection.json#item-id``.

    Raises:
        SceneError: It cannot be a source of a composite; names what is missing.
    """
    # By name, as scenes' readers are: GDAL costs half a second of imports.
    reader = cast("_SourceReader", import_module(_READERS.get(kind_of(href) or "", _ITEMS)))
    source = reader.read_source(href)
    check_time(source.acquired, scene_id=source.scene_id)
    return source
