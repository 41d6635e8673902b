"""An asset's band that a STAC item offers, with what the item says of it."""

from dataclasses import dataclass

from swath.scene import Band, Calibration, QualityScheme


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCandidate:
    """An asset's band that the scene could have.

    Args:
        key: Asset key.
        href: Absolute.
        band: The channel; ``resolution_m`` 0 when the item does not say it.
        band_index: 1-based, in the file.
        entries: Bands that the item describes of the file.
        gain: ``raster:scale``; None when the item does not say.
        offset: ``raster:offset``; None when the item does not say.
        unit: ``unit``; empty when the item does not say.
        irradiance: ``eo:solar_illumination`` [W m-2 um-1]; None when the item does not say.
        spacing_m: Ground sampling of this file [m]; 0 if the item does not say.
        bits: Bits per sample, by ``data_type``; 0 if the item does not say.
        roles: Roles of the asset.
        nodata: Nodata value as the item states it; None if it does not.
        sun_normalised: Whether reflectance is divided by the cosine of the sun's zenith angle already.
        sun_said: Whether the item says so by ``swath:sun_normalised``.
        radiance: Whether its title, description or roles call it a radiance.
        surface: Where it is described as surface reflectance, and how; empty where it is not.
        checksum: ``file:checksum``; empty when there is none.
        file_bytes: ``file:size``; None when the item does not say.
        quality: Scheme of a quality band; None for measurements.
        calibration: Calibration from a metadata file beside the band, where the item has no scale of its own.
    """

    key: str
    href: str
    band: Band
    band_index: int
    entries: int = 1
    gain: float | None = None
    offset: float | None = None
    unit: str = ""
    irradiance: float | None = None
    spacing_m: float = 0.0
    bits: int = 0
    roles: frozenset[str] = frozenset()
    nodata: float | None = None
    sun_normalised: bool = True
    sun_said: bool = False
    radiance: bool = False
    surface: str = ""
    checksum: str = ""
    file_bytes: int | None = None
    quality: QualityScheme | None = None
    calibration: Calibration | None = None
