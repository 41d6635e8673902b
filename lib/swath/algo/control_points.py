"""Ground control: what measured points add to the places that a raw image's model gives, by least squares without outliers."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from swath.algo.raw_image import Refinement
from swath.algo.rpc import Rpc
from swath.errors import MetadataError

ControlModel = Literal["shift", "affine"]
Floats = NDArray[np.float64]
#: Points that each model needs: twice its unknowns of a coordinate, less what a plane of three points would fit to anything.
_LEAST: Final = {"shift": 1, "affine": 4}
#: A point is an outlier beyond so many robust standard deviations, and at least so many pixels, from the fit.
_SIGMAS, _LEAST_PX = 3.0, 0.5
#: From the median absolute deviation to the standard deviation of normal errors.
_MAD: Final = 1.4826
_ROUNDS: Final = 10
#: Points that are farther from every fit are not of this image [px].
_WORST_PX: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoints:
    """Places that were measured on the ground and in the image, each (n,).

    Args:
        columns: Columns from the first edge of the image [px].
        rows: Rows from that edge [px].
        lon: Longitudes [deg].
        lat: Latitudes [deg].
        heights_m: Heights above the ellipsoid [m].
    """

    columns: Floats
    rows: Floats
    lon: Floats
    lat: Floats
    heights_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFit:
    """What control points say of a model.

    Args:
        refinement: Correction that is added to the image coordinates of the model.
        model: Kind of the fit.
        used: True for points that are no outliers, (n,).
        residuals_px: Distance of each point from the refined place [px], (n,).
        before_px: Root mean square distance of the used points before [px].
    """

    refinement: Refinement
    model: ControlModel
    used: NDArray[np.bool_]
    residuals_px: Floats
    before_px: float

    @property
    def rms_px(self) -> float:
        """Root mean square distance of the used points after [px]."""
        return float(np.sqrt(np.mean(self.residuals_px[self.used] ** 2)))

    @property
    def facts(self) -> dict[str, str | float | int]:
        """What a product says of it."""
        outliers = np.flatnonzero(~self.used)
        told = ", ".join(f"{i + 1} ({self.residuals_px[i]:.2f} px)" for i in outliers)
        return {
            "swath:control_model": self.model,
            "swath:control_points": int(self.used.size),
            "swath:control_rms_px": round(self.rms_px, 4),
            "swath:control_rms_before_px": round(self.before_px, 4),
            **({"swath:control_outliers": told} if told else {}),
        }


def fit(points: ControlPoints, *, rpc: Rpc, model: ControlModel = "shift") -> ControlFit:
    """Fit a shift or an affine correction in image space.

    Args:
        points: The points.
        rpc: The model of the image.
        model: ``shift`` adds two constants; ``affine`` six, and needs points that are spread over the image.

    Raises:
        MetadataError: Too few points, or they do not agree.
    """
    samples, lines = rpc.image_of(points.lon, points.lat, points.heights_m)
    columns, rows = samples + 0.5, lines + 0.5
    off = np.stack([points.columns - columns, points.rows - rows])
    known: NDArray[np.bool_] = np.asarray(np.isfinite(off).all(axis=0))
    terms = np.stack([np.ones_like(columns), columns, rows], axis=1)[:, : 1 if model == "shift" else 3]
    used = known.copy()
    for _ in range(_ROUNDS):
        if used.sum() < _LEAST[model] or used.sum() * 2 < off.shape[1]:
            raise _too_few(model, given=off.shape[1], usable=int(used.sum()))
        shares = _robust(terms, off, used=used, model=model)
        distance = np.hypot(*(off - shares @ terms.T))
        spread = _MAD * float(np.median(distance[used]))
        kept: NDArray[np.bool_] = np.asarray(known & (distance <= max(_SIGMAS * spread, _LEAST_PX)))
        if (kept == used).all():
            break
        used = kept
    shares = _squares(terms, off, used=used)
    padded = np.zeros((2, 3))
    padded[:, : shares.shape[1]] = shares
    (a, b, c), (d, e, f) = padded.tolist()
    residuals = np.hypot(*(off - shares @ terms.T))
    if float(np.sqrt(np.mean(residuals[used] ** 2))) > _WORST_PX:
        raise _too_few(model, given=off.shape[1], usable=int((residuals <= _WORST_PX).sum()))
    return ControlFit(
        refinement=Refinement(columns=(a, b, c), rows=(d, e, f)),
        model=model,
        used=used,
        residuals_px=residuals,
        before_px=float(np.sqrt(np.mean((off[:, used] ** 2).sum(axis=0)))),
    )


def _squares(terms: Floats, off: Floats, *, used: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.linalg.lstsq(terms[used], off[:, used].T, rcond=None)[0].T, dtype=np.float64)


def _robust(terms: Floats, off: Floats, *, used: NDArray[np.bool_], model: ControlModel) -> Floats:
    """A first fit that a few gross errors do not move: medians of a shift, least squares of an affine."""
    return np.median(off[:, used], axis=1, keepdims=True) if model == "shift" else _squares(terms, off, used=used)


def _too_few(model: ControlModel, *, given: int, usable: int) -> MetadataError:
    return MetadataError(
        "the control points do not refine the image's model",
        expected=f"at least {_LEAST[model]} points for {model}, and most of all points within {_WORST_PX:g} px of the fit",
        got=f"{usable} of {given} points",
        remedy="Check the points (columns and rows are counted from the image's first edge, heights are above the ellipsoid),"
        " or leave them out.",
    )
