"""Scenes broken on purpose, the way that transfers break them."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from swath.simulator.scene_files import SimulatedScene


def truncate(scene: SimulatedScene, *, band: str = "red", keep: float = 0.5) -> SimulatedScene:
    """Cut one band's file off, as an aborted download leaves it; the scene itself is damaged, so give it a copy.

    Args:
        scene: The scene; its file is cut in place.
        band: Band to damage.
        keep: Share of the bytes that stay.

    Returns:
        The scene.
    """
    path = scene.rasters[band]
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * keep))
    return scene


def copied(scene: SimulatedScene, *, folder: Path, rename: Mapping[str, str]) -> SimulatedScene:
    """Copy a delivery into ``folder``, under another identity.

    Args:
        scene: The scene; it stays as it is.
        folder: Folder that receives the damaged copy.
        rename: Replacements in file names, folder names and text files.

    Returns:
        The copy, without a truth.
    """

    def renamed(text: str) -> str:
        for old, new in rename.items():
            text = text.replace(old, new)
        return text

    target = folder / renamed(scene.delivery.name)
    for path in sorted(scene.delivery.rglob("*")):
        copy = target / renamed(path.relative_to(scene.delivery).as_posix())
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in (".txt", ".json", ".xml", ".safe"):
            copy.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copyfile(path, copy)

    def moved(path: Path) -> Path:
        return target / renamed(path.relative_to(scene.delivery).as_posix())

    return replace(
        scene,
        scene_id=renamed(scene.scene_id),
        delivery=target,
        metadata=moved(scene.metadata),
        rasters={b: moved(p) for b, p in scene.rasters.items()},
        truth=None,
    )
