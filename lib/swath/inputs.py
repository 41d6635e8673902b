"""What a step may need beyond the bands of its scene: models, angle grids, rasters. Asked for by the step, delivered one way.

A recipe lists what it asks for (``Recipe.inputs``); each input becomes part of the asset keys by its digest, and the engine hands
the answers to ``Step.run`` as one ``Inputs``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, Protocol, Self, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.grid import Window
from swath.place import Place

T = TypeVar("T")
#: What the heights of an elevation are above; ``none`` for rasters that are no elevation.
Datum = Literal["ellipsoid", "egm96", "egm2008", "none"]
#: How a raster comes to the grid of a step.
RasterKernel = Literal["bilinear", "nearest"]
#: The raster of the heights of the ground [m] above the WGS 84 ellipsoid.
DEM: Final = "dem"


class Predictor(Protocol):
    """A loaded model. Data only; the answer for a pixel depends on its surroundings and its place on the grid, never on a cut."""

    def predict(self, features: NDArray[np.float32], *, place: Place | None = None) -> NDArray[np.float32]:
        """Class probabilities [1] of the pixels of ``place.wanted``, (class, y, x).

        Args:
            features: (feature, y, x) of ``place.given``, NaN where invalid. Models of single pixels also take (feature, pixel),
                and give (class, pixel).
            place: Position of the features. None for pixels in any arrangement: models of single pixels need no place, models
                that look around take the features for a whole grid.
        """
        ...


class AngleField(Protocol):
    """Angles per pixel [deg], sampled anywhere on the map."""

    def sample(
        self, *, x: NDArray[np.float64], y: NDArray[np.float64], band: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Sun zenith, sun azimuth, view zenith, view azimuth [deg] at columns ``x`` and rows ``y`` (map units).

        ``x`` has shape (n,), ``y`` has shape (m,); each result has shape (m, n).
        """
        ...


@dataclass(frozen=True, slots=True)
class Raster:
    """A raster of the site on a window of a grid.

    Args:
        values: (y, x), float64; NaN where the raster has none.
        window: Window of the grid.
    """

    values: NDArray[np.float64]
    window: Window

    def crop(self, window: Window) -> NDArray[np.float64]:
        """The values of a part, (y, x)."""
        return self.values[self.window.slices_of(window)]


class Input(Generic[T]):
    """One thing that a recipe asks for and that is delivered as a ``T``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput(Input[Predictor]):
    """A pinned model, delivered as its predictor.

    Args:
        name: Name of the model in the pipeline.
        digest: Digest of its directory.
    """

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnglesInput(Input[AngleField]):
    """The angle grids of the scene. Scenes without ``angles_href`` have none: a step must not ask for them there.

    Args:
        digest: Digest of the delivery that holds them.
    """

    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterInput(Input[Raster]):
    """A raster of the site, delivered on the recipe's grid.

    Args:
        name: Name of the raster: ``dem`` for heights above the ellipsoid [m], otherwise what the site calls it.
        halo_px: Margin around the window that the step is asked for [px], cut at the grid's edge.
        kernel: Kernel that brings values to the grid.
    """

    name: str
    halo_px: int = 0
    kernel: RasterKernel = "bilinear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one call of a step receives.

    Args:
        given: The answers, by what the recipe asked for.
    """

    given: Mapping[Input[Any], Any] = field(default_factory=dict)

    def of(self, asked: Input[T]) -> T:
        """The answer to one input of the recipe.

        Raises:
            KeyError: The recipe did not ask for it.
        """
        found: T = self.given[asked]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterSource:
    """Where a site has a raster.

    Args:
        path: A raster, or a folder, prefix or list of tiles.
        datum: Datum of the heights; ``none`` for a raster that is not an elevation.
        geoid: Raster of the geoid above the ellipsoid; empty for the one that PROJ has.
        sea_level: Whether places without a tile are at height 0 above the datum, because the user says so.

    Raises:
        ConfigError: An unknown datum, or no path.
    """

    path: str
    datum: Datum = "none"
    geoid: str = ""
    sea_level: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be looked up."""
        if self.datum not in get_args(Datum):
            msg = f"datum of {self.path}: expected one of {', '.join(get_args(Datum))}, got {self.datum!r}"
            raise ConfigError(msg)
        if not self.path:
            msg = "a raster needs a path: a file, a folder or prefix of tiles, or a STAC collection"
            raise ConfigError(msg)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {"path": self.path, "datum": self.datum, "geoid": self.geoid, "sea_level": self.sea_level}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of ``to_plain``."""
        return cls(**plain)
