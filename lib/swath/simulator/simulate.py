"""One call for a scene with known truth, and one for everything that the demo needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray

from swath.algo.atmosphere import Atmosphere
from swath.errors import ConfigError
from swath.simulator.damage import copied, truncate
from swath.simulator.forward import CLEAR
from swath.simulator.labels import Allowed, write_labels
from swath.simulator.landsat9 import simulate_landsat9
from swath.simulator.landscape import Landscape
from swath.simulator.noise import F64
from swath.simulator.request import SceneRequest
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.sentinel2 import simulate_sentinel2
from swath.simulator.stac_scene import simulate_stac

Kind = Literal["landsat9", "sentinel2", "stac"]

#: Pixels a side when none are asked for: 30 m for Landsat, 10 m for the others.
DEFAULT_SIZES: Final[dict[str, int]] = {"landsat9": 1024, "sentinel2": 1830, "stac": 1024}
DEFAULT_TIMES: Final[dict[str, datetime]] = {
    "landsat9": datetime(2024, 8, 5, 10, 2, 11, tzinfo=UTC),
    "sentinel2": datetime(2024, 8, 6, 10, 20, 31, tzinfo=UTC),
    "stac": datetime(2024, 8, 6, 10, 20, 31, tzinfo=UTC),
}
_WRITERS: Final[Mapping[str, Callable[[Path, SceneRequest], SimulatedScene]]] = {
    "landsat9": simulate_landsat9,
    "sentinel2": simulate_sentinel2,
    "stac": simulate_stac,
}
DEFAULT_SEED: Final = 7
#: Smallest scene: two blocks of the coarsest band must fit somewhere.
MIN_SIZE: Final = 48
#: Labels keep this far from clouds and shadows [m].
CLOUD_MARGIN_M: Final = 90.0
DEMO_CLOUDS: Final[dict[str, float]] = {"landsat9": 0.07, "sentinel2": 0.06}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoScenes:
    """What ``swath demo`` works on.

    Args:
        scenes_folder: Holds the three deliveries and nothing else.
        landsat: Landsat 9, whole.
        sentinel: Sentinel-2, whole, within the Landsat scene's bounds.
        broken: A second Landsat 9 scene of which one band is cut off in the middle.
        labels: GeoJSON with labelled polygons, valid for both whole scenes.
    """

    scenes_folder: Path
    landsat: SimulatedScene
    sentinel: SimulatedScene
    broken: SimulatedScene
    labels: Path


def simulate(
    *,
    kind: Kind,
    folder: Path,
    size: int | None = None,
    seed: int = DEFAULT_SEED,
    acquired: datetime | None = None,
    clouds: float = 0.08,
    atmosphere: Atmosphere | None = None,
    truth: bool = True,
) -> SimulatedScene:
    """Write a scene in its delivery format to ``folder/scenes/<id>`` and its truth to ``folder/truth/<id>``.

    The same arguments write the same pixels; the same seed is the same place, whatever the sensor and the day.

    Args:
        kind: ``landsat9`` (Collection 2 Level-1 folder), ``sentinel2`` (SAFE with JPEG 2000) or ``stac`` (GeoTIFFs with
            an item).
        folder: Created when missing.
        size: Pixels a side, at 30 m for Landsat and 10 m for the others; a multiple of 6 for Sentinel-2.
        seed: Seed of the place.
        acquired: Aware, UTC; decides the sun's position and, with the seed, the clouds.
        clouds: Share of cloud, 0..1, about.
        atmosphere: The air; defaults to swath's own defaults.
        truth: Whether to write the truth.

    Raises:
        ConfigError: A size, share or time that cannot be.
    """
    request = SceneRequest(
        size=DEFAULT_SIZES[kind] if size is None else size,
        seed=seed,
        acquired=acquired or DEFAULT_TIMES[kind],
        clouds=clouds,
        atmosphere=atmosphere or Atmosphere(),
        truth=truth,
    )
    return write_scene(folder, request, kind=kind)


def write_scene(folder: Path, request: SceneRequest, *, kind: Kind) -> SimulatedScene:
    """Write a scene as ``simulate`` does, from a request that may also give its position.

    Raises:
        ConfigError: A size, share or time that cannot be.
    """
    _check(request, kind=kind)
    return _WRITERS[kind](folder, request)


def simulate_demo(folder: Path, *, seed: int = DEFAULT_SEED, say: Callable[[str], None] = lambda _: None) -> DemoScenes:
    """Write three scenes of one place, and labels for it: Landsat 9, Sentinel-2, and a broken Landsat 9 scene.

    The light goes through the air of 6S, not of the model that swath inverts: a comparison with the truth shows that model's
    error.
    """
    say("simulating 1 of 3: Landsat 9")
    landsat = write_scene(folder, _demo_request("landsat9", seed=seed), kind="landsat9")
    say("simulating 2 of 3: Sentinel-2")
    sentinel = write_scene(folder, _demo_request("sentinel2", seed=seed), kind="sentinel2")
    say("simulating 3 of 3: a Landsat 9 scene that is broken on purpose")
    scenes = folder / "scenes"
    # Sixteen days later, as far as its names say; the pixels do not matter, they never arrive.
    rename = {
        "20240806": "20240822",
        "20240805": "20240821",
        "2024-08-06": "2024-08-22",
        "2024-08-05": "2024-08-21",
        "2024218": "2024234",
    }
    broken = truncate(copied(landsat, folder=scenes, rename=rename))
    labels = _demo_labels(folder / "labels.geojson", landsat=landsat, sentinel=sentinel, seed=seed)
    return DemoScenes(scenes_folder=scenes, landsat=landsat, sentinel=sentinel, broken=broken, labels=labels)


def _demo_request(kind: Kind, *, seed: int) -> SceneRequest:
    return SceneRequest(
        size=DEFAULT_SIZES[kind], seed=seed, acquired=DEFAULT_TIMES[kind], clouds=DEMO_CLOUDS[kind], atmosphere=Atmosphere(),
        truth=True, air="6s",
    )  # fmt: skip


def _check(request: SceneRequest, *, kind: Kind) -> None:
    size, clouds, acquired = request.size, request.clouds, request.acquired
    if size < MIN_SIZE or (kind == "sentinel2" and size % 6):
        wanted = f"at least {MIN_SIZE}" + (", a multiple of 6" if kind == "sentinel2" else "")
        raise ConfigError(f"a scene of {size} pixels a side cannot be simulated as {kind}: expected {wanted}")
    if not 0.0 <= clouds <= 1.0:
        raise ConfigError(f"the share of cloud is {clouds}: expected 0 to 1")
    if acquired.tzinfo is None:
        raise ConfigError(f"the acquisition time {acquired} has no time zone: expected an aware UTC time")


def _demo_labels(path: Path, *, landsat: SimulatedScene, sentinel: SimulatedScene, seed: int) -> Path:
    allowed = [_clear_sky(scene) for scene in (landsat, sentinel)]

    def everywhere_clear(x_m: F64, y_m: F64) -> NDArray[np.bool_]:
        return allowed[0](x_m, y_m) & allowed[1](x_m, y_m)

    landscape = Landscape(seed=seed, sun_azimuth_deg=180.0)
    return write_labels(path, landscape=landscape, grid=sentinel.grid, allowed=everywhere_clear)


def _clear_sky(scene: SimulatedScene) -> Allowed:
    """Where a scene shows the ground, well away from clouds, shadows and the swath's sides."""
    if scene.truth is None:
        msg = "labels need scenes with a truth"
        raise ValueError(msg)
    grid = scene.grid
    with rasterio.open(scene.truth.clouds) as source:
        hidden = source.read(1) != CLEAR
    for _ in range(int(CLOUD_MARGIN_M // grid.dx)):
        hidden = _grown(hidden)

    def allowed(x_m: F64, y_m: F64) -> NDArray[np.bool_]:
        columns = np.floor((x_m - grid.left) / grid.dx).astype(np.int64)
        rows = np.floor((grid.top - y_m) / grid.dy).astype(np.int64)
        inside = ((rows >= 0) & (rows < grid.height))[:, None] & ((columns >= 0) & (columns < grid.width))[None, :]
        clear: NDArray[np.bool_] = ~hidden[rows.clip(0, grid.height - 1)][:, columns.clip(0, grid.width - 1)]
        return clear & inside

    return allowed


def _grown(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The area and the four neighbours of its pixels."""
    grown = area.copy()
    grown[1:] |= area[:-1]
    grown[:-1] |= area[1:]
    grown[:, 1:] |= area[:, :-1]
    grown[:, :-1] |= area[:, 1:]
    return grown
