"""What a Sentinel-2 product says of itself: ``MTD_MSIL1C.xml``, or what names and tile records say without it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from swath.errors import MetadataError
from swath.readers.sentinel2.bands import native_of_index
from swath.readers.sentinel2.fields import Fields, number_of, read_fields

#: From this processing baseline on (January 2022) DN carry an offset: ESA, S2 Product Specification 14.8, and
#: "Sentinel-2 Products: processing baseline 04.00".
OFFSET_BASELINE = (4, 0)
#: DN per unit of reflectance of every Level-1C product so far; used only where no product metadata is delivered
#: (tiles of the AWS open-data layout).
NOMINAL_QUANTIFICATION = 10_000.0
NODATA_DN = 0
SATURATED_DN = 65_535

_NAME = re.compile(r"S2[A-D]_", re.IGNORECASE)
_BASELINE = re.compile(r"(\d\d)\.(\d\d)")
_OFFSETS = ("RADIO_ADD_OFFSET", "BOA_ADD_OFFSET")
Footprint = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMetadata:
    """The user product.

    Args:
        name: ``PRODUCT_URI`` without ``.SAFE``.
        platform: STAC platform (``sentinel-2a``).
        level: ``1C`` or ``2A``.
        product_type: ``S2MSI1C``, ``S2MSI2A``.
        baseline: Processing baseline (``02.06``).
        started: Start of the data take's sensing, UTC.
        generated: Processing time as written.
        datatake_id: ``GS2A_20180629T000241_015757_N02.06``.
        datatake_type: ``INS-NOBS``.
        relative_orbit: 1..143.
        orbit_state: ``descending`` or ``ascending``.
        quantification: DN per unit of reflectance, > 0.
        offsets: Added to DN before the division, by native band id; empty when the product lists none.
        nodata: The DN of no data.
        saturated: The DN of saturation.
        reflectance_conversion: Earth-Sun distance factor U [1]; already applied in Level-1C DN.
        cloud_cover_percent: None when not assessed.
        degraded_percent: Share of degraded MSI data; None when not said.
        footprint: (longitude, latitude) [deg] of the ring around the data; empty when not said.
    """

    name: str
    platform: str
    level: str
    product_type: str
    baseline: str
    started: datetime
    generated: str
    datatake_id: str
    datatake_type: str
    relative_orbit: int
    orbit_state: str
    quantification: float
    offsets: Mapping[str, float] = field(default_factory=dict)
    nodata: int = NODATA_DN
    saturated: int = SATURATED_DN
    reflectance_conversion: float | None = None
    cloud_cover_percent: float | None = None
    degraded_percent: float | None = None
    footprint: Footprint = ()


def read_product(href: str) -> ProductMetadata:
    """Parse ``MTD_MSIL1C.xml``, ``MTD_MSIL2A.xml`` or their forms before 2016.

    Raises:
        MetadataError: Not such a document, or something in it is missing or no number.
    """
    fields = read_fields(href)
    if not fields.kind.endswith("_User_Product"):
        raise MetadataError(
            "this is not the metadata of a Sentinel-2 product",
            expected="a root element Level-1C_User_Product",
            got=f"{fields.kind} in {href}",
            remedy="Name the SAFE folder or zip.",
        )
    name = product_name(fields.text("PRODUCT_URI", "PRODUCT_URI_1C", "PRODUCT_URI_2A"))
    try:
        return _read(fields, name=name, href=href)
    except MetadataError as error:
        raise error.of(name) from None


def _read(fields: Fields, *, name: str, href: str) -> ProductMetadata:
    datatake = fields.first("Datatake")
    special = _special_values(fields)
    return ProductMetadata(
        name=name,
        platform=fields.text("SPACECRAFT_NAME").lower(),
        level=fields.text("PROCESSING_LEVEL").removeprefix("Level-")[:2],
        product_type=fields.text("PRODUCT_TYPE"),
        baseline=checked_baseline(fields.text("PROCESSING_BASELINE"), source=href),
        started=fields.time("PRODUCT_START_TIME"),
        generated=fields.text("GENERATION_TIME"),
        datatake_id="" if datatake is None else datatake.get("datatakeIdentifier", ""),
        datatake_type=fields.optional("DATATAKE_TYPE"),
        relative_orbit=int(fields.number("SENSING_ORBIT_NUMBER")),
        orbit_state=fields.text("SENSING_ORBIT_DIRECTION").lower(),
        quantification=_quantification(fields),
        offsets=_offsets(fields),
        nodata=special.get("NODATA", NODATA_DN),
        saturated=special.get("SATURATED", SATURATED_DN),
        reflectance_conversion=fields.optional_number("U"),
        cloud_cover_percent=fields.optional_number("Cloud_Coverage_Assessment"),
        degraded_percent=fields.optional_number("DEGRADED_MSI_DATA_PERCENTAGE"),
        footprint=_footprint(fields),
    )


def product_name(uri: str) -> str:
    """The product that ``PRODUCT_URI`` names, without ``.SAFE``; some processors write a whole URL there.

    Empty where no part of it is the name of a product (``.../Products(1)/$value``): the granule's id then names the scene.
    """
    parts = (part.removesuffix(".zip").removesuffix(".SAFE") for part in reversed(re.split("[/?&='\"()]", uri)))
    return next((part for part in parts if _NAME.match(part)), "")


def checked_baseline(text: str, *, source: str) -> str:
    """The baseline when it reads ``NN.NN``.

    Raises:
        MetadataError: The baseline has another form.
    """
    if not _BASELINE.fullmatch(text):
        raise MetadataError(
            "the processing baseline is unreadable",
            expected="NN.NN",
            got=f"{text[:20]!r} in {source}",
            remedy="Fetch the delivery again.",
        )
    return text


def offset_dn(native_id: str, *, offsets: Mapping[str, float], baseline: str) -> float:
    """What is added to a band's DN before the division by the quantification value.

    The offsets listed in the metadata are the only source: nothing is guessed from dates or pixels, so they can be
    neither missed nor applied twice.

    Raises:
        MetadataError: The baseline needs an offset and the metadata lists none for this band.
    """
    if native_id in offsets:
        return offsets[native_id]
    major, minor = (int(part) for part in baseline.split("."))
    if (major, minor) < OFFSET_BASELINE and not offsets:
        return 0.0
    raise MetadataError(
        "the radiometric offsets are missing",
        expected=f"RADIO_ADD_OFFSET of {native_id}, which baselines from 04.00 on need",
        got=f"none, baseline {baseline}",
        remedy="Put the product's own metadata beside the bands (MTD_MSIL1C.xml; in the AWS layout product_metadata.xml).",
    )


def _quantification(fields: Fields) -> float:
    value = fields.number("QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE", "L1C_L2A_Quantification_Value")
    if value <= 0:
        raise MetadataError(
            "the quantification value is not positive",
            expected="DN per reflectance > 0",
            got=f"{value} in {fields.source}",
            remedy="Fetch the delivery again.",
        )
    return value


def _offsets(fields: Fields) -> dict[str, float]:
    offsets: dict[str, float] = {}
    for name in _OFFSETS:
        for element in fields.every(name):
            native = native_of_index(element.get("band_id", ""))
            if native is None:
                raise MetadataError(
                    "an offset names no band", expected="band_id 0 to 12", got=f"{element.attrib} in {fields.source}"
                )
            offsets[native] = number_of((element.text or "").strip(), name=name, source=fields.source)
    return offsets


def _special_values(fields: Fields) -> dict[str, int]:
    special: dict[str, int] = {}
    for element in fields.every("Special_Values"):
        inside = Fields(element, fields.source)
        special[inside.text("SPECIAL_VALUE_TEXT")] = int(inside.number("SPECIAL_VALUE_INDEX"))
    return special


def _footprint(fields: Fields) -> Footprint:
    """Pairs "latitude longitude" of a closed ring; some processors wrote a height of 0 behind (nearly) each pair."""
    source = fields.source
    values = [number_of(v, name="EXT_POS_LIST", source=source) for v in fields.optional("EXT_POS_LIST").split()]
    step = 2 if any(values[2::3]) else 3
    return tuple((lon, lat) for lat, lon in zip(values[0::step], values[1::step], strict=False))
