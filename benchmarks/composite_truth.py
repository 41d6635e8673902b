"""Composites of simulated dates, 60 % cloud each under air of its own, against the ground that the simulator knows.

Products are made end to end as a worker makes them, composites strip by strip; no Spark is needed.
"""

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere
from swath.composites.plan import plan, tiling_for
from swath.config import load_pipeline, prepare, with_settings
from swath.engine.child.tasks import do
from swath.engine.messages import MakeProduct
from swath.engine.product_plan import plan_product
from swath.engine.subject import Cutting, Subject
from swath.inference.registry import Registry
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.readers.sources import read_source
from swath.shipped import find_composite
from swath.simulator.simulate import simulate
from swath.sinks.cog.assemble import CogTarget, assemble
from swath.source import MASK, Source
from swath.stack.composite import Composite
from swath.stack.file import read_recipe
from swath.stack.periods import periods_of
from swath.stack.strip import StackJob, run_stack
from swath.stores.local import local_store

BANDS: Final = ("blue", "green", "red", "nir08", "swir16", "swir22")
#: Pipeline of each row, and what is set in it.
REDUCERS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "geomedian": ("geomedian", ()),
    "medoid": ("median", ("composite.reducer=medoid",)),
    "median": ("median", ()),
    "best-pixel": ("best-pixel", ()),
}
_CLOUDS, _FIRST = 0.6, datetime(2024, 5, 1, 10, 2, 11, tzinfo=UTC)
#: Bits of ``qa`` of a pixel that is not used: nodata, saturated, cloud, shadow, cirrus.
_HIDDEN = 0b1001111
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One composite, or the mean of single dates.

    Args:
        name: Name of it.
        rmse: Root mean square error by band [reflectance].
        covered: Share of the ground that has a value.
    """

    name: str
    rmse: Mapping[str, float]
    covered: float


def measure(size: int, repeats: int) -> str:
    """A Markdown table.

    Args:
        size: Pixels a side.
        repeats: Dates.
    """
    with tempfile.TemporaryDirectory() as folder:
        return table(compare(Path(folder), size=size, dates=repeats))


def compare(folder: Path, *, size: int, dates: int, reducers: Sequence[str] = tuple(REDUCERS)) -> list[Row]:
    """Simulate, correct, compose, and compare.

    Args:
        folder: For everything that is made.
        size: Pixels a side.
        dates: Number of dates, three days apart.
        reducers: Keys of ``REDUCERS``.
    """
    random = np.random.default_rng(3)
    for number in range(dates):
        air = Atmosphere(aot550=float(random.uniform(0.05, 0.35)), water_vapour_g_cm2=float(random.uniform(0.8, 3.5)))
        day = _FIRST + timedelta(days=3 * number)
        simulate(kind="landsat9", folder=folder, size=size, acquired=day, clouds=_CLOUDS, atmosphere=air)
    sources = _products(folder)
    ground = _ground(folder)
    return [_one_date(sources, ground=ground), *(_composite(name, sources, folder=folder, ground=ground) for name in reducers)]


def _products(folder: Path) -> list[Source]:
    """Surface reflectance of every date, made from end to end."""
    output = folder / "out"
    output.mkdir()
    asked = with_settings(load_pipeline("surface-reflectance"), [])
    text = json.dumps(prepare(asked, registry=Registry.beside(folder / "registry")).plain)
    found = []
    for number, delivery in enumerate(sorted(p for p in (folder / "scenes").iterdir() if p.is_dir())):
        scene = read_scene(str(delivery))
        subject = Subject(scene=scene.to_json(), scene_id=scene.scene_id, pipeline=text, output=str(output))
        do(MakeProduct(product=subject, cut=Cutting(split=False, strip_rows=None, folder=f".scratch/{number}"), attempt="a"))
        made = plan_product(subject.scene, text)
        found.append(read_source(str(output / made.folder / f"{made.product_id}.json")))
    return found


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    head = f"| RMSE of reflectance | {' | '.join(BANDS)} | covered |\n|---|{'---|' * (len(BANDS) + 1)}\n"
    return head + "".join(
        f"| {row.name} | {' | '.join(f'{row.rmse[b]:.4f}' for b in BANDS)} | {100 * row.covered:.1f} % |\n" for row in rows
    )


def _read(path: str | Path) -> Values:
    with rasterio.open(path) as source:
        counts = source.read(1)
        return np.where(counts == source.nodata, np.nan, counts * 1e-4)


def _ground(folder: Path) -> dict[str, Values]:
    """Reflectance of the ground by band: the middle of what the simulator knows of each date, whose sun shades relief."""
    truths = sorted((folder / "truth").iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no date knows the pixels beyond the scene
        return {b: np.nanmedian(np.stack([_read(t / f"sr_{b}.tif") for t in truths]), axis=0) for b in BANDS}


def _one_date(sources: Sequence[Source], *, ground: Mapping[str, Values]) -> Row:
    """The mean over the dates, of pixels that the date's own qa calls clear."""
    errors: dict[str, list[float]] = {b: [] for b in BANDS}
    covered = []
    for source in sources:
        with rasterio.open(source.assets[MASK].href) as raster:
            clear = raster.read(1) & _HIDDEN == 0
        covered.append(float(clear.mean()))
        for band in BANDS:
            off = (_read(source.assets[band].href) - ground[band])[clear]
            errors[band].append(float(np.sqrt(np.nanmean(off**2))) if clear.any() else np.nan)
    rmse = {b: float(np.nanmean(e)) for b, e in errors.items()}
    return Row(name="one date, where its mask says clear", rmse=rmse, covered=float(np.mean(covered)))


def _composite(name: str, sources: Sequence[Source], *, folder: Path, ground: Mapping[str, Values]) -> Row:
    """A composite on the scenes' own grid."""
    pipeline, settings = REDUCERS[name]
    recipe = read_recipe(find_composite(pipeline), settings=settings)
    planned = plan(sources, recipe=recipe, periods=periods_of("2024"), area=None, tiling=tiling_for(recipe, sources))
    grid = sources[0].assets["red"].grid
    made = replace(planned.composites[0], grid=grid, sources=tuple(sorted(sources, key=lambda s: s.order)))
    values = _made(made, folder / name)
    rmse = {b: float(np.sqrt(np.nanmean((values[b] - ground[b]) ** 2))) for b in BANDS}
    return Row(name=f"`{name}`", rmse=rmse, covered=float(np.isfinite(values["red"]).mean()))


def _made(composite: Composite, folder: Path) -> dict[str, Values]:
    """Reflectance of a composite by band."""
    folder.mkdir()
    store = local_store(folder)
    job = StackJob(composite=composite, rows=(0, composite.grid.height), number=0, folder="parts")
    with BandReader() as reader:
        parts = {part.asset: part for part in run_stack(job, store=store, reader=reader).parts}
    for band in BANDS:
        spec = composite.layers[band]
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description=spec.title, tags={})
        assemble([parts[band]], target, open_part=lambda p: store.fetch(p.href), output=folder / f"{band}.tif")
    return {band: _read(folder / f"{band}.tif") for band in BANDS}
