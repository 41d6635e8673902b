"""Sentinel-2 Level-2A deliveries (SAFE folders and archives, AWS tiles) as sources of composites."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from swath.errors import MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.files.digest import fingerprint
from swath.readers.pixels.delivered import stored_of
from swath.readers.pixels.header import inspect
from swath.readers.sentinel2.bands import NAME_BY_NATIVE, band_of
from swath.readers.sentinel2.layout import documents_of, files_of
from swath.readers.sentinel2.metadata import Sentinel2Metadata, read_sentinel2_metadata
from swath.scene import Asset, Band, Calibration, Quality, Reflectance, processing_date
from swath.sensors import SENTINEL2_MSI
from swath.source import MASK, Source

_LEVEL: Final = "2A"
_MASK: Final = "SCL"
#: Bands are delivered at their own sampling and at coarser ones.
_NATIVE: Final = r"(?P<band>B0[1-9]|B1[0-2]|B8A|SCL)"
_IMAGES: Final = (
    re.compile(rf"(?i)(?:.*/)?IMG_DATA/(?:R\d\dm/)?(?:[^/]*_)?{_NATIVE}_(?P<m>\d\d)m\.(?:jp2|tiff?)"),
    # A tile of the AWS layout.
    re.compile(rf"(?i)R(?P<m>\d\d)m/{_NATIVE}\.(?:jp2|tiff?)"),
)
_TYPES: Final = ("uint8", "uint16")
_DATASTRIP: Final = re.compile(r"_S(\d{8}T\d{6})")


def read_source(href: str) -> Source:
    """Read the metadata of a Level-2A product; ``rho = (DN + BOA_ADD_OFFSET) / BOA_QUANTIFICATION_VALUE``; no pixels.

    Args:
        href: A SAFE folder or archive with one granule, or the folder of an AWS tile (``R10m/B02.jp2`` beside ``metadata.xml``,
            and from baseline 04.00 on ``product_metadata.xml``, which has the offsets).

    Raises:
        SceneError: It is not of Level 2A, or what a composite needs is missing.
    """
    files = files_of(href)
    metadata = read_sentinel2_metadata(documents_of(files, source=href))
    try:
        return _source(metadata, files=files, href=href)
    except SceneError as error:
        raise error.of(metadata.scene_id) from None


def _source(metadata: Sentinel2Metadata, *, files: Mapping[str, str], href: str) -> Source:
    # The bucket keeps the product's metadata elsewhere; without it, bands that need an offset are refused.
    of_a_product = metadata.product is not None or metadata.listing is not None
    if metadata.level != _LEVEL or not of_a_product or metadata.tile is None:
        raise MetadataError(
            "a composite is made of surface reflectance",
            expected="a Sentinel-2 product of Level 2A with MTD_MSIL2A.xml and GRANULE/*/MTD_TL.xml",
            got=f"Level {metadata.level}{'' if of_a_product else ' without its product metadata'}",
            remedy="Run surface-reflectance or ard on a Level-1C scene first, and give the output.",
        )
    tile, strip = metadata.tile.mgrs, _DATASTRIP.search(metadata.tile.datastrip_id)
    moment = strip[1] if strip else f"{metadata.acquired:%Y%m%dT%H%M%S}"
    return Source(
        scene_id=metadata.scene_id,
        acquired=metadata.acquired,
        platform=metadata.platform,
        instrument="msi",
        family=SENTINEL2_MSI,
        assets=_assets(metadata, files=files, href=href),
        reader="sentinel2",
        source_href=href,
        processed=processing_date(metadata.product.generated) if metadata.product is not None else "",
        acquisition=f"{metadata.platform} MGRS-{tile.lstrip('0')} {moment}",
        off_nadir_deg=None if metadata.view is None else metadata.view.zenith_deg,
    )


def _assets(metadata: Sentinel2Metadata, *, files: Mapping[str, str], href: str) -> dict[str, Asset]:
    finest: dict[str, tuple[int, str]] = {}
    for name, file in files.items():
        if (match := next((m for image in _IMAGES if (m := image.fullmatch(name))), None)) is not None:
            found = int(match["m"]), file
            finest[match["band"].upper()] = min(found, finest.get(match["band"].upper(), found))
    assets = {}
    for native, (metres, file) in sorted(finest.items()):
        if native == _MASK:
            band = Band(name=MASK, native_id=_MASK, resolution_m=float(metres))
            assets[MASK] = _asset(band, href=file, calibration=Quality(scheme="sentinel2-scl"), nodata=None)
            continue
        offset = metadata.offset_dn(native) / metadata.quantification
        scale = Reflectance(gain=1.0 / metadata.quantification, offset=offset, sun_normalised=True)
        band = replace(band_of(native, platform=metadata.platform), resolution_m=float(metres))
        assets[NAME_BY_NATIVE[native]] = _asset(band, href=file, calibration=scale, nodata=metadata.nodata)
    if not set(assets) - {MASK}:
        raise MissingBandError(
            "the delivery has no bands",
            expected="files like GRANULE/*/IMG_DATA/R10m/*_B04_10m.jp2, or R10m/B04.jp2 of an AWS tile",
            got=f"{len(files)} other files in {href}",
            remedy="Fetch the delivery again.",
        )
    return assets


def _asset(band: Band, *, href: str, calibration: Calibration, nodata: int | None) -> Asset:
    known = fingerprint(href)
    header = inspect(href, known=known)
    if header.dtype not in _TYPES or header.count != 1:
        raise ReadError(
            f"{band.native_id} is of another type",
            expected=f"one band of {' or '.join(_TYPES)}",
            got=f"{header.count} of {header.dtype} in {href}",
            remedy="Give the delivery as ESA made it.",
        )
    stored = stored_of(header, dtype=header.dtype, told=nodata)
    return Asset(
        band=band, href=href, grid=header.grid, dtype=header.dtype, nodata=nodata, saturated=None, calibration=calibration,
        digest=known.sha256, mask=header.mask, stored=stored,
    )  # fmt: skip
