"""The shift between two images: phase correlation of windows, and the shift or affine on which they agree.

Each pair of windows is tapered, and the phases of its cross-spectrum are correlated (Kuglin and Hines 1975): first over whole
pixels, then, with the second window moved by that, over hundredths of a pixel by a discrete Fourier transform of the
neighbourhood of the peak alone (Guizar-Sicairos, Thurman and Fienup 2008). Frequencies beyond ``_BAND`` are left out: there
resampled images have aliases, whose phases say something else. Windows that see clouds or water answer at random; those that
agree are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Steps of the fine correlation in a pixel, and how far it looks around the peak [px].
_STEPS, _AROUND = 100, 0.75
#: Radius of the frequencies that count, and width of its soft edge [cycles a pixel].
_BAND, _EDGE = 0.30, 0.06
#: Pixels around the highest peak in which no second one is looked for.
_PEAK_PX: Final = 3
#: A peak that is not so much higher than the second is none.
LEAST_RATIO: Final = 1.5
#: Two windows agree when their shifts differ by less than this [px].
AGREE_PX: Final = 0.35
#: Least number of windows that must agree, and least share of those that were compared.
LEAST_WINDOWS, LEAST_SHARE = 3, 0.15
#: An affine needs so many.
_FOR_AFFINE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """What one pair of windows says.

    Args:
        row: Row of the window's centre in the image [px].
        col: Column.
        down: Rows by which the image's content is below the reference's [px].
        right: Columns by which it is to the right of the reference's [px].
        ratio: Height of the highest peak divided by the height of the second.
    """

    row: float
    col: float
    down: float
    right: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What windows agree on: ``(down, right) = offset + slope @ (row - centre, col - centre)``.

    Args:
        offset: Rows and columns [px], at the centre.
        slope: 2 x 2, by rows and columns; all 0 for a shift.
        centre: Row and column [px].
        used: Windows that agree.
        of: Windows that were compared.
        rms: Root mean square of what is left of the used ones [px].
        ratio: Median ratio of their peaks.
    """

    offset: tuple[float, float]
    slope: tuple[tuple[float, float], tuple[float, float]]
    centre: tuple[float, float]
    used: int
    of: int
    rms: float
    ratio: float


def correlated(image: Floats, reference: Floats, *, most_px: int) -> tuple[float, float, float]:
    """The whole shift of an image against a reference, and the ratio of the peaks.

    Args:
        image: (y, x), finite.
        reference: The same shape and place.
        most_px: Most that is looked for.

    Returns:
        Rows down, columns right [px, whole], and the peak over the second one; (0, 0, 0) for windows without contrast.
    """
    spectrum = _spectrum(image, reference)
    if spectrum is None:
        return 0.0, 0.0, 0.0
    surface = np.fft.irfft2(spectrum, s=image.shape)
    reach = np.arange(-most_px - 1, most_px + 2)
    near = surface[np.ix_(reach, reach)]
    row, col = divmod(int(np.argmax(near)), reach.size)
    peak = float(near[row, col])
    others = np.ones(near.shape, dtype=np.bool_)
    others[max(row - _PEAK_PX, 0) : row + _PEAK_PX + 1, max(col - _PEAK_PX, 0) : col + _PEAK_PX + 1] = False
    second = max(float(near[others].max(initial=0.0)), float(surface.std()))
    return float(reach[row]), float(reach[col]), peak / second if second > 0.0 else 0.0


def refined(image: Floats, reference: Floats) -> tuple[float, float] | None:
    """The shift of two windows that lie within half a pixel of each other, to a hundredth [px]; None without contrast."""
    spectrum = _spectrum(image, reference)
    if spectrum is None:
        return None
    steps = np.arange(-round(_AROUND * _STEPS), round(_AROUND * _STEPS) + 1) / _STEPS
    down = np.exp(2j * np.pi * steps[:, None] * np.fft.fftfreq(image.shape[0])[None, :])
    right = np.exp(2j * np.pi * np.fft.rfftfreq(image.shape[1])[:, None] * steps[None, :])
    surface = (down @ spectrum @ right).real
    row, col = divmod(int(np.argmax(surface)), steps.size)
    return float(steps[row]), float(steps[col])


def agreed(ties: Sequence[Tie], *, affine: bool) -> Agreement | None:
    """The shift, or affine, on which most windows agree; None where too few do.

    Args:
        ties: One for each pair of windows that was compared.
        affine: Whether shifts may change over the image; with few windows they may not.
    """
    good = [t for t in ties if t.ratio >= LEAST_RATIO]
    if len(good) < LEAST_WINDOWS:
        return None
    places = np.array([(t.row, t.col) for t in good])
    shifts = np.array([(t.down, t.right) for t in good])
    centre = places.mean(axis=0)
    # The window that most others agree with; an affine of a scene changes shifts by little.
    apart = np.hypot(*(shifts[:, None] - shifts[None, :]).transpose(2, 0, 1))
    used = apart[int(np.argmax((apart < AGREE_PX).sum(axis=1)))] < AGREE_PX
    fit = _fitted(places - centre, shifts, used, affine=affine)
    for _ in range(10):
        left = np.hypot(*(shifts - _at(fit, places - centre)).T)
        spread = 3.0 * 1.4826 * float(np.median(left[used]))
        now = left < min(max(spread, 0.02), AGREE_PX)
        if now.sum() < LEAST_WINDOWS or (now == used).all():
            break
        used = now
        fit = _fitted(places - centre, shifts, used, affine=affine)
    if used.sum() < max(LEAST_WINDOWS, LEAST_SHARE * len(ties)):
        return None
    left = np.hypot(*(shifts - _at(fit, places - centre)).T)[used]
    ratios = np.array([t.ratio for t in good])[used]
    return Agreement(
        offset=(float(fit[0, 0]), float(fit[0, 1])),
        slope=((float(fit[1, 0]), float(fit[2, 0])), (float(fit[1, 1]), float(fit[2, 1]))),
        centre=(float(centre[0]), float(centre[1])),
        used=int(used.sum()),
        of=len(ties),
        rms=float(np.sqrt((left**2).mean())),
        ratio=float(np.median(ratios)),
    )


def _fitted(places: Floats, shifts: Floats, used: NDArray[np.bool_], *, affine: bool) -> Floats:
    """Coefficients of 1, row, column (3) for down and right (2)."""
    found = np.zeros((3, 2))
    if affine and used.sum() >= _FOR_AFFINE:
        terms = np.column_stack([np.ones(int(used.sum())), places[used]])
        found[:] = np.linalg.lstsq(terms, shifts[used], rcond=None)[0]
    else:
        found[0] = shifts[used].mean(axis=0)
    return found


def _at(fit: Floats, places: Floats) -> Floats:
    return np.asarray(fit[0] + places @ fit[1:])


def _spectrum(image: Floats, reference: Floats) -> NDArray[np.complex128] | None:
    """The phases of the cross-spectrum where frequencies count, (y, x // 2 + 1); None where a window is flat."""
    if not image.std() or not reference.std():
        return None
    taper = np.hanning(image.shape[0] + 2)[1:-1, None] * np.hanning(image.shape[1] + 2)[None, 1:-1]
    one, other = (np.fft.rfft2((w - w.mean()) * taper) for w in (image, reference))
    cross = one * other.conj()
    size = np.abs(cross)
    radius = np.hypot(np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1])[None, :])
    counts = np.clip((_BAND + _EDGE - radius) / _EDGE, 0.0, 1.0)
    # Half of the whitening: frequencies that hold next to nothing are noise, and no louder than the others' phases.
    floor = 1e-3 * float(size.max())
    return np.asarray(cross / np.sqrt(np.maximum(size, floor)) / np.sqrt(size.max()) * counts)
