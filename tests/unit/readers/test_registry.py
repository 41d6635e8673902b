from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from swath.errors import SwathError
from swath.readers import registry
from swath.readers.discover import discover
from swath.readers.landsat.scene import read_scene as read_landsat
from swath.scene import Scene


class DroneReader:
    """A reader from outside: folders that hold a flight.log."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def recognises(self, href: str) -> bool:
        return (Path(href) / "flight.log").is_file()

    def read_scene(self, href: str) -> Scene:
        return replace(self._scene, scene_id=Path(href).name, reader="drone")


@pytest.fixture(autouse=True)
def fresh_plugins() -> Iterator[None]:
    registry.plugins.cache_clear()
    yield
    registry.plugins.cache_clear()


def test_a_plugged_reader_finds_and_reads_its_scenes(
    monkeypatch: pytest.MonkeyPatch, write_landsat: Callable[..., Path], tmp_path: Path
) -> None:
    reader = DroneReader(read_landsat(str(write_landsat(tmp_path / "landsat"))))
    monkeypatch.setattr(registry, "plugins", lambda: {"drone": reader})
    monkeypatch.setattr("swath.readers.folders.plugins", lambda: {"drone": reader})
    (tmp_path / "flights" / "monday").mkdir(parents=True)
    (tmp_path / "flights" / "monday" / "flight.log").touch()
    (href,) = discover([str(tmp_path / "flights")])
    assert registry.read_scene(href).reader == "drone"
    assert registry.read_scene(str(tmp_path / "landsat")).reader == "landsat"


def test_plugins_come_from_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name="landsat-again", value="swath.readers.landsat.scene", group=group)]

    monkeypatch.setattr(registry, "entry_points", fake)
    loaded: Any = registry.plugins()["landsat-again"]
    assert loaded.read_scene is read_landsat


def test_a_plugin_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint(name="drone", value="swath_drone.reader", group="swath.readers")
    monkeypatch.setattr(registry, "entry_points", lambda **_: [broken])
    with pytest.raises(
        SwathError, match=r"the reader plug-in drone \(swath_drone\.reader\) cannot be loaded: .* reinstall or remove it"
    ):
        registry.plugins()
