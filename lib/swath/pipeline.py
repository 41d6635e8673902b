"""Steps, the layers that flow between them, and pipelines as an ordered list of steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from swath.coregister import Coregister
from swath.errors import ConfigError
from swath.grid import Grid, Window
from swath.grid_choice import GridChoice
from swath.inputs import Input, Inputs, RasterSource
from swath.lookup import check_table, looked_up
from swath.product import LayerName, LayerSpec
from swath.scene import Scene

#: Who writes files.
Writer = Literal["swath", "gdal"]
#: How a layer comes to another grid.
WarpKernel = Literal["nearest", "bilinear", "cubic", "average", "mode"]
Pointwise = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Layer:
    """Pixels of one window of one grid.

    Either plain ``values`` with ``valid``; or *coded*: the delivered numbers in ``values`` and a ``table`` with one
    physical value for each possible number (NaN = invalid). Pointwise steps on coded layers touch the 65,536 entries
    of the table instead of the pixels, with equal results: that is where most of a correction's time is saved.
    """

    values: NDArray[Any]
    grid: Grid
    window: Window
    valid: NDArray[np.bool_] | None = None
    table: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fill their window, and tables without an entry for each number."""
        if self.values.shape != self.window.shape:
            msg = f"values {self.values.shape} do not fill the window {self.window.shape}"
            raise ValueError(msg)
        if self.table is not None:
            check_table(self.table, self.values)  # compiled loops do not look whether an entry is there

    @property
    def physical(self) -> NDArray[np.float64]:
        """Physical values, float64, NaN where invalid; (y, x)."""
        if self.table is not None:
            return looked_up(self.table, self.values)
        physical = self.values.astype(np.float64)
        if self.valid is not None:
            physical[~self.valid] = np.nan
        return physical

    @property
    def usable(self) -> NDArray[np.bool_]:
        """True where the pixel may be used; (y, x)."""
        if self.table is not None:
            return looked_up(np.isfinite(self.table), self.values)
        if self.valid is None:
            return np.ones(self.values.shape, dtype=np.bool_)
        return self.valid

    def map(self, function: Pointwise) -> Self:
        """Apply a function of the physical value alone; cheap on coded layers.

        ``function`` takes and gives float64 of any shape, NaN in, NaN out.
        """
        if self.table is not None:
            return type(self)(values=self.values, grid=self.grid, window=self.window, table=function(self.table))
        return self.with_physical(function(self.physical))

    def with_physical(self, physical: NDArray[np.float64]) -> Self:
        """A plain layer of the same window with other physical values; NaN is invalid."""
        return type(self)(values=physical, grid=self.grid, window=self.window, valid=np.isfinite(physical))

    def crop(self, window: Window) -> Self:
        """The part of the layer that ``window`` names (on the same grid)."""
        part = self.window.slices_of(window)
        return type(self)(
            values=self.values[part],
            grid=self.grid,
            window=window,
            valid=None if self.valid is None else self.valid[part],
            table=self.table,
        )


Layers = Mapping[LayerName, Layer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a step wants of a layer.

    Args:
        on: The grid to have it on; None for the layer's own. Another grid means resampling by the engine:
            area average where the target is coarser, bilinear where finer, nearest for bits and classes.
            A grid in another coordinate system, or a turned one, means warping.
        halo_px: Margin around the window that the step is asked for, in pixels of that grid.
        kernel: Kernel that brings the layer to the grid, if not the usual one.
    """

    on: Grid | None = None
    halo_px: int = 0
    kernel: WarpKernel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One call of a step: these layers (on one grid) from those. Its inputs are what the asset keys depend on.

    Args:
        makes: The layers, all on the same grid.
        needs: Layers that the call reads; ``dn:<band>`` are the scene's own bands.
        optional: Names among ``needs`` that may be missing; the step then works without.
        facts: Other facts of the scene that enter the result (angles, atmosphere), JSON-able.
        inputs: Inputs beyond layers: models, angle grids, rasters of the site.
    """

    makes: tuple[LayerSpec, ...]
    needs: Mapping[LayerName, Need]
    optional: frozenset[LayerName] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input[Any], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a call that makes nothing, or layers on several grids."""
        if not self.makes or any(m.grid != self.makes[0].grid for m in self.makes):
            msg = "a recipe makes at least one layer, all on one grid"
            raise ValueError(msg)

    @property
    def grid(self) -> Grid:
        """The grid of everything that the call makes."""
        return self.makes[0].grid


@runtime_checkable
class Step(Protocol):
    """One named, versioned transformation of pixels. Pure: no files, no Spark, no clock, no randomness.

    The docstring of its class describes it to users: what it makes in the first line, each parameter under ``Args:``
    (``steps.described``).
    """

    @property
    def name(self) -> str:
        """What pipeline files call it."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever results change."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of layers that it can make (``sr`` of ``sr:red``), of whatever scene: asset names are checked with them."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Everything that changes the result, JSON-able: it becomes part of the asset keys."""
        ...

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """The calls that this step can make for this scene.

        Args:
            scene: The scene.
            given: Layers that earlier steps make (``dn:<band>`` are the scene's assets, not in here).

        Raises:
            SceneError: The scene cannot be processed by this step at all (wrong sensor, angles out of range).
        """
        ...

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Make the layers of one recipe on ``window`` of ``recipe.grid``.

        Each needed layer comes on the window that covers ``window`` plus its halo (clipped to its grid), on the grid
        that was asked for. ``dn:<band>`` layers hold the delivered integers, with ``valid`` False at nodata. ``inputs`` answers
        what the recipe asked for beyond layers.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRule:
    """Which layers a pipeline writes.

    Args:
        layers: A layer name or a kind (``sr`` means every ``sr:<band>``); ``sr|toa`` takes the first kind that can be
            made, and a stand-in's assets are named ``toa_<band>``.
        required: A scene that cannot give it is quarantined; otherwise the asset is left out and the item says so.
        promised: Required of scenes whose delivery names the band and lacks it; sensors without the band do without.
    """

    layers: str
    required: bool = False
    promised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What a product must look like before it is published. They change no pixel and no key.

    Args:
        clamped_percent: Most valid pixels of a reflectance or temperature that may be at an end of its encoding [%].
        beyond_ground: Treatment of a product with a band whose median no ground has.
        radiometry: Treatment of a product whose pixels contradict the offset that the metadata states.

    Raises:
        ConfigError: A value that it cannot be.
    """

    clamped_percent: float = 1.0
    beyond_ground: Literal["quarantine", "note"] = "quarantine"
    radiometry: Literal["quarantine", "note"] = "quarantine"

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        share: object = self.clamped_percent
        if isinstance(share, bool) or not isinstance(share, float | int) or not 0.0 <= share <= 100.0:
            msg = f"checks.clamped_percent must be a number from 0 to 100, got {share!r}"
            raise ConfigError(msg)
        for name in ("beyond_ground", "radiometry"):
            if (value := getattr(self, name)) not in ("quarantine", "note"):
                msg = f"checks.{name} must be quarantine or note, got {value!r}"
                raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """An ordered list of steps with parameters, and what is written.

    Args:
        name: Name of the pipeline; product ids are ``<scene_id>.<name>``.
        title: Human-readable title.
        steps: Steps in order.
        assets: Assets to write.
        version: Version of the pipeline file's meaning.
        grid: The grid of the products; None for that of each band.
        coregister: Reference of the co-registration; None without one.
        writer: Writer that makes COGs of the parts that strips leave: swath, or GDAL's COG driver, whose files hold the same
            pixels in other bytes.
        checks: Before publishing.
        rasters: Rasters of the site, by name.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    assets: tuple[AssetRule, ...]
    version: int = 1
    grid: GridChoice | None = None
    coregister: Coregister | None = None
    writer: Writer = "swath"
    checks: Checks = field(default_factory=Checks)
    rasters: Mapping[str, RasterSource] = field(default_factory=dict)
