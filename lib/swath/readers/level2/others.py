"""Level-2 items of others: bands by the STAC reader's rules, and the mask that each kind of product has."""

import re
from dataclasses import replace
from typing import Final

import numpy as np

from swath.errors import ReadError
from swath.readers.files.digest import checked_fingerprint
from swath.readers.level2.hls import is_hls, with_hls_scale
from swath.readers.level2.usgs import with_usgs_scale
from swath.readers.pixels.delivered import dn_type, stored_of
from swath.readers.pixels.header import gdal_href, inspect
from swath.readers.stac.asset_file import trusted_digest
from swath.readers.stac.bands import choose_bands, is_thermal
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.item import Item
from swath.readers.stac.offsets import check_offsets
from swath.readers.stac.platform import Platform
from swath.readers.stac.units import reflectance_from
from swath.scene import Asset, Band, Calibration, Quality, QualityScheme, Reflectance
from swath.source import MASK

_SCL: Final = re.compile(r"scl(?:[-_]?20m)?(?:[-_]jp2)?")
_FMASK: Final = re.compile(r"fmask")
_PAN: Final = "pan"
_MASKS: Final[tuple[tuple[re.Pattern[str], QualityScheme], ...]] = ((_SCL, "sentinel2-scl"), (_FMASK, "hls-fmask"))


def other_assets(item: Item, *, platform: Platform) -> dict[str, Asset]:
    """Bands with a scale, by common name, and the mask.

    Raises:
        SceneError: A band lacks its offset, or a file cannot be read.
    """
    chosen = choose_bands(item, platform=platform, level=2).bands
    found = {name: with_hls_scale(c) if is_hls(item) else with_usgs_scale(c) for name, c in chosen.items()}
    bands = {n: c for n, c in found.items() if c.quality is None and c.gain is not None and not is_thermal(n) and n != _PAN}
    check_offsets(bands.values(), item=item, family="" if is_hls(item) else platform.family, baseline=_baseline(item))
    assets = {name: _asset(c, calibration=_calibration(c)) for name, c in bands.items()}
    mask = _mask(item, found.get("qa_pixel"))
    return assets if mask is None else {**assets, MASK: mask}


def _baseline(item: Item) -> str:
    return item.text("s2:processing_baseline") or item.text("processing:version")


def _calibration(candidate: BandCandidate) -> Calibration:
    return reflectance_from(
        candidate.unit,
        name=candidate.band.name,
        scaling=(candidate.gain or 0.0, candidate.offset or 0.0),
        irradiance=None,
        distance_au=1.0,
        sun_normalised=True,
    )


def _mask(item: Item, qa_pixel: BandCandidate | None) -> Asset | None:
    if qa_pixel is not None and qa_pixel.quality is not None:
        return _asset(qa_pixel, calibration=Quality(scheme=qa_pixel.quality))
    for pattern, scheme in _MASKS:
        for key in sorted(item.assets, key=lambda k: (k.lower().endswith("jp2"), k)):
            asset = item.assets[key]
            if pattern.fullmatch(key.lower()) and asset.get("href"):
                band = Band(name=MASK, native_id=key, resolution_m=0.0)
                checksum = str(asset.get("file:checksum") or "")
                offer = BandCandidate(key=key, href=item.resolve(str(asset["href"])), band=band, band_index=1, checksum=checksum)
                return _asset(offer, calibration=Quality(scheme=scheme))
    return None


def _asset(candidate: BandCandidate, *, calibration: Calibration) -> Asset:
    href = gdal_href(candidate.href)
    digest, known = trusted_digest(candidate.checksum), None
    if not digest:
        known = checked_fingerprint(href, checksum=candidate.checksum)
        digest = known.sha256
    header = inspect(href, known=known)
    measured = isinstance(calibration, Reflectance)
    said = (candidate.nodata if candidate.nodata is not None else header.nodata) if measured else None
    dtype = dn_type(header, nodata=said)
    if dtype is None or header.dtype.startswith("float"):
        raise ReadError(
            f"{candidate.band.name} is not of integers",
            expected="uint8, uint16 or int16 with raster:scale and raster:offset",
            got=f"{header.dtype} in {candidate.href}",
            remedy="Store it scaled (gdal_translate -ot UInt16 -scale 0 1 0 10000) and say raster:scale in the item.",
        )
    limits = np.iinfo(dtype)
    nodata = int(said) if said is not None and float(said).is_integer() and limits.min <= said <= limits.max else None
    return Asset(
        band=replace(candidate.band, resolution_m=header.grid.dx),
        href=href,
        grid=header.grid,
        dtype=dtype,
        nodata=nodata,
        saturated=None,
        calibration=calibration,
        digest=digest,
        band_index=candidate.band_index,
        mask=header.mask,
        stored=stored_of(header, dtype=dtype, told=nodata),
    )
