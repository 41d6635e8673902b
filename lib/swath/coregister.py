"""What a scene is co-registered to: a choice of the pipeline, and what was found of one scene."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.grid import Grid
from swath.scene import Scene

Model = Literal["shift", "affine"]
#: Raised when other shifts are found.
VERSION = 1
#: Beyond this, windows have little ground in common.
_MOST_PX = 32.0
#: A scene that lies closer than this is left alone [px].
ALIGNED_PX = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Coregister:
    """What scenes are co-registered to.

    Args:
        to: Hrefs of Level-2 items; each scene takes the one that covers most of it.
        max_shift_px: Most that a scene may lie beside it [px of the compared band].
        model: ``shift``, or ``affine`` where shifts change over the scene.

    Raises:
        ConfigError: A value that it cannot be.
    """

    to: Sequence[str]
    max_shift_px: float = 8.0
    model: Model = "shift"

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if not self.to:
            msg = "coregister.to must name an item or a collection, got nothing"
            raise ConfigError(msg)
        most: object = self.max_shift_px
        if isinstance(most, bool) or not isinstance(most, int | float) or not 1.0 <= most <= _MOST_PX:
            msg = f"coregister.max_shift_px must be a number from 1 to {_MOST_PX:g}, got {most!r}"
            raise ConfigError(msg)
        if self.model not in get_args(Model):
            msg = f"coregister.model must be one of {', '.join(get_args(Model))}, got {self.model!r}"
            raise ConfigError(msg)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {"to": list(self.to), "max_shift_px": self.max_shift_px, "model": self.model}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        return cls(**{**plain, "to": tuple(plain["to"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Where a scene lies by its reference: places that its metadata gives are moved by it.

    Args:
        moved: x' = a x + b y + c, y' = d x + e y + f, the six numbers [map units]; of a raw image, whose x are columns and whose
            y are rows, those that its model gives and those where the reference has them [px].
        applied: Whether it is; a scene that is aligned is left alone.
        reference: Id of the item.
        digest: Digest of the reference's band.
        band: Name of the band that was compared.
        model: ``shift`` or ``affine``.
        down_px: Rows by which the scene lies too far down, at the middle of the windows [px].
        right_px: Columns by which it lies too far right [px].
        windows: Windows that agree, and windows that were compared.
        rms_px: Root mean square of what the used windows are off [px].
        peak_ratio: Median ratio of their peaks.
        systems: Of raw images, the system of each grid, and the one that takes its place; empty for scenes on a map.
    """

    moved: tuple[float, float, float, float, float, float]
    applied: bool
    reference: str
    digest: str
    band: str
    model: Model
    down_px: float
    right_px: float
    windows: tuple[int, int]
    rms_px: float
    peak_ratio: float
    systems: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """What the item says of it, JSON-able."""
        plain = {name: value for name, value in asdict(self).items() if name != "systems"}
        return {**plain, "moved": list(self.moved), "windows": list(self.windows), "version": VERSION}

    @property
    def key(self) -> dict[str, Any]:
        """What goes into the asset keys."""
        moved = list(self.moved) if self.applied else None
        return {"digest": self.digest, "band": self.band, "moved": moved, "version": VERSION}

    def scene(self, scene: Scene) -> Scene:
        """The scene where it lies."""
        if not self.applied:
            return scene
        assets = {name: replace(asset, grid=self.grid(asset.grid)) for name, asset in scene.assets.items()}
        return replace(scene, assets=assets)

    def grid(self, grid: Grid) -> Grid:
        """A grid of the scene where it lies; a mere shift changes neither size nor direction of its pixels."""
        if grid.raw:
            return replace(grid, crs=self.systems[grid.crs])
        a, b, c, d, e, f = self.moved
        if (a, b, d, e) == (1.0, 0.0, 0.0, 1.0):
            return replace(grid, left=grid.left + c, top=grid.top + f)
        made = _matrix(self.moved) @ _matrix((grid.dx, grid.rx, grid.left, grid.ry, -grid.dy, grid.top))
        numbers = tuple(float(v) for v in made[:2].ravel())
        return Grid.from_transform(numbers, crs=grid.crs, width=grid.width, height=grid.height)


def moved_by(
    grid: Grid,
    *,
    offset: tuple[float, float],
    slope: tuple[tuple[float, float], tuple[float, float]],
    centre: tuple[float, float],
) -> tuple[float, float, float, float, float, float]:
    """The move of the map that takes away shifts that were found on a grid.

    Args:
        grid: Grid of the survey.
        offset: Rows down and columns right at the centre [px].
        slope: Change of the shift with row and column, by rows and columns.
        centre: Row and column [px].
    """
    pixels = _matrix((grid.dx, grid.rx, grid.left, grid.ry, -grid.dy, grid.top))
    (dr, dc), ((rr, rc), (cr, cc)), (row, col) = offset, slope, centre
    if not (rr or rc or cr or cc):
        step = pixels[:2, :2] @ np.array([-dc, -dr])
        return (1.0, 0.0, round(float(step[0]), 9), 0.0, 1.0, round(float(step[1]), 9))
    back = np.array([[1.0 - cc, -cr, -dc + cc * col + cr * row], [-rc, 1.0 - rr, -dr + rc * col + rr * row], [0.0, 0.0, 1.0]])
    found = pixels @ back @ np.linalg.inv(pixels)
    a, b, c, d, e, f = (float(v) for v in found[:2].ravel())
    return a, b, c, d, e, f


def _matrix(numbers: Sequence[float]) -> NDArray[np.float64]:
    return np.array([numbers[:3], numbers[3:6], (0.0, 0.0, 1.0)], dtype=np.float64)
