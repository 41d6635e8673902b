"""Any sensor by a STAC item whose assets are GeoTIFFs with scale, offset and common names, to a Scene.

What the item must say: an id, a time, ``view:sun_elevation`` and ``view:sun_azimuth``; of each band a common name
(``bands`` of STAC 1.1, or ``eo:bands``) and ``raster:scale`` (``raster:bands`` in 1.0), and where it applies
``raster:offset`` and ``nodata``. Reflectance is taken as top-of-atmosphere and as divided by the cosine of the sun's
zenith angle; an item, asset or band that has ``swath:sun_normalised: false`` says otherwise. ``view:off_nadir`` (or,
better, ``view:incidence_angle``) and ``view:azimuth`` are the view angles, 0 where absent. ``swath:aot550``,
``swath:ozone_atm_cm``, ``swath:water_vapour_g_cm2`` and ``swath:pressure_hpa`` give the atmosphere. A
``file:checksum`` (sha2-256) is taken at its word as the digest of its file; without one the file is digested.
"""

from hashlib import sha256

import numpy as np

from swath.errors import MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.digest import combined_digest, file_digest, fingerprint, sha256_of_multihash
from swath.readers.header import Header, gdal_href, inspect
from swath.readers.landsat_extent import check_extents
from swath.readers.stac_bands import Candidate, Chosen, choose_bands, is_thermal
from swath.readers.stac_item import Item, list_of, read_item
from swath.readers.stac_platform import Platform, platform_of
from swath.scene import Angles, Asset, Band, Calibration, Quality, Reflectance, Scene

READER = "stac"
_INTEGERS = frozenset({"uint8", "uint16", "int16"})
_ATMOSPHERE = ("aot550", "ozone_atm_cm", "water_vapour_g_cm2", "pressure_hpa")
#: Properties of the delivery worth keeping, by prefix.
_KEPT = ("grid:", "mgrs:", "s2:", "sat:", "landsat:")
#: Products whose bands are surface reflectance already: property, beginning of its value.
_LEVEL2 = (("processing:level", "L2"), ("s2:product_type", "S2MSI2"), ("landsat:correction", "L2"))


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
    _check_level(item)
    instruments = tuple(str(i).lower() for i in list_of(item.properties.get("instruments")))
    platform = platform_of(item.text("platform") or item.text("constellation"), instruments=instruments)
    angles = _angles(item)
    chosen = choose_bands(item, platform=platform)
    usable = {name: c for name, c in chosen.bands.items() if not _unusable(c)}
    left_out = {**chosen.left_out, **{n: _unusable(c) for n, c in chosen.bands.items() if n not in usable}}
    if not any(c.quality is None for c in usable.values()):
        raise _without_bands(item, chosen=chosen)
    assets = {name: _asset(c, platform=platform) for name, c in usable.items()}
    check_extents(assets)
    granule = _granule(item, platform=platform)
    digests = [(usable[name].key, asset.digest) for name, asset in assets.items()]
    if granule:
        digests.append(("granule_metadata", granule[1]))
    return Scene(
        scene_id=item.item_id,
        platform=platform.name,
        instrument=platform.instrument,
        family=platform.family,
        acquired=item.acquired,
        assets=assets,
        angles=angles,
        angles_href=granule[0] if granule else None,
        reader=READER,
        source_href=source,
        metadata_href=item.href,
        digest=combined_digest([*digests, ("item", sha256(item.canonical()).hexdigest())]),
        baseline=item.text("s2:processing_baseline"),
        cloud_cover_percent=item.number("eo:cloud_cover"),
        atmosphere=_atmosphere(item),
        properties={k: v for k, v in item.properties.items() if k.startswith(_KEPT) and isinstance(v, str | int | float)},
        left_out=left_out,
    )


def _check_level(item: Item) -> None:
    for name, level2 in _LEVEL2:
        value = item.text(name)
        if value.startswith(level2):
            raise MetadataError(
                "the item's bands are surface reflectance already",
                expected="top-of-atmosphere reflectance (Level 1)",
                got=f"{name} {value}",
                remedy="Give the Level-1 item of the same acquisition.",
            )


def _angles(item: Item) -> Angles:
    elevation, azimuth = item.number("view:sun_elevation"), item.number("view:sun_azimuth")
    if elevation is None or azimuth is None:
        given = {"view:sun_elevation": elevation, "view:sun_azimuth": azimuth}
        missing = [name for name, value in given.items() if value is None]
        raise MetadataError(
            f"the item has no {' and no '.join(missing)}",
            expected="view:sun_elevation and view:sun_azimuth in degrees (STAC view extension)",
            got=f"without {', '.join(missing)}",
            remedy="Add the sun's angles to the item's properties; no correction works without them.",
        )
    incidence, off_nadir = item.number("view:incidence_angle"), item.number("view:off_nadir")
    return Angles(
        sun_elevation_deg=elevation,
        sun_azimuth_deg=azimuth % 360.0,
        # The zenith angle at the ground; the angle at the satellite is near it for narrow swaths.
        view_zenith_deg=incidence if incidence is not None else abs(off_nadir or 0.0),
        view_azimuth_deg=(item.number("view:azimuth") or 0.0) % 360.0,
    )


def _unusable(candidate: Candidate) -> str:
    """Why a band cannot be used; ``''`` when it can."""
    if candidate.quality is not None:
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


def _asset(candidate: Candidate, *, platform: Platform) -> Asset:
    href = gdal_href(candidate.href)
    if candidate.checksum:
        digest, header = sha256_of_multihash(candidate.checksum), inspect(href)
    else:
        known = fingerprint(href)
        digest, header = known.sha256, inspect(href, known=known)
    _check_type(candidate, header=header)
    return Asset(
        band=_located(candidate.band, header=header),
        href=href,
        grid=header.grid,
        dtype=header.dtype,
        nodata=_nodata(candidate, header=header),
        saturated=platform.saturated if header.dtype == "uint16" and candidate.quality is None else None,
        calibration=_calibration(candidate),
        digest=digest,
        band_index=candidate.band_index,
    )


def _check_type(candidate: Candidate, *, header: Header) -> None:
    name = candidate.band.name
    if header.dtype not in _INTEGERS:
        raise ReadError(
            f"{name} is not of integers",
            expected="uint8, uint16 or int16 with raster:scale and raster:offset",
            got=f"{header.dtype} in {candidate.href}",
            remedy="Store it scaled (gdal_translate -ot UInt16 -scale 0 1 0 10000) and say raster:scale in the item.",
        )
    if candidate.band_index > header.count:
        raise ReadError(
            f"{name} is not in its file",
            expected=f"at least {candidate.band_index} bands, as the item says",
            got=f"{header.count} in {candidate.href}",
            remedy="Correct the item.",
        )


def _nodata(candidate: Candidate, *, header: Header) -> int | None:
    """As the item says, else the file; None when neither does, or the file's type cannot hold it."""
    if candidate.quality is not None:
        return None
    said = candidate.nodata if candidate.nodata is not None else header.nodata
    limits = np.iinfo(header.dtype)
    usable = said is not None and float(said).is_integer() and limits.min <= said <= limits.max
    return int(said) if said is not None and usable else None


def _calibration(candidate: Candidate) -> Calibration:
    if candidate.quality is not None:
        return Quality(scheme=candidate.quality)
    return Reflectance(gain=candidate.gain or 0.0, offset=candidate.offset, sun_normalised=candidate.sun_normalised)


def _located(band: Band, *, header: Header) -> Band:
    """The band with the raster's own ground sampling where nobody has said one."""
    if band.resolution_m > 0.0:
        return band
    return Band(
        name=band.name,
        native_id=band.native_id,
        resolution_m=header.grid.resolution_m,
        centre_um=band.centre_um,
        fwhm_um=band.fwhm_um,
    )


def _granule(item: Item, *, platform: Platform) -> tuple[str, str] | None:
    """Href and digest of a Sentinel-2 granule's own metadata, when the item has it in reach: then angles are per pixel."""
    asset = item.assets.get("granule_metadata")
    if asset is None or platform.family != "sentinel-2-msi" or not str(asset.get("href", "")).endswith(".xml"):
        return None
    href = gdal_href(item.resolve(str(asset["href"])))
    try:
        return href, file_digest(href)
    except ReadError:
        return None


def _atmosphere(item: Item) -> dict[str, float]:
    said = {name: item.number(f"swath:{name}") for name in _ATMOSPHERE}
    return {name: value for name, value in said.items() if value is not None}
