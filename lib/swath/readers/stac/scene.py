"""Any sensor by a STAC item whose assets are GeoTIFFs with scale, offset and common names, to a Scene.

What the item must say is in docs/inputs.md: id, time, level, the sun's angles; of each band a common name, the scale, and
where it applies offset, unit and nodata. Reflectance is taken as divided by the cosine of the sun's zenith angle; an item,
asset or band that has ``swath:sun_normalised: false`` says otherwise. A ``file:checksum`` is verified once, when
the file is digested.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

import numpy as np

from swath.algo.rpc import Rpc
from swath.algo.solar import earth_sun_distance_au
from swath.errors import MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.files.digest import checked_fingerprint, combined_digest, sha256_of_multihash
from swath.readers.files.multihash import multihash_in
from swath.readers.gate.gate import APPLIED, check_level
from swath.readers.gate.hints import check_hints
from swath.readers.gate.levels import stated_level
from swath.readers.gate.terms import terms_in_use
from swath.readers.pixels.delivered import dn_type, stored_of
from swath.readers.pixels.header import RasterHeader, gdal_href, inspect
from swath.readers.pixels.same_ground import check_extents
from swath.readers.stac.angles import angles_of
from swath.readers.stac.bands import choose_bands, is_thermal
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.choice import Chosen
from swath.readers.stac.item import Item, list_of, read_item
from swath.readers.stac.landsat import with_mtl
from swath.readers.stac.offsets import check_offsets
from swath.readers.stac.ownership import license_of, providers_of
from swath.readers.stac.platform import Platform, platform_of
from swath.readers.stac.raw import refined, rpc_beside
from swath.readers.stac.sentinel2 import baseline_of, read_beside, with_product
from swath.readers.stac.units import reflectance_from
from swath.scene import Asset, Band, Calibration, Quality, Scene, Uncalibrated, processing_date
from swath.sensors import SENSORS

READER = "stac"
#: Properties that tell when a delivery was made, the most telling first.
_PROCESSED = ("processing:datetime", "s2:generation_time", "updated", "created")
#: A count of DN that is worth more than this is no DN: floats with such a scale are physical values.
_COARSEST = 0.1
#: Units by which an item says that it is unknown how its counts become physical values.
_COUNTS = ("counts", "count", "dn", "DN")
_ATMOSPHERE = ("aot550", "ozone_atm_cm", "water_vapour_g_cm2", "pressure_hpa")
#: Properties of the delivery worth keeping, by prefix.
_KEPT = ("grid:", "mgrs:", "s2:", "sat:", "landsat:", *APPLIED)
#: Property of products that says on whose word the digests of their files rest.
CHECKSUMS = "swath:checksums"
#: More entries of a file than this it may have without being described: an alpha band.
_UNDESCRIBED = 1


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
    stated = stated_level(item.properties, collection=item.collection, item_id=item.item_id)
    check_level(stated)
    instruments = tuple(str(i).lower() for i in list_of(item.properties.get("instruments")))
    platform = platform_of(item.text("platform") or item.text("constellation"), instruments=instruments)
    beside = read_beside(item, family=platform.family)
    check_level(beside.level)
    level = stated or beside.level
    if level is None:
        named = any(item.text(n) for n in ("platform", "constellation")) or bool(instruments) or bool(item.collection)
        check_hints(item.properties, assets=item.assets, named=named)
    angles = angles_of(item, tile=beside.tile)
    rpc = rpc_beside(item)
    chosen = choose_bands(item, platform=platform)
    bands = with_mtl(with_product(chosen.bands, product=beside.product), item=item, family=platform.family)
    chosen = replace(chosen, bands=bands)
    usable = {name: c for name, c in chosen.bands.items() if not _unusable(c)}
    baseline = baseline_of(item, beside=beside)
    check_offsets(usable.values(), item=item, family=platform.family, baseline=baseline)
    left_out = {**chosen.left_out, **{n: _unusable(c) for n, c in chosen.bands.items() if n not in usable}}
    if not any(c.quality is None for c in usable.values()):
        raise _without_bands(item, chosen=chosen)
    assets = {name: _asset(c, item=item, platform=platform, rpc=rpc) for name, c in usable.items()}
    assets, control = refined(assets, item=item)
    check_extents(assets)
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
        properties={**_kept(item), **_trusted(usable.values()), **control},
        left_out={**left_out, **dict(beside.notes), **_unchecked(usable.values())},
        license="" if known else license_of(item),
        providers=() if known else providers_of(item),
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
    if candidate.unit in _COUNTS:
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


def _asset(candidate: BandCandidate, *, item: Item, platform: Platform, rpc: Rpc | None) -> Asset:
    href = gdal_href(candidate.href)
    digest, known = trusted_digest(candidate.checksum), None
    if not digest:
        known = checked_fingerprint(href, checksum=candidate.checksum)
        digest = known.sha256
    header = inspect(href, known=known, rpc=rpc)
    dtype = _dn_type(candidate, header=header)
    _check_entries(candidate, header=header)
    calibration = _calibration(candidate, item=item, raw=bool(header.grid.raw))
    nodata = _nodata(candidate, header=header, dtype=dtype)
    stored = stored_of(header, dtype=dtype, told=nodata)
    saturated = platform.saturated if dtype == "uint16" and candidate.quality is None else None
    return Asset(
        band=_located(candidate.band, header=header),
        href=href,
        grid=header.grid,
        dtype=dtype,
        nodata=nodata,
        saturated=None if saturated in (nodata, stored and stored.nodata) else saturated,
        calibration=calibration,
        digest=digest,
        band_index=candidate.band_index,
        mask=header.mask,
        stored=stored,
    )


def trusted_digest(checksum: str) -> str:
    """The sha256 in a checksum where the user vouches for checksums; ``''`` otherwise."""
    return sha256_of_multihash(checksum) if terms_in_use().trust_checksums else ""


def _dn_type(candidate: BandCandidate, *, header: RasterHeader) -> str:
    """The type of its DN; floats are taken for them where a scale says that they are no physical values."""
    said = candidate.nodata if candidate.nodata is not None else header.nodata
    dtype = dn_type(header, nodata=said)
    stated = candidate.calibration
    gain = candidate.gain if stated is None or isinstance(stated, Quality | Uncalibrated) else stated.gain
    scaled = candidate.quality is not None or candidate.unit in _COUNTS or 0.0 < (gain or 1.0) < _COARSEST
    if dtype is None or (header.dtype.startswith("float") and not scaled):
        raise ReadError(
            f"{candidate.band.name} is not of integers",
            expected="uint8, uint16 or int16 with raster:scale and raster:offset",
            got=f"{header.dtype} in {candidate.href}",
            remedy="Store it scaled (gdal_translate -ot UInt16 -scale 0 1 0 10000) and say raster:scale in the item.",
        )
    return dtype


def _check_entries(candidate: BandCandidate, *, header: RasterHeader) -> None:
    name, described = candidate.band.name, candidate.entries
    if described > header.count or header.count - described > _UNDESCRIBED:
        raise MetadataError(
            f"the item describes other bands than the file of {name} has",
            expected=f"one entry of bands (raster:bands, eo:bands) for each of its {header.count} bands",
            got=f"{described} for {candidate.href}",
            remedy="Describe the bands in the order of the file; give other encodings of a band assets of their own.",
        )


def _nodata(candidate: BandCandidate, *, header: RasterHeader, dtype: str) -> int | None:
    """As the item says, else the file; None when neither does, or the file's type cannot hold it."""
    if candidate.quality is not None:
        return None
    said = candidate.nodata if candidate.nodata is not None else header.nodata
    limits = np.iinfo(dtype)
    usable = said is not None and float(said).is_integer() and limits.min <= said <= limits.max
    return int(said) if said is not None and usable else None


def _calibration(candidate: BandCandidate, *, item: Item, raw: bool) -> Calibration:
    if candidate.quality is not None:
        return Quality(scheme=candidate.quality)
    if candidate.calibration is not None:
        return candidate.calibration
    # A raw image becomes an orthoimage of counts; what is on a map already must be reflectance.
    if raw and candidate.unit in _COUNTS:
        return Uncalibrated()
    if not candidate.unit and "radiance" in candidate.roles and "reflectance" not in candidate.roles:
        raise MetadataError(
            f"{candidate.band.name} is a radiance of unknown unit",
            expected="unit and eo:solar_illumination beside the role radiance",
            got="no unit",
            remedy="Write the unit (W m-2 sr-1 um-1) and the band's mean solar irradiance into the item.",
        )
    distance_au = item.number("swath:earth_sun_distance_au") or earth_sun_distance_au(item.acquired)
    return reflectance_from(
        candidate.unit,
        name=candidate.band.name,
        scaling=(candidate.gain or 0.0, candidate.offset or 0.0),
        irradiance=candidate.irradiance,
        distance_au=distance_au,
        sun_normalised=candidate.sun_normalised,
    )


def _located(band: Band, *, header: RasterHeader) -> Band:
    """The band with the raster's own ground sampling where none is given."""
    if band.resolution_m > 0.0:
        return band
    return Band(
        name=band.name,
        native_id=band.native_id,
        resolution_m=header.grid.resolution_m,
        centre_um=band.centre_um,
        fwhm_um=band.fwhm_um,
    )


def _atmosphere(item: Item) -> dict[str, float]:
    said = {name: item.number(f"swath:{name}") for name in _ATMOSPHERE}
    return {name: value for name, value in said.items() if value is not None}
