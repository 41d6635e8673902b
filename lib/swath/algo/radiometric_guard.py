"""Whether pixels are what their calibration says: an offset that was missed, applied twice or made up shows in dark places.

The cirrus band sees no ground: water vapour takes the light. Over every scene its darkest pixels are near 0 (5th percentile
of real scenes .0006 to .0012), whatever is below. Blue and green can be no darker than the molecules of the air.
An upper limit needs something dark in the scene; where there is nothing dark, or too little was read, the guard says that it
cannot tell, which is no failure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from swath.algo.darkest import INVALID, Counts, quantile, rayleigh_reflectance, valid_of

#: Where the 5th percentile of the cirrus band is.
CIRRUS_SHARE, CIRRUS_RANGE = 0.05, (-0.02, 0.03)
#: The darkest pixels of the other bands, and how far below the air's own light they may be (noise, our formula).
DARKEST_SHARE, MARGIN = 0.001, 0.01
#: The same of bands with an edge inside the raster, where resampling and lossy compression leave numbers near 0.
EDGED_SHARE: Final = 0.02
#: Above the air's light by less than this the ground is dark: more than haze of AOT 0.5 and dark ground add.
DARK_GROUND: Final = 0.05
#: Least pressure at the ground where none is known [hPa]: no tile's ground is higher everywhere.
LEAST_PRESSURE_HPA: Final = 500.0
SEA_LEVEL_HPA: Final = 1013.25
#: Bands whose light the molecules dominate, with the wavelengths [um] of sensors that do not say theirs.
AIR_BANDS: Final[Mapping[str, float]] = {"blue": 0.49, "green": 0.56}
#: Bands in which shadow and water are black.
BLACK_BANDS: Final = ("nir", "nir08", "swir16", "swir22")
#: What the guard counts.
BANDS: Final = ("cirrus", *AIR_BANDS, *BLACK_BANDS)
#: Fewer pixels say nothing.
LEAST_PIXELS: Final = 1000
#: An offset of a tenth that was missed, or taken with the wrong sign, and how near to it a floor must be.
MISSED: Final = (0.1, 0.2)
NEAR: Final = 0.015
#: Half a bin: a floor at the offset itself may fall into the bin below. Then what shadow and water add.
BIN_SLACK, BLACK_GROUND = 0.003, 0.025
Outcome = Literal["agrees", "contradicts", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One band's part: its dark end, and where it must lie [reflectance]; None where only the other side counts."""

    band: str
    percentile: float
    reflectance: float
    lowest: float
    highest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardVerdict:
    """What the guard found.

    Args:
        outcome: Outcome of all bands together.
        why: Reason in words.
        measured: Band by band.
    """

    outcome: Outcome
    why: str
    measured: tuple[Measured, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """JSON-able, as it appears in an item."""
        bands = {
            m.band: {
                "percentile": m.percentile, "reflectance": round(m.reflectance, 4), "lowest": round(m.lowest, 4),
                **({} if m.highest is None else {"highest": round(m.highest, 4)}),
            }
            for m in self.measured
        }  # fmt: skip
        return {"verdict": self.outcome, "why": self.why, **({"bands": bands} if bands else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewGeometry:
    """Angles at the scene's centre [deg]; the pressure at the ground [hPa] where it is known."""

    sun_zenith_deg: float
    view_zenith_deg: float
    relative_azimuth_deg: float
    pressure_hpa: float | None = None
    wavelengths_um: Mapping[str, float] = field(default_factory=dict)
    #: TOA reflectance of an offset of 1: Landsat's is added before the division by the cosine of the sun's zenith angle.
    offset_worth: float = 1.0


def judge(counts: Mapping[str, Counts], *, geometry: ViewGeometry) -> GuardVerdict:
    """Judge a scene by the counts of the bands that were read.

    Args:
        counts: Pixels by ``darkest.BIN``, by band.
        geometry: Geometry of the scene.
    """
    enough = {b: c for b, c in counts.items() if b in BANDS and valid_of(c) >= LEAST_PIXELS}
    air = tuple(_air(band, enough[band], geometry=geometry) for band in AIR_BANDS if band in enough)
    cirrus = _cirrus(enough["cirrus"]) if "cirrus" in enough else None
    measured = (*((cirrus,) if cirrus else ()), *air)
    if not measured:
        return GuardVerdict(outcome="cannot tell", why="no band that the guard knows was read, or too few pixels of it")
    low = [m.band for m in measured if m.reflectance < m.lowest]
    if low:
        return GuardVerdict(outcome="contradicts", why=f"{' and '.join(low)} darker than any ground under air", measured=measured)
    floors = {band: quantile(c, _dark_share(c)) for band, c in enough.items()}
    outcome, why = _upper(cirrus, air=air, floors=floors, missed=[offset * geometry.offset_worth for offset in MISSED])
    return GuardVerdict(outcome=outcome, why=why, measured=measured)


def _cirrus(counts: Counts) -> Measured:
    low, high = CIRRUS_RANGE
    return Measured(band="cirrus", percentile=5.0, reflectance=quantile(counts, CIRRUS_SHARE), lowest=low, highest=high)


def _air(band: str, counts: Counts, *, geometry: ViewGeometry) -> Measured:
    def molecules(pressure_hpa: float) -> float:
        return rayleigh_reflectance(
            geometry.wavelengths_um.get(band, AIR_BANDS[band]),
            sun_zenith_deg=geometry.sun_zenith_deg,
            view_zenith_deg=geometry.view_zenith_deg,
            relative_azimuth_deg=geometry.relative_azimuth_deg,
            pressure_hpa=pressure_hpa,
        )

    known = geometry.pressure_hpa
    return Measured(
        band=band,
        percentile=100.0 * _dark_share(counts),
        reflectance=quantile(counts, _dark_share(counts)),
        lowest=molecules(known or LEAST_PRESSURE_HPA) - MARGIN,
        highest=molecules(known or SEA_LEVEL_HPA) + DARK_GROUND,
    )


def _dark_share(counts: Counts) -> float:
    return EDGED_SHARE if counts.get(INVALID) else DARKEST_SHARE


def _upper(
    cirrus: Measured | None, *, air: tuple[Measured, ...], floors: Mapping[str, float], missed: Sequence[float]
) -> tuple[Outcome, str]:
    """Whether everything is too bright, which the guard says only of an offset that it knows."""
    if cirrus is not None and cirrus.reflectance <= CIRRUS_RANGE[1]:
        return "agrees", "the cirrus band is dark, as it must be"
    black = [floors[b] for b in BLACK_BANDS if b in floors]
    if black and min(black) < missed[0] - NEAR:
        return "agrees", "some band has dark pixels"
    for offset in missed:
        if cirrus is not None and abs(floors["cirrus"] - offset) <= NEAR and cirrus.reflectance - floors["cirrus"] <= MARGIN:
            return "contradicts", f"the cirrus band has a floor of {offset:.3g}: an offset was not applied"
        # Without the cirrus band: at least three bands in which water and shadow are black share one floor.
        if len(black) > 2 and offset - BIN_SLACK <= min(black) and max(black) <= offset + BLACK_GROUND:
            return "contradicts", f"the infrared bands share a floor of {offset:.3g}: an offset was not applied"
    if any(m.highest is not None and m.reflectance <= m.highest for m in air):
        return "agrees", "blue or green is as dark as the air over dark ground"
    return "cannot tell", "nothing in the scene is dark"
