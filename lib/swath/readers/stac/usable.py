"""Bands of an item that can be calibrated, and what is said of the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from swath.errors import MetadataError, MissingBandError
from swath.readers.files.multihash import multihash_in
from swath.readers.gate.levels import OWN_PROPERTY, ProcessingLevel
from swath.readers.stac.asset_file import trusted_digest
from swath.readers.stac.bands import choose_bands, is_thermal
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.choice import Chosen
from swath.readers.stac.item import Item
from swath.readers.stac.landsat import with_mtl
from swath.readers.stac.offsets import check_offsets
from swath.readers.stac.platform import Platform
from swath.readers.stac.sentinel2 import Beside, baseline_of, with_product
from swath.readers.stac.units import COUNTS

#: Property of products that says on whose word the digests of their files rest.
CHECKSUMS = "swath:checksums"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableBands:
    """Bands of an item that can be calibrated.

    Args:
        candidates: One file of each band, by name.
        left_out: Reasons why other assets and bands are not used, by key or name.
    """

    candidates: Mapping[str, BandCandidate]
    left_out: Mapping[str, str]

    @property
    def facts(self) -> dict[str, str]:
        """What products say of checksums that were not verified."""
        trusted = any(trusted_digest(c.checksum) for c in self.candidates.values())
        return {CHECKSUMS: "trusted, not verified"} if trusted else {}

    @property
    def unchecked(self) -> dict[str, str]:
        """What products say of checksums of a kind that nothing here computes; empty without any."""
        used = self.candidates.values()
        strange = sorted({c.checksum[:20] for c in used if c.checksum and multihash_in(c.checksum) is None})
        return {"file:checksum": f"of an unknown kind and not verified: {', '.join(strange[:3])}"} if strange else {}


def usable_bands(item: Item, *, platform: Platform, beside: Beside, level: ProcessingLevel | None) -> UsableBands:
    """Choose one file for each band, and refuse what its description does not allow.

    Args:
        item: The item.
        platform: Its platform.
        beside: Metadata of ESA beside its bands.
        level: Processing level that the item states; None when it states none.

    Raises:
        MetadataError: The bands contradict the level or the processing baseline that is stated, or two files claim a band.
        MissingBandError: No band can be used; says why for each.
    """
    chosen = choose_bands(item, platform=platform)
    bands = with_mtl(with_product(chosen.bands, product=beside.product), item=item, family=platform.family)
    chosen = replace(chosen, bands=bands)
    usable = {name: c for name, c in chosen.bands.items() if not _unusable(c)}
    check_offsets(usable.values(), item=item, family=platform.family, baseline=baseline_of(item, beside=beside))
    _check_surface(usable.values(), item=item, stated=level)
    if not any(c.quality is None for c in usable.values()):
        raise _without_bands(item, chosen=chosen)
    unfit = {n: _unusable(c) for n, c in chosen.bands.items() if n not in usable}
    return UsableBands(candidates=usable, left_out={**chosen.left_out, **unfit})


def _check_surface(used: Iterable[BandCandidate], *, item: Item, stated: ProcessingLevel | None) -> None:
    """Refuse bands that are described as surface reflectance, unless the user's own word says Level 1."""
    if stated is None or item.properties.get(OWN_PROPERTY):
        return
    hints = [c.surface for c in used if c.surface and c.quality is None]
    if hints:
        raise MetadataError(
            "the item states Level 1, and its bands are described as surface reflectance",
            expected="top-of-atmosphere reflectance (Level 1)",
            got=f"{stated.said}; {hints[0]}",
            remedy=f"Give the Level-1 bands, or write {OWN_PROPERTY}: L1 into the item's properties when these are Level 1.",
        )


def _unusable(candidate: BandCandidate) -> str:
    """Why a band cannot be used; ``''`` when it can."""
    if candidate.quality is not None or candidate.calibration is not None:
        return ""
    if candidate.unit in COUNTS:
        return ""
    if is_thermal(candidate.band.name):
        return "an item cannot tell the constants that brightness temperature needs"
    return "" if candidate.gain is not None else "the item gives no raster:scale for it"


def _without_bands(item: Item, *, chosen: Chosen) -> MissingBandError:
    reasons = {**chosen.left_out, **{n: _unusable(c) for n, c in chosen.bands.items()}}
    told = "; ".join(f"{name}: {reason}" for name, reason in sorted(reasons.items())[:8])
    return MissingBandError(
        "the item has no usable bands",
        expected="GeoTIFF assets with a common name and raster:scale",
        got=told or "no assets",
        remedy="Describe the bands with the eo and raster extensions.",
        scene_id=item.item_id,
    )
