"""A composite of a real Landsat delivery of Level 2, by its own metadata, against what its files hold."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from swath.readers.pixels.bands import BandReader
from swath.readers.sources import read_source
from swath.sinks.cog.assemble import CogTarget, assemble
from swath.stack.composite import Composite
from swath.stack.periods import periods_of
from swath.stack.recipe import CompositeRecipe
from swath.stack.strip import StackJob, run_stack
from swath.stores.local import local_store

pytestmark = pytest.mark.real
NAME = "LC08_L2SP_005009_20150710_20200908_02_T2"
#: Bits of QA_PIXEL (LSDS-1618, table 3-1): fill, dilated cloud, cirrus, cloud, cloud shadow.
UNUSABLE = 0b11111


def test_a_real_level_2_scene_goes_into_a_composite_with_its_scale_and_its_clouds_left_out(scenes: Path, tmp_path: Path) -> None:
    delivery = scenes / "stactools_landsat" / "data-files" / "assets"
    source = read_source(str(delivery))
    assert (source.scene_id, source.acquisition) == (NAME, "landsat-8 005009 20150710")
    recipe = CompositeRecipe(
        name="m", title="M", version=1, reducer="median", bands=("red", "nir08"), flags=("cloud", "adjacent", "shadow", "cirrus")
    )
    grid = source.assets["red"].grid
    made = Composite(tile="t", grid=grid, period=periods_of("2015")[0], recipe=recipe, sources=(source,), without={})
    with rasterio.open(delivery / f"{NAME}_QA_PIXEL.TIF") as raster:
        usable = raster.read(1) & UNUSABLE == 0
    counts = {}
    for band, native in (("red", "SR_B4"), ("nir08", "SR_B5")):
        with rasterio.open(delivery / f"{NAME}_{native}.TIF") as raster:
            counts[band] = raster.read(1)
        usable &= counts[band] != 0
    assert 0.05 < usable.mean() < 0.95, "some of it is hidden, some is not"
    store = local_store(tmp_path)
    with BandReader() as reader:
        strip = run_stack(StackJob(composite=made, rows=(0, grid.height), number=0, folder="parts"), store=store, reader=reader)
    parts = {part.asset: part for part in strip.parts}
    for band, numbers in counts.items():
        spec, path = made.layers[band], tmp_path / f"{band}.tif"
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description="", tags={})
        assemble([parts[band]], target, open_part=lambda p: store.fetch(p.href), output=path)
        with rasterio.open(path) as raster:
            found = raster.read(1)
        assert np.array_equal(found == -9999, ~usable)
        exact = (numbers * np.float64(2.75e-05) - 0.2) * 1e4
        # One number in forty is half-way between two counts: float32 rounds it either way.
        clear = usable & (np.abs(exact % 1.0 - 0.5) > 1e-2)
        assert np.array_equal(found[clear], np.clip(np.rint(exact), -9998, 32767)[clear])
        assert np.abs(found - exact)[usable].max() <= 0.51
