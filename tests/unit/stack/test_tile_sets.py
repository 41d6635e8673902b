"""Named tilings: the tiles that a scene goes into, and that the same place is the same in two of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from tests.stacks import CLOUD, JUDGED, Date, write_product

from swath.composites.plan import plan, tiling_for
from swath.errors import ConfigError
from swath.grid import Grid
from swath.readers.level2.source import read_source
from swath.readers.pixels.bands import BandReader
from swath.sinks.cog.assemble import CogTarget, assemble
from swath.stack.composite import Composite
from swath.stack.file import read_recipe
from swath.stack.periods import periods_of
from swath.stack.recipe import WEIGHTS, CompositeRecipe, GridRule
from swath.stack.strip import StackJob, run_stack
from swath.stores.local import local_store
from swath.tile_sets import ArdTiles, FileTiles, MgrsTiles, hls_tiles
from swath.tilings import mgrs_tile

RECIPE = CompositeRecipe(
    name="t", title="T", version=1, reducer="best_pixel", bands=("red",), flags=("cloud",), buffer_m=90.0, weights=WEIGHTS,
    grid=GridRule(tiling="hls"),
)  # fmt: skip


@pytest.mark.parametrize("name", ["33UUP", "32TPT", "56JMM", "60WWT", "31NAA", "30NZF"])
def test_a_tile_touches_itself_and_its_neighbours(name: str) -> None:
    own = mgrs_tile(name, resolution_m=30.0)
    found = {t.name: t.grid for t in hls_tiles().touching(own)}
    assert found[f"hls-{name}-30"] == own
    same = [g for g in found.values() if g.crs == own.crs]
    assert all(max(abs(g.left - own.left), abs(g.top - own.top)) < 109_800 for g in same)
    inner = replace(own, left=own.left + 30_000, top=own.top - 30_000, width=10, height=10)
    # Tiles of the next zone reach over the edge between both.
    assert [t.name for t in MgrsTiles(resolution_m=60.0).touching(inner) if t.grid.crs == own.crs] == [f"{name}-60"]


def test_tiles_of_usgs_are_where_they_are_named() -> None:
    scene = Grid(crs="EPSG:32612", left=500_000.0, top=4_000_000.0, dx=30.0, dy=30.0, width=500, height=500)
    (tile,) = ArdTiles().touching(scene)
    assert (tile.name, tile.grid.width, tile.grid.dx) == ("ard-h08v11", 5000, 30.0)
    assert tile.grid.bounds == (-2_565_585.0 + 8 * 150_000, 3_314_805.0 - 12 * 150_000, -1_215_585.0, 3_314_805.0 - 11 * 150_000)
    assert list(ArdTiles().touching(mgrs_tile("33UUP", resolution_m=30.0))) == []


def feature(name: str, *, west: float, south: float, **more: object) -> dict[str, object]:
    ring = [[west, south], [west + 0.1, south], [west + 0.1, south + 0.1], [west, south + 0.1], [west, south]]
    return {"type": "Feature", "properties": {"name": name, **more}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def test_tiles_of_a_file_are_rectangles_on_whole_pixels(tmp_path: Path) -> None:
    path = tmp_path / "tiles.geojson"

    def write(*features: dict[str, object]) -> None:
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")

    write(feature("north", west=15.0, south=45.1), feature("south", west=15.0, south=45.0, crs="EPSG:3035", resolution=100))
    tiles = FileTiles.read(str(path), crs="EPSG:32633", resolution=20.0)
    scene = Grid(crs="EPSG:32633", left=500_000.0, top=5_000_000.0, dx=30.0, dy=30.0, width=300, height=900)
    found = {t.name: t.grid for t in tiles.touching(scene)}
    assert {n: (g.crs, g.dx) for n, g in found.items()} == {"north-20": ("EPSG:32633", 20.0), "south-100": ("EPSG:3035", 100.0)}
    assert all(v % g.dx == 0.0 for g in found.values() for v in g.bounds)
    assert list(tiles.touching(replace(scene, left=800_000.0))) == []
    write(feature("one", west=15.0, south=45.0), feature("one", west=16.0, south=45.0))
    with pytest.raises(ConfigError, match="a tile is named twice: one"):
        FileTiles.read(str(path), crs="EPSG:32633", resolution=20.0)
    write(feature("one", west=15.0, south=45.0))
    with pytest.raises(ConfigError, match="needs a name of letters and digits, and a crs and a resolution"):
        FileTiles.read(str(path), crs="", resolution=20.0)
    with pytest.raises(ConfigError, match="expected GeoJSON features"):
        FileTiles.read(str(tmp_path / "none"), crs="", resolution=20.0)


def test_a_recipe_names_a_tiling_and_a_slip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "name: r\ncomposite: {reducer: latest, bands: [red]}\ngrid: {tiling: {file: tiles.geojson}}\n", encoding="utf-8"
    )
    assert read_recipe(path).grid.tiling == f"file:{Path('tiles.geojson').absolute()}"
    assert read_recipe(path, settings=["grid.tiling=landsat-ard"]).grid.tiling == "landsat-ard"
    with pytest.raises(ConfigError, match="'hsl' is no tiling; did you mean 'hls'"):
        read_recipe(path, settings=["grid.tiling=hsl"])
    with pytest.raises(ConfigError, match=r"grid.tiling mgrs: expected grid.resolution"):
        tiling_for(replace(RECIPE, grid=GridRule(tiling="mgrs")), [read_source(str(scene(tmp_path)))])


def scene(folder: Path) -> Path:
    """A scene where two tiles of one zone overlap, on other pixels than theirs, with a cloud."""
    random = np.random.default_rng(5)
    red = random.integers(200, 4000, (250, 420)).astype(np.int16)
    qa = np.full(red.shape, JUDGED, dtype=np.uint16)
    qa[100:140, 180:260] = CLOUD
    day = datetime(2024, 5, 1, tzinfo=UTC)
    date = Date(reflectance={"red": red}, qa=qa, day=day, name="across", left=398_004.0, top=5_339_987.0)
    return write_product(date, folder)


def made(composite: Composite, folder: Path, *, rows: tuple[int, int]) -> dict[str, NDArray[np.int64]]:
    """Stored pixels of a strip of a composite."""
    store = local_store(folder)
    with BandReader() as reader:
        job = StackJob(composite=composite, rows=rows, number=0, folder="parts")
        parts = run_stack(job, store=store, reader=reader).parts
    found = {}
    for part in parts:
        spec = replace(composite.layers[part.asset], grid=replace(composite.grid, height=rows[1]))
        target = CogTarget(grid=spec.grid, encoding=spec.encoding, description="", tags={})
        path = folder / f"{part.asset}.tif"
        assemble([part], target, open_part=lambda p: store.fetch(p.href), output=path)
        with rasterio.open(path) as source:
            found[part.asset] = source.read(1).astype(np.int64)
    return found


def test_a_scene_goes_into_every_tile_and_the_same_place_is_the_same_in_two(tmp_path: Path) -> None:
    source = read_source(str(scene(tmp_path)))
    tiling = tiling_for(RECIPE, [source])
    planned = plan([source], recipe=RECIPE, periods=periods_of("2024"), area=None, tiling=tiling)
    assert [c.tile for c in planned.composites] == ["hls-33UUP-30", "hls-33UVP-30"]
    assert [len(c.sources) for c in planned.composites] == [1, 1], "two pairs of a source and a product"
    pixels: dict[str, list[dict[tuple[float, float], int]]] = {}
    for composite in planned.composites:
        home = tmp_path / composite.tile
        home.mkdir()
        top, bottom = (round((composite.grid.top - y) / 30.0) for y in (5_339_987.0, 5_339_987.0 - 250 * 30.0))
        rows = (top // 512 * 512, min(-(-bottom // 512) * 512, composite.grid.height))
        assert rows[0] == 1536 or rows[1] - rows[0] <= 1024
        found = made(replace(composite, grid=shifted(composite.grid, rows[0])), home, rows=(0, rows[1] - rows[0]))
        left, upper = composite.grid.left, composite.grid.top - rows[0] * 30.0
        for name, values in found.items():
            y, x = np.nonzero(found["count"])
            places = {(float(upper - 30.0 * r), float(left + 30.0 * c)): int(values[r, c]) for r, c in zip(y, x, strict=True)}
            pixels.setdefault(name, []).append(places)
    for name, (one, other) in pixels.items():
        common = set(one) & set(other)
        assert len(common) > 50_000, "they overlap by 9.8 km"
        assert all(one[place] == other[place] for place in common), name
        assert len(set(one) | set(other)) > len(one)


def shifted(grid: Grid, rows: int) -> Grid:
    """The tile from a row on: strips of it are worked through as such."""
    return replace(grid, top=grid.top - rows * grid.dy, height=grid.height - rows)
