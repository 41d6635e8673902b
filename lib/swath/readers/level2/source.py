"""A Level-2 item to a source of composites: products of swath, Landsat Collection 2 Level 2, Sentinel-2 Level 2A, HLS.

Which numbers a file holds is what its item says, as for scenes; that a mask judges clouds is asked for, never assumed.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from swath.errors import MetadataError, MissingBandError, SceneError
from swath.readers.gate.gate import APPLIED
from swath.readers.gate.levels import OWN_PROPERTY, stated_level
from swath.readers.level2.acquisition import acquisition_of
from swath.readers.level2.others import other_assets
from swath.readers.level2.own import SURFACE, is_own, own_assets, reflectance_kind
from swath.readers.stac.item import Item, list_of, read_item
from swath.readers.stac.ownership import license_of
from swath.readers.stac.platform import platform_of
from swath.scene import Asset, Reflectance, processing_date
from swath.source import Source

_READER: Final = "stac"
_PROCESSED: Final = ("processing:datetime", "s2:generation_time", "updated", "created")
_LEVEL_2: Final = 2


def read_source(href: str) -> Source:
    """Read an item, with its mask, which must judge clouds.

    Args:
        href: ``item.json``, or ``collection.json#<item id>``.

    Raises:
        SceneError: The item is not Level 2, or lacks what a composite needs; the message names it.
    """
    return _read(href, reference=False)


def read_reference(href: str) -> Source:
    """Read an item that places are compared with, without its mask.

    Of a product of swath without surface reflectance, as orthoimages are, it has reflectance at the top of the atmosphere.

    Args:
        href: See ``read_source``.

    Raises:
        SceneError: The item is not Level 2 and none of swath, or has no bands of reflectance; the message names it.
    """
    return _read(href, reference=True)


def _read(href: str, *, reference: bool) -> Source:
    item = read_item(href)
    try:
        return _source(item, href=href, reference=reference)
    except SceneError as error:
        raise error.of(item.item_id) from None


def is_composite(href: str) -> bool:
    """Whether an item is a composite of swath; False for what cannot be read, which is refused by its own cause."""
    with suppress(SceneError):
        return "swath:stack_digest" in read_item(href).properties
    return False


def _source(item: Item, *, href: str, reference: bool) -> Source:
    instruments = tuple(str(i).lower() for i in list_of(item.properties.get("instruments")))
    platform = platform_of(item.text("platform") or item.text("constellation"), instruments=instruments)
    if is_own(item):
        assets = own_assets(item, masked=not reference, reflectance=reflectance_kind(item) if reference else SURFACE)
    else:
        _check_level(item)
        assets = other_assets(item, platform=platform)
        _check_applied(item, assets=assets)
    if not any(isinstance(a.calibration, Reflectance) for a in assets.values()):
        raise _without_bands(item)
    return Source(
        scene_id=item.item_id,
        acquired=item.acquired,
        platform=platform.name,
        instrument=platform.instrument,
        family=platform.family,
        assets=assets,
        reader=_READER,
        source_href=href,
        processed=processing_date(*(item.text(name) for name in _PROCESSED)),
        acquisition=acquisition_of(item, platform=platform.name),
        off_nadir_deg=item.number("view:off_nadir"),
        license=license_of(item),
    )


def _without_bands(item: Item) -> MissingBandError:
    own = is_own(item)
    return MissingBandError(
        "the item has no bands of surface reflectance",
        expected="a product of surface-reflectance or ard" if own else "GeoTIFF assets with a common name and raster:scale",
        got=", ".join(sorted(item.assets))[:160] or "no assets",
        remedy="Make it with one of these." if own else "Describe the bands with the eo and raster extensions.",
    )


def _check_level(item: Item) -> None:
    level = stated_level(item.properties, collection=item.named_collection, item_id=item.item_id)
    if level is not None and level.number is not None and level.number >= _LEVEL_2:
        return
    raise MetadataError(
        "a composite is made of surface reflectance",
        expected="a product of swath, or an item of Level 2",
        got=level.said if level is not None else "an item that states no level",
        remedy="Run surface-reflectance or ard on the scene first; "
        f"if the item's bands are surface reflectance, write {OWN_PROPERTY}: L2 into its properties.",
    )


def _check_applied(item: Item, *, assets: Mapping[str, Asset]) -> None:
    applied = next((name for name in APPLIED if item.text(name).lower() in ("true", "1")), "")
    offset = next((a for a in assets.values() if isinstance(a.calibration, Reflectance) and a.calibration.offset), None)
    if applied and offset is not None:
        raise MetadataError(
            "the item says that the offset is in the pixels already, and gives one",
            expected=f"raster:offset 0 beside {applied}",
            got=f"raster:offset of {offset.band.name}",
            remedy="Write the one that holds: with both, 0.1 would be taken off twice.",
        )
