"""A sensor with metadata of its own is a room and a row: everything else finds its deliveries by the row."""

import re
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from swath.errors import MetadataError
from swath.readers import marks
from swath.readers.discover import discover
from swath.readers.marks import Marks
from swath.readers.registry import kind_of, read_scene


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A sensor whose deliveries have a file ``ORBIT_*.meta``; the hrefs that its reader was asked for."""
    asked: list[str] = []

    def refuse(href: str) -> Any:
        asked.append(href)
        raise MetadataError("this delivery says nothing", expected="a scene", got=href, remedy="None.")

    module = ModuleType("swath.readers.orbit.scene")
    module.read_scene = refuse  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "swath.readers.orbit", ModuleType("swath.readers.orbit"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    name = re.compile(r"^ORBIT_\d+")
    row = Marks(kind="orbit", metadata=re.compile(r"^ORBIT_\d+\.meta$"), archive=name, one=name)
    monkeypatch.setattr(marks, "MARKS", (*marks.MARKS, row))
    return asked


def _delivery(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("ORBIT_7.meta", "ORBIT_7_red.tif"):
        (folder / name).write_bytes(b"-")
    return folder


def test_a_folder_and_an_archive_of_a_new_sensor_go_to_its_reader(room: list[str], tmp_path: Path) -> None:
    folder = _delivery(tmp_path / "in" / "one")
    packed = tmp_path / "in" / "ORBIT_8.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"ORBIT_8/{file.name}")
    found = [str(href).removeprefix("file://") for href in discover([str(tmp_path / "in")])]
    assert sorted(found) == sorted([str(packed), str(folder)])
    assert {kind_of(href) for href in found} == {"orbit"}
    for href in found:
        with pytest.raises(MetadataError, match="this delivery says nothing"):
            read_scene(href)
    assert sorted(room) == sorted(found)


def test_without_its_row_it_is_no_scene(tmp_path: Path) -> None:
    assert kind_of(str(_delivery(tmp_path / "one"))) is None
