"""Samples of small scenes on disk, against a plain walk over all pixel centres."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.transform import Affine

from swath.errors import ConfigError, ModelContractError, ReadError
from swath.grid import Grid
from swath.scene import Angles, Asset, Band, Reflectance, Scene
from swath.steps.toa import Toa
from swath.training.draw import Drawn, draw_one
from swath.training.fit import class_numbers, fit_forest
from swath.training.polygons import LabelledPolygon, Polygons
from swath.training.recipe import TrainingRecipe
from swath.training.samples import FeatureRequest, samples_of

GRID = Grid(crs="EPSG:32631", left=500_000.0, top=5_600_000.0, dx=30.0, dy=30.0, width=40, height=30)
COARSE = replace(GRID, dx=60.0, dy=60.0, width=20, height=15)
REQUEST = FeatureRequest(bands=("red", "nir08"), of="toa")
SHAPES = {
    "lake": shapely.Polygon([(500_100, 5_599_900), (500_700, 5_599_800), (500_400, 5_599_300)]),
    "wood": shapely.box(500_800, 5_599_200, 501_100, 5_599_500),
    "outside": shapely.box(600_000, 5_599_200, 600_300, 5_599_500),
    "edge": shapely.box(501_100, 5_599_000, 501_500, 5_599_300),
}


def polygons(*names: str) -> Polygons:
    items = tuple(LabelledPolygon(polygon_id=n, label=n[:1], geometry=shapely.geometry.mapping(SHAPES[n])) for n in names)
    return Polygons(crs="EPSG:32631", items=items)


def asset(folder: Path, name: str, *, values: NDArray[np.uint16], grid: Grid) -> Asset:
    path = folder / f"{name}.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.width, height=grid.height, count=1, dtype="uint16", crs=grid.crs,
        transform=Affine(*grid.transform), nodata=0,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return Asset(
        band=Band(name=name, native_id=name, resolution_m=grid.dx),
        href=str(path),
        grid=grid,
        dtype="uint16",
        nodata=0,
        saturated=None,
        calibration=Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True),
        digest="0" * 64,
    )


def numbers(grid: Grid, *, seed: int) -> NDArray[np.uint16]:
    made = np.random.default_rng(seed).integers(1000, 5000, grid.window.shape).astype(np.uint16)
    made[::5, ::7] = 0
    return made


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    bands = {"red": GRID, "nir08": GRID, "swir16": COARSE}
    return Scene(
        scene_id="S1",
        platform="test-1",
        instrument="test",
        family="test",
        acquired=datetime(2024, 8, 1, 10, tzinfo=UTC),
        assets={n: asset(tmp_path, n, values=numbers(g, seed=i), grid=g) for i, (n, g) in enumerate(bands.items())},
        angles=Angles(sun_elevation_deg=50.0, sun_azimuth_deg=150.0),
        reader="stac",
        source_href=str(tmp_path),
        metadata_href=str(tmp_path / "item.json"),
        digest="1" * 64,
    )


def by_hand(names: tuple[str, ...]) -> pd.DataFrame:
    """Every pixel centre of the scene, asked one by one."""
    dn = {"red": numbers(GRID, seed=0), "nir08": numbers(GRID, seed=1)}
    rows = []
    for name in names:
        for row in range(GRID.height):
            for col in range(GRID.width):
                centre = shapely.Point(GRID.left + (col + 0.5) * GRID.dx, GRID.top - (row + 0.5) * GRID.dy)
                if SHAPES[name].contains(centre) and all(dn[b][row, col] for b in dn):
                    values = {b: np.float32(1e-4 * float(dn[b][row, col]) - 0.1) for b in dn}
                    rows.append({"scene_id": "S1", "polygon_id": name, "label": name[:1], "row": row, "col": col, **values})
    return pd.DataFrame(rows)


def test_samples_are_the_valid_pixels_whose_centre_lies_in_a_polygon(scene: Scene) -> None:
    names = ("lake", "wood", "edge")
    drawn = samples_of(scene, polygons(*names), request=REQUEST, steps=(Toa(),))
    expected = by_hand(names)
    assert len(expected) > 100
    pd.testing.assert_frame_equal(drawn, expected, check_dtype=False, check_exact=True)
    assert drawn["red"].dtype == np.float32


def test_polygons_in_other_coordinates_give_the_same_pixels(scene: Scene) -> None:
    here = samples_of(scene, polygons("lake", "wood"), request=REQUEST, steps=(Toa(),))
    moved = samples_of(scene, polygons("lake", "wood").reprojected("EPSG:4326"), request=REQUEST, steps=(Toa(),))
    pd.testing.assert_frame_equal(here, moved)


def test_a_polygon_outside_gives_nothing_and_the_columns_stay(scene: Scene) -> None:
    drawn = samples_of(scene, polygons("outside"), request=REQUEST, steps=(Toa(),))
    assert len(drawn) == 0
    assert list(drawn) == ["scene_id", "polygon_id", "label", "row", "col", "red", "nir08"]


def test_a_limit_spreads_the_pixels_over_the_polygon(scene: Scene) -> None:
    every = samples_of(scene, polygons("lake"), request=REQUEST, steps=(Toa(),))
    some = samples_of(scene, polygons("lake"), request=replace(REQUEST, limit=20), steps=(Toa(),))
    assert len(some) == 20
    assert (some["row"].min(), some["row"].max()) == (every["row"].min(), every["row"].max())
    assert len(some.merge(every)) == 20


def test_bands_of_another_resolution_are_brought_to_the_models_grid(scene: Scene) -> None:
    request = FeatureRequest(bands=("red", "swir16"), of="toa", resolution_m=60.0)
    drawn = samples_of(scene, polygons("wood"), request=request, steps=(Toa(),))
    coarse = numbers(COARSE, seed=2)[drawn["row"], drawn["col"]]
    assert len(drawn) > 5
    assert np.array_equal(drawn["swir16"], (1e-4 * coarse.astype(np.float64) - 0.1).astype(np.float32))


def test_scaling_is_that_of_the_manifest(scene: Scene) -> None:
    plain = samples_of(scene, polygons("wood"), request=REQUEST, steps=(Toa(),))
    scaled = samples_of(scene, polygons("wood"), request=replace(REQUEST, scale=2.0, offset=1.0), steps=(Toa(),))
    assert np.allclose(scaled["red"], plain["red"] * 2.0 + 1.0, atol=1e-6)


def test_a_missing_band_is_named(scene: Scene) -> None:
    with pytest.raises(ModelContractError, match=r"S1: .*got no toa:green"):
        samples_of(scene, polygons("wood"), request=replace(REQUEST, bands=("red", "green")), steps=(Toa(),))


def test_a_band_that_is_gone_is_a_scene_error(scene: Scene) -> None:
    Path(scene.assets["red"].href).unlink()
    with pytest.raises(ReadError, match="band red"):
        samples_of(scene, polygons("wood"), request=REQUEST, steps=(Toa(),))


def test_a_scene_that_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    drawn = draw_one(str(tmp_path / "nothing"), polygons("wood"), request=REQUEST)
    assert len(drawn.samples) == 0
    assert "this is not a scene" in drawn.refused[str(tmp_path / "nothing")]


def test_the_order_of_drawing_does_not_matter(scene: Scene) -> None:
    one, other = (
        Drawn(samples=samples_of(scene, polygons(n), request=REQUEST, steps=(Toa(),)), refused={n: "x"}) for n in ("lake", "wood")
    )
    ahead, back = (Drawn.together(p, request=REQUEST) for p in ([one, other], [other, one]))
    pd.testing.assert_frame_equal(ahead.samples, back.samples)
    assert ahead.refused == back.refused == {"lake": "x", "wood": "x"}


def recipe() -> TrainingRecipe:
    plain = {
        "name": "test", "title": "Test", "licence": "Apache-2.0",
        "features": {"of": "toa", "bands": ["red", "nir08"]},
        "classes": [{"value": 1, "name": "l", "title": "Lake"}, {"value": 2, "name": "w", "title": "Wood"}],
    }  # fmt: skip
    return TrainingRecipe.of(plain)


def test_the_same_samples_give_the_same_forest(scene: Scene) -> None:
    samples = samples_of(scene, polygons("lake", "wood"), request=REQUEST, steps=(Toa(),))
    one, other = (fit_forest(samples, recipe=recipe()) for _ in range(2))
    assert one.to_bytes() == other.to_bytes()
    assert (one.features, one.classes) == (2, 2)


def test_a_class_without_samples_is_named(scene: Scene) -> None:
    samples = samples_of(scene, polygons("lake"), request=REQUEST, steps=(Toa(),))
    with pytest.raises(ConfigError, match="no usable samples of class w"):
        fit_forest(samples, recipe=recipe())


def test_a_label_that_is_no_class_is_named(scene: Scene) -> None:
    samples = samples_of(scene, polygons("lake", "edge"), request=REQUEST, steps=(Toa(),))
    with pytest.raises(ConfigError, match=r"labels e are not classes of the recipe, which has l, w"):
        class_numbers(samples, recipe=recipe())
