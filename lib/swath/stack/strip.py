"""One strip of one composite: every source that touches it is read once, then the stack is reduced a few rows at a time."""

import resource
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from swath.engine.blame import infrastructure_failure
from swath.engine.encode import encode_values
from swath.errors import SceneError
from swath.grid import Window
from swath.product import LayerSpec, Tally
from swath.readers.pixels.bands import BandReader
from swath.sinks.cog.strip_part import PartManifest, PartWriter
from swath.stack.composite import Composite
from swath.stack.layers import reduced
from swath.stack.reading import TileReader
from swath.stack.score import Scoring
from swath.stack.spool import Spool
from swath.stores.base import Store

#: Common names from the shortest wavelength on: haze is judged by the first that a stack has.
_SHORT = ("blue", "coastal", "green")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStrip:
    """What a strip leaves.

    Args:
        parts: Parts of its assets; none where a source failed.
        failed: Sources that could not be read: class and message, by number.
        read: Sources that were opened.
        seconds: CPU time by stage.
        peak_mb: Most memory of the process so far [MiB].
    """

    parts: tuple[PartManifest, ...]
    failed: Mapping[int, tuple[str, str]]
    read: int
    seconds: Mapping[str, float]
    peak_mb: float

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "parts": [p.to_plain() for p in self.parts], "failed": {str(n): list(why) for n, why in self.failed.items()},
            "read": self.read, "seconds": dict(self.seconds), "peak_mb": self.peak_mb,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StackJob:
    """Which strip of which composite.

    Args:
        composite: Composite to make.
        rows: (start, stop) of the strip in the tile.
        number: Number of the strip.
        folder: Folder of the parts in the store.
    """

    composite: Composite
    rows: tuple[int, int]
    number: int
    folder: str


def run_stack(job: StackJob, *, store: Store, reader: BandReader) -> StackStrip:
    """Make the parts of all assets of one strip.

    Raises:
        InfrastructureError: A resource that every source needs is away.
    """
    composite = job.composite
    start, stop = job.rows
    window = Window(start, 0, stop - start, composite.grid.width)
    tile = TileReader(recipe=composite.recipe, grid=composite.grid, reader=reader, scoring=_scoring(composite))
    touching = [n for n in composite.used if tile.touches(composite.sources[n], window)]
    failed: dict[int, tuple[str, str]] = {}
    began = process_time()
    shape = (tile.channels, *window.shape)
    with Spool(shape, memory_mb=composite.recipe.memory_mb, scratch=store.scratch()) as spool:
        for number in touching:
            source = composite.sources[number]
            try:
                spool.put(tile.read(source, window))
            except SceneError as error:
                if infrastructure_failure(error) is not None:
                    raise
                failed[number] = (error.error_class, str(error.of(source.scene_id)))
        read_s, began = process_time() - began, process_time()
        # A strip that lacks a source is of no use: the other strips must lack it too.
        parts = () if failed else _written(job, spool, numbers=touching, store=store)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = {"read": read_s, "reduce": process_time() - began}
    return StackStrip(parts=parts, failed=failed, read=len(touching), seconds=seconds, peak_mb=peak)


def _scoring(composite: Composite) -> Scoring | None:
    recipe = composite.recipe
    if recipe.reducer != "best_pixel":
        return None
    day = composite.period.middle
    if recipe.day_of_year is not None:
        day = day.replace(month=1, day=1).fromordinal(day.replace(month=1, day=1).toordinal() + recipe.day_of_year - 1)
    blue = next((recipe.bands.index(name) for name in _SHORT if name in recipe.bands), None)
    return Scoring(weights=recipe.weights, day=day, blue=blue)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asset:
    """One asset of the strip in the making."""

    spec: LayerSpec
    path: Path
    file: BinaryIO
    writer: PartWriter
    tally: Tally


def _written(job: StackJob, spool: Spool, *, numbers: Sequence[int], store: Store) -> tuple[PartManifest, ...]:
    composite = job.composite
    days = [composite.days[n] for n in numbers]
    with ExitStack() as stack:
        assets = list(_opened(job, store, stack))
        for rows in spool.rows():
            values = reduced(composite.recipe, rows, days=days, numbers=numbers)
            for asset in assets:
                _take(asset, values[asset.spec.asset])
        return tuple(_finish(asset, job, store) for asset in assets)


def _opened(job: StackJob, store: Store, stack: ExitStack) -> Iterator[_Asset]:
    for spec in job.composite.layers.values():
        path = store.scratch() / f"{uuid.uuid4().hex}.part"
        file = stack.enter_context(path.open("w+b"))
        stack.callback(path.unlink, missing_ok=True)
        writer = PartWriter(file, spec.encoding, size=(spec.grid.height, spec.grid.width), rows=job.rows)
        yield _Asset(spec=spec, path=path, file=file, writer=writer, tally=Tally(spec.encoding))


def _take(asset: _Asset, values: NDArray[np.floating]) -> None:
    stored, outside = encode_values(values.astype(np.float64), asset.spec.encoding)
    stored = np.ascontiguousarray(stored)
    asset.tally.add(stored, clamped=int(np.count_nonzero(outside)))
    asset.writer.feed(stored)


def _finish(asset: _Asset, job: StackJob, store: Store) -> PartManifest:
    pieces = asset.writer.close()
    asset.file.flush()
    length = asset.path.stat().st_size
    href = f"{job.folder}/{asset.spec.asset}.{job.number}.{asset.path.stem}"
    store.put(asset.path, href)
    return PartManifest(
        asset=asset.spec.asset, strip=job.number, href=href, bytes=length, statistics=asset.tally.statistics(), pieces=pieces
    )
