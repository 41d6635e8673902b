"""One strip of one composite: every source that touches it is read once, then the stack is reduced piece by piece."""

import resource
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, BinaryIO, Final

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
#: Rows that are encoded at once.
_ROWS: Final = 64


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
    memory_mb, scratch = composite.recipe.memory_mb, store.scratch()
    with Spool(window, channels=tile.channels, sources=len(touching), memory_mb=memory_mb, scratch=scratch) as spool:
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
    with ExitStack() as stack:
        assets = list(_opened(job, store, stack))
        rows = _Rows(assets, width=composite.grid.width)
        for piece in spool.pieces():
            used = [numbers[n] for n in piece.present]
            days = [composite.days[n] for n in used]
            rows.put(piece.window, reduced(composite.recipe, piece.stack, days=days, numbers=used))
        rows.flush()
        return tuple(_finish(asset, job, store) for asset in assets)


class _Rows:
    """Gathers what pieces were reduced to, until there are rows enough to encode at once.

    Args:
        assets: What they go to.
        width: Width of the tile [px].
    """

    def __init__(self, assets: Sequence[_Asset], *, width: int) -> None:
        self._assets, self._width = assets, width
        self._start = self._stop = 0
        self._values: dict[str, NDArray[np.float64]] = {}

    def put(self, window: Window, values: Mapping[str, NDArray[np.floating]]) -> None:
        """Take a piece: from left to right, then down."""
        if not self._values or window.row_stop > self._start + _ROWS:
            self.flush()
            self._start = window.row
            shape = (max(_ROWS, window.height), self._width)
            self._values = {a.spec.asset: np.empty(shape) for a in self._assets}
        self._stop = window.row_stop
        for name, own in self._values.items():
            own[window.row - self._start : window.row_stop - self._start, window.col : window.col_stop] = values[name]

    def flush(self) -> None:
        """Encode what is there."""
        for asset in self._assets if self._values else ():
            _take(asset, self._values[asset.spec.asset][: self._stop - self._start])
        self._values = {}


def _opened(job: StackJob, store: Store, stack: ExitStack) -> Iterator[_Asset]:
    for spec in job.composite.layers.values():
        path = store.scratch() / f"{uuid.uuid4().hex}.part"
        file = stack.enter_context(path.open("w+b"))
        stack.callback(path.unlink, missing_ok=True)
        writer = PartWriter(file, spec.encoding, size=(spec.grid.height, spec.grid.width), rows=job.rows)
        yield _Asset(spec=spec, path=path, file=file, writer=writer, tally=Tally(spec.encoding))


def _take(asset: _Asset, values: NDArray[np.float64]) -> None:
    stored, outside = encode_values(values, asset.spec.encoding)
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
