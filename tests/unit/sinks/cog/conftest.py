"""Pixels, strips and parts in memory: what a COG is made of, without an engine."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.shutil import copy

from swath.grid import Grid
from swath.product import (
    PROBABILITY,
    REFLECTANCE,
    TEMPERATURE,
    Category,
    Encoding,
    Tally,
    bit_field,
    class_map,
)
from swath.sinks.cog.assemble import CogTarget, Written, assemble
from swath.sinks.cog.strip_part import PartManifest, PartWriter, rows_beyond

CLASSES = tuple(Category(value=i, name=f"c{i}", title=f"C{i}", rgb=(i * 9 % 256, i * 5 % 256, 40)) for i in range(12))
ENCODINGS = {
    "reflectance": REFLECTANCE,
    "signed-without-nodata": replace(REFLECTANCE, nodata=None),
    "temperature": TEMPERATURE,
    "probability": PROBABILITY,
    "classes": class_map(CLASSES),
    "bits": bit_field(()),
}
Stored = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Manifests and the bytes of their part files."""

    manifests: list[PartManifest]
    files: dict[str, bytes]

    def open(self, part: PartManifest) -> io.BytesIO:
        """A part file, for reading."""
        return io.BytesIO(self.files[part.href])


def grid_of(stored: Stored) -> Grid:
    """A grid for an array."""
    height, width = stored.shape
    return Grid(crs="EPSG:32633", left=500_000.0, top=5_000_000.0, dx=30.0, dy=30.0, width=width, height=height)


def target_of(stored: Stored, encoding: Encoding) -> CogTarget:
    """What the test files say of themselves."""
    return CogTarget(grid=grid_of(stored), encoding=encoding, description="Of a test", tags={"SWATH_ASSET_KEY": "abc"})


def pixels(height: int, width: int, *, encoding: Encoding, seed: int = 0) -> Stored:
    """Waves and noise over the whole range of a type's everyday values, both signs, with a slanted edge and holes of nodata."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = (np.sin(x / 37) + np.cos(y / 23)) * 2000 + rng.normal(0, 300, (height, width))
    if encoding.categories:
        waves = (waves + 4000) / 750
    elif encoding.dtype == "uint8":
        waves = (waves + 4000) / 80
    elif encoding.dtype == "uint16":
        waves += 5000
    highest = 11 if encoding.categories else encoding.highest
    stored: Stored = np.clip(waves, encoding.lowest, highest).astype(encoding.dtype)
    if encoding.nodata is not None:
        stored[(y + x < min(height, width) // 3) | (rng.random((height, width)) < 0.01)] = encoding.nodata
    return stored


def make_parts(stored: Stored, encoding: Encoding, *, strip_rows: int, feeds: Iterable[int] = ()) -> Parts:
    """Cut into strips, and feed each strip in chunks of the given sizes (the last one goes on for ever)."""
    height, width = stored.shape
    manifests, files = [], {}
    sizes = [*feeds] or [300]
    for number, start in enumerate(range(0, height, strip_rows)):
        stop = min(start + strip_rows, height)
        file = io.BytesIO()
        writer = PartWriter(file, encoding, size=(height, width), rows=(start, stop))
        rows = stored[start : stop + rows_beyond(height=height, width=width, row_stop=stop)]
        turn = 0
        while rows.shape[0]:
            size = sizes[min(turn, len(sizes) - 1)]
            writer.feed(rows[:size])
            rows, turn = rows[size:], turn + 1
        tally = Tally(encoding)
        tally.add(stored[start:stop])
        manifest = PartManifest(
            asset="x", strip=number, href=f"part-{number}", bytes=file.tell(),
            statistics=tally.statistics(), pieces=writer.close(),
        )  # fmt: skip
        files[manifest.href] = file.getvalue()
        # Manifests reach the finalizer as JSON.
        manifests.append(PartManifest.from_plain(manifest.to_plain()))
    return Parts(manifests=manifests, files=files)


def write_cog(stored: Stored, encoding: Encoding, *, output: Path, strip_rows: int, feeds: Iterable[int] = ()) -> Written:
    """Strips, parts and one file."""
    parts = make_parts(stored, encoding, strip_rows=strip_rows, feeds=feeds)
    return assemble(parts.manifests, target_of(stored, encoding), open_part=parts.open, output=output)


def gdal_cog(stored: Stored, encoding: Encoding, *, output: Path, **options: Any) -> Path:
    """The file that GDAL's COG driver makes of the same pixels."""
    grid = grid_of(stored)
    profile = {
        "driver": "GTiff", "height": grid.height, "width": grid.width, "count": 1, "dtype": encoding.dtype,
        "nodata": encoding.nodata, "crs": grid.crs, "transform": rasterio.Affine(*grid.transform),
    }  # fmt: skip
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(stored, 1)
            if encoding.categories:
                dataset.write_colormap(1, {c.value: (*c.rgb, 255) for c in encoding.categories})
            if encoding.scale != 1.0:
                dataset.scales, dataset.offsets = (encoding.scale,), (0.0,)
            dataset.units = (encoding.unit,)
            dataset.set_band_description(1, "Of a test")
            dataset.update_tags(SWATH_ASSET_KEY="abc")
        copy(
            memory.name, output, driver="COG", blocksize=512, compress="DEFLATE", level=encoding.compression_level,
            predictor="YES" if encoding.predictor == 2 else "NO", overview_resampling=encoding.overviews, **options,
        )  # fmt: skip
    return output


def levels(file: Path) -> list[Stored]:
    """Full resolution and every overview."""
    with rasterio.open(file) as dataset:
        found = [dataset.read(1)]
        count = len(dataset.overviews(1))
    for level in range(count):
        with rasterio.open(file, overview_level=level) as dataset:
            found.append(dataset.read(1))
    return found


@dataclass(frozen=True, slots=True)
class Cogs:
    """The functions above, for tests (which import nothing from each other)."""

    pixels: Callable[..., Stored] = pixels
    parts: Callable[..., Parts] = make_parts
    write: Callable[..., Written] = write_cog
    by_gdal: Callable[..., Path] = gdal_cog
    levels: Callable[[Path], list[Stored]] = levels
    target: Callable[[Stored, Encoding], CogTarget] = target_of


@pytest.fixture(scope="session")
def cogs() -> Cogs:
    return Cogs()


@pytest.fixture(params=ENCODINGS)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    return ENCODINGS[request.param]
