"""Bands of the Landsat sensors that we process: their names, wavelengths and thermal constants.

Wavelengths. OLI: band centre and full width at half maximum, Barsi, Lee, Kvaran, Markham and Pedelty (2014), "The
Spectral Response of the Landsat-8 Operational Land Imager", Remote Sensing 6, table 1; Landsat 9's OLI-2 is built to the
same band passes and differs by about a nanometre. TIRS: USGS, "Landsat 8 Data Users Handbook" (LSDS-1574), table 2-2.
TM and ETM+: centre and width of the relative spectral response, Chander, Markham and Helder (2009), Remote Sensing of
Environment 113, table 2 (Landsat 5's TM represents Landsat 4's: they differ by a few nanometres).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from swath.errors import UnsupportedSensorError
from swath.scene import Band, QualityScheme

Family = Literal["landsat-tm", "landsat-etm", "landsat-oli"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalConstants:
    """``T = k2_k / ln(k1 / L + 1)``."""

    k1: float
    k2_k: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LandsatSensor:
    """One Landsat instrument.

    Args:
        family: Sensor family of the scene.
        instrument: STAC instrument.
        spacecraft: The Landsats that carried it.
        bands: Bands by native id.
        thermal: Native ids of the thermal bands.
    """

    family: Family
    instrument: str
    spacecraft: tuple[int, ...]
    bands: Mapping[str, Band]
    thermal: frozenset[str]


def _bands(*rows: tuple[str, str, float, float, float]) -> dict[str, Band]:
    return {
        native_id: Band(name=name, native_id=native_id, resolution_m=resolution, centre_um=centre, fwhm_um=width)
        for native_id, name, resolution, centre, width in rows
    }


_TM = LandsatSensor(
    family="landsat-tm",
    instrument="tm",
    spacecraft=(4, 5),
    bands=_bands(
        ("B1", "blue", 30.0, 0.485, 0.066),
        ("B2", "green", 30.0, 0.569, 0.081),
        ("B3", "red", 30.0, 0.660, 0.067),
        ("B4", "nir08", 30.0, 0.840, 0.128),
        ("B5", "swir16", 30.0, 1.676, 0.217),
        ("B6", "lwir11", 120.0, 11.435, 1.970),
        ("B7", "swir22", 30.0, 2.223, 0.252),
    ),
    thermal=frozenset({"B6"}),
)
_ETM = LandsatSensor(
    family="landsat-etm",
    instrument="etm",
    spacecraft=(7,),
    bands=_bands(
        ("B1", "blue", 30.0, 0.483, 0.062),
        ("B2", "green", 30.0, 0.560, 0.082),
        ("B3", "red", 30.0, 0.662, 0.061),
        ("B4", "nir08", 30.0, 0.835, 0.126),
        ("B5", "swir16", 30.0, 1.648, 0.201),
        ("B6_VCID_1", "lwir11", 60.0, 11.335, 2.050),
        ("B6_VCID_2", "lwir11_high", 60.0, 11.335, 2.050),
        ("B7", "swir22", 30.0, 2.206, 0.281),
        ("B8", "pan", 15.0, 0.706, 0.381),
    ),
    thermal=frozenset({"B6_VCID_1", "B6_VCID_2"}),
)
_OLI = LandsatSensor(
    family="landsat-oli",
    instrument="oli",
    spacecraft=(8, 9),
    bands=_bands(
        ("B1", "coastal", 30.0, 0.44296, 0.01598),
        ("B2", "blue", 30.0, 0.48204, 0.06004),
        ("B3", "green", 30.0, 0.56141, 0.05733),
        ("B4", "red", 30.0, 0.65459, 0.03747),
        ("B5", "nir08", 30.0, 0.86467, 0.02825),
        ("B6", "swir16", 30.0, 1.60886, 0.08472),
        ("B7", "swir22", 30.0, 2.20073, 0.18666),
        ("B8", "pan", 15.0, 0.58950, 0.17240),
        ("B9", "cirrus", 30.0, 1.37343, 0.02039),
        ("B10", "lwir11", 100.0, 10.895, 0.590),
        ("B11", "lwir12", 100.0, 12.005, 1.010),
    ),
    thermal=frozenset({"B10", "B11"}),
)
_BY_ID: Mapping[str, LandsatSensor] = {"TM": _TM, "ETM": _ETM, "OLI": _OLI, "OLI_TIRS": _OLI}

#: Quality bands by native id.
QUALITY_BANDS: Mapping[str, Band] = {
    "BQA": Band(name="bqa", native_id="BQA", resolution_m=30.0),
    "QA_PIXEL": Band(name="qa_pixel", native_id="QA_PIXEL", resolution_m=30.0),
    "QA_RADSAT": Band(name="qa_radsat", native_id="QA_RADSAT", resolution_m=30.0),
}
#: How their bits are laid out, by collection number; before collections only OLI had a quality band.
_SCHEMES: Mapping[tuple[str, str], QualityScheme] = {
    ("BQA", "01"): "landsat-c1-bqa",
    ("QA_PIXEL", "02"): "landsat-c2-qa-pixel",
    ("QA_RADSAT", "02"): "landsat-c2-qa-radsat",
}
_BEFORE_COLLECTIONS: Mapping[tuple[str, str], QualityScheme] = {("BQA", "landsat-oli"): "landsat-pre-bqa"}

#: For files before 2016, which do not give them: Chander, Markham and Helder (2009), table 7.
THERMAL_DEFAULTS: Mapping[int, ThermalConstants] = {
    4: ThermalConstants(k1=671.62, k2_k=1284.30),
    5: ThermalConstants(k1=607.76, k2_k=1260.56),
    7: ThermalConstants(k1=666.09, k2_k=1282.71),
}


def sensor_of(*, spacecraft: int, sensor_id: str) -> LandsatSensor:
    """The instrument that an MTL names.

    Raises:
        UnsupportedSensorError: MSS, TIRS alone, or an instrument on a spacecraft that never carried it.
    """
    sensor = _BY_ID.get(sensor_id)
    if sensor is None or spacecraft not in sensor.spacecraft:
        raise UnsupportedSensorError(
            "this Landsat sensor is not processed",
            expected="TM of Landsat 4 or 5, ETM+ of Landsat 7, or OLI (with or without TIRS) of Landsat 8 or 9",
            got=f"{sensor_id} of Landsat {spacecraft}",
            remedy="Take the scene out of the input.",
        )
    return sensor


def quality_scheme(native_id: str, *, collection: str, family: str) -> QualityScheme | None:
    """How the bits of a quality band are laid out; None when its agency never described such a band.

    Args:
        native_id: Native id, a key of ``QUALITY_BANDS``.
        collection: Collection number as the metadata has it (``01``, ``2``); empty before collections.
        family: Sensor family.
    """
    if collection:
        return _SCHEMES.get((native_id, collection.zfill(2)))
    return _BEFORE_COLLECTIONS.get((native_id, family))
