"""Any sensor by a STAC item whose assets are GeoTIFFs with scale, offset and common names, to a Scene.

What the item must say is in docs/inputs.md: id, time, level, the sun's angles; of each band a common name, the scale, and
where it applies offset, unit and nodata. Reflectance is taken as divided by the cosine of the sun's zenith angle; an item,
asset or band that has ``swath:sun_normalised: false`` says otherwise. A ``file:checksum`` is verified once, when
the file is digested.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from swath.errors import MetadataError, MissingBandError, SceneError
from swath.readers.files.digest import combined_digest
from swath.readers.files.multihash import multihash_in
from swath.readers.gate.gate import APPLIED, check_level
from swath.readers.gate.hints import check_hints
from swath.readers.gate.levels import OWN_PROPERTY, ProcessingLevel, stated_level
from swath.readers.pixels.same_ground import check_extents
from swath.readers.stac.angles import angles_of
from swath.readers.stac.asset_file import asset_of, trusted_digest
from swath.readers.stac.bands import choose_bands, is_thermal
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.choice import Chosen
from swath.readers.stac.item import Item, list_of, read_item
from swath.readers.stac.landsat import with_mtl
from swath.readers.stac.offsets import check_offsets
from swath.readers.stac.ownership import license_of, providers_of
from swath.readers.stac.platform import platform_of
from swath.readers.stac.raw import refined, rpc_beside
from swath.readers.stac.sentinel2 import baseline_of, read_beside, with_product
from swath.readers.stac.stated_place import check_place
from swath.readers.stac.units import COUNTS
from swath.scene import Scene, processing_date
from swath.sensors import SENSORS

READER = "stac"
#: Properties that tell when a delivery was made, the most telling first.
_PROCESSED = ("processing:datetime", "s2:generation_time", "updated", "created")
_ATMOSPHERE = ("aot550", "ozone_atm_cm", "water_vapour_g_cm2", "pressure_hpa")
#: Properties of the delivery worth keeping, by prefix.
_KEPT = ("grid:", "mgrs:", "s2:", "sat:", "landsat:", *APPLIED)
#: Property of products that says on whose word the digests of their files rest.
CHECKSUMS = "swath:checksums"


def read_scene(href: str) -> Scene:
    """Read an item and its bands' headers.

    Args:
        href: ``item.json``, or ``collection.json#<item id>``.

    Raises:
        MetadataError: Not an item, or it lacks something that a correction needs; names what.
        MissingBandError: No asset is a usable band; says why for each.
        ReadError: A raster is missing, empty, cut short, or not of integers.
        GeometryError: Angles or coordinate systems make no sense.
    """
    item = read_item(href)
    try:
        return _scene(item, source=href)
    except SceneError as error:
        raise error.of(item.item_id) from None


def _scene(item: Item, *, source: str) -> Scene:
    # A wrong level is the first cause that matters: whatever else such an item lacks need not be corrected.
    stated = stated_level(item.properties, collection=item.named_collection, item_id=item.item_id)
    check_level(stated)
    instruments = tuple(str(i).lower() for i in list_of(item.properties.get("instruments")))
    platform = platform_of(item.text("platform") or item.text("constellation") or item.text("mission"), instruments=instruments)
    beside = read_beside(item, family=platform.family)
    check_level(beside.level)
    level = stated or beside.level
    if level is None:
        named = any(item.text(n) for n in ("platform", "constellation")) or bool(instruments) or bool(item.named_collection)
        check_hints(item.properties, assets=item.assets, named=named)
    angles = angles_of(item, tile=beside.tile)
    rpc = rpc_beside(item)
    chosen = choose_bands(item, platform=platform)
    bands = with_mtl(with_product(chosen.bands, product=beside.product), item=item, family=platform.family)
    chosen = replace(chosen, bands=bands)
    usable = {name: c for name, c in chosen.bands.items() if not _unusable(c)}
    baseline = baseline_of(item, beside=beside)
    check_offsets(usable.values(), item=item, family=platform.family, baseline=baseline)
    _check_surface(usable.values(), item=item, stated=level)
    left_out = {**chosen.left_out, **{n: _unusable(c) for n, c in chosen.bands.items() if n not in usable}}
    if not any(c.quality is None for c in usable.values()):
        raise _without_bands(item, chosen=chosen)
    files = {name: asset_of(c, item=item, platform=platform, rpc=rpc) for name, c in usable.items()}
    assets, control = refined({name: file.asset for name, file in files.items()}, item=item)
    # Of several files that are fitted to points of their own, the one that is off most is told.
    told = (file.control for file in files.values() if file.control)
    fitted = max(told, key=lambda control: control["swath:control_most_px"], default={})
    lengths = next(({"file:size": file.length} for file in files.values() if file.length), {})
    check_extents(assets)
    wrong = check_place(item, assets=assets, keys={name: candidate.key for name, candidate in usable.items()})
    digests = [(usable[name].key + end, digest) for name, asset in assets.items() for end, digest in asset.digests.items()]
    if beside.granule_digest:
        digests.append(("granule_metadata", beside.granule_digest))
    known = platform.family in SENSORS
    return Scene(
        scene_id=item.item_id,
        platform=platform.name,
        instrument=platform.instrument,
        family=platform.family,
        acquired=item.acquired,
        assets=assets,
        angles=angles,
        angles_href=beside.angles_href,
        reader=READER,
        source_href=source,
        metadata_href=item.href,
        digest=combined_digest([*digests, ("item", sha256(item.canonical()).hexdigest())]),
        level=f"L{level.number}" if level else "",
        processed=processing_date(*(item.text(name) for name in _PROCESSED)),
        baseline=baseline,
        cloud_cover_percent=item.number("eo:cloud_cover"),
        atmosphere=_atmosphere(item),
        properties={**_kept(item), **_trusted(usable.values()), **fitted, **control},
        left_out={**left_out, **dict(beside.notes), **_unchecked(usable.values()), **wrong, **lengths},
        license="" if known else license_of(item),
        providers=() if known else providers_of(item),
    )


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


def _kept(item: Item) -> dict[str, str | int | float]:
    return {k: v for k, v in item.properties.items() if k.startswith(_KEPT) and isinstance(v, str | int | float)}


def _trusted(used: Iterable[BandCandidate]) -> dict[str, str]:
    """What products say of checksums that were not verified."""
    return {CHECKSUMS: "trusted, not verified"} if any(trusted_digest(c.checksum) for c in used) else {}


def _unchecked(used: Iterable[BandCandidate]) -> dict[str, str]:
    strange = sorted({c.checksum[:20] for c in used if c.checksum and multihash_in(c.checksum) is None})
    return {"file:checksum": f"of an unknown kind and not verified: {', '.join(strange[:3])}"} if strange else {}


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


def _atmosphere(item: Item) -> dict[str, float]:
    said = {name: item.number(f"swath:{name}") for name in _ATMOSPHERE}
    return {name: value for name, value in said.items() if value is not None}
