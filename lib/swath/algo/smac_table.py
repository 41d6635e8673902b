"""The SMAC coefficients of each sensor and band, as CNES and CESBIO published them (``smac_table.json``).

The values are fits to 6S simulations with the continental aerosol model. CNES computed them; their terms ask users to
cite Rahman and Dedieu (1994) and to acknowledge CNES, which the table does and every item made with it should.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from swath.errors import UnsupportedSensorError


class Gas(NamedTuple):
    """Absorption by one gas: ``t = exp(a (u m)^n)``, amount ``u = (P/1013)^p`` for well-mixed gases."""

    a: float
    n: float
    p: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmacCoefficients:
    """The coefficients of one band.

    Args:
        water_vapour: Amount in g cm-2.
        ozone: Amount in atm-cm.
        mixed_gases: Oxygen, carbon dioxide, methane, nitrogen dioxide, carbon monoxide.
        albedo: Spherical albedo: against pressure, aot, aot^2, and the constant.
        scattering: Scattering transmission of one path: constant, aot, pressure, constant over ``1 + mu``.
        rayleigh_depth: Optical depth of molecules at 1013.25 hPa.
        aerosol_depth: Optical depth of aerosols in the band: constant and slope against aot at 550 nm.
        single_scattering_albedo: Single scattering albedo of the aerosol.
        asymmetry: Asymmetry factor of the aerosol.
        phase: Polynomial of the aerosol's phase function in the scattering angle [deg].
        residual_total: Polynomial of the residual of molecules and aerosols together.
        residual_rayleigh: Polynomial of the residual of molecules.
        residual_aerosol: Polynomial of the residual of aerosols.
    """

    water_vapour: Gas
    ozone: Gas
    mixed_gases: tuple[Gas, ...]
    albedo: tuple[float, ...]
    scattering: tuple[float, ...]
    rayleigh_depth: float
    aerosol_depth: tuple[float, ...]
    single_scattering_albedo: float
    asymmetry: float
    phase: tuple[float, ...]
    residual_total: tuple[float, ...]
    residual_rayleigh: tuple[float, ...]
    residual_aerosol: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmacSensor:
    """The bands of one sensor.

    Args:
        platform: The platform whose coefficients these are; another one's when a sensor borrows them.
        published_as: The file or files of the publication.
        version: Version of our table.
        acknowledgement: Acknowledgement that the publisher asks for.
        bands: Coefficients by band name (``blue``, ``nir08``).
    """

    platform: str
    published_as: str
    version: int
    acknowledgement: str
    bands: Mapping[str, SmacCoefficients]


def smac_sensor(platform: str) -> SmacSensor:
    """The coefficients of a STAC platform (``landsat-8``, ``sentinel-2a``); Landsat 9 borrows those of Landsat 8.

    Raises:
        UnsupportedSensorError: There are none for this platform.
    """
    table = _table()
    lender = table["same_as"].get(platform, platform)
    if lender not in table["sensors"]:
        raise UnsupportedSensorError(
            "there are no SMAC coefficients for this platform",
            expected="one of " + ", ".join(smac_platforms()),
            got=repr(platform),
            remedy="Use the pipeline `toa` for this scene.",
        )
    return _sensor(lender)


def smac_platforms() -> tuple[str, ...]:
    """The platforms that ``smac_sensor`` knows, sorted."""
    table = _table()
    return tuple(sorted({*table["sensors"], *table["same_as"]}))


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    text = files("swath.algo").joinpath("smac_table.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@lru_cache(maxsize=16)
def _sensor(platform: str) -> SmacSensor:
    table = _table()
    entry, columns = table["sensors"][platform], table["columns"]
    bands = {name: _coefficients(dict(zip(columns, band["values"], strict=True))) for name, band in entry["bands"].items()}
    return SmacSensor(
        platform=platform,
        published_as=entry["published_as"],
        version=table["version"],
        acknowledgement=table["acknowledgement"],
        bands=MappingProxyType(bands),
    )


def _coefficients(row: Mapping[str, float]) -> SmacCoefficients:
    def numbered(stem: str) -> tuple[float, ...]:
        return tuple(value for name, value in row.items() if name[:-2] == stem and name[-1].isdigit())

    mixed = ("oxygen", "carbon_dioxide", "methane", "nitrogen_dioxide", "carbon_monoxide")
    return SmacCoefficients(
        water_vapour=Gas(row["water_vapour_a"], row["water_vapour_n"]),
        ozone=Gas(row["ozone_a"], row["ozone_n"]),
        mixed_gases=tuple(Gas(row[f"{g}_a"], row[f"{g}_n"], row[f"{g}_p"]) for g in mixed),
        albedo=numbered("albedo"),
        scattering=numbered("scattering"),
        rayleigh_depth=row["rayleigh_depth"],
        aerosol_depth=numbered("aerosol_depth"),
        single_scattering_albedo=row["single_scattering_albedo"],
        asymmetry=row["asymmetry"],
        phase=numbered("phase"),
        residual_total=numbered("residual_total"),
        residual_rayleigh=numbered("residual_rayleigh"),
        residual_aerosol=numbered("residual_aerosol"),
    )
