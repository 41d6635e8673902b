"""Which assets of a STAC item are bands, and what the item says of them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from swath.readers.gate.hints import surface_hint
from swath.readers.gate.levels import level_of_part
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.choice import Chosen, choose, is_picture_key
from swath.readers.stac.common_names import COMMON_NAMES
from swath.readers.stac.item import Item, JsonObject, list_of
from swath.readers.stac.layers import OFFSETS, SCALES, JsonLayer, layers_of
from swath.readers.stac.platform import Platform
from swath.scene import Band, QualityScheme

#: ``image/vnd.stac.geotiff`` is what STAC itself recommended before 1.0; USGS still writes it.
_RASTER_TYPES = (
    "image/tiff", "image/geotiff", "image/x.geotiff", "image/vnd.stac.geotiff", "application/geotiff", "application/x-geotiff",
    "image/jp2", "image/jpeg2000", "image/jpx", "image/j2k", "application/vnd.nitf", "image/nitf",
)  # fmt: skip
#: Types that say nothing: the suffix decides.
_ANY_TYPE = frozenset({"application/octet-stream", "binary/octet-stream", "image/*"})
_RASTER_SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k", ".ntf", ".nitf")
#: Roles of assets that are no measurement.
_OTHER_ROLES = frozenset({"thumbnail", "overview", "metadata", "visual", "date", "graphic"})
#: Roles of bands of bits.
_QUALITY_ROLES = frozenset({"cloud", "cloud-shadow", "snow-ice", "water-mask", "saturation", "data-mask", "quality", "qa"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Range of centre wavelengths [um] of each red-edge name (STAC eo extension 2.0, "Common Band Names").
_RED_EDGE_RANGES_UM = {
    "rededge071": (0.69, 0.73),
    "rededge075": (0.73, 0.76),
    "rededge078": (0.76, 0.80),
}
_THERMAL = re.compile(r"lwir.*")


def choose_bands(item: Item, *, platform: Platform, level: int = 1) -> Chosen:
    """Pick one file for each band.

    An asset is a band when it is a GeoTIFF or JPEG 2000 whose bands have common names, or whose key is one. See
    ``stac_choice.choose`` for several files of one band (other formats, coarser copies, pictures).

    Args:
        item: The item.
        platform: Its platform.
        level: The processing level that is wanted: 1, or 2. Assets that state the other one are passed over.

    Raises:
        MetadataError: Two files claim the band and nothing decides between them, or a value in the item is not a number.
    """
    left_out: dict[str, str] = {}
    offers: list[BandCandidate] = []
    for key, asset in item.assets.items():
        reason = _no_measurement(asset, key=key) or _unknown_bits(item, quality_key(key, asset=asset), platform=platform)
        layers = [] if reason else layers_of(asset, common=item.properties)
        reason = reason or _other_level(asset, layers=layers, level=level)
        found = [] if reason else _candidates(item, key, layers=layers, platform=platform)
        if level == 1:
            found = [replace(c, surface=surface_hint(key, asset=asset, band=layers[c.band_index - 1].own)) for c in found]
        if not found:
            left_out[key] = reason or "names no band"
        offers += found
    chosen = choose(offers)
    return Chosen(bands=chosen.bands, left_out={**left_out, **chosen.left_out})


def _no_measurement(asset: JsonObject, *, key: str) -> str:
    """Why an asset cannot be a band; ``''`` when it can."""
    if other := sorted(roles_of(asset) & _OTHER_ROLES):
        return f"its role is {', '.join(other)}"
    if not asset.get("href"):
        return "it has no href"
    media = str(asset.get("type") or "").lower()
    path = str(asset.get("href", "")).partition("?")[0].lower()
    unsaid = not media or media.partition(";")[0] in _ANY_TYPE
    if not media.startswith(_RASTER_TYPES) and not (unsaid and path.endswith(_RASTER_SUFFIXES)):
        return "it is not a GeoTIFF or JPEG 2000"
    return "it is a picture" if is_picture_key(key) else ""


def roles_of(asset: JsonObject) -> frozenset[str]:
    """The roles of an asset, in lower case."""
    return frozenset(str(role).lower() for role in list_of(asset.get("roles")))


def _other_level(asset: JsonObject, *, layers: Sequence[JsonLayer], level: int) -> str:
    """Why an asset is of another processing level than the one that is wanted; ``''`` when it says nothing of the kind."""
    told = (level_of_part(record) for record in (asset, *(layer.own for layer in layers)))
    other = next((found for found in told if found is not None and min(found.number or 0, 2) != level), None)
    return f"it is of another processing level: {other.said}" if other else ""


def _unknown_bits(item: Item, key: str, *, platform: Platform) -> str:
    """Why a quality band judges no pixel; ``''`` when it does, or the asset is none."""
    if key not in platform.quality or _scheme(item, key, platform=platform) is not None:
        return ""
    said = item.text("landsat:collection_number") or "not given"
    return f"the layout of its bits is unknown (landsat:collection_number {said})"


def _scheme(item: Item, key: str, *, platform: Platform) -> QualityScheme | None:
    return platform.scheme(key, collection=item.text("landsat:collection_number"))


def _candidates(item: Item, key: str, *, layers: Sequence[JsonLayer], platform: Platform) -> list[BandCandidate]:
    asset = layers[0].asset
    judged = quality_key(key, asset=asset)
    if judged in platform.quality:
        own = _candidate(item, key, band=platform.quality[judged], layer=JsonLayer({}, asset, item.properties), index=1)
        return [replace(own, quality=_scheme(item, judged, platform=platform))]
    found: list[BandCandidate] = []
    for index, layer in enumerate(layers, start=1):
        # The key names one band: the first one of a file whose others have names or none.
        name = _common_name(layer, key=key if index == 1 else "", platform=platform)
        if name:
            band = platform.bands.get(name) or _band(name, key=key, layer=layer, item=item)
            found.append(replace(_candidate(item, key, band=band, layer=layer, index=index), entries=len(layers)))
    return found


def quality_key(key: str, *, asset: JsonObject) -> str:
    """The name of the quality band that an asset is, by its key, or by its roles and its file's name; ``''`` for none."""
    name = PurePosixPath(str(asset.get("href", "")).partition("?")[0]).stem.lower()
    by_file = next((q for q in ("qa_pixel", "qa_radsat", "bqa") if name.endswith(f"_{q}")), "")
    return by_file if by_file and roles_of(asset) & _QUALITY_ROLES else key.lower()


def _common_name(layer: JsonLayer, *, key: str, platform: Platform) -> str:
    """The band's name in eo 2.0; ``''`` when the item does not tell.

    Before eo 1.1 Sentinel-2's three red edges were all ``rededge``: the native name tells them apart, or the centre.
    """
    said = layer.text("eo:common_name", "common_name") or str(layer.asset.get("eo:common_name") or "")
    name = (said or (key if key in COMMON_NAMES else "")).lower()
    if name in platform.bands:
        return name
    native = {band.native_id.lower(): common for common, band in platform.bands.items()}
    by_native = native.get(layer.text("name").lower()) or native.get(key.lower())
    if by_native:
        return by_native
    if name == "rededge":
        centre_um = layer.number("eo:center_wavelength", "center_wavelength") or 0.0
        return next((n for n, (low, high) in _RED_EDGE_RANGES_UM.items() if low <= centre_um < high), name)
    return name if _NAME.fullmatch(name) else ""


def _band(name: str, *, key: str, layer: JsonLayer, item: Item) -> Band:
    spacing = layer.number("gsd", "raster:spatial_resolution", "spatial_resolution") or item.number("gsd")
    return Band(
        name=name,
        native_id=layer.text("name") or key,
        resolution_m=spacing or 0.0,
        centre_um=layer.number("eo:center_wavelength", "center_wavelength"),
        fwhm_um=layer.number("eo:full_width_half_max", "full_width_half_max"),
    )


def _candidate(item: Item, key: str, *, band: Band, layer: JsonLayer, index: int) -> BandCandidate:
    normalised = layer.own.get("swath:sun_normalised", layer.asset.get("swath:sun_normalised"))
    if normalised is None:
        normalised = item.properties.get("swath:sun_normalised")
    digits = "".join(c for c in layer.stated("data_type", "raster:data_type") if c.isdigit())
    return BandCandidate(
        key=key,
        href=item.resolve(str(layer.asset.get("href", ""))),
        band=band,
        band_index=index,
        gain=layer.value(*SCALES),
        offset=layer.value(*OFFSETS),
        unit=layer.stated("unit", "raster:unit"),
        irradiance=layer.number("eo:solar_illumination", "solar_illumination"),
        spacing_m=layer.number("raster:spatial_resolution", "spatial_resolution", "gsd") or 0.0,
        bits=int(digits[:3]) if digits else 0,
        roles=roles_of(layer.asset),
        nodata=layer.nodata,
        sun_normalised=normalised is None or bool(normalised),
        sun_said=normalised is not None,
        radiance=layer.speaks_of_radiance,
        checksum=str(layer.asset.get("file:checksum") or layer.asset.get("checksum:multihash") or ""),
        file_bytes=_length(layer.asset.get("file:size")),
    )


def _length(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_thermal(name: str) -> bool:
    """Whether a band measures emitted radiance."""
    return _THERMAL.fullmatch(name) is not None
