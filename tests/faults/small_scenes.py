"""Forty small scenes: many STAC items over few rasters, and a delivery of another kind."""

from dataclasses import dataclass
from pathlib import Path

from swath.simulator.damage import copied
from swath.simulator.simulate import simulate

#: (pixels a side, scenes): most are one strip, some are two.
STAC = ((96, 35), (600, 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallScenes:
    """Where they lie.

    Args:
        folder: Give it as the run's input.
        count: Scenes in it.
        items: Some of them.
    """

    folder: Path
    count: int
    items: tuple[Path, ...]


def make_scenes(folder: Path) -> SmallScenes:
    """Simulate and copy."""
    place = folder / "scenes"
    place.mkdir(parents=True)
    items: list[Path] = []
    for size, count in STAC:
        made = simulate(kind="stac", folder=folder / "simulated", size=size, truth=False)
        for raster in made.rasters.values():
            (place / raster.name).write_bytes(raster.read_bytes())
        text = made.metadata.read_text(encoding="utf-8")
        for number in range(count):
            name, day = f"s{size}-{number:02}", f"2024-08-{6 + number % 4:02}"
            item = place / f"{name}.json"
            item.write_text(text.replace(f'"{made.scene_id}"', f'"{name}"').replace("2024-08-06", day), encoding="utf-8")
            items.append(item)
    landsat = simulate(kind="landsat9", folder=folder / "simulated", size=96, truth=False)
    copied(landsat, folder=place, rename={})
    return SmallScenes(folder=place, count=len(items) + 1, items=tuple(items))
