"""Areas of classes from a map and its confusion matrix: the stratified estimator, with confidence intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Standard errors to each side of a 95 % interval.
Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassShares:
    """Shares of the mapped area by class, estimated; each (class,).

    Args:
        mapped: Share on the map [1].
        estimated: Share corrected by the confusion matrix [1].
        half_width: Half of the 95 % confidence interval [1]; NaN where a class of the map was checked fewer than twice.
    """

    mapped: NDArray[np.float64]
    estimated: NDArray[np.float64]
    half_width: NDArray[np.float64]


def class_shares_of(confusion: NDArray[np.float64], *, mapped: NDArray[np.int64], checks: NDArray[np.int64]) -> ClassShares:
    """The stratified estimator of Olofsson et al. 2014 (doi:10.1016/j.rse.2014.02.015), equations 4, 9, 10 and 11.

    Strata are the classes of the map. A mapped class of which nothing was checked is taken as mapped, and the interval of every
    class is then unknown.

    Args:
        confusion: Checked places by (true class, mapped class).
        mapped: Pixels of each class on the map, (class,).
        checks: Independent checks behind each column of ``confusion``, (class,): its sum for single places drawn at random, the
            number of polygons where places come in polygons.

    Raises:
        ValueError: Shapes differ, or the map has no pixel.
    """
    size, total = mapped.size, int(mapped.sum())
    if confusion.shape != (size, size) or checks.shape != (size,) or not total:
        msg = f"expected a map with pixels, {size} checks and a matrix ({size}, {size}); got {confusion.shape}, {checks.shape}"
        raise ValueError(msg)
    weight = mapped / total
    columns = confusion.sum(axis=0)
    # (true, mapped): share of each true class among what was checked of a class of the map.
    share = np.divide(confusion, columns, out=np.eye(size), where=columns > 0)
    estimated = share @ weight
    few = (checks < 2) & (mapped > 0)
    spread = share * (1.0 - share) / np.maximum(checks - 1, 1)
    variance = spread @ weight**2
    half = Z_95 * np.sqrt(variance)
    return ClassShares(mapped=weight, estimated=estimated, half_width=np.full(size, np.nan) if few.any() else half)
