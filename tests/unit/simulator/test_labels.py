import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swath.grid import Grid
from swath.simulator.labels import write_labels
from swath.simulator.landscape import Landscape

PLACE = Landscape(seed=7, sun_azimuth_deg=155.0)
GRID = Grid(crs="EPSG:32633", left=403_980.0, top=5_997_000.0, dx=10.0, dy=10.0, width=500, height=500)


def _everywhere(x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones((y_m.size, x_m.size), np.bool_)


def _west(x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.broadcast_to(x_m < 406_480.0, (y_m.size, x_m.size))


def test_labels_are_the_same_every_time(tmp_path: Path) -> None:
    one = write_labels(tmp_path / "one.geojson", landscape=PLACE, grid=GRID, allowed=_everywhere, per_class=4)
    two = write_labels(tmp_path / "two.geojson", landscape=PLACE, grid=GRID, allowed=_everywhere, per_class=4)
    assert one.read_bytes() == two.read_bytes()
    assert json.loads(one.read_text())["type"] == "FeatureCollection"


def test_no_polygon_leaves_the_allowed_ground(tmp_path: Path) -> None:
    path = write_labels(tmp_path / "west.geojson", landscape=PLACE, grid=GRID, allowed=_west, per_class=4)
    features = json.loads(path.read_text())["features"]
    assert len(features) > 10
    # 406480 m east at 54.1 degrees north.
    assert max(p[0] for f in features for p in f["geometry"]["coordinates"][0]) < 13.573
