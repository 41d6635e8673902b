"""A made-up coast with farms, woods and towns, defined everywhere on the map by continuous coordinates.

Any sensor, pixel size and window sees the same place: every value depends on its own position and the seed alone.
"""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from swath.simulator.landcover import CODE_OF, reflectances_at, temperatures, textures
from swath.simulator.noise import F32, F64, fractal, ramp, smooth
from swath.simulator.parcels import Parcels, parcels, share
from swath.simulator.towns import built
from swath.simulator.waters import Waters, waters

#: The world's origin on the map: UTM zone 33 north [m].
WORLD_ORIGIN_M = (400_000.0, 6_000_000.0)
#: Spectrum that gardens and trees mix into built-up ground: half way through this class.
GARDEN = "forest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The ground as a sensor could see it, without atmosphere and clouds, (y, x).

    Args:
        code: Land-cover class, uint8.
        mix: 0..1 between the two spectra of the class.
        gain: Factor on reflectance: fine texture and relief.
        green: 0..1, share of gardens within the pixel.
    """

    code: NDArray[np.uint8]
    mix: F32
    gain: F32
    green: F32

    def reflectance(self, *, centre_um: float) -> F32:
        """Surface reflectance [1] at a wavelength, (y, x)."""
        low, high = reflectances_at(centre_um)
        span = np.take(high - low, self.code)
        span *= self.mix
        span += np.take(low, self.code)
        garden = np.float32((low[CODE_OF[GARDEN]] + high[CODE_OF[GARDEN]]) / 2)
        span += self.green * (garden - span)
        span *= self.gain
        return np.clip(span, np.float32(0.0005), np.float32(0.95), out=span)

    def temperature_k(self) -> F32:
        """Brightness temperature of the ground [K], (y, x)."""
        low, high = temperatures()
        warm = np.take(high - low, self.code)
        warm *= self.mix
        warm += np.take(low, self.code)
        warm += (self.gain - np.float32(1.0)) * np.float32(4.0)
        warm -= self.green * np.float32(5.0)
        return warm


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """The landscape of a seed, lit by the sun.

    Args:
        seed: Another seed, another place of the same kind.
        sun_azimuth_deg: Direction of the sun; slopes that face it are brighter.
    """

    seed: int
    sun_azimuth_deg: float

    def ground(self, x_m: F64, y_m: F64) -> Ground:
        """Look at columns ``x_m`` and rows ``y_m`` [map coordinates, UTM 33N, m]; both float64, 1-D."""
        x, y = x_m - WORLD_ORIGIN_M[0], y_m - WORLD_ORIGIN_M[1]
        water = waters(x, y, seed=self.seed)
        fields = parcels(x, y, seed=self.seed)
        rough = fractal(x, y, wavelength_m=240.0, octaves=3, seed=self.seed + 81)
        fine = fractal(x, y, wavelength_m=34.0, octaves=2, seed=self.seed + 82)
        code, mix = _farmland(fields, rough=rough, fine=fine)
        self._wild(x, y, code=code, mix=mix, water=water, fields=fields, rough=rough)
        green = self._build(x, y, code=code, mix=mix, water=water)
        _flood(code, mix, water=water, rough=rough)
        height = np.take(textures(), code)
        gain = np.float32(1.0) + height * (fine + np.float32(0.4) * rough)
        self._relief(x, y, code=code, gain=gain)
        return Ground(code=code, mix=np.clip(mix, 0.0, 1.0), gain=np.clip(gain, 0.45, 1.7), green=green)

    def _wild(self, x: F64, y: F64, *, code: NDArray[np.uint8], mix: F32, water: Waters, fields: Parcels, rough: F32) -> None:
        """Woods, meadows and reeds, over the fields."""
        wood = fractal(x, y, wavelength_m=4600.0, octaves=4, seed=self.seed + 51)
        wood += (share(fields.identity, salt=4) - np.float32(0.5)) * np.float32(0.75)
        _set(code, mix, where=wood > 0.62, name="forest", value=_stand(x, y, rough=rough, seed=self.seed))
        shore = water.inside + np.float32(22.0) * rough
        valley = fractal(x, y, wavelength_m=1500.0, octaves=5, seed=self.seed + 52)
        meadow = (water.river > -260.0 + 90.0 * valley) & (wood < 1.5)
        _set(code, mix, where=meadow, name="grassland", value=np.float32(0.3) + np.float32(0.25) * valley)
        reed = (shore > np.float32(-150.0) + np.float32(120.0) * valley) & (valley < 0.35) & (water.sea < -350.0)
        bog = (valley > 1.9) & (wood < 0.4)
        _set(code, mix, where=reed | bog, name="wetland", value=np.float32(0.5) + np.float32(0.3) * rough)
        dune = water.sea > np.float32(-210.0) + np.float32(60.0) * valley
        _set(code, mix, where=dune, name="grassland", value=np.float32(0.9) + np.float32(0.1) * rough)
        beach = water.sea > np.float32(-75.0) + np.float32(18.0) * valley
        _set(code, mix, where=beach, name="bare", value=np.float32(0.85) + np.float32(0.1) * rough)

    def _build(self, x: F64, y: F64, *, code: NDArray[np.uint8], mix: F32, water: Waters) -> F32:
        """Towns and roads, over everything dry; returns the share of gardens."""
        made = built(x, y, seed=self.seed, dry=water.inside < -15.0)
        _set(code, mix, where=made.road & ~made.urban, name="urban", value=np.full(mix.shape, 0.12, np.float32))
        _set(code, mix, where=made.urban, name="urban", value=made.mix)
        return np.where(made.urban, made.green, np.float32(0.0))

    def _relief(self, x: F64, y: F64, *, code: NDArray[np.uint8], gain: F32) -> None:
        """Brighten slopes that face the sun, in place; water stays flat."""
        azimuth = radians(self.sun_azimuth_deg)
        east = fractal(x, y, wavelength_m=2100.0, octaves=3, seed=self.seed + 55, slope="x")
        north = fractal(x, y, wavelength_m=2100.0, octaves=3, seed=self.seed + 55, slope="y")
        facing = east * np.float32(-sin(azimuth)) + north * np.float32(-cos(azimuth))
        hilly = ramp(smooth(x, y, wavelength_m=8000.0, seed=self.seed + 56), low=-0.6, high=1.3)
        facing *= np.float32(95.0) * (np.float32(0.3) + hilly)
        facing[code == CODE_OF["water"]] = 0.0
        gain *= np.float32(1.0) + np.clip(facing, -0.35, 0.35)


def _set(code: NDArray[np.uint8], mix: F32, *, where: NDArray[np.bool_], name: str, value: F32) -> None:
    """Set the class of the ground where ``where`` is True, in place."""
    np.copyto(code, np.uint8(CODE_OF[name]), where=where)
    np.copyto(mix, value, where=where)


def _stand(x: F64, y: F64, *, rough: F32, seed: int) -> F32:
    """0 conifers .. 1 broadleaves."""
    kind = smooth(x, y, wavelength_m=900.0, seed=seed + 53)
    return ramp(kind, low=-0.6, high=0.7) * np.float32(0.75) + np.float32(0.1) + np.float32(0.08) * rough


def _farmland(fields: Parcels, *, rough: F32, fine: F32) -> tuple[NDArray[np.uint8], F32]:
    """Crops by field, with tracks around the blocks and strips of grass between fields."""
    kind = share(fields.identity, salt=1)
    code = np.full(kind.shape, CODE_OF["crop_dry"], np.uint8)
    code[kind < 0.68] = CODE_OF["crop_green"]
    code[kind < 0.36] = CODE_OF["grassland"]
    code[kind < 0.13] = CODE_OF["bare"]
    tint = share(fields.identity, salt=2)
    mix = np.float32(0.08) + np.float32(0.84) * tint + np.float32(0.07) * rough + np.float32(0.04) * fine
    # Ploughed soil is brown; only beaches reach the bright end of the class.
    mix = np.where(code == CODE_OF["bare"], np.float32(0.30) * mix, mix)
    margin = fields.edge_m < 4.0
    np.copyto(code, np.uint8(CODE_OF["grassland"]), where=margin)
    np.copyto(mix, np.float32(0.55), where=margin)
    hedge = (fields.block_edge_m < 11.0) & (share(fields.block, salt=3) < 0.4)
    np.copyto(code, np.uint8(CODE_OF["forest"]), where=hedge)
    np.copyto(mix, np.float32(0.6), where=hedge)
    return code, mix


def _flood(code: NDArray[np.uint8], mix: F32, *, water: Waters, rough: F32) -> None:
    """Water, bright over shallows and deep blue further out, in place."""
    wet = water.inside > 0.0
    shallow = np.float32(1.0) - ramp(water.sea, low=-200.0, high=1500.0)
    plume = np.float32(0.75) * ramp(water.river, low=-900.0, high=300.0)
    plume *= np.float32(1.0) - ramp(water.sea, low=0.0, high=2600.0)
    still = np.where(water.lake > 0.0, np.float32(0.12), np.maximum(shallow * np.float32(0.9), plume))
    _set(code, mix, where=wet, name="water", value=still + np.float32(0.03) * rough)
