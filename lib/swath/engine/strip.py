"""One strip of one product from end to end: read, all steps, encode, count. No Spark in sight."""

import resource
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, BinaryIO

from swath.engine.cut import Cut
from swath.engine.dark_counts import DarkCounts
from swath.engine.encode import encode_layer
from swath.engine.evaluate import Clock, evaluate
from swath.engine.feature_counts import Counts, FeatureCounts
from swath.engine.graph import Graph
from swath.engine.preview import Preview, save
from swath.engine.supplies import Supplies
from swath.grid import Window
from swath.layer_name import LayerId
from swath.pipeline import Layer
from swath.product import LayerName, LayerSpec, Tally
from swath.readers.pixels.bands import BandReader
from swath.sinks.cog.part_level import Piece
from swath.sinks.cog.strip_part import PartManifest, PartWriter, rows_beyond
from swath.sinks.cog.upload import FIRST_STRIP
from swath.stores.base import Store
from swath.stores.parts import MIN_PART, SharedUpload, UploadedPart, UploadEndedError

#: Columns of the rows below a strip that are made at once where the product has a grid of its own.
_BESIDE_PX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class StripResult:
    """What a strip leaves: parts in the store, and this.

    Args:
        parts: Parts of its assets.
        dark: Counts of dark pixels for the radiometric guard: ``algo.darkest`` counts, by band.
        features: Pixels by bins of the training data of each model, by layer, by digest.
        preview: Path of its share of the pictures.
        seconds: CPU time by stage.
        peak_mb: Most memory of the process so far [MiB].
    """

    parts: tuple[PartManifest, ...]
    dark: Mapping[str, Mapping[int, int]]
    features: Counts
    preview: str | None
    seconds: Mapping[str, float]
    peak_mb: float

    def to_plain(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "parts": [p.to_plain() for p in self.parts],
            "dark": {band: {str(k): n for k, n in counts.items()} for band, counts in self.dark.items()},
            "features": self.features,
            "preview": self.preview,
            "seconds": dict(self.seconds),
            "peak_mb": self.peak_mb,
        }


@dataclass(slots=True, kw_only=True)
class _Asset:
    """One asset of the strip in the making."""

    spec: LayerSpec
    rows: tuple[int, int]
    path: Path
    file: BinaryIO
    writer: PartWriter
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class StripJob:
    """Everything that a strip needs.

    Args:
        graph: Graph of the product.
        cut: Cut of the product.
        number: Number of the strip.
        previews: Layers to make small pictures of.
        folder: Folder of the parts in the store.
        skip: Asset keys (STAC names) that exist already.
        uploads: Uploads that strips send full resolution to, by asset; other assets leave it in part files.
    """

    graph: Graph
    cut: Cut
    number: int
    previews: tuple[LayerName, ...]
    folder: str
    skip: frozenset[str] = field(default_factory=frozenset)
    uploads: Mapping[str, SharedUpload] = field(default_factory=dict)


def run_strip(job: StripJob, *, store: Store, supplies: Supplies, reader: BandReader) -> StripResult:
    """Make the parts of all assets of one strip.

    Raises:
        SceneError: The scene cannot be read or computed.
    """
    clock = Clock()
    scene = job.graph.scene
    previews = {name: Preview.of(job.graph.grid_of(name)) for name in job.previews}
    with ExitStack() as stack:
        assets = list(_opened(job, store, stack))
        dark = DarkCounts(scene, job.cut)
        features = FeatureCounts(job.cut, bins=supplies.bins)

        def read(band: str, window: Window, piece: Window | None) -> Layer:
            layer = reader.read(scene, band, window)
            if piece is not None:
                dark.take(band, layer, piece=piece)
            return layer

        for part in _pieces(job, assets):
            layers = evaluate(
                job.graph,
                part.targets,
                read=partial(read, piece=part.piece),
                supplies=supplies,
                clock=clock,
                watch=partial(features.take, piece=part.piece) if part.piece is not None and supplies.bins else None,
            )
            since = process_time()
            for asset, _ in part.wanted:
                _take(asset, layers[asset.spec.name], counted=part.counted)
            since = clock.charge("encode", since)
            if part.counted:
                for name in part.pictured:
                    previews[name].add(layers[name])
                clock.charge("preview", since)
        since = process_time()
        parts = tuple(_finish(a, job, store) for a in assets)
        preview_path = _save_previews(previews, job, store) if previews else None
        clock.charge("write", since)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return StripResult(
        parts=parts, dark=dark.by_band(), features=features.by_model(), preview=preview_path, seconds=clock.seconds, peak_mb=peak
    )


def _opened(job: StripJob, store: Store, stack: ExitStack) -> Iterator[_Asset]:
    rows = job.cut.strip(job.number)
    for name, spec in job.graph.outputs.items():
        if name in job.skip:
            continue
        own = job.cut.rows_on(spec.grid, rows)
        if own[1] <= own[0]:
            continue
        path = store.scratch() / f"{uuid.uuid4().hex}.part"
        file = stack.enter_context(path.open("w+b"))
        stack.callback(path.unlink, missing_ok=True)
        writer = PartWriter(file, spec.encoding, size=(spec.grid.height, spec.grid.width), rows=own)
        yield _Asset(spec=spec, rows=own, path=path, file=file, writer=writer, tally=Tally(spec.encoding))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What is made at once.

    Args:
        piece: Piece of the strip; None for rows beyond the strip that odd overviews read, which are not counted.
        wanted: Windows of the assets.
        pictured: Windows of the layers that pictures are made of.
    """

    piece: Window | None
    wanted: Sequence[tuple[_Asset, Window]]
    pictured: Mapping[LayerName, Window] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether its pixels are the strip's own."""
        return self.piece is not None

    @property
    def targets(self) -> dict[LayerName, Window]:
        """Windows of the layers to make."""
        wanted = {a.spec.name: w for a, w in self.wanted}
        return wanted | {n: w for n, w in self.pictured.items() if n not in wanted}


def _pieces(job: StripJob, assets: list[_Asset]) -> Iterator[_Part]:
    """Piece by piece; last the rows beyond the strip."""
    for piece in job.cut.pieces(job.number):
        wanted = [(a, w) for a in assets if (w := job.cut.window_on(a.spec.grid, piece)) is not None]
        # A piece may lie beyond the last pixel of a coarser grid.
        pictured = {n: job.cut.window_on(job.graph.grid_of(n), piece) for n in job.previews}
        yield _Part(piece=piece, wanted=wanted, pictured={n: w for n, w in pictured.items() if w is not None})
    beyond = []
    for asset in assets:
        stop, grid = asset.rows[1], asset.spec.grid
        extra = rows_beyond(height=grid.height, width=grid.width, row_stop=stop)
        if extra:
            beyond.append((asset, Window(stop, 0, extra, grid.width)))
    if beyond and not job.graph.gridded:
        yield _Part(piece=None, wanted=beyond)
        return
    # A row of a turned grid goes across many rows of the bands: it is made bit by bit.
    for asset, row in beyond:
        for col in range(0, row.width, _BESIDE_PX):
            window = Window(row.row, col, row.height, min(_BESIDE_PX, row.width - col))
            yield _Part(piece=None, wanted=[(asset, window)])


def _take(asset: _Asset, layer: Layer, *, counted: bool) -> None:
    encoded = encode_layer(layer, asset.spec.encoding)
    asset.writer.feed(encoded.stored, col=layer.window.col)
    if counted:
        asset.tally.add(encoded.stored, clamped=encoded.clamped)


def _finish(asset: _Asset, job: StripJob, store: Store) -> PartManifest:
    pieces = asset.writer.close()
    asset.file.flush()
    length = asset.file.tell()
    # A name of its own for each attempt: two copies of a task can never mix their bytes.
    href = f"{job.folder}/{asset.spec.asset}.{job.number}.{asset.path.stem}"
    uploaded, pieces = _upload(asset, job, pieces)
    store.put(asset.path, href)
    return PartManifest(
        asset=asset.spec.asset, strip=job.number, href=href, bytes=length,
        statistics=asset.tally.statistics(), pieces=pieces, uploaded=uploaded,
    )  # fmt: skip


def _upload(asset: _Asset, job: StripJob, pieces: tuple[Piece, ...]) -> tuple[UploadedPart | None, tuple[Piece, ...]]:
    """Send full resolution as a part of its own where it is large enough; the part file keeps the rest."""
    upload = job.uploads.get(asset.spec.asset)
    length = sum(p.length for p in pieces if p.level == 0)
    if upload is None or length < MIN_PART:
        return None, pieces
    asset.file.seek(0)
    try:
        sent = upload.put(FIRST_STRIP + job.number, asset.file, length=length)
    except UploadEndedError:
        return None, pieces
    asset.file.seek(length)
    rest = asset.file.read()
    asset.file.seek(0)
    asset.file.truncate()
    asset.file.write(rest)
    asset.file.flush()
    return sent, tuple(p if p.level == 0 else replace(p, offset=p.offset - length) for p in pieces)


def _save_previews(previews: Mapping[LayerName, Preview], job: StripJob, store: Store) -> str:
    path = store.scratch() / f"{uuid.uuid4().hex}.npz"
    with path.open("wb") as file:
        save({LayerId.of(name).delivered: preview for name, preview in previews.items()}, file)
    href = f"{job.folder}/preview.{job.number}.{path.stem}"
    store.put(path, href)
    return href
