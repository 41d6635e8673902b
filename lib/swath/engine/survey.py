"""Position of a scene by its reference: windows over both are compared before anything is made of the scene.

What is found depends on the scene, its reference and the pipeline alone, so every process finds the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo.registration import LEAST_RATIO, Agreement, Tie, agreed, correlated, refined
from swath.coregister import ALIGNED_PX, Coregister, Registered, moved_by
from swath.engine.warping import Want, moved, part_needed
from swath.errors import GeometryError, MissingBandError
from swath.grid import Grid, Window
from swath.mapping import is_geographic, project
from swath.pipeline import Layer
from swath.readers.level2.source import read_source
from swath.readers.pixels.bands import BandReader
from swath.scene import Quality, Reflectance, Scene
from swath.source import Source

#: Bands that are compared, the best first.
_BANDS: Final = ("red", "green", "nir08", "nir", "swir16", "blue", "pan")
#: Sides of windows [px], the widest first, and how many along each axis.
_SIDES: Final = (256, 128, 64)
_ALONG: Final = 7
#: Least share of valid pixels of a window.
_VALID: Final = 0.9
_POINTS: Final = 17
_METRES: Final = 111_319.49


def placement_of(scene: Scene, choice: Coregister) -> Registered:
    """Position of the scene after co-registration with its reference.

    Raises:
        GeometryError: No reference covers it, or the windows do not agree; names the numbers.
        MissingBandError: Both have no band in common.
        ReadError: A file cannot be read.
    """
    if scene.reference.raw:
        raise GeometryError(
            "a raw image has no map that co-registration could move",
            expected="a scene on a map grid",
            got=f"an image of {scene.platform} with a model of its own",
            remedy="Make its orthoimage first, and leave coregister out.",
            scene_id=scene.scene_id,
        )
    return _placed(scene.to_json(), replace(choice, to=tuple(choice.to)))


@lru_cache(maxsize=64)
def _placed(scene_json: str, choice: Coregister) -> Registered:
    """Kept: a process meets the same scene strip after strip."""
    scene, most_px = Scene.from_json(scene_json), choice.max_shift_px
    reference = _reference(scene, tuple(choice.to))
    band = _band(scene, reference)
    with BandReader() as reader:
        pair = _Pair(scene=scene, reference=reference, band=band, reader=reader)
        ties = list(pair.ties(most_px=most_px))
    found = agreed(ties, affine=choice.model == "affine")
    if found is None or max(abs(v) for v in found.offset) > most_px:
        raise _disagree(scene, reference, ties=ties, found=found, most_px=most_px)
    return _placement(pair, found, choice=choice)


def _placement(pair: "_Pair", found: Agreement, *, choice: Coregister) -> Registered:
    # To a ten-thousandth: the last bits of a Fourier transform are not the same on every machine.
    offset = (round(found.offset[0], 4), round(found.offset[1], 4))
    slope = tuple(tuple(round(v, 9) for v in row) for row in found.slope)
    centre = (round(found.centre[0], 1), round(found.centre[1], 1))
    grid = pair.grid
    corners = np.array([(0, 0), (0, grid.width), (grid.height, 0), (grid.height, grid.width)]) - centre
    worst = float(np.hypot(*(np.array(offset) + corners @ np.array(slope).T).T).max())
    asset = pair.reference.assets[pair.band]
    return Registered(
        moved=moved_by(grid, offset=offset, slope=slope, centre=centre),  # type: ignore[arg-type]  # two rows of two
        applied=worst >= ALIGNED_PX,
        reference=pair.reference.scene_id,
        digest=asset.digest,
        band=pair.band,
        model=choice.model,
        down_px=offset[0],
        right_px=offset[1],
        windows=(found.used, found.of),
        rms_px=round(found.rms, 3),
        peak_ratio=round(found.ratio, 2),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A scene and its reference.

    Args:
        scene: The scene.
        reference: Reference.
        band: Name of the band that is compared.
        reader: Reader of both.
    """

    scene: Scene
    reference: Source
    band: str
    reader: BandReader

    @property
    def grid(self) -> Grid:
        """Where windows are: the scene's pixels, or squares of them where the reference's are coarser."""
        own, other = self.scene.assets[self.band].grid, self.reference.assets[self.band].grid
        times = max(1, round(_metres(other) / _metres(own)))
        if times == 1:
            return own
        rows, columns = own.height // times, own.width // times
        return Grid(
            crs=own.crs, left=own.left, top=own.top, dx=own.dx * times, dy=own.dy * times, width=columns, height=rows,
            rx=own.rx * times, ry=own.ry * times,
        )  # fmt: skip

    def ties(self, *, most_px: float) -> Iterator[Tie]:
        """What windows say, spread over the scene; those without enough valid pixels say nothing."""
        grid, most = self.grid, int(np.ceil(most_px))
        margin = most + 2
        side = next((s for s in _SIDES if min(grid.width, grid.height) >= 2 * s + 2 * margin), _SIDES[-1])
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
        fine = refined(image[wide.slices_of(shifted)], other)
        return None if fine is None else Tie(row=row, col=col, down=down + fine[0], right=right + fine[1], ratio=ratio)

    def _values(self, of: Scene | Source, window: Window) -> NDArray[np.float64] | None:
        """Pixels of a window, without holes; None where too many are invalid."""
        grid, asset = self.grid, of.assets[self.band]
        want = Want(grid=grid, window=window, kernel=None if asset.grid == grid else "cubic")
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


def _band(scene: Scene, reference: Source) -> str:
    there = [b for b in _BANDS if b in scene.assets and not isinstance(scene.assets[b].calibration, Quality)]
    common = [b for b in there if b in reference.assets and isinstance(reference.assets[b].calibration, Reflectance)]
    if common:
        return common[0]
    raise MissingBandError(
        "the scene has no band in common with what it is co-registered to",
        expected=f"one of {', '.join(_BANDS)} in both",
        got=f"{', '.join(sorted(scene.assets))} and, in {reference.scene_id}, {', '.join(sorted(reference.bands))}",
        remedy="Name another item in coregister.to.",
        scene_id=scene.scene_id,
    )


@lru_cache(maxsize=1024)
def _source(href: str) -> Source:
    return read_source(href, masked=False)


def _reference(scene: Scene, to: tuple[str, ...]) -> Source:
    """The item that covers most of the scene; of equals the nearest in time, then the first by id."""
    grid = scene.reference

    def rank(source: Source) -> tuple[float, float, str]:
        away = abs((source.acquired - scene.acquired).total_seconds())
        return (-_covered(grid, next(iter(source.assets.values())).grid), away, source.scene_id)

    ranked = sorted((_source(href) for href in to), key=rank)
    if rank(ranked[0])[0] < 0.0:
        return ranked[0]
    raise GeometryError(
        "nothing that the scene could be co-registered to covers it",
        expected=f"one of {len(to)} items over {tuple(round(v, 3) for v in grid.bounds)} in {grid.crs[:60]}",
        got=", ".join(s.scene_id for s in ranked[:3]),
        remedy="Name an item of this place in coregister.to.",
        scene_id=scene.scene_id,
    )


def _covered(grid: Grid, other: Grid) -> float:
    """Share of points of a grid that lie on another."""
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    columns, rows = steps[None, :] * grid.width, steps[:, None] * grid.height
    x = grid.left + columns * grid.dx + rows * grid.rx
    y = grid.top + columns * grid.ry - rows * grid.dy
    u, v = project(x.ravel(), y.ravel(), source=grid.crs, target=other.crs)
    at_column, at_row = other.pixels_of(u, v)
    inside = (at_column >= 0) & (at_column <= other.width) & (at_row >= 0) & (at_row <= other.height)
    return float(np.mean(inside))


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
