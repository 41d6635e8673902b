"""Spark only carries: what it draws is what the plain function draws."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import shapely

from swath.grid import Grid
from swath.simulator.simulate import simulate
from swath.spark.samples import draw_samples
from swath.training.draw import draw
from swath.training.polygons import LabelledPolygon, Polygons
from swath.training.samples import FeatureRequest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def corners(grid: Grid) -> Polygons:
    """Two squares of 9 x 9 pixels."""
    left, _, _, top = grid.bounds
    squares = [shapely.box(left + s, top - s - 270, left + s + 270, top - s) for s in (300, 1500)]
    items = tuple(
        LabelledPolygon(polygon_id=f"p{n}", label=f"class{n}", geometry=shapely.geometry.mapping(s))
        for n, s in enumerate(squares)
    )
    return Polygons(crs=grid.crs, items=items)


@pytest.mark.parametrize("of", ["toa", "sr"])
def test_samples_drawn_by_spark_equal_samples_drawn_here(spark: "SparkSession", tmp_path: Path, of: str) -> None:
    made = [simulate(kind="landsat9", folder=tmp_path / str(seed), size=96, seed=seed, truth=False) for seed in (1, 2)]
    hrefs = [str(made[0].delivery), str(tmp_path / "nothing"), str(made[1].delivery)]
    request = FeatureRequest(bands=("blue", "red", "nir08"), of="sr" if of == "sr" else "toa")
    polygons = corners(made[0].grid)
    here = draw(hrefs, polygons, request=request)
    there = draw_samples(spark, hrefs, polygons=polygons, request=request)
    assert here.samples.groupby("polygon_id").size().to_dict() == {"p0": 162, "p1": 162}
    pd.testing.assert_frame_equal(there.samples, here.samples)
    assert list(there.refused) == [hrefs[1]]
    assert there.refused == here.refused


def test_no_scenes_give_no_samples(spark: "SparkSession") -> None:
    request = FeatureRequest(bands=("red",), of="toa")
    grid = Grid(crs="EPSG:32631", left=0.0, top=0.0, dx=30.0, dy=30.0, width=96, height=96)
    drawn = draw_samples(spark, [], polygons=corners(grid), request=request)
    assert drawn.samples.empty
    assert drawn.refused == {}
