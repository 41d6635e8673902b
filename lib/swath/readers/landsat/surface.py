"""Landsat Collection 2 Level-2 deliveries, by their MTL file, as sources of composites."""

import re
from collections.abc import Mapping
from datetime import UTC
from pathlib import PurePosixPath
from typing import Final

from swath.errors import MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.files.digest import fingerprint
from swath.readers.landsat.bands import QUALITY_BANDS, LandsatSensor, quality_scheme, sensor_of
from swath.readers.landsat.files import LandsatDelivery, find_delivery
from swath.readers.landsat.mtl import Mtl, read_mtl
from swath.readers.landsat.mtl_syntax import read_groups
from swath.readers.pixels.delivered import stored_of
from swath.readers.pixels.header import inspect
from swath.scene import Asset, Band, Calibration, Quality, Reflectance, processing_date
from swath.source import MASK, Source

#: Where the scale of surface reflectance is: the Level-1 record behind it has keys of the same names.
_GROUP: Final = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
_FILE: Final = re.compile(r"(?i).*_(?:SR_(?P<band>B\d{1,2})|(?P<mask>QA_PIXEL))\.tiff?")
_DTYPE: Final = "uint16"
#: Fill of surface reflectance: USGS, "Landsat 8-9 Collection 2 Level 2 Science Product Guide" (LSDS-1619).
_FILL: Final = 0


def read_source(href: str) -> Source:
    """Read what a Level-2 delivery says of itself; no pixels.

    Args:
        href: A folder, an MTL file, or an archive.

    Raises:
        SceneError: It is not of Collection 2, Level 2, or what a composite needs is missing.
    """
    delivery = find_delivery(href)
    mtl = read_mtl(delivery.mtl_href)
    scene_id = mtl.product_id or PurePosixPath(delivery.mtl_href).stem[: -len("_MTL")]
    try:
        _check_level(mtl)
        sensor = sensor_of(spacecraft=mtl.spacecraft, sensor_id=mtl.sensor)
        platform = f"landsat-{mtl.spacecraft}"
        return Source(
            scene_id=scene_id,
            acquired=mtl.acquired,
            platform=platform,
            instrument=sensor.instrument,
            family=sensor.family,
            assets=_assets(delivery, sensor=sensor, mtl=mtl),
            reader="landsat",
            source_href=href,
            processed=processing_date(mtl.processed),
            acquisition=f"{platform} {mtl.wrs_path or 0:03d}{mtl.wrs_row or 0:03d} {mtl.acquired.astimezone(UTC):%Y%m%d}",
        )
    except SceneError as error:
        raise error.of(scene_id) from None


def _check_level(mtl: Mtl) -> None:
    if not mtl.level.upper().startswith("L2") or mtl.collection != "02" or mtl.wrs_path is None or mtl.wrs_row is None:
        raise MetadataError(
            "a composite is made of surface reflectance",
            expected="a Landsat delivery of Collection 2, Level 2 (L2SP or L2SR), with its WRS path and row",
            got=f"level {mtl.level or 'none'}, collection {mtl.collection or 'none'}, path {mtl.wrs_path}, row {mtl.wrs_row}",
            remedy="Run surface-reflectance or ard on a Level-1 scene first, and give the output.",
        )


def _assets(delivery: LandsatDelivery, *, sensor: LandsatSensor, mtl: Mtl) -> dict[str, Asset]:
    scales = read_groups(delivery.mtl_href).get(_GROUP, {})
    found: dict[str, Asset] = {}
    for name, href in sorted(delivery.rasters.items()):
        match = _FILE.fullmatch(name)
        if match is None:
            continue
        if match["mask"]:
            scheme = quality_scheme("QA_PIXEL", collection=mtl.collection, family=sensor.family)
            if scheme is not None:
                found[MASK] = _asset(QUALITY_BANDS["QA_PIXEL"], href=href, calibration=Quality(scheme=scheme))
        elif (native := match["band"].upper()) in sensor.bands:
            band = sensor.bands[native]
            found[band.name] = _asset(band, href=href, calibration=_scale(scales, native=native, href=delivery.mtl_href))
    if not set(found) - {MASK}:
        raise MissingBandError(
            "the delivery has no bands of surface reflectance",
            expected="files like *_SR_B4.TIF beside the metadata",
            got=", ".join(sorted(delivery.rasters))[:160] or "none",
            remedy="Put the delivery's GeoTIFFs beside its MTL file.",
        )
    return found


def _scale(scales: Mapping[str, str], *, native: str, href: str) -> Reflectance:
    number = native.removeprefix("B")
    try:
        gain, offset = (float(scales[f"REFLECTANCE_{what}_BAND_{number}"]) for what in ("MULT", "ADD"))
    except (KeyError, ValueError):
        raise MetadataError(
            f"the scale of {native} is missing",
            expected=f"REFLECTANCE_MULT_BAND_{number} and REFLECTANCE_ADD_BAND_{number} in the group {_GROUP}",
            got=f"neither, or not a number, in {href}",
            remedy="Fetch the MTL file again.",
        ) from None
    return Reflectance(gain=gain, offset=offset, sun_normalised=True)


def _asset(band: Band, *, href: str, calibration: Calibration) -> Asset:
    known = fingerprint(href)
    header = inspect(href, known=known)
    if header.dtype != _DTYPE or header.count != 1:
        raise ReadError(
            f"{band.native_id} is not a Level-2 raster",
            expected=f"one band of {_DTYPE}",
            got=f"{header.count} of {header.dtype} in {href}",
            remedy="Give the files as USGS delivers them.",
        )
    nodata = _FILL if isinstance(calibration, Reflectance) else None
    stored = stored_of(header, dtype=_DTYPE, told=nodata)
    return Asset(
        band=band, href=href, grid=header.grid, dtype=_DTYPE, nodata=nodata, saturated=None, calibration=calibration,
        digest=known.sha256, mask=header.mask, stored=stored,
    )  # fmt: skip
