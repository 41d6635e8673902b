"""Which assets of a STAC item are bands, and what the item says of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from swath.readers.stac_item import Item, JsonObject, list_of, number_in, object_of
from swath.readers.stac_platform import Platform
from swath.scene import Band, QualityScheme

_RASTER_TYPES = ("image/tiff", "image/jp2", "image/geotiff", "application/geotiff")
_RASTER_SUFFIXES = (".tif", ".tiff", ".jp2")
#: Roles of assets that are no measurement.
_OTHER_ROLES = frozenset({"thumbnail", "overview", "metadata", "visual", "date", "graphic"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Range of centre wavelengths [um] of each red-edge name (STAC eo extension 2.0, "Common Band Names").
_RED_EDGE_RANGES_UM = {
    "rededge071": (0.69, 0.73),
    "rededge075": (0.73, 0.76),
    "rededge078": (0.76, 0.80),
}
_THERMAL = re.compile(r"lwir.*")
#: STAC eo 2.0 common names: a key among them names a band that has no object of its own.
_COMMON_NAMES = frozenset(
    {"pan", "coastal", "blue", "green", "green05", "yellow", "red", "rededge", "rededge071", "rededge075", "rededge078"}
    | {"nir", "nir08", "nir09", "cirrus", "swir16", "swir22", "lwir", "lwir11", "lwir12"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An asset's band that the scene could have.

    Args:
        key: Asset key.
        href: Absolute.
        band: The channel.
        band_index: 1-based, in the file.
        gain: ``raster:scale``; None when the item does not say.
        offset: ``raster:offset``.
        nodata: As the item says; None when it does not.
        sun_normalised: Whether reflectance is divided by the cosine of the sun's zenith angle already.
        checksum: ``file:checksum``; empty when there is none.
        quality: Scheme of a quality band; None for measurements.
    """

    key: str
    href: str
    band: Band
    band_index: int
    gain: float | None
    offset: float
    nodata: float | None
    sun_normalised: bool
    checksum: str
    quality: QualityScheme | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The bands that an item offers, by name; and what was passed over and why, by asset key."""

    bands: Mapping[str, Candidate]
    left_out: Mapping[str, str]


def choose_bands(item: Item, *, platform: Platform) -> Chosen:
    """Pick one file for each band.

    An asset is a band when it is a GeoTIFF or JPEG 2000 whose bands have common names, or whose key is one. Of several
    files of one band (other formats, coarser copies) the one whose key is the band's name goes first, then the finest.
    """
    left_out: dict[str, str] = {}
    offers: dict[str, list[Candidate]] = {}
    for key, asset in item.assets.items():
        reason = _no_measurement(asset) or _unknown_bits(item, key, platform=platform)
        found = [] if reason else _candidates(item, key, platform=platform)
        if not found:
            left_out[key] = reason or "names no band"
        for candidate in found:
            offers.setdefault(candidate.band.name, []).append(candidate)
    bands: dict[str, Candidate] = {}
    for name, candidates in offers.items():
        first, *others = sorted(candidates, key=lambda c: (c.key != name, c.band.resolution_m, c.key))
        bands[name] = first
        left_out.update({c.key: f"another file of {name}; {first.key} is used" for c in others if c.key != first.key})
    return Chosen(bands=bands, left_out=left_out)


def _no_measurement(asset: JsonObject) -> str:
    """Why an asset cannot be a band; ``''`` when it can."""
    roles = {str(role) for role in list_of(asset.get("roles"))}
    if other := sorted(roles & _OTHER_ROLES):
        return f"its role is {', '.join(other)}"
    if not asset.get("href"):
        return "it has no href"
    media = str(asset.get("type") or "")
    path = str(asset.get("href", "")).partition("?")[0].lower()
    if not media.startswith(_RASTER_TYPES) and not (not media and path.endswith(_RASTER_SUFFIXES)):
        return "it is not a GeoTIFF or JPEG 2000"
    return ""


def _unknown_bits(item: Item, key: str, *, platform: Platform) -> str:
    """Why a quality band judges no pixel; ``''`` when it does, or the asset is none."""
    if key not in platform.quality or _scheme(item, key, platform=platform) is not None:
        return ""
    said = item.text("landsat:collection_number") or "not given"
    return f"the layout of its bits is unknown (landsat:collection_number {said})"


def _scheme(item: Item, key: str, *, platform: Platform) -> QualityScheme | None:
    return platform.scheme(key, collection=item.text("landsat:collection_number"))


def _candidates(item: Item, key: str, *, platform: Platform) -> list[Candidate]:
    asset = item.assets[key]
    if key in platform.quality:
        band, scheme = platform.quality[key], _scheme(item, key, platform=platform)
        return [_candidate(item, key, band=band, layer=JsonLayer({}, asset), index=1, quality=scheme)]
    found: list[Candidate] = []
    for index, layer in enumerate(_layers(asset), start=1):
        name = _common_name(layer, key=key, platform=platform)
        if name:
            band = platform.bands.get(name) or _band(name, key=key, layer=layer, item=item)
            found.append(_candidate(item, key, band=band, layer=layer, index=index))
    return found


@dataclass(frozen=True, slots=True)
class JsonLayer:
    """One band as an item describes it: its own object, and the asset's, whose fields hold for all of its bands."""

    own: JsonObject
    asset: JsonObject

    def number(self, *names: str) -> float | None:
        """The first of these fields that is there, on the band before the asset."""
        for name in names:
            for record in (self.own, self.asset):
                value = number_in(record, name)
                if value is not None:
                    return value
        return None

    def text(self, *names: str) -> str:
        """The first of these fields of the band itself; ``''`` when there is none."""
        return next((str(self.own[name]) for name in names if self.own.get(name)), "")


def _layers(asset: JsonObject) -> list[JsonLayer]:
    """The asset's bands: ``bands`` (STAC 1.1), or ``eo:bands`` and ``raster:bands`` side by side (1.0)."""
    joined = [object_of(b) for b in list_of(asset.get("bands"))]
    if joined:
        return [JsonLayer(own, asset) for own in joined]
    eo = [object_of(b) for b in list_of(asset.get("eo:bands"))]
    raster = [object_of(b) for b in list_of(asset.get("raster:bands"))]
    number = max(len(eo), len(raster), 1)
    pairs = zip(eo + [{}] * (number - len(eo)), raster + [{}] * (number - len(raster)), strict=True)
    return [JsonLayer({**r, **e}, asset) for e, r in pairs]


def _common_name(layer: JsonLayer, *, key: str, platform: Platform) -> str:
    """The band's name in eo 2.0; ``''`` when the item does not tell.

    Before eo 1.1 Sentinel-2's three red edges were all ``rededge``: the native name tells them apart, or the centre.
    """
    said = layer.text("eo:common_name", "common_name") or str(layer.asset.get("eo:common_name") or "")
    name = (said or (key if key in _COMMON_NAMES else "")).lower()
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


def _candidate(
    item: Item, key: str, *, band: Band, layer: JsonLayer, index: int, quality: QualityScheme | None = None
) -> Candidate:
    nodata = layer.own.get("nodata", layer.asset.get("nodata"))
    normalised = layer.own.get("swath:sun_normalised", layer.asset.get("swath:sun_normalised"))
    if normalised is None:
        normalised = item.properties.get("swath:sun_normalised", True)
    return Candidate(
        key=key,
        href=item.resolve(str(layer.asset.get("href", ""))),
        band=band,
        band_index=index,
        gain=layer.number("raster:scale", "scale"),
        offset=layer.number("raster:offset", "offset") or 0.0,
        nodata=float(nodata) if isinstance(nodata, int | float) and not isinstance(nodata, bool) else None,
        sun_normalised=bool(normalised),
        checksum=str(layer.asset.get("file:checksum") or ""),
        quality=quality,
    )


def is_thermal(name: str) -> bool:
    """Whether a band measures emitted radiance."""
    return _THERMAL.fullmatch(name) is not None
