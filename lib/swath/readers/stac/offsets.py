"""Offsets that a STAC item leaves out: of which sensors that means 0, and of which it means that they are missing."""

import re
from collections.abc import Iterable
from typing import Final

from swath.errors import MetadataError
from swath.readers.gate.gate import APPLIED, needs_offset
from swath.readers.gate.levels import mission_of
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.item import Item, list_of
from swath.sensors import LANDSAT, SENSORS, SENTINEL2, SENTINEL2_MSI, UNKNOWN

#: Families whose Level-1 reflectance has an offset in every product, with where it comes from.
_OF_LANDSAT: Final = "REFLECTANCE_ADD_BAND_x of the MTL file"
#: Platforms of a mission that no table has yet; landsat-like is the user's own.
_NUMBERED: Final = re.compile(r"(?:landsat|sentinel-2)-?\w{0,2}")
_ALWAYS: Final = {"landsat-oli": _OF_LANDSAT, LANDSAT: _OF_LANDSAT}


def check_offsets(candidates: Iterable[BandCandidate], *, item: Item, family: str, baseline: str) -> None:
    """Refuse bands without an offset where their sensor has one.

    Args:
        candidates: The bands that are used.
        item: Item that the offsets belong to.
        family: Sensor family.
        baseline: Processing baseline of Sentinel-2; empty when unknown.

    Raises:
        MetadataError: Neither the item nor the metadata beside it says the offset.
    """
    scaled = [c for c in candidates if c.gain is not None and c.quality is None and c.calibration is None]
    without = sorted(c.band.name for c in scaled if c.offset is None)
    if not without or not _needed(item, family=family, baseline=baseline):
        return
    family = _family(item, family=family)
    where = _ALWAYS.get(family, "-0.1 in Sentinel-2 products of baseline 04.00 and later, 0 in earlier ones")
    told = f", baseline {baseline or 'unknown'}" if family == SENTINEL2_MSI else ""
    raise MetadataError(
        "the radiometric offset is missing",
        expected=f"raster:offset of every band: {where}",
        got=f"none for {', '.join(without)[:80]}{told}",
        remedy="Write raster:offset into the item, or name the product's metadata (product_metadata: MTD_MSIL1C.xml; Landsat:"
        " the MTL file) among its assets; where the pixels were shifted already, write raster:offset: 0 and"
        " swath:offset_applied: true.",
    )


def _family(item: Item, *, family: str) -> str:
    """The family; of an item that forgot its platform that of the mission which constellation, collection or id name."""
    if family in SENSORS and family not in (SENTINEL2, LANDSAT):
        return family
    if family == UNKNOWN and any(name.startswith("s2:") for name in item.properties):
        return SENTINEL2_MSI
    named = [item.text(name) for name in ("constellation", "mission")]
    if family != UNKNOWN:  # a platform of the user's own; its collection may be named after what it was made from
        named = [*named, family if _NUMBERED.fullmatch(family) else ""]
    else:
        named = [*named, item.named_collection, *(str(i) for i in list_of(item.properties.get("instruments")))]
    mission = mission_of(*named, item_id=item.item_id if family in (SENTINEL2, LANDSAT, UNKNOWN) else "")
    return SENTINEL2_MSI if mission == SENTINEL2 else mission or family


def _needed(item: Item, *, family: str, baseline: str) -> bool:
    family = _family(item, family=family)
    if any(str(item.properties.get(name)).lower() == "true" for name in APPLIED):
        return False
    if family == SENTINEL2_MSI:
        # Without a baseline either may hold, whatever the day: old scenes are made anew with an offset.
        return not baseline or needs_offset(baseline, acquired=item.acquired)
    return family in _ALWAYS
