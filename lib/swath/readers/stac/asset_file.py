"""One band of a STAC item as a file: its type, nodata and calibration, by the item and by the file together."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose

import numpy as np

from swath.algo.rpc import Rpc
from swath.algo.solar import earth_sun_distance_au
from swath.errors import ChecksumError, MetadataError, ReadError
from swath.readers.files.digest import checked_fingerprint, sha256_of_multihash
from swath.readers.gate.terms import terms_in_use
from swath.readers.pixels.delivered import dn_type, stored_of
from swath.readers.pixels.header import RasterHeader, gdal_href, inspect
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.file_scaling import as_in_file
from swath.readers.stac.item import Item
from swath.readers.stac.platform import Platform
from swath.readers.stac.units import COUNTS, reflectance_from
from swath.scene import Asset, Band, Calibration, Quality, Uncalibrated

#: A count of DN that is worth more than this is no DN: floats with such a scale are physical values.
_COARSEST = 0.1
#: REFLECTANCE_MULT_BAND_x and REFLECTANCE_ADD_BAND_x of every Level-1 scene of Landsat 8 and 9.
_OLI_SCALING = (2e-5, -0.1)
_OLI = "landsat-oli"
#: More entries of a file than this it may have without being described: an alpha band.
_UNDESCRIBED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BandFile:
    """One band as a file.

    Args:
        asset: The band.
        control: What is said of the control points that its map was fitted to; usually empty.
        length: What the item has wrong about the length of the file, in words; empty where that is right or not said. Such a
            file may be a crop of the delivery's, and whether it is whole its own header tells.
    """

    asset: Asset
    control: Mapping[str, str | int | float]
    length: str


def asset_of(candidate: BandCandidate, *, item: Item, platform: Platform, rpc: Rpc | None) -> BandFile:
    """The band as a file: its header is read, its digest taken, and what the file says compared with what the item says.

    Args:
        candidate: The band.
        item: Its item.
        platform: The platform of the item.
        rpc: Model of a raw image that is in a file of its own.

    Returns:
        The band, and what is said of the control points that its map was fitted to; nothing where it has a map or a model.

    Raises:
        SceneError: The file cannot be read, or item and file contradict each other.
    """
    href = gdal_href(candidate.href)
    digest, known = trusted_digest(candidate.checksum), None
    if not digest:
        known = checked_fingerprint(href, checksum=candidate.checksum)
        digest = known.sha256
    header = inspect(href, known=known, rpc=rpc)
    length = _length_note(candidate, header=header, trusted=known is None)
    dtype = _dn_type(candidate, header=header)
    _check_entries(candidate, header=header)
    candidate = as_in_file(candidate, header=header)
    calibration = _calibration(candidate, item=item, family=platform.family, raw=bool(header.grid.raw))
    nodata = _nodata(candidate, header=header, dtype=dtype)
    stored = stored_of(header, dtype=dtype, told=nodata)
    saturated = platform.saturated if dtype == "uint16" and candidate.quality is None else None
    asset = Asset(
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
    return BandFile(asset=asset, control=header.control, length=length)


def _length_note(candidate: BandCandidate, *, header: RasterHeader, trusted: bool) -> str:
    """What the item has wrong about the length of a file; of one that is not read the length alone can refute the checksum."""
    told, found = candidate.file_bytes, header.file_bytes
    if told is None or told == found:
        return ""
    if trusted:
        raise ChecksumError(
            "a file is not as long as the one that its trusted checksum is of",
            expected=f"{told} bytes by file:size",
            got=f"{found} bytes of {candidate.href}",
            remedy="Fetch the file again, correct file:size, or run without --trust-checksums.",
        )
    return f"the item says {told} bytes of {candidate.band.name}, the file has {found}"


def trusted_digest(checksum: str) -> str:
    """The sha256 in a checksum where the user vouches for checksums; ``''`` otherwise."""
    return sha256_of_multihash(checksum) if terms_in_use().trust_checksums else ""


def _dn_type(candidate: BandCandidate, *, header: RasterHeader) -> str:
    """The type of its DN; floats are taken for them where a scale says that they are no physical values."""
    said = candidate.nodata if candidate.nodata is not None else header.nodata
    dtype = dn_type(header, nodata=said)
    stated = candidate.calibration
    gain = candidate.gain if stated is None or isinstance(stated, Quality | Uncalibrated) else stated.gain
    scaled = candidate.quality is not None or candidate.unit in COUNTS or 0.0 < (gain or 1.0) < _COARSEST
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
    """As the item says, else the file; None when neither says a number that the file's type can hold."""
    if candidate.quality is not None:
        return None
    limits = np.iinfo(dtype)
    told = (said for said in (candidate.nodata, header.nodata) if said is not None)
    return next((int(said) for said in told if float(said).is_integer() and limits.min <= said <= limits.max), None)


def _calibration(candidate: BandCandidate, *, item: Item, family: str, raw: bool) -> Calibration:
    if candidate.quality is not None:
        return Quality(scheme=candidate.quality)
    if candidate.calibration is not None:
        return candidate.calibration
    # A raw image becomes an orthoimage of counts; what is on a map already must be reflectance.
    if raw and candidate.unit in COUNTS:
        return Uncalibrated()
    if not candidate.unit and candidate.radiance:
        raise MetadataError(
            f"{candidate.band.name} is a radiance of unknown unit",
            expected="unit and eo:solar_illumination beside what calls it a radiance (roles, title, description)",
            got="no unit",
            remedy="Write the unit (W m-2 sr-1 um-1) and the band's mean solar irradiance into the item.",
        )
    _check_sun(candidate, family=family)
    distance_au = item.number("swath:earth_sun_distance_au") or earth_sun_distance_au(item.acquired)
    return reflectance_from(
        candidate.unit,
        name=candidate.band.name,
        scaling=(candidate.gain or 0.0, candidate.offset or 0.0),
        irradiance=candidate.irradiance,
        distance_au=distance_au,
        sun_normalised=candidate.sun_normalised,
    )


def _check_sun(candidate: BandCandidate, *, family: str) -> None:
    """Refuse USGS's scaling of Landsat 8 and 9, whose reflectance is not divided by the cosine of the sun's zenith angle."""
    native = candidate.gain is not None and isclose(candidate.gain, _OLI_SCALING[0], rel_tol=1e-3)
    native = native and isclose(candidate.offset or 0.0, _OLI_SCALING[1], rel_tol=1e-3)
    if family != _OLI or candidate.sun_said or not native:
        return
    raise MetadataError(
        f"it is unknown whether {candidate.band.name} is corrected for the sun's height",
        expected="swath:sun_normalised beside the scale and the offset of USGS's MTL file, whose reflectance is not",
        got=f"scale {candidate.gain:g}, offset {candidate.offset:g}, no swath:sun_normalised",
        remedy="Write swath:sun_normalised: false for USGS's own pixels (true when they were divided by the sine of the sun's"
        " elevation), or name the MTL file among the assets and leave raster:scale out.",
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
