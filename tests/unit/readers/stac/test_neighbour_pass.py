"""An item whose outline overlaps its file, and is of the next path or row: where data is decides."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio import Affine
from tests.unit.readers.stac.test_stated_place import item
from tests.unit.readers.stac_items import Json, WriteItem

from swath.errors import MetadataError
from swath.readers.pixels.whereabouts import GlobeBox
from swath.readers.registry import read_scene

#: A scene of 189 x 186 km near Denver, -105.78 ... -103.6 and 38.9 ... 40.6; its data is a parallelogram, as a satellite's.
WIDTH, HEIGHT, PIXEL_M = 63, 62, 3000.0
TURNED = Affine(PIXEL_M, 0.0, 433_000.0, 0.0, -PIXEL_M, 4_496_000.0)
RING = np.array([[-105.35, 40.55], [-103.65, 40.25], [-104.05, 38.95], [-105.7, 39.25], [-105.35, 40.55]])


def outline(east: float = 0.0, north: float = 0.0, *, ring: Any = RING) -> Json:
    return {"type": "Polygon", "coordinates": [(ring + np.array([east, north])).tolist()]}


def box(east: float = 0.0, north: float = 0.0) -> list[float]:
    ring = RING + np.array([east, north])
    return [*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist()]


def write(path: Path, *, full: bool = False, grid: Affine = TURNED, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
    """Data within the ring alone, unless it is full."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]] + 0.5
    from_map = pyproj.Transformer.from_crs("EPSG:32613", "EPSG:4326", always_xy=True)
    lons, lats = from_map.transform(grid.c + grid.a * columns, grid.f + grid.e * rows)
    inside = np.ones(size, bool)
    for (ax, ay), (bx, by) in pairwise(RING):
        inside &= (bx - ax) * (lats - ay) - (by - ay) * (lons - ax) <= 0.0
    profile = {"width": size[1], "height": size[0], "count": 1, "dtype": "uint16", "crs": "EPSG:32613", "nodata": 0}
    with rasterio.open(path, "w", driver="GTiff", transform=grid, **profile) as target:
        target.write(np.where(inside | full, 2000, 0).astype(np.uint16), 1)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"geometry": outline(-0.4, -1.35), "bbox": box(-0.4, -1.35)}, "bbox"),
        ({"geometry": outline(0.4, 1.35)}, "geometry"),
        ({"geometry": outline(1.4, 0.0)}, "geometry"),
        ({"geometry": outline(358.6, 0.0)}, "geometry"),
        ({"bbox": box(-1.4, 0.0)}, "bbox"),
        ({"geometry": {"type": "MultiPolygon", "coordinates": [outline(1.4)["coordinates"]]}, "bbox": box(1.4)}, "bbox"),
    ],
)
def test_an_item_of_the_next_path_or_row_is_refused(write_item: WriteItem, tmp_path: Path, said: Json, field: str) -> None:
    write(tmp_path / "r.tif")
    with pytest.raises(
        MetadataError, match=rf"about their place \({field}\): .*with [3-9]\d% of its pixels outside of that {field}"
    ):
        read_scene(write_item(item(top=said)))


def test_what_contradicts_the_file_is_told_where_the_grid_confirms_it(write_item: WriteItem, tmp_path: Path) -> None:
    write(tmp_path / "r.tif")
    grid: Json = {"proj:transform": list(TURNED)[:6]}
    scene = read_scene(write_item(item(top={"geometry": outline(1.4)}, **grid)))
    assert "of its pixels outside of that geometry" in scene.left_out["geometry"]


@pytest.mark.parametrize(
    "said",
    [
        {"geometry": outline(), "bbox": box()},
        {"geometry": outline(0.05, -0.05), "bbox": box(0.05)},
        {"geometry": outline(360.0), "bbox": box()},
        {"geometry": {"type": "Point", "coordinates": [-104.6, 39.8]}},
        {"geometry": {"type": "LineString", "coordinates": [[-108.0, 39.8], [-104.0, 39.8]]}},
        {"geometry": {"type": "Polygon", "coordinates": [[[-107, 39], "x"], [-104, 40]]}},
        {"bbox": [-115.0, 30.0, -100.0, 45.0]},
    ],
)
def test_its_own_outline_a_part_or_more_of_it_contradict_nothing(write_item: WriteItem, tmp_path: Path, said: Json) -> None:
    write(tmp_path / "r.tif")
    assert not {"bbox", "geometry"} & set(read_scene(write_item(item(top=said))).left_out)


def test_a_crop_that_is_padded_beyond_its_scene_is_in_its_place(write_item: WriteItem, tmp_path: Path) -> None:
    grid, size = Affine(PIXEL_M, 0.0, 333_000.0, 0.0, -PIXEL_M, 4_600_000.0), (60, 50)
    write(tmp_path / "r.tif", grid=grid, size=size)
    said = {"geometry": outline(), "bbox": box()}
    assert not {"bbox", "geometry"} & set(read_scene(write_item(item(top=said))).left_out)
    write(tmp_path / "r.tif", grid=grid, size=size, full=True)
    with pytest.raises(MetadataError, match="of its pixels outside of that bbox"):
        read_scene(write_item(item(top=said)))


@pytest.mark.parametrize(("field", "spell"), [("proj:projjson", "to_json_dict"), ("proj:wkt2", "to_wkt")])
@pytest.mark.parametrize("where", ["asset", "properties"])
def test_a_system_is_compared_however_it_is_spelled(
    write_item: WriteItem, tmp_path: Path, field: str, spell: str, where: str
) -> None:
    write(tmp_path / "r.tif")
    for code, right in ((32613, True), (26913, True), (32614, False)):
        told = {field: getattr(pyproj.CRS.from_epsg(code), spell)()}
        href = write_item(item(**({"asset": told} if where == "asset" else told)))
        assert json.loads(Path(href).read_text())
        if right:
            assert field not in read_scene(href).left_out
        else:
            with pytest.raises(
                MetadataError, match=rf"place \({field}\): expected EPSG:32613 of red \(the file\); got EPSG:32614"
            ):
                read_scene(href)


def test_boxes_are_within_each_other_across_the_antimeridian() -> None:
    assert GlobeBox(179.0, 0.0, 181.0, 1.0).within(GlobeBox(-182.0, 0.0, -178.0, 1.0), slack_deg=0.0)
    assert not GlobeBox(179.0, 0.0, 181.0, 1.0).within(GlobeBox(-180.0, 0.0, -178.0, 1.0), slack_deg=0.1)
