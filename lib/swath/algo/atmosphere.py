"""SMAC: a simplified model of what the atmosphere adds to, and takes from, the reflectance of the ground.

Rahman, H. and Dedieu, G. (1994): SMAC: a simplified method for the atmospheric correction of satellite measurements
in the solar spectrum. International Journal of Remote Sensing 15(1), 123-143. Written from the paper's equations;
aerosol scattering is the two-stream solution of its section on aerosol reflectance.

Where it holds: CESBIO, who maintain the coefficients, give an accuracy of 2 to 3 percent and say that it is worse for
sun and view zenith angles above 70 degrees. swath takes the sun down to a zenith of 75 degrees, so that winter scenes
are made (``smac`` notes it in the item above 70), and view zeniths to 45 degrees, far more than our sensors see. Its
scattering transmission is linear in aerosol over the cosine of the zenith angle, and so falls below zero where thick
haze meets a low sun; what falls below ``LEAST_TRANSMISSION`` is refused.
"""

from dataclasses import dataclass, fields
from math import exp, isfinite, sqrt
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from swath.algo.smac_table import SmacCoefficients
from swath.errors import GeometryError, RangeError

Degrees = float | NDArray[np.float64]
Reflectances = float | NDArray[np.float64]

#: Largest zenith angles of the sun and of the view that are corrected [deg].
MAX_SUN_ZENITH_DEG: Final = 75.0
MAX_VIEW_ZENITH_DEG: Final = 45.0
#: Least scattering transmission, down and up, of which the linear formula is believed [1].
LEAST_TRANSMISSION: Final = 0.2
#: Above this zenith angle CESBIO expect the accuracy to fall off [deg].
ACCURATE_ZENITH_DEG: Final = 70.0
#: The coefficients were fitted from this aerosol on; thinner air is corrected as this one.
LEAST_AOT550: Final = 0.05
#: What each parameter may be. Aerosol: the fits cover 0.05 to 0.8; the others cover every place on Earth but summits.
RANGES: Final[dict[str, tuple[float, float]]] = {
    "aot550": (0.0, 1.0),
    "ozone_atm_cm": (0.0, 0.7),
    "water_vapour_g_cm2": (0.0, 8.0),
    "pressure_hpa": (500.0, 1100.0),
}
_STANDARD_PRESSURE_HPA: Final = 1013.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Atmosphere:
    """The state of the atmosphere over a scene.

    The defaults are the US Standard Atmosphere 1976 as 6S has it (ozone, water vapour, pressure) under a clear
    continental sky (aerosol).

    Args:
        aot550: Aerosol optical depth at 550 nm [1].
        ozone_atm_cm: Ozone column [atm-cm] (Dobson units / 1000).
        water_vapour_g_cm2: Water vapour column [g cm-2].
        pressure_hpa: Pressure at the ground [hPa].

    Raises:
        RangeError: A value is outside ``RANGES`` or is not a number.
    """

    aot550: float = 0.1
    ozone_atm_cm: float = 0.344
    water_vapour_g_cm2: float = 1.42
    pressure_hpa: float = 1013.25

    def __post_init__(self) -> None:
        """Refuse what the fits do not cover."""
        for item in fields(self):
            value, (low, high) = getattr(self, item.name), RANGES[item.name]
            if not (isfinite(value) and low <= value <= high):
                raise RangeError(
                    f"{item.name} is outside the range of the atmospheric model",
                    expected=f"{low:g} to {high:g}",
                    got=f"{value:g}",
                    remedy="Check the unit; ozone is in atm-cm (Dobson units / 1000), water vapour in g/cm2.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SmacTerms:
    """What the inversion needs: ``toa = path + transmission sr / (1 - spherical_albedo sr)``.

    Args:
        path_reflectance: Reflectance of the atmosphere itself, already dimmed by the gases.
        transmission: Transmission of gases and scattering, both ways.
        spherical_albedo: Spherical albedo of the atmosphere seen from below; the same for all angles.
    """

    path_reflectance: Reflectances
    transmission: Reflectances
    spherical_albedo: float


@overload
def surface_reflectance(toa: NDArray[np.float64], terms: SmacTerms) -> NDArray[np.float64]: ...
@overload
def surface_reflectance(toa: float, terms: SmacTerms) -> Reflectances: ...
def surface_reflectance(toa: Reflectances, terms: SmacTerms) -> Reflectances:
    """Surface reflectance [1] of TOA reflectance [1] (any shape that broadcasts with the terms; NaN stays NaN)."""
    excess = toa - terms.path_reflectance
    return excess / (terms.transmission + excess * terms.spherical_albedo)


@overload
def toa_reflectance_over(sr: NDArray[np.float64], terms: SmacTerms) -> NDArray[np.float64]: ...
@overload
def toa_reflectance_over(sr: float, terms: SmacTerms) -> Reflectances: ...
def toa_reflectance_over(sr: Reflectances, terms: SmacTerms) -> Reflectances:
    """TOA reflectance [1] over ground of reflectance ``sr`` [1]; the inverse of ``surface_reflectance``, with its shapes."""
    return terms.path_reflectance + terms.transmission * sr / (1.0 - terms.spherical_albedo * sr)


def smac_terms(
    coefficients: SmacCoefficients,
    *,
    sun_zenith_deg: Degrees,
    view_zenith_deg: Degrees,
    relative_azimuth_deg: Degrees,
    atmosphere: Atmosphere,
) -> SmacTerms:
    """The terms of one band under one atmosphere, for scalar angles or arrays of them.

    Args:
        coefficients: Coefficients of the band.
        sun_zenith_deg: 0 to ``MAX_SUN_ZENITH_DEG``.
        view_zenith_deg: 0 to ``MAX_VIEW_ZENITH_DEG``.
        relative_azimuth_deg: Azimuth of the sun minus azimuth of the view, both seen from the ground.
        atmosphere: State.

    Raises:
        RangeError: An angle is beyond the model, or the haze is too thick for so low a sun.
        GeometryError: An angle is not a number.
    """
    check_angles(sun_zenith_deg=sun_zenith_deg, view_zenith_deg=view_zenith_deg)
    path = _Path.of(sun_zenith_deg, view_zenith_deg, relative_azimuth_deg=relative_azimuth_deg)
    pressure = atmosphere.pressure_hpa / _STANDARD_PRESSURE_HPA
    gases = _gas_transmission(coefficients, air_mass=path.air_mass, atmosphere=atmosphere)
    down = _scattering_transmission(coefficients, mu=path.mu_sun, aot=atmosphere.aot550, pressure=pressure)
    up = _scattering_transmission(coefficients, mu=path.mu_view, aot=atmosphere.aot550, pressure=pressure)
    scattering = down * up
    _check_transmission(scattering)
    c = coefficients.albedo
    albedo = c[0] * pressure + c[3] + c[1] * atmosphere.aot550 + c[2] * atmosphere.aot550**2
    return SmacTerms(
        path_reflectance=gases * _path_reflectance(coefficients, path=path, atmosphere=atmosphere),
        transmission=gases * scattering,
        spherical_albedo=albedo,
    )


def check_angles(*, sun_zenith_deg: Degrees, view_zenith_deg: Degrees) -> None:
    """Refuse angles for which the model was not made.

    Raises:
        RangeError: A zenith angle is too large.
        GeometryError: An angle is not a number, or negative.
    """
    for name, angle, limit in (
        ("sun zenith", sun_zenith_deg, MAX_SUN_ZENITH_DEG),
        ("view zenith", view_zenith_deg, MAX_VIEW_ZENITH_DEG),
    ):
        low, high = float(np.min(angle)), float(np.max(angle))
        if not (isfinite(low) and isfinite(high) and low >= 0.0):
            raise GeometryError(
                f"the {name} angle is unusable",
                expected=f"0 to {limit:g} degrees",
                got=f"{low:g} to {high:g}",
                remedy="Check the angles in the metadata.",
            )
        if high > limit:
            raise RangeError(
                f"the {name} angle is beyond the atmospheric model",
                expected=f"at most {limit:g} degrees",
                got=f"{high:.2f}",
                remedy="Use the pipeline `toa` for this scene.",
            )


def _check_transmission(scattering: NDArray[np.float64]) -> None:
    least = float(np.min(scattering))
    if least < LEAST_TRANSMISSION:
        raise RangeError(
            "the haze is too thick for so low a sun",
            expected=f"a scattering transmission of at least {LEAST_TRANSMISSION:g}",
            got=f"{least:.3f}",
            remedy="Check aot550, or use the pipeline `toa` for this scene.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """The way of the light: cosines of the zenith angles, their air mass, and the scattering angle's cosine."""

    mu_sun: NDArray[np.float64]
    mu_view: NDArray[np.float64]
    air_mass: NDArray[np.float64]
    cos_scattering: NDArray[np.float64]

    @classmethod
    def of(cls, sun_zenith_deg: Degrees, view_zenith_deg: Degrees, *, relative_azimuth_deg: Degrees) -> "_Path":
        sun, view, azimuth = (np.deg2rad(a) for a in (sun_zenith_deg, view_zenith_deg, relative_azimuth_deg))
        mu_sun, mu_view = np.cos(sun), np.cos(view)
        cosine = -(mu_sun * mu_view + np.sin(sun) * np.sin(view) * np.cos(azimuth))
        # Rounding can carry exact backscatter past -1.
        return cls(
            mu_sun=mu_sun,
            mu_view=mu_view,
            air_mass=1.0 / mu_sun + 1.0 / mu_view,
            cos_scattering=np.clip(cosine, -1.0, 1.0),
        )


def _gas_transmission(
    coefficients: SmacCoefficients, *, air_mass: NDArray[np.float64], atmosphere: Atmosphere
) -> NDArray[np.float64]:
    pressure = atmosphere.pressure_hpa / _STANDARD_PRESSURE_HPA
    amounts = [
        (coefficients.water_vapour, atmosphere.water_vapour_g_cm2),
        (coefficients.ozone, atmosphere.ozone_atm_cm),
        *((gas, pressure**gas.p) for gas in coefficients.mixed_gases),
    ]
    # The exponents add up; gases that do not absorb in the band cost nothing.
    depth = np.zeros_like(air_mass)
    for gas, amount in amounts:
        if gas.a:
            depth = depth + gas.a * (amount * air_mass) ** gas.n
    return np.exp(depth)


def _scattering_transmission(
    coefficients: SmacCoefficients, *, mu: NDArray[np.float64], aot: float, pressure: float
) -> NDArray[np.float64]:
    c = coefficients.scattering
    return c[0] + c[1] * aot / mu + (c[2] * pressure + c[3]) / (1.0 + mu)


def _path_reflectance(coefficients: SmacCoefficients, *, path: _Path, atmosphere: Atmosphere) -> NDArray[np.float64]:
    """Molecules and aerosols, each corrected for what its simple formula misses, and for their interaction."""
    molecules = coefficients.rayleigh_depth
    constant, slope = coefficients.aerosol_depth
    aerosols = constant + slope * atmosphere.aot550
    # Molecular phase function with depolarisation; the two constants are the paper's.
    phase = 0.7190443 * (1.0 + path.cos_scattering**2) + 0.0412742
    single = molecules * phase / (path.mu_sun * path.mu_view)
    rayleigh = single / 4.0 * (atmosphere.pressure_hpa / _STANDARD_PRESSURE_HPA)
    total_depth = aerosols + molecules * atmosphere.pressure_hpa / _STANDARD_PRESSURE_HPA
    slant = path.air_mass * path.cos_scattering
    return (
        rayleigh
        - _polynomial(coefficients.residual_rayleigh, single)
        + _aerosol_reflectance(coefficients, path=path, depth=aerosols)
        - _polynomial(coefficients.residual_aerosol, aerosols * slant)
        + _polynomial(coefficients.residual_total, total_depth * slant)
    )


def _polynomial(coefficients: tuple[float, ...], x: NDArray[np.float64]) -> NDArray[np.float64]:
    value = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        value = value * x + c
    return value


def _aerosol_reflectance(coefficients: SmacCoefficients, *, path: _Path, depth: float) -> NDArray[np.float64]:
    """Two-stream aerosol reflectance: single scattering with the true phase function, the rest with two streams."""
    us, uv = path.mu_sun, path.mu_view
    w0, g3 = coefficients.single_scattering_albedo, 3.0 * coefficients.asymmetry
    phase = _polynomial(coefficients.phase, np.rad2deg(np.arccos(path.cos_scattering)))
    lost = 1.0 - w0
    k = sqrt(lost * (3.0 - w0 * g3))
    pole = 1.0 - (k * us) ** 2
    # Particular solution of the two-stream equations: mean intensity and flux driven by the direct beam.
    e = -3.0 * us**2 * w0 / (4.0 * pole)
    f = -lost * g3 * us**2 * w0 / (4.0 * pole)
    mean, flux = e + f, e / (3.0 * us) + us * f
    # Homogeneous solution: two exponentials whose weights meet the boundary conditions.
    b = 2.0 * k / (3.0 - w0 * g3)
    grow, decay = exp(k * depth), exp(-k * depth)
    weight = w0 / 4.0 * us / pole / (grow * (1.0 + b) ** 2 - decay * (1.0 - b) ** 2)
    top = 2.0 + 3.0 * us + lost * g3 * us * (1.0 + 2.0 * us)
    bottom = (2.0 - 3.0 * us - lost * g3 * us * (1.0 - 2.0 * us)) * np.exp(-depth / us)
    c1 = weight * (top * grow * (1.0 + b) + bottom * (1.0 - b))
    c2 = -weight * (top * decay * (1.0 - b) + bottom * (1.0 + b))
    slope = k / (3.0 - w0 * g3)
    # Seen from above: each part integrated along the view.
    x = c1 * (1.0 - w0 * g3 * uv * slope)
    y = c2 * (1.0 + w0 * g3 * uv * slope)
    z = mean - w0 * g3 * uv * flux + w0 * phase / 4.0
    growing, decaying, direct = uv / (1.0 + k * uv), uv / (1.0 - k * uv), us * uv / (us + uv)
    seen = x * _escaping(depth, growing) + y * _escaping(depth, decaying) + z * _escaping(depth, direct)
    return seen / (us * uv)


def _escaping(depth: float, length: NDArray[np.float64]) -> NDArray[np.float64]:
    return length * (1.0 - np.exp(-depth / length))
