"""What we know of a platform that a STAC item names, so that its scenes are corrected like native ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from swath.readers.landsat.bands import QUALITY_BANDS, LandsatSensor, quality_scheme, sensor_of
from swath.readers.sentinel2.bands import NATIVE_BY_NAME, PLATFORMS, band_of
from swath.scene import Band, QualityScheme
from swath.sensors import SENTINEL2_MSI, UNKNOWN

_SENTINEL2 = re.compile(r"(?:s|sentinel-?)2-?([a-z])")
_LANDSAT = re.compile(r"l(?:andsat|[cote])?-?0?([4-9])")
#: Owners and instruments that some write into a platform's name.
_AROUND = re.compile(r"^urn:.*:|^(?:(?:copernicus|esa|eu|nasa|usgs)-)+|(?:-(?:msi|oli|tirs|etm\+?|tm))+$")
_LANDSAT_SENSORS: Mapping[int, str] = {4: "TM", 5: "TM", 7: "ETM", 8: "OLI", 9: "OLI"}
_SENTINEL2_SATURATED = 65_535
#: Collections of the quality bands whose name occurs in one alone.
_COLLECTIONS: Mapping[str, str] = {"QA_PIXEL": "02", "QA_RADSAT": "02"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform.

    Args:
        name: STAC platform (``sentinel-2a``, ``landsat-8``), or the item's own name for it.
        family: Sensor family.
        instrument: STAC instrument; empty when the item does not say.
        bands: Known bands by common name; empty for other sensors.
        saturated: The DN of saturation; None when unknown.
        quality: Known quality bands, by asset key.
    """

    name: str
    family: str
    instrument: str
    bands: Mapping[str, Band]
    saturated: int | None = None
    quality: Mapping[str, Band]

    def scheme(self, key: str, *, collection: str) -> QualityScheme | None:
        """How the bits of a quality band are laid out; None when that is not known.

        Args:
            key: Key in ``quality``.
            collection: ``landsat:collection_number``; empty when the item does not say. Then a name that only one
                collection used (``qa_pixel``) decides, and ``bqa`` stays unknown.
        """
        native_id = self.quality[key].native_id
        named = collection or _COLLECTIONS.get(native_id, "unknown")
        return quality_scheme(native_id, collection=named, family=self.family)


def platform_of(name: str, *, instruments: tuple[str, ...]) -> Platform:
    """The platform that an item names, in whichever spelling.

    Args:
        name: ``properties.platform`` (``Sentinel-2A``, ``LANDSAT_8``).
        instruments: ``properties.instruments``.
    """
    plain = re.sub(r"[\s_/]+", "-", name.strip().lower())
    alone = _AROUND.sub("", plain)
    sentinel, landsat = _SENTINEL2.fullmatch(alone), _LANDSAT.fullmatch(alone)
    if sentinel and f"sentinel-2{sentinel.group(1)}" in PLATFORMS:
        return _sentinel2(f"sentinel-2{sentinel.group(1)}")
    if landsat and int(landsat.group(1)) in _LANDSAT_SENSORS and "mss" not in instruments:
        number = int(landsat.group(1))
        return _landsat(f"landsat-{number}", sensor_of(spacecraft=number, sensor_id=_LANDSAT_SENSORS[number]))
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or UNKNOWN
    return Platform(name=plain, family=plain, instrument="-".join(instruments), bands={}, quality={})


def _sentinel2(name: str) -> Platform:
    bands = {common: band_of(native, platform=name) for common, native in NATIVE_BY_NAME.items()}
    return Platform(
        name=name,
        family=SENTINEL2_MSI,
        instrument="msi",
        bands=bands,
        saturated=_SENTINEL2_SATURATED,
        quality={},
    )


def _landsat(name: str, sensor: LandsatSensor) -> Platform:
    return Platform(
        name=name,
        family=sensor.family,
        instrument=sensor.instrument,
        bands={band.name: band for band in sensor.bands.values()},
        quality={band.name: band for band in QUALITY_BANDS.values()},
    )
