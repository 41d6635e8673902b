"""Landsat's metadata file (MTL) of every vintage, as one value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from swath.errors import MetadataError
from swath.readers.files.times import utc_time
from swath.readers.landsat.mtl_bands import MtlBand, bands_of
from swath.readers.landsat.mtl_syntax import MtlText, read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Mtl:
    """A Landsat metadata file.

    Args:
        spacecraft: 1 to 9.
        sensor: ``MSS``, ``TM``, ``ETM``, ``OLI``, ``TIRS`` or ``OLI_TIRS``.
        acquired: Scene centre, UTC.
        sun_elevation_deg: Sun elevation at the scene's centre; not checked here (night scenes parse).
        sun_azimuth_deg: Sun azimuth at the scene's centre, clockwise from north.
        earth_sun_distance_au: None in files before 2014.
        bands: Bands by native id.
        cloud_cover_percent: None when unknown (-1 in the file, or no such key).
        cloud_cover_land_percent: The same over land.
        scene_id: ``LC80400282014193LGN00``; empty in the oldest files.
        product_id: ``LC08_L1TP_...``; empty before Collection 1.
        level: ``L1TP``, ``L1T``, ``L2SP`` ...
        collection: Collection number as written (``01``); empty before Collection 1.
        category: ``T1``, ``T2``, ``RT``; empty before Collection 1.
        wrs_path: None when not given.
        wrs_row: None when not given.
        software: Processing software version.
        processed: Processing time as written; empty if not given.
        corners: (longitude, latitude) of the image's corners [deg]; empty if not given.
    """

    spacecraft: int
    sensor: str
    acquired: datetime
    sun_elevation_deg: float
    sun_azimuth_deg: float
    earth_sun_distance_au: float | None
    bands: Mapping[str, MtlBand]
    cloud_cover_percent: float | None = None
    cloud_cover_land_percent: float | None = None
    scene_id: str = ""
    product_id: str = ""
    level: str = ""
    collection: str = ""
    category: str = ""
    wrs_path: int | None = None
    wrs_row: int | None = None
    software: str = ""
    processed: str = ""
    corners: tuple[tuple[float, float], ...] = ()


def read_mtl(href: str) -> Mtl:
    """Read an MTL file (txt, json or xml).

    Raises:
        MetadataError: See ``mtl_syntax.read_text``; or a key that every vintage has is missing or not a number.
    """
    text = read_text(href)
    try:
        return _read(text)
    except MetadataError as error:
        raise error.of(text.optional("LANDSAT_PRODUCT_ID", "LANDSAT_SCENE_ID")) from None


def _read(text: MtlText) -> Mtl:
    collection = text.optional("COLLECTION_NUMBER")
    return Mtl(
        spacecraft=_spacecraft(text),
        sensor=text.required("SENSOR_ID").upper().rstrip("+"),
        acquired=_acquired(text),
        sun_elevation_deg=text.number("SUN_ELEVATION"),
        sun_azimuth_deg=text.number("SUN_AZIMUTH"),
        earth_sun_distance_au=text.number("EARTH_SUN_DISTANCE") if text.optional("EARTH_SUN_DISTANCE") else None,
        bands=bands_of(text),
        cloud_cover_percent=_cloud_cover(text, key="CLOUD_COVER"),
        cloud_cover_land_percent=_cloud_cover(text, key="CLOUD_COVER_LAND"),
        scene_id=text.optional("LANDSAT_SCENE_ID"),
        product_id=text.optional("LANDSAT_PRODUCT_ID"),
        level=text.optional("PROCESSING_LEVEL", "DATA_TYPE", "PRODUCT_TYPE"),
        collection=collection.zfill(2) if collection else "",
        category=text.optional("COLLECTION_CATEGORY"),
        wrs_path=_whole(text.optional("WRS_PATH")),
        wrs_row=_whole(text.optional("WRS_ROW", "STARTING_ROW")),
        software=text.optional("PROCESSING_SOFTWARE_VERSION", "PROCESSING_SOFTWARE"),
        processed=text.optional("DATE_PRODUCT_GENERATED", "FILE_DATE", "PRODUCT_CREATION_TIME"),
        corners=_corners(text),
    )


def _spacecraft(text: MtlText) -> int:
    value = text.required("SPACECRAFT_ID")
    digits = re.fullmatch(r"LANDSAT_?(\d)", value.upper())
    if digits is None:
        raise MetadataError(
            "the metadata is of an unknown spacecraft",
            expected="LANDSAT_1 to LANDSAT_9",
            got=f"{value!r} in {text.href}",
        )
    return int(digits[1])


def _acquired(text: MtlText) -> datetime:
    date = text.required("DATE_ACQUIRED", "ACQUISITION_DATE")
    time = text.required("SCENE_CENTER_TIME", "SCENE_CENTER_SCAN_TIME")
    try:
        return utc_time(f"{date}T{time}")
    except ValueError as error:
        raise MetadataError(
            "the acquisition time cannot be understood",
            expected="a date and a time of day",
            got=f"{date!r} {time!r} in {text.href}",
            remedy="Fetch the MTL file again.",
        ) from error


def _corners(text: MtlText) -> tuple[tuple[float, float], ...]:
    found: list[tuple[float, float]] = []
    for corner in ("UL", "UR", "LL", "LR"):
        names = [(f"CORNER_{corner}_{axis}_PRODUCT", f"PRODUCT_{corner}_CORNER_{axis}") for axis in ("LON", "LAT")]
        told = [text.optional(*name) for name in names]
        try:
            found.append((float(told[0]), float(told[1])))
        except ValueError:
            return ()
    return tuple(found)


def _cloud_cover(text: MtlText, *, key: str) -> float | None:
    if not text.optional(key):
        return None
    value = text.number(key)
    return value if 0.0 <= value <= 100.0 else None


def _whole(value: str) -> int | None:
    return int(value) if value.isdecimal() else None
