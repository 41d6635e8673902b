"""Position of a scene by its reference: windows over both are compared before anything is made of the scene.

What is found depends on the scene, its reference and the pipeline alone, so every process finds the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.raw_image import Refinement
from swath.algo.registration import LEAST_RATIO, Agreement, Tie, agreed, correlated
from swath.algo.registration import refined as finer
from swath.coregister import ALIGNED_PX, Coregister, Registered, moved_by
from swath.engine.raw_survey import ground_grid, in_image, moves, refined, refinement_of, systems_of, total_of
from swath.engine.reference import common_band, reference_of
from swath.engine.terrain import elevation_for
from swath.engine.warping import Want, moved, part_needed
from swath.errors import GeometryError, SceneError
from swath.grid import Grid, Window
from swath.inputs import RasterSource
from swath.mapping import is_geographic
from swath.pipeline import Layer
from swath.readers.pixels.bands import BandReader
from swath.scene import Scene
from swath.source import Source

#: Sides of windows [px], the widest first, and how many along each axis.
_SIDES: Final = (256, 128, 64)
_ALONG: Final = 7
#: Least share of valid pixels of a window.
_VALID: Final = 0.9
#: Surveys of a raw image at most, and the shift below which no other one follows [px].
_ROUNDS: Final = 4
_SETTLED_PX: Final = 0.01
_METRES: Final = 111_319.49


def placement_of(scene: Scene, choice: Coregister, *, rasters: Mapping[str, RasterSource] = MappingProxyType({})) -> Registered:
    """Position of the scene after co-registration with its reference.

    Args:
        scene: The scene.
        choice: What it is co-registered to.
        rasters: Rasters of the site: raw images need its elevation.

    Raises:
        GeometryError: No reference covers it, or the windows do not agree; names the numbers.
        MissingBandError: Both have no band in common.
        MissingInputError: The scene is raw, and the site has no elevation.
        ReadError: A file cannot be read.
    """
    try:
        dem = elevation_for(scene.reference, rasters)
    except SceneError as error:
        raise error.of(scene.scene_id) from None
    return _placed(scene.to_json(), replace(choice, to=tuple(choice.to)), dem)


@lru_cache(maxsize=64)
def _placed(scene_json: str, choice: Coregister, dem: RasterSource | None) -> Registered:
    """Kept: a process meets the same scene strip after strip."""
    scene = Scene.from_json(scene_json)
    over = scene.reference if dem is None else ground_grid(scene, scene.reference, dem=dem)
    reference = reference_of(scene, tuple(choice.to), over=over)
    band = common_band(scene, reference)
    asset = scene.assets[band]
    own = asset.grid if dem is None else ground_grid(scene, asset.grid, dem=dem)
    with BandReader() as reader:
        pair = _Pair(scene=scene, reference=reference, band=band, reader=reader, own=own, dem=dem)
        return _found(pair, choice) if dem is None else _found_in_image(pair, choice, dem=dem)


def _found(pair: "_Pair", choice: Coregister) -> Registered:
    ties = list(pair.ties(most_px=choice.max_shift_px))
    found = _agreement(pair, ties, choice)
    # To a ten-thousandth: the last bits of a Fourier transform are not the same on every machine.
    offset = (round(found.offset[0], 4), round(found.offset[1], 4))
    slope = tuple(tuple(round(v, 9) for v in row) for row in found.slope)
    centre = (round(found.centre[0], 1), round(found.centre[1], 1))
    grid = pair.grid
    corners = np.array([(0, 0), (0, grid.width), (grid.height, 0), (grid.height, grid.width)]) - centre
    worst = float(np.hypot(*(np.array(offset) + corners @ np.array(slope).T).T).max())
    moved = moved_by(grid, offset=offset, slope=slope, centre=centre)  # type: ignore[arg-type]  # two rows of two
    return _registered(pair, found, choice, moved=moved, applied=worst >= ALIGNED_PX, offset=offset)


def _found_in_image(pair: "_Pair", choice: Coregister, *, dem: RasterSource) -> Registered:
    """The move of a raw image, found in rounds: windows on slopes are alike only where both show the same ground."""
    claimed, image, over, most_px = pair.scene, pair.scene.assets[pair.band].grid, pair.grid, choice.max_shift_px
    total = Refinement()
    for _ in range(_ROUNDS):
        at = pair.scene.assets[pair.band].grid
        ways = (in_image(tie, at, over=over, side=pair.side(most_px), dem=dem) for tie in pair.ties(most_px=most_px))
        ties = [way for way in ways if way is not None]
        found = _agreement(pair, ties, choice)
        total = total_of(total, refinement_of(found, image, over=over))
        off = moves(total, image, over=over)
        middle = (round(float(off[0, 0]), 4), round(float(off[0, 1]), 4))
        if max(abs(v) for v in middle) > most_px:
            raise _disagree(claimed, pair.reference, ties=ties, found=replace(found, offset=middle), most_px=most_px)
        systems = systems_of(claimed, image, total)
        pair = replace(pair, scene=refined(claimed, systems))
        if max(abs(v) for v in found.offset) < _SETTLED_PX:
            break
    (c, a, b), (f, d, e) = total.columns, total.rows
    applied = float(np.hypot(*off.T).max()) >= ALIGNED_PX
    return _registered(
        pair, found, choice, moved=(1.0 + a, b, c, d, 1.0 + e, f), applied=applied, offset=middle, systems=systems
    )  # fmt: skip


def _agreement(pair: "_Pair", ties: list[Tie], choice: Coregister) -> Agreement:
    found, most_px = agreed(ties, affine=choice.model == "affine"), choice.max_shift_px
    if found is None or max(abs(v) for v in found.offset) > most_px:
        raise _disagree(pair.scene, pair.reference, ties=ties, found=found, most_px=most_px)
    return found


def _registered(
    pair: "_Pair",
    found: Agreement,
    choice: Coregister,
    *,
    moved: tuple[float, float, float, float, float, float],
    applied: bool,
    offset: tuple[float, float],
    systems: Mapping[str, str] = MappingProxyType({}),
) -> Registered:
    return Registered(
        moved=moved,
        applied=applied,
        reference=pair.reference.scene_id,
        digest=pair.reference.assets[pair.band].digest,
        band=pair.band,
        model=choice.model,
        down_px=offset[0],
        right_px=offset[1],
        windows=(found.used, found.of),
        rms_px=round(found.rms, 3),
        peak_ratio=round(found.ratio, 2),
        systems=dict(systems),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A scene and its reference.

    Args:
        scene: The scene.
        reference: Reference.
        band: Name of the band that is compared.
        reader: Reader of both.
        own: Grid of the band, or of a raw one the map on which it is compared.
        dem: The elevation that places in a raw image depend on.
    """

    scene: Scene
    reference: Source
    band: str
    reader: BandReader
    own: Grid
    dem: RasterSource | None = None

    @property
    def grid(self) -> Grid:
        """Where windows are: the scene's pixels, or squares of them where the reference's are coarser."""
        own, other = self.own, self.reference.assets[self.band].grid
        times = max(1, round(_metres(other) / _metres(own)))
        if times == 1:
            return own
        rows, columns = own.height // times, own.width // times
        return Grid(
            crs=own.crs, left=own.left, top=own.top, dx=own.dx * times, dy=own.dy * times, width=columns, height=rows,
            rx=own.rx * times, ry=own.ry * times,
        )  # fmt: skip

    def side(self, most_px: float) -> int:
        """Side of the windows [px]."""
        least = min(self.grid.width, self.grid.height) - 2 * (int(np.ceil(most_px)) + 2)
        return next((s for s in _SIDES if least >= 2 * s), _SIDES[-1])

    def ties(self, *, most_px: float) -> Iterator[Tie]:
        """What windows say, spread over the scene; those without enough valid pixels say nothing."""
        grid, most, side = self.grid, int(np.ceil(most_px)), self.side(most_px)
        margin = most + 2
        for row in _starts(grid.height, side=side, margin=margin):
            for col in _starts(grid.width, side=side, margin=margin):
                tie = self._tie(Window(row, col, side, side), margin=margin, most=most)
                if tie is not None:
                    yield tie

    def _tie(self, window: Window, *, margin: int, most: int) -> Tie | None:
        other = self._values(self.reference, window)
        if other is None:
            return None
        wide = window.pad(margin)
        image = self._values(self.scene, wide)
        if image is None:
            return None
        inner = image[wide.slices_of(window)]
        down, right, ratio = correlated(inner, other, most_px=most)
        row, col = window.row + window.height / 2, window.col + window.width / 2
        if ratio < LEAST_RATIO or max(abs(down), abs(right)) > most:
            return Tie(row=row, col=col, down=down, right=right, ratio=min(ratio, LEAST_RATIO / 2))
        shifted = Window(window.row + int(down), window.col + int(right), window.height, window.width)
        fine = finer(image[wide.slices_of(shifted)], other)
        return None if fine is None else Tie(row=row, col=col, down=down + fine[0], right=right + fine[1], ratio=ratio)

    def _dem_of(self, grid: Grid) -> RasterSource | None:
        return self.dem if grid.raw else None

    def _values(self, of: Scene | Source, window: Window) -> NDArray[np.float64] | None:
        """Pixels of a window, without holes; None where too many are invalid."""
        grid, asset = self.grid, of.assets[self.band]
        want = Want(grid=grid, window=window, kernel=None if asset.grid == grid else "cubic", dem=self._dem_of(asset.grid))
        part = window if asset.grid == grid else part_needed(asset.grid, want)
        layer = self.reader.read(of, self.band, part)
        plain = Layer(values=layer.physical, grid=layer.grid, window=layer.window, valid=layer.valid)
        values = plain.physical if asset.grid == grid else moved(plain, want).physical
        valid = np.isfinite(values)
        if valid.mean() < _VALID:
            return None
        return values if valid.all() else np.where(valid, values, values[valid].mean())


def _starts(size: int, *, side: int, margin: int) -> list[int]:
    last = size - margin - side
    return sorted({round(v) for v in np.linspace(margin, last, _ALONG)}) if last >= margin else []


def _metres(grid: Grid) -> float:
    return grid.resolution_m * (_METRES if is_geographic(grid.crs) else 1.0)


def _disagree(scene: Scene, reference: Source, *, ties: list[Tie], found: Agreement | None, most_px: float) -> GeometryError:
    good = [t for t in ties if t.ratio >= LEAST_RATIO]
    best = max((t.ratio for t in ties), default=0.0)
    if found is not None:
        got = f"a shift of {found.offset[0]:.2f} rows and {found.offset[1]:.2f} columns"
    else:
        got = f"{len(good)} of {len(ties)} windows with a peak, the best of ratio {best:.2f}, and no shift on which enough agree"
    return GeometryError(
        f"the scene cannot be co-registered to {reference.scene_id}",
        expected=f"windows that agree on a shift of at most {most_px:g} px",
        got=got,
        remedy="Name a clearer item in coregister.to, raise coregister.max_shift_px, or leave the scene as it is.",
        scene_id=scene.scene_id,
    )
