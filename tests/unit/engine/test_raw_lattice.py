"""Places in a raw image between nodes: those of the model, the same for any cut, over tiles, voids and the antimeridian."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from tests.unit.algo.test_rpc import simple

from swath.algo.position_lattice import EXACT, PositionLattice
from swath.algo.raw_image import Refinement
from swath.algo.rpc import Rpc
from swath.engine.raw_lattice import RawLattice
from swath.errors import GeometryError
from swath.grid import Grid, Window
from swath.mapping import project
from swath.readers.elevation.model import open_elevation
from swath.readers.rpc.mapping import RpcMapping

_SIDE = 401


def write(path: Path, *, west: float, north: float, void: bool = False) -> None:
    """Rough terrain of 100 m a pixel around 500 m, the same function of place in every tile."""
    steps = np.arange(_SIDE) * 1e-3
    lon, lat = (west + steps)[None, :], (north - steps)[:, None]
    heights = (500.0 + 200.0 * np.sin(lon * 3000.0) * np.cos(lat * 2000.0)).astype(np.float32)
    if void:
        heights[150:200, 150:200] = -9999.0
    profile: dict[str, Any] = {"height": _SIDE, "width": _SIDE, "count": 1, "dtype": "float32", "nodata": -9999.0}
    where = from_origin(west - 5e-4, north + 5e-4, 1e-3, 1e-3)
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:4326", transform=where, **profile) as target:
        target.write(heights, 1)


def lattice(where: Path, *, rpc: Rpc | None = None, crs: str = "EPSG:32631", size: int = 700, **more: Any) -> RawLattice:
    rpc = rpc or simple()
    (x,), (y,) = project(np.array([rpc.long_off]), np.array([rpc.lat_off]), source="EPSG:4326", target=crs)
    grid = Grid(crs=crs, left=round(x) - size, top=round(y) + size, dx=2.0, dy=2.0, width=size, height=size)
    elevation = open_elevation(str(where), datum="ellipsoid", **more)
    turned = Refinement(columns=(3.0, 1e-4, 0.0), rows=(0.0, 0.0, -1e-4))
    mapping = RpcMapping(crs=crs, rpc=rpc, size=(2000, 3000), elevation=elevation, refinement=turned)
    return RawLattice.of(mapping, grid=grid, over=grid.window)


def check(made: RawLattice) -> NDArray[np.bool_]:
    """Compare with the model at every pixel; True where there is a place."""
    window = made.globe.grid.window
    found, true = made.centres(window), replace(made, spacing=EXACT).centres(window)
    for ours, theirs in zip(found, true, strict=True):
        assert (np.isnan(ours) == np.isnan(theirs)).all()
        assert np.nanmax(np.abs(ours - theirs)) < 1e-3
    return np.isfinite(found[0])


def test_places_are_those_of_the_model_over_two_tiles_with_a_void(tmp_path: Path) -> None:
    write(tmp_path / "west.tif", west=4.6, north=44.2, void=True)
    write(tmp_path / "east.tif", west=5.0, north=44.2)
    made = lattice(tmp_path)
    assert made.spacing > 8
    assert check(made).all()
    write(tmp_path / "void.tif", west=4.845, north=44.18, void=True)
    void = lattice(tmp_path / "void.tif")
    assert 0.1 < check(void).mean() < 0.9
    # Nodes where the model may not be asked: a pixel beside them is evaluated by itself.
    write(tmp_path / "all.tif", west=4.8, north=44.2)
    small = lattice(tmp_path / "all.tif", rpc=simple(long_scale=0.004, lat_scale=0.002))
    assert 0.05 < check(small).mean() < 0.6


def test_places_do_not_depend_on_the_cut(tmp_path: Path) -> None:
    write(tmp_path / "west.tif", west=4.6, north=44.2)
    write(tmp_path / "east.tif", west=5.0, north=44.2)
    made = lattice(tmp_path)
    whole = made.centres(Window(0, 0, 700, 700))
    for part in (Window(0, 0, 65, 700), Window(65, 0, 1, 64), Window(100, 333, 300, 111), Window(699, 640, 1, 60)):
        for found, all_of in zip(made.centres(part), whole, strict=True):
            assert (found == all_of[part.row : part.row_stop, part.col : part.col_stop]).all()
    corners = made.corners(Window(64, 64, 64, 128))
    assert corners[0].shape == (65, 129)
    assert (corners[0][1:, 1:] == made.corners(Window(65, 65, 63, 127))[0]).all()


def test_the_part_of_the_image_holds_every_place(tmp_path: Path) -> None:
    write(tmp_path / "dem.tif", west=4.8, north=44.2)
    made, window = lattice(tmp_path / "dem.tif"), Window(100, 200, 300, 250)
    part = made.source_window(window, margin_px=2)
    columns, rows = made.centres(window)
    assert part.col + 2 <= columns.min() <= columns.max() <= part.col_stop - 2
    assert part.row + 2 <= rows.min() <= rows.max() <= part.row_stop - 2
    assert part.height < 600
    assert part.width < 600


def test_a_crooked_model_is_evaluated_at_every_pixel(tmp_path: Path) -> None:
    write(tmp_path / "dem.tif", west=4.8, north=44.2)
    bent = list(simple().line_num)
    bent[19] = 0.4
    # A cubic in height is no quadratic.
    made = lattice(tmp_path / "dem.tif", rpc=replace(simple(), line_num=tuple(bent)))
    assert made.spacing == EXACT
    assert np.isfinite(made.centres(Window(0, 0, 3, 3))[0]).all()


def test_a_scene_on_the_antimeridian_has_its_places(tmp_path: Path) -> None:
    write(tmp_path / "west.tif", west=179.6, north=44.2)
    write(tmp_path / "east.tif", west=-180.0, north=44.2)
    # Nodes east of it have longitudes below -179.
    made = lattice(tmp_path, rpc=simple(long_off=180.0), crs="EPSG:32660")
    assert isinstance(made.globe, PositionLattice)
    assert check(made).all()


def test_a_place_that_no_tile_covers_is_named_or_sea(tmp_path: Path) -> None:
    write(tmp_path / "dem.tif", west=5.0, north=44.2)
    with pytest.raises(GeometryError, match=r"the elevation lacks the tile N4[34]E004"):
        lattice(tmp_path / "dem.tif").centres(Window(0, 0, 700, 700))
    sea = lattice(tmp_path / "dem.tif", sea_level=True)
    assert check(sea).all()
