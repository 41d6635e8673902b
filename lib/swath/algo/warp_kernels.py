"""The loops of ``algo.warp``, as machine code.

Each takes the pixels in memory and where they are usable, (y, x), and the place of them: first row, first column, height and
width of the whole image. It fills values and validity of the target, (y, x), and returns how many pixels of the image it
lacked in memory: the target pixels that need them stay invalid.
"""

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swath.compiled import compiled

Place = tuple[int, int, int, int]
#: North, south, west and east edges of the rectangles that target pixels cover in the image [px], each (y, x).
Rectangles = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@compiled
def nearest(  # noqa: PLR0917 (compiled functions take positions)
    values: NDArray[Any],
    usable: NDArray[np.bool_],
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    place: Place,
    tie: float,
    out: NDArray[Any],
    valid: NDArray[np.bool_],
) -> int:
    """Take the pixel under the centre."""
    top, left, height, width = place
    missed = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            column, row = columns[y, x] + tie, rows[y, x] + tie
            if not (0.0 <= column < width and 0.0 <= row < height):
                continue
            i, j = int(row) - top, int(column) - left
            if i < 0 or j < 0 or i >= values.shape[0] or j >= values.shape[1]:
                missed += 1
            elif usable[i, j]:
                out[y, x] = values[i, j]
                valid[y, x] = True
    return missed


@compiled
def bilinear(  # noqa: C901, PLR0917 (as above)
    values: NDArray[np.float64],
    usable: NDArray[np.bool_],
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    place: Place,
    tie: float,
    out: NDArray[np.float64],
    valid: NDArray[np.bool_],
) -> int:
    """Weigh the usable ones of four pixels by their distance, where the pixel under the centre is usable."""
    top, left, height, width = place
    high, wide = values.shape
    missed = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            row, column = rows[y, x], columns[y, x]
            if not (0.0 <= column + tie < width and 0.0 <= row + tie < height):
                continue
            down, right = row - 0.5 - floor(row - 0.5), column - 0.5 - floor(column - 0.5)
            i, j = floor(row - 0.5) - top, floor(column - 0.5) - left
            inside = i >= 0 and j >= 0 and i + 1 < high and j + 1 < wide
            if inside and usable[i, j] and usable[i, j + 1] and usable[i + 1, j] and usable[i + 1, j + 1]:
                above = values[i, j] * (1.0 - right) + values[i, j + 1] * right
                below = values[i + 1, j] * (1.0 - right) + values[i + 1, j + 1] * right
                out[y, x] = above * (1.0 - down) + below * down
                valid[y, x] = True
                continue
            total, weight = 0.0, 0.0
            for k in range(4):
                m, n = i + k // 2, j + k % 2
                if not (0 <= m + top < height and 0 <= n + left < width):
                    continue
                if m < 0 or n < 0 or m >= high or n >= wide:
                    missed += 1
                elif usable[m, n]:
                    share = (down if k // 2 else 1.0 - down) * (right if k % 2 else 1.0 - right)
                    total += values[m, n] * share
                    weight += share
                    if m + top == int(row + tie) and n + left == int(column + tie):
                        valid[y, x] = True
            if valid[y, x]:
                out[y, x] = total / weight
    return missed


@compiled
def sharpen(  # noqa: PLR0917 (as above)
    values: NDArray[np.float64],
    usable: NDArray[np.bool_],
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    place: Place,
    out: NDArray[np.float64],
    valid: NDArray[np.bool_],
) -> int:
    """Put the cubic value where ``bilinear`` put its own, as far as all sixteen pixels around the centre are usable."""
    top, left, height, width = place
    shares = np.empty((2, 4))
    missed = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if not valid[y, x]:
                continue
            first, second = floor(rows[y, x] - 0.5) - 1, floor(columns[y, x] - 0.5) - 1
            if first < 0 or second < 0 or first + 4 > height or second + 4 > width:
                continue
            i, j = first - top, second - left
            if i < 0 or j < 0 or i + 4 > values.shape[0] or j + 4 > values.shape[1]:
                missed += 1
                continue
            if not usable[i : i + 4, j : j + 4].all():
                continue
            for k in range(2):
                t = rows[y, x] - 1.5 - first if k == 0 else columns[y, x] - 1.5 - second
                shares[k, 0] = ((-0.5 * t + 1.0) * t - 0.5) * t
                shares[k, 1] = (1.5 * t - 2.5) * t * t + 1.0
                shares[k, 2] = ((-1.5 * t + 2.0) * t + 0.5) * t
                shares[k, 3] = (0.5 * t - 0.5) * t * t
            total = 0.0
            for a in range(4):
                line = 0.0
                for b in range(4):
                    line += values[i + a, j + b] * shares[1, b]
                total += line * shares[0, a]
            out[y, x] = total
    return missed


@compiled
def average(  # noqa: PLR0917 (as above)
    values: NDArray[np.float64],
    usable: NDArray[np.bool_],
    rectangles: Rectangles,
    place: Place,
    out: NDArray[np.float64],
    valid: NDArray[np.bool_],
) -> int:
    """Weigh pixels by how much of each the target's rectangle covers."""
    top, left = place[0], place[1]
    north, south, west, east = rectangles
    missed = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if not south[y, x] > north[y, x]:
                continue
            i0, i1, j0, j1 = int(north[y, x]), ceil(south[y, x]), int(west[y, x]), ceil(east[y, x])
            if i0 < top or j0 < left or i1 > top + values.shape[0] or j1 > left + values.shape[1]:
                missed += 1
                continue
            total, weight, covered = 0.0, 0.0, 0.0
            for i in range(i0, i1):
                tall = min(south[y, x], i + 1.0) - max(north[y, x], float(i))
                for j in range(j0, j1):
                    share = tall * (min(east[y, x], j + 1.0) - max(west[y, x], float(j)))
                    covered += share
                    if usable[i - top, j - left]:
                        total += values[i - top, j - left] * share
                        weight += share
            if weight > 0.0 and weight >= 0.5 * covered:
                out[y, x] = total / weight
                valid[y, x] = True
    return missed


@compiled
def mode(  # noqa: C901, PLR0912, PLR0917 (as above)
    values: NDArray[Any],
    usable: NDArray[np.bool_],
    rectangles: Rectangles,
    place: Place,
    out: NDArray[Any],
    valid: NDArray[np.bool_],
) -> int:
    """Find the value that covers most of the target's rectangle; of equals the smallest."""
    top, left = place[0], place[1]
    north, south, west, east = rectangles
    seen, shares = np.empty(64, dtype=values.dtype), np.empty(64)
    missed = 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if not south[y, x] > north[y, x]:
                continue
            i0, i1, j0, j1 = int(north[y, x]), ceil(south[y, x]), int(west[y, x]), ceil(east[y, x])
            if i0 < top or j0 < left or i1 > top + values.shape[0] or j1 > left + values.shape[1]:
                missed += 1
                continue
            if (i1 - i0) * (j1 - j0) > seen.size:
                seen, shares = np.empty((i1 - i0) * (j1 - j0), dtype=values.dtype), np.empty((i1 - i0) * (j1 - j0))
            kinds, weight, covered, best = 0, 0.0, 0.0, 0
            for i in range(i0, i1):
                tall = min(south[y, x], i + 1.0) - max(north[y, x], float(i))
                for j in range(j0, j1):
                    share = tall * (min(east[y, x], j + 1.0) - max(west[y, x], float(j)))
                    covered += share
                    if usable[i - top, j - left]:
                        k = 0
                        while k < kinds and seen[k] != values[i - top, j - left]:
                            k += 1
                        if k == kinds:
                            seen[k], shares[k] = values[i - top, j - left], 0.0
                            kinds += 1
                        shares[k] += share
                        weight += share
            if weight > 0.0 and weight >= 0.5 * covered:
                for k in range(1, kinds):
                    if shares[k] > shares[best] or (shares[k] == shares[best] and seen[k] < seen[best]):
                        best = k
                out[y, x] = seen[best]
                valid[y, x] = True
    return missed
