"""The bands of Sentinel-2's instrument, and how Level-1C counts them."""

from dataclasses import dataclass
from typing import Final

#: ``rho = (DN + OFFSET) / QUANTIFICATION`` from processing baseline 04.00 on.
QUANTIFICATION: Final = 10_000
OFFSET: Final = -1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MsiBand:
    """One band; wavelengths of Sentinel-2A (Sentinel-2 spectral response functions, COPE-GSEG-EOPG-TN-15-0007).

    Args:
        name: Common name.
        native_id: ESA's name.
        number: ``bandId`` in the metadata.
        resolution_m: 10, 20 or 60.
        centre_um: Centre wavelength [um].
        range_nm: Lower and upper edge [nm].
        irradiance: Solar irradiance [W m-2 um-1].
    """

    name: str
    native_id: str
    number: int
    resolution_m: int
    centre_um: float
    range_nm: tuple[int, int]
    irradiance: float


_TABLE: Final = (
    ("coastal", "B01", 60, 0.4427, (412, 456), 1884.69),
    ("blue", "B02", 10, 0.4924, (456, 533), 1959.66),
    ("green", "B03", 10, 0.5598, (538, 583), 1823.24),
    ("red", "B04", 10, 0.6646, (646, 684), 1512.06),
    ("rededge071", "B05", 20, 0.7041, (695, 714), 1424.64),
    ("rededge075", "B06", 20, 0.7405, (731, 749), 1287.61),
    ("rededge078", "B07", 20, 0.7828, (769, 797), 1162.08),
    ("nir", "B08", 10, 0.8328, (760, 907), 1041.63),
    ("nir08", "B8A", 20, 0.8647, (837, 881), 955.32),
    ("nir09", "B09", 60, 0.9451, (932, 958), 812.92),
    ("cirrus", "B10", 60, 1.3735, (1337, 1412), 367.15),
    ("swir16", "B11", 20, 1.6137, (1539, 1682), 245.59),
    ("swir22", "B12", 20, 2.2024, (2078, 2320), 85.25),
)
BANDS: Final[tuple[MsiBand, ...]] = tuple(
    MsiBand(name=name, native_id=native, number=i, resolution_m=resolution, centre_um=centre, range_nm=edges, irradiance=sun)
    for i, (name, native, resolution, centre, edges, sun) in enumerate(_TABLE)
)


def view_offset_deg(band: MsiBand) -> float:
    """How far a band looks from the blue band's direction [deg]: bands lie side by side in the focal plane."""
    return round(0.015 * (band.number - 1), 3)
