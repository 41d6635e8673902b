"""What a composite is written as: its assets, their encodings, and the reduction that gives their values."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from swath.algo import chosen, reducers
from swath.algo.geomedian import deviations, geomedian
from swath.encoding import REFLECTANCE, Encoding
from swath.grid import Grid
from swath.product import LayerSpec
from swath.scene import Band
from swath.stack.recipe import CompositeRecipe

Stack = NDArray[np.float32]
DEVIATIONS: Final[Mapping[str, str]] = {
    "emad": "Median Euclidean distance from the geometric median",
    "smad": "Median cosine distance from the geometric median",
    "bcmad": "Median Bray-Curtis distance from the geometric median",
}


def _whole(dtype: str, *, nodata: int | None, lowest: int, highest: int) -> Encoding:
    return Encoding(
        dtype=dtype,  # type: ignore[arg-type]  # one of the three
        scale=1.0,
        unit="1",
        nodata=nodata,
        lowest=lowest,
        highest=highest,
        overviews="nearest",
        compression_level=6,
        predictor=1,
    )


#: Sources that count; 0 where there is none.
COUNT: Final = _whole("uint16", nodata=None, lowest=0, highest=65535)
#: Days since 1970-01-01.
DATE: Final = _whole("uint16", nodata=0, lowest=1, highest=65535)
#: Index in the item's ``swath:sources``.
SOURCE: Final = _whole("int16", nodata=-1, lowest=0, highest=32767)
#: Distances are written to 1e-5.
DEVIATION: Final = Encoding(
    dtype="uint16", scale=2e-5, unit="1", nodata=65535, lowest=0, highest=65534, overviews="average", compression_level=1,
    predictor=2,
)  # fmt: skip


def layers_of(recipe: CompositeRecipe, *, grid: Grid, bands: Mapping[str, Band]) -> dict[str, LayerSpec]:
    """The assets of a composite, in the order in which they are written.

    Args:
        recipe: Recipe of the composite.
        grid: Grid of the tile.
        bands: Bands, as a source describes them.
    """
    found: dict[str, LayerSpec] = {}
    for name in recipe.bands:
        for suffix, words in _variants(recipe):
            title = f"{name.capitalize()}, {words} of surface reflectance"
            found[f"{name}{suffix}"] = LayerSpec(
                name=f"sr:{name}{suffix}",
                asset=f"{name}{suffix}",
                title=title,
                grid=grid,
                encoding=REFLECTANCE,
                band=bands[name],
                roles=("data", "reflectance"),
            )
    if recipe.reducer == "geomedian" and recipe.deviations:
        for name, title in DEVIATIONS.items():
            found[name] = _other(name, title, grid=grid, encoding=DEVIATION)
    found["count"] = _other("count", "Number of dates that count", grid=grid, encoding=COUNT)
    found["date"] = _other("date", "Day of the pixel, or of the nearest to it, since 1970-01-01", grid=grid, encoding=DATE)
    found["source"] = _other("source", "Number of the pixel's source in swath:sources", grid=grid, encoding=SOURCE)
    return found


def _variants(recipe: CompositeRecipe) -> list[tuple[str, str]]:
    if recipe.reducer == "percentiles":
        return [(f"_p{p:g}".replace(".", "_"), f"percentile {p:g}") for p in recipe.percents]
    return [("", recipe.reducer.replace("_", " "))]


def _other(name: str, title: str, *, grid: Grid, encoding: Encoding) -> LayerSpec:
    return LayerSpec(name=name, asset=name, title=title, grid=grid, encoding=encoding, roles=("data",))


def reduced(
    recipe: CompositeRecipe, stack: Stack, *, days: Sequence[int], numbers: Sequence[int]
) -> dict[str, NDArray[np.floating]]:
    """Values of every asset for some pixels, each (y, x), NaN where there is none.

    Args:
        recipe: Recipe of the composite.
        stack: (source, channel, y, x): the bands, and the score where the reducer asks for one; NaN where not to be used.
        days: Days of the sources, since 1970-01-01.
        numbers: Numbers of the sources, in the whole stack of the tile.
    """
    if not len(stack):
        # No source touches these pixels: as if one did that has no usable pixel.
        stack, days, numbers = np.full((1, *stack.shape[1:]), np.nan, dtype=np.float32), [0], [0]
    bands = stack[:, : len(recipe.bands)]
    found: dict[str, NDArray[np.floating]] = {}
    if recipe.reducer in ("medoid", "best_pixel", "latest"):
        source = _chosen(recipe, stack, bands)
        values = chosen.taken(bands, source)
    else:
        values, more = _statistic(recipe, bands)
        found |= more
        source = chosen.nearest(bands, values)
    if recipe.reducer != "percentiles":
        found |= {name: values[n] for n, name in enumerate(recipe.bands)}
    none = source == chosen.NONE
    at = np.where(none, 0, source)
    found["count"] = reducers.count(bands).astype(np.float64)
    found["date"] = np.where(none, np.nan, np.asarray(days, dtype=np.float64)[at])
    found["source"] = np.where(none, np.nan, np.asarray(numbers, dtype=np.float64)[at])
    return found


def _chosen(recipe: CompositeRecipe, stack: Stack, bands: Stack) -> NDArray[np.int16]:
    if recipe.reducer == "medoid":
        return chosen.medoid(bands)
    return chosen.latest(bands) if recipe.reducer == "latest" else chosen.best(bands, stack[:, -1])


def _statistic(recipe: CompositeRecipe, bands: Stack) -> tuple[Stack, dict[str, NDArray[np.floating]]]:
    """A value of each band, and further assets."""
    if recipe.reducer == "mean":
        return reducers.mean(bands), {}
    if recipe.reducer == "geomedian":
        centre = geomedian(bands)
        if not recipe.deviations:
            return centre, {}
        far = deviations(bands, centre)
        return centre, {"emad": far.euclidean, "smad": far.cosine, "bcmad": far.bray_curtis}
    centre = reducers.median(bands)
    if recipe.reducer == "median":
        return centre, {}
    found = reducers.percentiles(bands, recipe.percents)
    suffixes = [suffix for suffix, _ in _variants(recipe)]
    return centre, {f"{b}{s}": found[p, n] for p, s in enumerate(suffixes) for n, b in enumerate(recipe.bands)}
