"""Small scenes across the home coast, made once: clear ones for exact comparisons, cloudy ones for masks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from swath.algo.atmosphere import Atmosphere
from swath.simulator.request import SceneRequest
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import DEFAULT_TIMES, Kind, write_scene

#: Between sea and town [UTM 33N, m].
SHORE = (403_980.0, 5_997_000.0)


def request_of(kind: Kind, *, size: int, clouds: float = 0.0) -> SceneRequest:
    return SceneRequest(
        size=size,
        seed=7,
        acquired=DEFAULT_TIMES[kind],
        clouds=clouds,
        atmosphere=Atmosphere(),
        truth=True,
        upper_left_m=SHORE,
    )


@pytest.fixture(scope="session")
def clear_landsat(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return write_scene(tmp_path_factory.mktemp("l9"), request_of("landsat9", size=260), kind="landsat9")


@pytest.fixture(scope="session")
def cloudy_landsat(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return write_scene(tmp_path_factory.mktemp("l9c"), request_of("landsat9", size=240, clouds=0.3), kind="landsat9")


@pytest.fixture(scope="session")
def clear_sentinel(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return write_scene(tmp_path_factory.mktemp("s2"), request_of("sentinel2", size=1044), kind="sentinel2")


@pytest.fixture(scope="session")
def clear_stac(tmp_path_factory: pytest.TempPathFactory) -> SimulatedScene:
    return write_scene(tmp_path_factory.mktemp("stac"), request_of("stac", size=600), kind="stac")


@pytest.fixture(scope="session")
def files_below() -> Callable[[Path], dict[str, bytes]]:
    """Bytes of all files of a folder by relative name."""

    def listed(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    return listed


@pytest.fixture(scope="session")
def again() -> Callable[[Path, Kind, int], SimulatedScene]:
    """Write a clear scene by the shore into a folder."""

    def written(folder: Path, kind: Kind, size: int) -> SimulatedScene:
        return write_scene(folder, request_of(kind, size=size), kind=kind)

    return written
