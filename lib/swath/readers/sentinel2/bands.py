"""The thirteen bands of Sentinel-2's MSI: names, ground sampling, and wavelengths by platform."""

from collections.abc import Mapping

from swath.errors import UnsupportedSensorError
from swath.scene import Band

#: (native id, STAC common name, ground sampling [m]) in the order of ESA's ``bandId`` 0..12.
_BANDS: tuple[tuple[str, str, float], ...] = (
    ("B01", "coastal", 60.0),
    ("B02", "blue", 10.0),
    ("B03", "green", 10.0),
    ("B04", "red", 10.0),
    ("B05", "rededge071", 20.0),
    ("B06", "rededge075", 20.0),
    ("B07", "rededge078", 20.0),
    ("B08", "nir", 10.0),
    ("B8A", "nir08", 20.0),
    ("B09", "nir09", 60.0),
    ("B10", "cirrus", 60.0),
    ("B11", "swir16", 20.0),
    ("B12", "swir22", 20.0),
)

#: Native ids in the order of ESA's ``bandId``.
NATIVE_IDS: tuple[str, ...] = tuple(native for native, _, _ in _BANDS)
#: Native id by common name.
NATIVE_BY_NAME: Mapping[str, str] = {name: native for native, name, _ in _BANDS}
#: Common name by native id.
NAME_BY_NATIVE: Mapping[str, str] = {native: name for native, name, _ in _BANDS}

#: Centre wavelengths [nm] in the order of ``NATIVE_IDS``: ESA, "Sentinel-2 Spectral Response Functions",
#: COPE-GSEG-EOPG-TN-15-0007, issue 4.0 (2024). S2C's B09 and B10 are the centroids of the responses given there.
_CENTRES_NM: Mapping[str, tuple[float, ...]] = {
    "sentinel-2a": (442.7, 492.7, 559.8, 664.6, 704.1, 740.5, 782.8, 832.8, 864.7, 945.1, 1373.5, 1613.7, 2202.4),
    "sentinel-2b": (442.3, 492.3, 559.0, 665.0, 703.8, 739.1, 779.7, 833.0, 864.0, 943.2, 1376.9, 1610.4, 2185.7),
    "sentinel-2c": (444.2, 489.0, 560.6, 666.5, 707.1, 741.1, 784.7, 834.6, 865.6, 947.2, 1372.2, 1612.0, 2191.3),
}

#: Full widths at half maximum [nm] of the same responses, by linear interpolation between their 1 nm samples.
_WIDTHS_NM: Mapping[str, tuple[float, ...]] = {
    "sentinel-2a": (19.7, 64.3, 34.8, 30.6, 14.0, 13.6, 19.0, 104.8, 20.5, 19.5, 29.1, 89.7, 173.6),
    "sentinel-2b": (20.2, 64.9, 35.1, 30.3, 14.1, 13.6, 19.8, 104.9, 20.7, 19.5, 29.7, 93.5, 183.4),
    "sentinel-2c": (20.3, 65.3, 35.4, 30.4, 15.3, 15.3, 20.3, 95.8, 20.0, 20.0, 33.1, 90.3, 183.2),
}

#: Platforms whose wavelengths are known.
PLATFORMS: tuple[str, ...] = tuple(_CENTRES_NM)


def native_of_index(band_id: str) -> str | None:
    """Native id of ESA's ``bandId`` (``"8"`` is ``B8A``); None when it is none of the thirteen."""
    return NATIVE_IDS[int(band_id)] if band_id.isdecimal() and int(band_id) < len(NATIVE_IDS) else None


def band_of(native_id: str, *, platform: str) -> Band:
    """The band of a platform.

    Args:
        native_id: One of ``NATIVE_IDS``.
        platform: STAC platform (``sentinel-2a``).

    Raises:
        UnsupportedSensorError: The platform's wavelengths are not in the table.
    """
    if platform not in _CENTRES_NM:
        raise UnsupportedSensorError(
            "the Sentinel-2 platform is unknown",
            expected=f"one of {', '.join(PLATFORMS)}",
            got=repr(platform),
            remedy="Check the metadata; a new satellite needs a row in the table of wavelengths.",
        )
    index = NATIVE_IDS.index(native_id)
    native, name, resolution_m = _BANDS[index]
    return Band(
        name=name,
        native_id=native,
        resolution_m=resolution_m,
        centre_um=round(_CENTRES_NM[platform][index] / 1000.0, 7),
        fwhm_um=round(_WIDTHS_NM[platform][index] / 1000.0, 7),
    )
