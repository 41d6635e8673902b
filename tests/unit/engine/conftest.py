"""A small scene with bands at several resolutions, and steps that do next to nothing."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from swath.engine.child.nursery import Nursery
from swath.errors import SceneError
from swath.grid import Grid, Window
from swath.inputs import Inputs
from swath.pipeline import AssetRule, Layer, Layers, Need, Pipeline, Recipe
from swath.product import REFLECTANCE, Encoding, LayerName, LayerSpec
from swath.scene import Angles, Asset, Band, Reflectance, Scene

#: Name of a band: pixel [m]. The delivery gives 10 m, 20 m and 60 m.
PIXELS = {"red": 10.0, "nir": 10.0, "swir16": 20.0, "coastal": 60.0}


def grid(pixel_m: float, *, height: int, width: int) -> Grid:
    """A grid with the origin that all bands share."""
    return Grid(crs="EPSG:32633", left=300_000.0, top=5_000_040.0, dx=pixel_m, dy=pixel_m, width=width, height=height)


def scene_of(grids: Mapping[str, Grid], *, folder: Path | None = None) -> Scene:
    """A scene with these bands; written as GeoTIFFs where a folder is given."""
    assets = {}
    for number, (name, on) in enumerate(grids.items()):
        href = str(folder / f"{name}.tif") if folder else f"/nowhere/{name}.tif"
        if folder:
            _write(Path(href), on, seed=number)
        assets[name] = Asset(
            band=Band(name=name, native_id=f"B{number}", resolution_m=on.dx), href=href, grid=on, dtype="uint16", nodata=0,
            saturated=65535, calibration=Reflectance(gain=1e-4, offset=-0.1, sun_normalised=True),
            digest=sha256(name.encode()).hexdigest(),
        )  # fmt: skip
    return Scene(
        scene_id="S1", platform="test-1", instrument="t", family="test", acquired=datetime(2024, 5, 6, tzinfo=UTC), assets=assets,
        angles=Angles(sun_elevation_deg=45.0, sun_azimuth_deg=150.0), reader="test", source_href="", metadata_href="", digest="d",
    )  # fmt: skip


def _write(path: Path, on: Grid, *, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: on.height, : on.width] * on.dx
    dn = 3000 + 1500 * np.sin(x / 900 + seed) * np.cos(y / 700) + rng.normal(0, 200, (on.height, on.width))
    dn = np.clip(dn, 1, 65535).astype(np.uint16)
    dn[(y + 2 * x < 1500) | (rng.random(dn.shape) < 0.003)] = 0
    profile = {
        "driver": "GTiff", "height": on.height, "width": on.width, "count": 1, "dtype": "uint16", "nodata": 0, "crs": on.crs,
        "transform": rasterio.Affine(*on.transform), "tiled": True, "blockxsize": 256, "blockysize": 256,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(dn, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeStep:
    """Makes each layer of ``makes`` in one call from ``needs``: the mean of its inputs, at its own window."""

    name: str
    makes: Mapping[LayerName, Grid]
    needs: Mapping[LayerName, Need]
    optional: frozenset[LayerName] = frozenset()
    version: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    encoding: Encoding = REFLECTANCE
    title: str = "A layer"
    kinds: tuple[str, ...] = ()
    refuses: SceneError | None = None
    seen: list[tuple[Window, Mapping[LayerName, Window]]] = field(default_factory=list)

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        if self.refuses is not None:
            raise self.refuses
        makes = tuple(
            LayerSpec(name=n, asset=n.replace(":", "_"), title=self.title, grid=g, encoding=self.encoding)
            for n, g in self.makes.items()
        )
        return (Recipe(makes=makes, needs=self.needs, optional=self.optional),)

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        self.seen.append((window, {n: layer.window for n, layer in layers.items()}))
        total = np.zeros(window.shape)
        for layer in layers.values():
            same = layer.grid == recipe.grid and layer.window.contains(window)
            total += layer.crop(window).physical if same else np.nanmean(layer.physical)
        values = total / max(len(layers), 1)
        return {n: Layer(values=values, grid=recipe.grid, window=window, valid=np.isfinite(values)) for n in self.makes}


def pipeline_of(*steps: Any, assets: tuple[str, ...], required: tuple[str, ...] = ()) -> Pipeline:
    """A pipeline that writes these layers."""
    rules = (*(AssetRule(layers=a, required=True) for a in required), *(AssetRule(layers=a) for a in assets))
    return Pipeline(name="test", title="Test", steps=steps, assets=rules)


@dataclass(frozen=True, slots=True)
class Make:
    """The functions above, for tests."""

    grid: Callable[..., Grid] = grid
    scene: Callable[..., Scene] = scene_of
    step: Callable[..., FakeStep] = FakeStep
    pipeline: Callable[..., Pipeline] = pipeline_of


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture
def scene() -> Scene:
    """Bands at 10, 20 and 60 m that line up; nothing to read."""
    sizes = {10.0: (600, 480), 20.0: (300, 240), 60.0: (100, 80)}
    return scene_of({n: grid(p, height=sizes[p][0], width=sizes[p][1]) for n, p in PIXELS.items()})


@dataclass(frozen=True)
class Lent:
    """A nursery, and the process that opened it."""

    nursery: Nursery
    host: subprocess.Popen[bytes]


@contextmanager
def lent_nursery(*, answer_s: float = 60.0, threads: str = "1") -> Iterator[Lent]:
    """A nursery of a process of its own."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, str(Path(__file__).with_name("nursery_host.py")), str(theirs.fileno())]
    path = os.pathsep.join(p for p in sys.path if p)
    with (
        ours,
        subprocess.Popen(
            command, pass_fds=[theirs.fileno()], env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": threads}
        ) as host,
    ):
        theirs.close()
        _, (channel,), _, _ = socket.recv_fds(ours, 64, 1)
        with socket.socket(fileno=channel) as lent:
            yield Lent(Nursery(lent, answer_s=answer_s), host)
        ours.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def lent() -> Iterator[Lent]:
    """One for the tests of a file that leave it alive."""
    with lent_nursery() as made:
        yield made
