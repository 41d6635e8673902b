"""A band that a delivery lacks matters only where the pipeline requires it: what is left is made, and the item says the rest."""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.test_checks import made, pipeline_text

from swath.config import load_pipeline, prepare
from swath.errors import MissingBandError
from swath.inference.registry import Registry
from swath.plain import canonical
from swath.simulator.scene_files import SimulatedScene
from swath.simulator.simulate import simulate

COLOURS = {
    "landsat9": {"blue": "_B2.TIF", "green": "_B3.TIF", "red": "_B4.TIF"},
    "sentinel2": {"green": "_B03.jp2", "red": "_B04.jp2"},
}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimulatedScene]:
    folder = tmp_path_factory.mktemp("whole")
    sizes: dict[Any, int] = {"landsat9": 96, "sentinel2": 120}
    return {kind: simulate(kind=kind, folder=folder / kind, size=size, truth=False) for kind, size in sizes.items()}


def _without(scene: SimulatedScene, *, ends: Collection[str], folder: Path) -> Path:
    copy = Path(shutil.copytree(scene.delivery, folder / scene.delivery.name))
    for path in [p for p in copy.rglob("*") if p.name.endswith(tuple(ends))]:
        path.unlink()
    return copy


@pytest.mark.parametrize(
    ("kind", "band", "pipeline"),
    [
        ("landsat9", "green", "surface-reflectance"),
        ("landsat9", "blue", "toa"),
        ("landsat9", "green", "ard"),
        ("sentinel2", "green", "surface-reflectance"),
    ],
)
def test_a_scene_without_a_colour_is_made(
    kind: str, band: str, pipeline: str, scenes: dict[str, SimulatedScene], tmp_path: Path
) -> None:
    ready = canonical(dict(prepare(load_pipeline(pipeline), registry=Registry.beside(tmp_path)).plain))
    delivery = _without(scenes[kind], ends=[COLOURS[kind][band]], folder=tmp_path)
    answer = made(delivery, tmp_path / "out", pipeline=ready)
    assert "published" in answer, answer
    assets = answer["item"]["assets"]
    assert {"red", "swir16"} <= set(assets)
    assert band not in assets
    assert "not in the delivery" in answer["item"]["properties"]["swath:scene_left_out"][band]
    if pipeline == "ard":
        # The spectral rule needs green; the delivery's own judgement does not.
        assert answer["item"]["properties"]["swath:clouds"]["by"] == "delivered"


@pytest.mark.parametrize(
    ("kind", "kept", "pipeline"), [("landsat9", "_B4.TIF", "surface-reflectance"), ("sentinel2", "_B04.jp2", "toa")]
)
def test_a_scene_of_one_band_is_made(
    kind: str, kept: str, pipeline: str, scenes: dict[str, SimulatedScene], tmp_path: Path
) -> None:
    rasters = [p.name for p in scenes[kind].delivery.rglob("*") if p.suffix.lower() in {".tif", ".jp2"}]
    delivery = _without(scenes[kind], ends=[n for n in rasters if not n.endswith(kept)], folder=tmp_path)
    answer = made(delivery, tmp_path / "out", pipeline=pipeline_text(pipeline))
    assert "published" in answer, answer
    assert {"red", "qa"} <= set(answer["item"]["assets"])


@pytest.mark.parametrize(
    ("pipeline", "settings", "band", "message"),
    [
        ("toa", [], "red", "no toa:red can be made: expected band red"),
        ("surface-reflectance", [], "red", "no sr:red can be made: expected band red"),
        ("clouds", ["clouds.by=rule"], "green", "clouds cannot be distinguished from the ground: .* got no toa:green"),
    ],
)
def test_what_a_pipeline_requires_is_still_required(
    pipeline: str, settings: list[str], band: str, message: str, scenes: dict[str, SimulatedScene], tmp_path: Path
) -> None:
    delivery = _without(scenes["landsat9"], ends=[COLOURS["landsat9"][band]], folder=tmp_path)
    with pytest.raises(MissingBandError, match=message):
        made(delivery, tmp_path / "out", pipeline=pipeline_text(pipeline, *settings))
