"""A composite without Spark: its pixels are NumPy's, however it is cut and in whatever order its sources come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from tests.stacks import CLOUD, JUDGED, Date, write_product

from swath.composites.plan import plan, tiling_for
from swath.readers.level2.source import read_source
from swath.readers.pixels.bands import BandReader
from swath.sinks.cog.assemble import CogTarget, assemble
from swath.source import Source
from swath.stack.composite import Composite
from swath.stack.layers import reduced
from swath.stack.periods import periods_of
from swath.stack.recipe import WEIGHTS, CompositeRecipe, GridRule, Reducer
from swath.stack.strip import StackJob, run_stack
from swath.stores.local import local_store

BANDS = ("red", "nir08")
DATES = 7
#: Columns by which each date lies further east; rows and columns of a date.
STEP, SIZE = 60, (600, 700)
YEAR = periods_of("2024")
RECIPE = CompositeRecipe(
    name="test", title="Test", version=1, reducer="median", bands=BANDS, flags=("cloud",), grid=GridRule(tile_px=1024)
)


def seen() -> NDArray[np.float64]:
    """Counts of (date, band, y, x) on the ground that all dates cover together; NaN where cloudy or not covered."""
    random = np.random.default_rng(11)
    found = np.full((DATES, len(BANDS), SIZE[0], SIZE[1] + STEP * (DATES - 1)), np.nan)
    for n in range(DATES):
        values = random.integers(200, 4000, (len(BANDS), *SIZE)).astype(np.float64)
        values[:, random.random(SIZE) < 0.3] = np.nan
        values[:, 100:160, 100:200] = np.nan
        found[n, :, :, n * STEP : n * STEP + SIZE[1]] = values
    return found


def write_dates(folder: Path) -> list[Path]:
    ground = seen()
    written = []
    for n in range(DATES):
        values = ground[n, :, :, n * STEP : n * STEP + SIZE[1]]
        cloudy = np.isnan(values[0])
        reflectance = {b: np.where(cloudy, 9000, np.nan_to_num(v)).astype(np.int16) for b, v in zip(BANDS, values, strict=True)}
        qa = np.where(cloudy, CLOUD, JUDGED).astype(np.uint16)
        day = datetime(2024, 2, 1, 10, tzinfo=UTC) + timedelta(days=16 * n)
        named = Date(reflectance=reflectance, qa=qa, day=day, name=f"LC08_{n}", left=600_015.0 + 30.0 * STEP * n, top=5_000_025.0)
        written.append(write_product(named, folder))
    return written


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    return [read_source(str(path)) for path in write_dates(tmp_path_factory.mktemp("products"))]


def composites(sources: Sequence[Source], recipe: CompositeRecipe) -> list[Composite]:
    return plan(sources, recipe=recipe, periods=YEAR, area=None, tiling=tiling_for(recipe, sources)).composites


def made(composite: Composite, folder: Path, *, rows: int) -> dict[str, bytes]:
    """Every file of a composite, by asset."""
    store = local_store(folder)
    parts: dict[str, list[object]] = {}
    with BandReader() as reader:
        for number, start in enumerate(range(0, composite.grid.height, rows)):
            job = StackJob(composite=composite, rows=(start, start + rows), number=number, folder="parts")
            for part in run_stack(job, store=store, reader=reader).parts:
                parts.setdefault(part.asset, []).append(part)
    files = {}
    for name, found in parts.items():
        spec = composite.layers[name]
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description=spec.title, tags={})
        path = folder / f"{name}.tif"
        assemble(found, target, open_part=lambda p: store.fetch(p.href), output=path)  # type: ignore[arg-type]
        files[name] = path.read_bytes()
    return files


def mosaic(
    sources: Sequence[Source], recipe: CompositeRecipe, folder: Path, *, rows: int = 512
) -> dict[str, NDArray[np.float64]]:
    """Stored values of every asset on the ground of ``seen``, from all tiles."""
    height, width = SIZE[0], SIZE[1] + STEP * (DATES - 1)
    found: dict[str, NDArray[np.float64]] = {}
    for number, composite in enumerate(composites(sources, recipe)):
        home = folder / str(number)
        home.mkdir(parents=True)
        for name in made(composite, home, rows=rows):
            with rasterio.open(home / f"{name}.tif") as source:
                values = source.read(1)
            row = round((composite.grid.top - 5_000_025.0) / -30.0)
            col = round((composite.grid.left - 600_015.0) / 30.0)
            whole = found.setdefault(name, np.full((height, width), np.nan))
            y, x = np.mgrid[: values.shape[0], : values.shape[1]]
            inside = (y + row >= 0) & (y + row < height) & (x + col >= 0) & (x + col < width)
            whole[(y + row)[inside], (x + col)[inside]] = values[inside]
    return found


def test_the_median_is_numpys_of_the_clear_dates(sources: list[Source], tmp_path: Path) -> None:
    found, ground = mosaic(sources, RECIPE, tmp_path), seen()
    count = np.isfinite(ground[:, 0]).sum(axis=0)
    assert np.array_equal(found["count"], count)
    for n, band in enumerate(BANDS):
        clear = count > 0
        with np.errstate(all="ignore"):
            expected = np.nanmedian(np.where(clear, ground[:, n], 0.0), axis=0)
        assert (found[band][~clear] == -9999).all()
        # Between two counts half a count is rounded.
        assert np.abs(found[band][clear] - expected[clear]).max() <= 0.5


def test_date_and_source_name_the_pixels_own(sources: list[Source], tmp_path: Path) -> None:
    found, ground = mosaic(sources, replace(RECIPE, reducer="latest"), tmp_path), seen()
    clear = np.isfinite(ground[:, 0])
    last = DATES - 1 - clear[::-1].argmax(axis=0)
    some = clear.any(axis=0)
    epoch = (date(2024, 2, 1) - date(1970, 1, 1)).days
    assert np.array_equal(found["source"], np.where(some, last, -1))
    assert np.array_equal(found["date"], np.where(some, epoch + 16 * last, 0))
    assert np.array_equal(found["red"][some], np.take_along_axis(ground[:, 0], last[None], axis=0)[0][some])


@pytest.mark.parametrize("reducer", ["geomedian", "best_pixel"])
def test_pixels_do_not_depend_on_tiles_strips_memory_or_order(sources: list[Source], tmp_path: Path, reducer: str) -> None:
    recipe = replace(RECIPE, reducer=reducer, weights=WEIGHTS, buffer_m=90.0)  # type: ignore[arg-type]
    whole = mosaic(sources, recipe, tmp_path / "a", rows=1024)
    others = {
        "strips": mosaic(sources, recipe, tmp_path / "b", rows=512),
        "tiles": mosaic(sources, replace(recipe, grid=GridRule(tile_px=512)), tmp_path / "c"),
        "memory": mosaic(sources, replace(recipe, memory_mb=4), tmp_path / "d", rows=1024),
        "order": mosaic(sources[::-1], recipe, tmp_path / "e", rows=1024),
    }
    for how, other in others.items():
        for name, values in whole.items():
            # A source's number is its place in the list of its tile's item.
            if name != "source" or how != "tiles":
                assert np.array_equal(values, other[name], equal_nan=True), (how, name)


def test_files_and_keys_are_equal_for_any_strip_height(sources: list[Source], tmp_path: Path) -> None:
    composite = composites(sources, RECIPE)[0]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert made(composite, tmp_path / "a", rows=512) == made(composite, tmp_path / "b", rows=1024)
    assert composite.keys == Composite.from_json(composite.to_json(), without={}).keys


def test_a_margin_around_clouds_is_not_used(sources: list[Source], tmp_path: Path) -> None:
    plain = mosaic(sources[:1], RECIPE, tmp_path / "a")["count"]
    margin = mosaic(sources[:1], replace(RECIPE, buffer_m=30.0), tmp_path / "b")["count"]
    cloudy = np.pad(plain[:, : SIZE[1]] == 0, 1)
    near = cloudy[1:-1, 2:] | cloudy[1:-1, :-2] | cloudy[2:, 1:-1] | cloudy[:-2, 1:-1] | cloudy[1:-1, 1:-1]
    inner = (slice(1, SIZE[0] - 1), slice(1, SIZE[1] - 1))
    # A distance of 30 m, the next pixel, is not nearer than the margin; the margin of 31 m holds it.
    assert np.array_equal(margin[inner], plain[inner])
    wider = mosaic(sources[:1], replace(RECIPE, buffer_m=31.0), tmp_path / "c")["count"][:, : SIZE[1]]
    assert np.array_equal(wider[inner] == 0, near[inner])


def test_a_source_that_does_not_touch_a_strip_is_not_opened(sources: list[Source], tmp_path: Path) -> None:
    far = replace(
        sources[0],
        scene_id="far",
        acquisition="far",
        assets={
            n: replace(a, href="/nowhere.tif", grid=replace(a.grid, top=a.grid.top - 30 * 1100))
            for n, a in sources[0].assets.items()
        },
    )
    corner = GridRule(crs="EPSG:32633", resolution=30.0, origin=(599_985.0, 5_000_055.0), tile_px=2048)
    recipe = replace(RECIPE, grid=corner)
    (composite,) = composites([*sources[:1], far], recipe)
    store = local_store(tmp_path)
    with BandReader() as reader:
        results = {}
        for start in range(0, 2048, 512):
            job = StackJob(composite=composite, rows=(start, start + 512), number=start // 512, folder="parts")
            results[start] = run_stack(job, store=store, reader=reader)
    assert {n for r in results.values() for n in r.failed} == {1}
    whole = [r for r in results.values() if not r.failed]
    assert whole
    assert all(r.read <= 1 for r in whole)


@pytest.mark.parametrize("reducer", ["median", "mean", "percentiles", "medoid", "geomedian", "latest", "best_pixel"])
def test_pixels_that_no_source_touches_are_nodata_with_count_0(reducer: Reducer) -> None:
    recipe = replace(RECIPE, reducer=reducer, percents=(10.0, 90.0) if reducer == "percentiles" else RECIPE.percents)
    channels = len(recipe.bands) + (reducer == "best_pixel")
    found = reduced(recipe, np.empty((0, channels, 2, 3), dtype=np.float32), days=[], numbers=[])
    assert not found.pop("count").any()
    assert {"date", "source"} < found.keys()
    assert all(values.shape == (2, 3) and np.isnan(values).all() for values in found.values())


def test_a_source_of_another_resolution_is_resampled(tmp_path: Path) -> None:
    """A plane stays a plane between the centres of its pixels."""
    y, x = np.mgrid[:40, :40]
    plane = (1000 + 20 * y + 10 * x).astype(np.int16)
    clear = np.full((40, 40), JUDGED, dtype=np.uint16)
    day = datetime(2024, 5, 1, tzinfo=UTC)
    coarse = Date(reflectance={"red": plane}, qa=clear, day=day, name="coarse", left=600_000.0, top=5_000_000.0, pixel=60.0)
    rule = GridRule(crs="EPSG:32633", resolution=30.0, origin=(600_000.0, 5_000_000.0), tile_px=512)
    recipe = replace(RECIPE, bands=("red",), reducer="latest", grid=rule)
    (composite,) = composites([read_source(str(write_product(coarse, tmp_path)))], recipe)
    made(composite, tmp_path, rows=512)
    with rasterio.open(tmp_path / "red.tif") as source:
        red = source.read(1)
    fine_y, fine_x = np.mgrid[1:79, 1:79]
    expected = 1000 + 20 * ((fine_y + 0.5) / 2 - 0.5) + 10 * ((fine_x + 0.5) / 2 - 0.5)
    assert np.abs(red[1:79, 1:79] - expected).max() <= 0.51
    assert (red[80:] == -9999).all()


def test_a_source_of_another_zone_is_warped_as_gdal_does_and_equally_in_every_tile(tmp_path: Path) -> None:
    y, x = np.mgrid[:300, :260]
    waves = (2000 + 800 * np.sin(x / 9.0) * np.cos(y / 7.0)).astype(np.int16)
    qa = np.full(waves.shape, JUDGED, dtype=np.uint16)
    day = datetime(2024, 5, 1, tzinfo=UTC)
    other = Date(reflectance={"red": waves}, qa=qa, day=day, name="other", left=1_060_000.0, top=5_000_000.0)
    sources = [read_source(str(write_product(other, tmp_path)))]
    assert sources[0].assets["red"].grid.crs == "EPSG:32633"
    rule = GridRule(crs="EPSG:32634", resolution=30.0, tile_px=512)
    recipe = replace(RECIPE, bands=("red",), reducer="latest", grid=rule)
    (composite,) = composites(sources, recipe)
    made(composite, tmp_path, rows=512)
    with rasterio.open(tmp_path / "red.tif") as source:
        red, transform = source.read(1), source.transform
    with (
        rasterio.open(sources[0].assets["red"].href) as source,
        WarpedVRT(
            source, crs="EPSG:32634", transform=transform, height=512, width=512, resampling=Resampling.bilinear,
            tolerance=1e-9, src_nodata=-9999, nodata=-9999,
        ) as vrt,
    ):  # fmt: skip
        expected = vrt.read(1)
    assert (expected != -9999).sum() > 70_000
    assert np.array_equal(red == -9999, expected == -9999)
    assert np.abs(red.astype(int) - expected).max() <= 1
    shifted = replace(recipe, grid=replace(rule, origin=(30.0 * 100, 30.0 * 77)))
    whole = np.full(red.shape, -9999, dtype=np.int16)
    for number, tile in enumerate(composites(sources, shifted)):
        (tmp_path / str(number)).mkdir()
        made(tile, tmp_path / str(number), rows=512)
        row = round((composite.grid.top - tile.grid.top) / 30.0)
        col = round((tile.grid.left - composite.grid.left) / 30.0)
        with rasterio.open(tmp_path / str(number) / "red.tif") as source:
            part = source.read(1)
        there = np.argwhere(part != -9999)
        whole[there[:, 0] + row, there[:, 1] + col] = part[there[:, 0], there[:, 1]]
    assert np.array_equal(whole, red)
