"""How a network that looks around is fed: patches anchored on the scene's grid, so that no cut of a scene shows in its answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: ``convolutional``: every answer depends on the halo alone. ``patch``: on all of a patch (global pooling, attention).
Reach = Literal["convolutional", "patch"]
Activation = Literal["softmax", "sigmoid", "none"]
#: Sides of a patch beyond this are no patch [px].
_MAX_PATCH_PX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalise:
    """A feature enters the network as ``(feature - mean) / std``.

    Args:
        mean: Mean of each band, in the order of the manifest's bands.
        std: Standard deviation, as ``mean``; not 0.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How the probability of the class ``cloud`` becomes a mask: averaged over a disk, cut, grown by a disk.

    Args:
        threshold: Probability [1] above which the average is cloud.
        average_px: Radius of the averaging disk; 0 for none.
        dilation_px: Radius of the growing disk; 0 for none.
    """

    threshold: float
    average_px: int = 0
    dilation_px: int = 0

    @property
    def margin_px(self) -> int:
        """Pixels around a window that its mask depends on."""
        return self.average_px + self.dilation_px

    def problems(self) -> Iterator[tuple[bool, str]]:
        """Whether each contradiction is there, and how it is said."""
        yield not 0 < self.threshold < 1, f"decision.threshold must be between 0 and 1, got {self.threshold}"
        radii = (self.average_px, self.dilation_px)
        yield not all(0 <= r <= 64 for r in radii), f"radii of a decision must be in 0..64 px, got {radii}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a manifest says of a network with neighbourhoods.

    Args:
        reach: Neighbourhood that an answer depends on.
        patch_px: Side of the square that the network takes at once.
        align_px: Distance of places at which a convolutional network gives equal answers (2^depth of a U-Net); of a
            patch network the distance from one patch to the next. Crops of a scene at multiples of it change no answer.
        activation: Function that makes probabilities of the network's output; ``sigmoid`` for the one output of two classes.
        normalise: Mean and standard deviation by band.
        layout: Order of the input's axes: (1, band, y, x).
        anchor_px: Row and column of the first patch of a patch network, at most 0.
        taper: Share of a patch over which the weight of its answers rises and falls by a cosine (Tukey window), 0 to 1; with
            0 every pixel has the answer of the patch whose centre is nearest.
        edge: Padding beyond the scene: ``fill``, or the scene mirrored at its edge (``symmetric``).
        fill: Feature of pixels without a value.
    """

    reach: Reach
    patch_px: int
    align_px: int
    activation: Activation
    normalise: Normalise
    layout: Literal["NCHW"] = "NCHW"
    anchor_px: int = 0
    taper: float = 0.0
    edge: Literal["fill", "symmetric"] = "fill"
    fill: float = 0.0

    def problems(self, *, bands: int, classes: int, halo_px: int) -> Iterator[tuple[bool, str]]:
        """Whether each contradiction is there, and how it is said."""
        numbers = (*self.normalise.mean, *self.normalise.std, self.fill, self.taper)
        yield self.reach not in ("convolutional", "patch"), f"reach must be convolutional or patch, got {self.reach!r}"
        yield self.layout != "NCHW", f"layout must be NCHW, got {self.layout!r}"
        yield self.activation not in ("softmax", "sigmoid", "none"), f"unknown activation {self.activation!r}"
        yield self.edge not in ("fill", "symmetric"), f"edge must be fill or symmetric, got {self.edge!r}"
        yield not 0 < self.patch_px <= _MAX_PATCH_PX, f"patch_px must be in 1..{_MAX_PATCH_PX}, got {self.patch_px}"
        yield not 0 < self.align_px <= self.patch_px, f"align_px must be in 1..patch_px, got {self.align_px}"
        yield len(self.normalise.mean) != bands, f"normalise.mean must have {bands} numbers, one for each band"
        yield len(self.normalise.std) != bands, f"normalise.std must have {bands} numbers, one for each band"
        yield not all(isfinite(n) for n in numbers), "normalise, fill and taper must be finite"
        yield any(s <= 0 for s in self.normalise.std), "normalise.std must be positive"
        yield self.activation == "sigmoid" and classes != 2, f"a sigmoid decides between 2 classes, not {classes}"
        yield not 0 <= self.taper <= 1, f"taper must be in 0..1, got {self.taper}"
        yield from self._of_reach(halo_px)

    def _of_reach(self, halo_px: int) -> Iterator[tuple[bool, str]]:
        if self.reach == "convolutional":
            yield self.patch_px % self.align_px != 0, f"patch_px must be a multiple of align_px, got {self.patch_px}"
            small = f"patch_px {self.patch_px} leaves nothing between two margins of {halo_px} px, in steps of {self.align_px}"
            yield self.step_px(halo_px) <= 0, small
            yield bool(self.anchor_px or self.taper), "anchor_px and taper are for patch networks: here the halo decides"
        else:
            yield bool(halo_px), "halo_px is for convolutional networks: an answer of a patch network depends on its whole patch"
            inside = -self.patch_px < self.anchor_px <= 0
            yield not inside, f"anchor_px must be in 1 - patch_px..0, got {self.anchor_px}"
            bare = inside and 0 < self.align_px <= self.patch_px and 0 <= self.taper <= 1 and self._leaves_bare()
            yield (
                bare,
                f"anchor_px {self.anchor_px} leaves the first pixels without an answer: begin further outside",
            )

    def _leaves_bare(self) -> bool:
        """Whether a pixel at the scene's first edge has no patch whose answer counts there."""
        weights, pixels = self.weights(0), np.arange(self.align_px)
        total = np.zeros(self.align_px)
        for start in range(self.anchor_px, self.align_px, self.align_px):
            place = pixels - start
            inside = (place >= 0) & (place < self.patch_px)
            total[inside] += weights[place[inside]]
        return bool((total <= 0).any())

    def _margin(self, halo_px: int) -> int:
        return -(-halo_px // self.align_px) * self.align_px

    def step_px(self, halo_px: int) -> int:
        """Distance from one patch to the next."""
        return self.align_px if self.reach == "patch" else self.patch_px - 2 * self._margin(halo_px)

    def first_px(self, halo_px: int) -> int:
        """Row and column of the first patch."""
        return self.anchor_px if self.reach == "patch" else -self._margin(halo_px)

    def margin_px(self, halo_px: int) -> int:
        """Pixels around a window that the patches of its pixels reach into."""
        return self.patch_px - 1 - self._margin(halo_px)

    def weights(self, halo_px: int) -> NDArray[np.float64]:
        """Weight of a patch's answers by its row or column, (patch_px,)."""
        side, step = self.patch_px, self.step_px(halo_px)
        if self.taper:
            return _tukey(side, taper=self.taper)
        weights = np.zeros(side)
        start = (side - step) // 2
        weights[start : start + step] = 1.0
        return weights


def _tukey(side: int, *, taper: float) -> NDArray[np.float64]:
    """Tukey window (Harris 1978, doi:10.1109/PROC.1978.10837, equation 38), symmetric, (side,)."""
    place = np.arange(side, dtype=np.float64)
    flank = int(np.floor(taper * (side - 1) / 2.0))
    window = np.ones(side)
    rise = 0.5 * (1 + np.cos(np.pi * (-1 + 2.0 * place[: flank + 1] / taper / (side - 1))))
    fall = 0.5 * (1 + np.cos(np.pi * (-2.0 / taper + 1 + 2.0 * place[side - flank - 1 :] / taper / (side - 1))))
    window[: flank + 1], window[side - flank - 1 :] = rise, fall
    return window
