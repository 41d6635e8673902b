"""Composites of simulated dates, 60 % cloud each under air of its own, against the ground that the simulator knows."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere
from swath.cli.composite import CompositeOptions
from swath.cli.composite import execute as execute_composite
from swath.cli.progress import Lines
from swath.cli.run import execute
from swath.cli.run_request import RunOptions
from swath.report.summary import RunSummary
from swath.simulator.simulate import simulate
from swath.spark.start.session import SparkSession, build_session, stop_session

BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22")
#: Pipeline of each row, and what is set in it.
REDUCERS = {"geomedian": ("geomedian", ()), "best-pixel": ("best-pixel", ()), "median": ("median", ()), "medoid": ("median", ("composite.reducer=medoid",))}
_CLOUDS, _FIRST = 0.6, datetime(2024, 5, 1, 10, 2, 11, tzinfo=UTC)
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One composite, or the mean of single dates.

    Args:
        name: Of it.
        rmse: By band [reflectance].
        covered: Share of the ground that has a value.
    """

    name: str
    rmse: dict[str, float]
    covered: float


def measure(size: int, repeats: int) -> str:
    """A Markdown table.

    Args:
        size: Pixels a side.
        repeats: Dates.
    """
    with tempfile.TemporaryDirectory() as folder, _session() as spark:
        return table(compare(Path(folder), size=size, dates=repeats, spark=spark))


def compare(folder: Path, *, size: int, dates: int, spark: SparkSession) -> list[Row]:
    """Simulate, correct, compose, and compare.

    Args:
        folder: For everything that is made.
        size: Pixels a side.
        dates: Number of dates, three days apart.
        spark: A session.
    """
    random = np.random.default_rng(3)
    for number in range(dates):
        air = Atmosphere(aot550=float(random.uniform(0.05, 0.35)), water_vapour_g_cm2=float(random.uniform(0.8, 3.5)))
        day = _FIRST + timedelta(days=3 * number)
        simulate(kind="landsat9", folder=folder, size=size, acquired=day, clouds=_CLOUDS, atmosphere=air)
    output = folder / "out"
    options = RunOptions(pipeline="surface-reflectance", inputs=(str(folder / "scenes"),), output=str(output))
    products = execute(options, told=Lines(), spark=spark)
    ground = _ground(folder)
    rows = [_one_date(products, output, ground=ground)]
    for name, (pipeline, settings) in REDUCERS.items():
        asked = CompositeOptions(
            pipeline=pipeline,
            inputs=(str(output),),
            output=str(output),
            period="2024",
            settings=("grid.tile_px=512", *settings),
        )
        made = execute_composite(asked, told=Lines(), spark=spark)
        rows.append(_composite(made, output, ground=ground, name=name))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    head = f"| RMSE of reflectance | {' | '.join(BANDS)} | covered |\n|---|{'---|' * (len(BANDS) + 1)}\n"
    return head + "".join(
        f"| {row.name} | {' | '.join(f'{row.rmse[b]:.4f}' for b in BANDS)} | {100 * row.covered:.1f} % |\n" for row in rows
    )


@contextmanager
def _session() -> Iterator[SparkSession]:
    spark = build_session(app="swath benchmark of composites")
    try:
        yield spark
    finally:
        stop_session(spark)


def _read(path: Path) -> Values:
    with rasterio.open(path) as source:
        values = source.read(1).astype(np.float64) * 1e-4
        values[source.read(1) == source.nodata] = np.nan
    return values


def _ground(folder: Path) -> dict[str, Values]:
    """Reflectance of the ground by band: the middle of what the simulator knows of each date, whose sun shades relief."""
    truths = sorted((folder / "truth").iterdir())
    return {b: np.nanmedian(np.stack([_read(t / f"sr_{b}.tif") for t in truths]), axis=0) for b in BANDS}


def _one_date(products: RunSummary, output: Path, *, ground: dict[str, Values]) -> Row:
    """The mean over the dates, of pixels that the date's own qa calls clear."""
    errors: dict[str, list[float]] = {b: [] for b in BANDS}
    covered = []
    for product in products.products:
        home = (output / product.item).parent
        files = {a.name: home / a.href for a in product.assets}
        with rasterio.open(files["qa"]) as source:
            clear = source.read(1) & 0b1001111 == 0  # nodata, saturated, cloud, shadow, cirrus
        covered.append(float(clear.mean()))
        for band in BANDS:
            off = (_read(files[band]) - ground[band])[clear]
            errors[band].append(float(np.sqrt(np.nanmean(off**2))) if clear.any() else np.nan)
    return Row(name="one date", rmse={b: float(np.nanmean(e)) for b, e in errors.items()}, covered=float(np.mean(covered)))


def _composite(made: RunSummary, output: Path, *, ground: dict[str, Values], name: str) -> Row:
    """All tiles of a composite, on the scenes' grid."""
    shape = next(iter(ground.values())).shape
    values = {b: np.full(shape, np.nan) for b in BANDS}
    with rasterio.open(next((output.parent / "truth").glob("*/sr_red.tif"))) as source:
        left, top, pixel = source.transform.c, source.transform.f, source.transform.a
    for product in made.products:
        home = (output / product.item).parent
        for asset in product.assets:
            if asset.name in BANDS:
                tile = _read(home / asset.href)
                with rasterio.open(home / asset.href) as source:
                    row, col = round((top - source.transform.f) / pixel), round((source.transform.c - left) / pixel)
                _paste(values[asset.name], tile, row=row, col=col)
    rmse = {b: float(np.sqrt(np.nanmean((values[b] - ground[b]) ** 2))) for b in BANDS}
    return Row(name=name, rmse=rmse, covered=float(np.isfinite(values["red"]).mean()))


def _paste(whole: Values, tile: Values, *, row: int, col: int) -> None:
    top, left = max(row, 0), max(col, 0)
    bottom, right = min(row + tile.shape[0], whole.shape[0]), min(col + tile.shape[1], whole.shape[1])
    if bottom > top and right > left:
        whole[top:bottom, left:right] = tile[top - row : bottom - row, left - col : right - col]
