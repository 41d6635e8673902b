"""Rational polynomial coefficients: from the ground to an image and back, by the RPC00B model.

NIMA, "The Compendium of Controlled Extensions for the National Imagery Transmission Format" (STDI-0002), RPC00B: line and sample
are each the ratio of two cubic polynomials of normalised latitude, longitude and height. Lines and samples are
counted so that the centre of the first pixel is (0, 0): ``readers.rpc`` brings every spelling to that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled
from swath.errors import MetadataError

#: Coefficients of a polynomial.
TERMS: Final = 20
#: Ground is found when it moves by less than this [deg]: a tenth of a millimetre.
_STEP_DEG: Final = 1e-9
_STEPS: Final = 30
#: How far beyond its normalised cube a model is believed, as a share of the scales.
_BEYOND: Final = 0.1
#: Where in the normalised cube denominators are looked at, along each axis.
_LOOKED_AT: Final = 9
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpc:
    """One image's coefficients, in the order of RPC00B.

    Args:
        line_off: Offset of lines [px]; the centre of the first line is 0.
        samp_off: Offset of samples [px].
        lat_off: Offset of latitudes [deg].
        long_off: Offset of longitudes [deg].
        height_off: Offset of heights above the WGS 84 ellipsoid [m].
        line_scale: Scale of lines [px].
        samp_scale: Scale of samples [px].
        lat_scale: Scale of latitudes [deg].
        long_scale: Scale of longitudes [deg].
        height_scale: Scale of heights [m].
        line_num: Numerator of lines, 20 coefficients.
        line_den: Denominator of lines.
        samp_num: Numerator of samples.
        samp_den: Denominator of samples.

    Raises:
        MetadataError: A number is missing or not finite, a scale is not positive, or a denominator is zero where it counts.
    """

    line_off: float
    samp_off: float
    lat_off: float
    long_off: float
    height_off: float
    line_scale: float
    samp_scale: float
    lat_scale: float
    long_scale: float
    height_scale: float
    line_num: tuple[float, ...]
    line_den: tuple[float, ...]
    samp_num: tuple[float, ...]
    samp_den: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse models that cannot place a pixel."""
        self._check_numbers()
        self._check_denominators()
        self._check_orientation()

    @property
    def scalars(self) -> tuple[float, ...]:
        """Offsets and scales in the order of the fields."""
        return (
            self.line_off, self.samp_off, self.lat_off, self.long_off, self.height_off,
            self.line_scale, self.samp_scale, self.lat_scale, self.long_scale, self.height_scale,
        )  # fmt: skip

    @property
    def coefficients(self) -> Floats:
        """(4, 20): line numerator and denominator, sample numerator and denominator."""
        return np.array([self.line_num, self.line_den, self.samp_num, self.samp_den])

    @property
    def heights_m(self) -> tuple[float, float]:
        """Lowest and highest height above the ellipsoid for which the model holds [m]."""
        reach = self.height_scale * (1.0 + _BEYOND)
        return self.height_off - reach, self.height_off + reach

    def _check_numbers(self) -> None:
        numbers = np.array([*self.scalars, *self.line_num, *self.line_den, *self.samp_num, *self.samp_den])
        sizes = [len(c) for c in (self.line_num, self.line_den, self.samp_num, self.samp_den)]
        if sizes != [TERMS] * 4 or not np.isfinite(numbers).all():
            raise _bad("its coefficients are incomplete", expected="four times 20 finite coefficients", got=f"{sizes}")
        if min(self.scalars[5:]) <= 0.0:
            raise _bad("a scale is not positive", expected="five scales above 0", got=str(self.scalars[5:]))
        if not (-90.0 <= self.lat_off <= 90.0 and -360.0 <= self.long_off <= 360.0):
            told = f"LAT_OFF {self.lat_off:g}, LONG_OFF {self.long_off:g}"
            raise _bad("its centre is not on the globe", expected="latitude and longitude in degrees", got=told)

    def _check_denominators(self) -> None:
        axis = np.linspace(-1.0, 1.0, _LOOKED_AT)
        lat, lon, height = (a.ravel() for a in np.meshgrid(axis, axis, axis))
        terms = _terms(lat, lon, height)
        for name, den in (("line", self.line_den), ("sample", self.samp_den)):
            values = terms @ np.array(den)
            if np.abs(values).min() < _LEAST_DENOMINATOR or values.min() * values.max() < 0.0:
                raise _bad(
                    f"the denominator of its {name}s is zero inside the image",
                    expected=f"{name.upper()}_DEN_COEFF of one sign for all normalised ground",
                    got=f"{values.min():.3g} to {values.max():.3g}",
                )

    def image_of(self, lon: Floats, lat: Floats, height_m: Floats) -> tuple[Floats, Floats]:
        """Samples and lines [px] of ground points; the centre of the first pixel is (0, 0).

        Args:
            lon: Longitudes [deg], any shape.
            lat: Latitudes [deg], of that shape.
            height_m: Heights above the ellipsoid [m], of that shape; NaN stays NaN.
        """
        lon, lat, height_m = np.broadcast_arrays(lon, lat, height_m)
        flat = [np.ascontiguousarray(a, dtype=np.float64).ravel() for a in (lon, lat, height_m)]
        samples, lines = np.empty(flat[0].shape), np.empty(flat[0].shape)
        _project(flat[0], flat[1], flat[2], np.array(self.scalars), self.coefficients, samples, lines)
        return samples.reshape(lon.shape), lines.reshape(lon.shape)

    def ground_of(self, samples: Floats, lines: Floats, height_m: Floats) -> tuple[Floats, Floats]:
        """Longitudes and latitudes [deg] of image points at given heights, by Newton's iteration; NaN where there is none.

        Args:
            samples: [px], any shape; the centre of the first pixel is 0.
            lines: [px], of that shape.
            height_m: Heights above the ellipsoid [m], of that shape.
        """
        samples, lines, height_m = (np.asarray(a, dtype=np.float64) for a in np.broadcast_arrays(samples, lines, height_m))
        lon, lat = np.full(samples.shape, self.long_off), np.full(samples.shape, self.lat_off)
        east, north = self.long_scale * 1e-4, self.lat_scale * 1e-4
        for _ in range(_STEPS):
            s, n = self.image_of(lon, lat, height_m)
            s_east, n_east = self.image_of(lon + east, lat, height_m)
            s_north, n_north = self.image_of(lon, lat + north, height_m)
            a, b, c, d = (s_east - s) / east, (s_north - s) / north, (n_east - n) / east, (n_north - n) / north
            with np.errstate(divide="ignore", invalid="ignore"):
                det = a * d - b * c
                step_lon = ((samples - s) * d - (lines - n) * b) / det
                step_lat = ((lines - n) * a - (samples - s) * c) / det
            lon, lat = lon + step_lon, lat + step_lat
            if np.nanmax(np.abs([step_lon, step_lat]), initial=0.0) < _STEP_DEG:
                break
        return lon, lat

    def _check_orientation(self) -> None:
        """An image that is seen from above is never a mirror image of the ground."""
        east, north = self.long_scale * 1e-3, self.lat_scale * 1e-3
        lon, lat = self.long_off + np.array([0.0, east, 0.0]), self.lat_off + np.array([0.0, 0.0, north])
        samples, lines = self.image_of(lon, lat, np.full(3, self.height_off))
        turn = (samples[1] - samples[0]) * (lines[2] - lines[0]) - (samples[2] - samples[0]) * (lines[1] - lines[0])
        if not turn < 0.0:
            raise _bad(
                "its lines and samples are swapped",
                expected="an image that shows the ground as from above",
                got="a mirror image of it" if turn > 0.0 else "an image without area",
            )

    def check_size(self, *, height: int, width: int) -> None:
        """Refuse a model whose line and sample offsets and scales are swapped.

        A crop with the model of its whole image passes.

        Args:
            height: Lines of the image.
            width: Samples of the image.

        Raises:
            MetadataError: The offsets and scales fit the image only after they are exchanged.
        """
        fits = max(_misfit(self.line_off, self.line_scale, height), _misfit(self.samp_off, self.samp_scale, width))
        swapped = max(_misfit(self.line_off, self.line_scale, width), _misfit(self.samp_off, self.samp_scale, height))
        if swapped <= _MISFIT < fits:
            raise _bad(
                "its lines and samples are swapped",
                expected=f"offsets and scales of {height} lines and {width} samples",
                got=f"lines {self.line_off:g} +- {self.line_scale:g}, samples {self.samp_off:g} +- {self.samp_scale:g}",
            )

    def check_heights(self, low_m: float, high_m: float) -> None:
        """Refuse ground outside the heights for which the model holds.

        Raises:
            MetadataError: Some of it is.
        """
        lowest, highest = self.heights_m
        if low_m < lowest or high_m > highest:
            raise _bad(
                "the elevation is outside its range of heights",
                expected=f"{lowest:.0f} to {highest:.0f} m above the ellipsoid",
                got=f"{low_m:.0f} to {high_m:.0f} m",
            )


#: A denominator is 1 at the centre of a sound model.
_LEAST_DENOMINATOR: Final = 1e-3
#: How far edges of a model and of an image may be apart, as a share of the image.
_MISFIT: Final = 0.1


def _misfit(offset: float, scale: float, size: int) -> float:
    """By how much of an image's side the normalised range of a model differs from it."""
    return max(abs(offset - scale), abs(offset + scale - size)) / size


def _bad(problem: str, *, expected: str, got: str) -> MetadataError:
    return MetadataError(
        f"the RPC of the image cannot be used: {problem}",
        expected=expected,
        got=got,
        remedy="Fetch the RPC file of the image again.",
    )


def _terms(lat: Floats, lon: Floats, height: Floats) -> Floats:
    """The 20 terms of RPC00B of normalised coordinates, (n, 20)."""
    p, m, h = lat, lon, height
    return np.stack(
        [np.ones_like(p), m, p, h, m * p, m * h, p * h, m * m, p * p, h * h, p * m * h, m**3, m * p * p, m * h * h, m * m * p,
         p**3, p * h * h, m * m * h, p * p * h, h**3], axis=-1,
    )  # fmt: skip


@compiled
def _project(  # noqa: PLR0917 (compiled functions take positions)
    lon: Floats, lat: Floats, height: Floats, scalars: Floats, coefficients: Floats, samples: Floats, lines: Floats
) -> None:
    sums = np.empty(4)
    term = np.empty(20)
    for i in range(lon.size):
        # The model has longitudes on one side of the antimeridian.
        east = lon[i] - scalars[3]
        if east > 180.0:
            east -= 360.0
        elif east < -180.0:
            east += 360.0
        m, p, h = east / scalars[8], (lat[i] - scalars[2]) / scalars[7], (height[i] - scalars[4]) / scalars[9]
        term[0], term[1], term[2], term[3], term[4], term[5], term[6] = 1.0, m, p, h, m * p, m * h, p * h
        term[7], term[8], term[9], term[10], term[11], term[12] = m * m, p * p, h * h, p * m * h, m * m * m, m * p * p
        term[13], term[14], term[15], term[16] = m * h * h, m * m * p, p * p * p, p * h * h
        term[17], term[18], term[19] = m * m * h, p * p * h, h * h * h
        for k in range(4):
            sums[k] = 0.0
            for t in range(20):
                sums[k] += coefficients[k, t] * term[t]
        lines[i] = sums[0] / sums[1] * scalars[5] + scalars[0]
        samples[i] = sums[2] / sums[3] * scalars[6] + scalars[1]
