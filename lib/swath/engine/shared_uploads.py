"""Assets on S3 that several strips write together: which, opened before the strips run, completed after them."""

from collections.abc import Callable
from dataclasses import dataclass

from swath.engine.cut import Cut
from swath.engine.product_plan import ProductPlan
from swath.errors import SceneError
from swath.pipeline import Writer
from swath.product import Encoding, LayerSpec
from swath.sinks.cog.assemble import CogTarget, Written, assemble
from swath.sinks.cog.by_gdal import assemble_with_gdal
from swath.sinks.cog.strip_part import PartManifest
from swath.sinks.cog.upload import FIRST_STRIP, NoPlaceError, send
from swath.stores.base import Store
from swath.stores.parts import MAX_PARTS, MIN_PART, ONE_PUT, StaleUploadError, Uploading

#: How much smaller blocks are than pixels, at least (facts of real scenes: reflectance 1.6 to 2.4, classes 17 to 27).
_SHRINKS, _CODES_SHRINK = 2, 16
#: Makes the part files of every strip of one asset anew, in the store.
Remake = Callable[[], list[PartManifest]]


def uploads_wanted(plan: ProductPlan, cut: Cut, *, skip: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Assets that will be over ``ONE_PUT`` and whose strips will mostly be over ``MIN_PART``.

    A wrong guess costs time, never correctness: see ``finish``.
    """
    if cut.strips > MAX_PARTS - FIRST_STRIP or plan.graph.writer != "swath":
        return ()
    return tuple(n for n, spec in plan.graph.outputs.items() if n not in skip and _large(spec, cut))


def _large(spec: LayerSpec, cut: Cut) -> bool:
    rows = cut.rows_on(spec.grid, cut.strip(0))
    strip, whole = ((r * spec.grid.width * _item_bytes(spec.encoding)) for r in (rows[1] - rows[0], spec.grid.height))
    shrinks = _SHRINKS if spec.encoding.predictor == 2 else _CODES_SHRINK
    return whole > ONE_PUT * shrinks and strip > MIN_PART * shrinks


def _item_bytes(encoding: Encoding) -> int:
    return int("".join(c for c in encoding.dtype if c.isdigit())) // 8


def open_uploads(plan: ProductPlan, cut: Cut, *, store: Uploading, skip: frozenset[str] = frozenset()) -> dict[str, str]:
    """Begin the uploads of a product: their ids by asset."""
    return {name: store.upload(path_of(plan, name)).upload_id for name in uploads_wanted(plan, cut, skip=skip)}


def path_of(plan: ProductPlan, asset: str) -> str:
    """Where an asset's file goes, relative to the output."""
    return f"{plan.folder}/{plan.href(asset)}"


class ConflictError(SceneError):
    """Another file has the name that this one must have: equal keys did not give equal bytes."""

    error_class = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """One asset whose strips are done.

    Args:
        parts: Parts that its strips uploaded.
        target: Header and tags of the file.
        path: Destination of the file.
        upload_id: Id of the upload that received the parts; empty without one.
        attempt: A name of its own for every try.
        remake: Fallback if the parts in the upload cannot become the file.
        writer: Writer that makes the file of the parts.
    """

    parts: list[PartManifest]
    target: CogTarget
    path: str
    upload_id: str
    attempt: str
    remake: Remake
    writer: Writer = "swath"


def finish(job: Finishing, store: Store, *, part_files: Store | None = None) -> Written:
    """Make the asset's file of its parts, visible whole or not at all.

    Args:
        job: Upload to finish.
        store: The output.
        part_files: Folder of the part files; None for the output.

    Raises:
        ConflictError: The store has another file of that name.
        ValueError: A strip is missing or given twice, or a part ends early.
    """
    parts, held = job.parts, part_files or store
    if job.upload_id and isinstance(store, Uploading):
        done = _completed(job, store, uploading=store, part_files=held)
        if done is not None:
            return done
        if any(p.uploaded is not None for p in parts):
            parts = job.remake()
    temporary = store.scratch() / job.attempt
    try:
        write = assemble_with_gdal if job.writer == "gdal" else assemble
        written = write(parts, job.target, open_part=lambda p: held.fetch(p.href), output=temporary)
        store.publish(temporary, job.path)
    except FileExistsError as error:
        raise _conflict(job.path, got="other bytes") from error
    finally:
        temporary.unlink(missing_ok=True)
    return written


def _completed(job: Finishing, store: Store, *, uploading: Uploading, part_files: Store) -> Written | None:
    """Complete the upload; None, and no upload any more, when its parts cannot become the file."""
    upload = uploading.upload(job.path, job.upload_id)
    try:
        sent = send(job.parts, job.target, open_part=lambda p: part_files.fetch(p.href), upload=upload, scratch=store.scratch())
    except (NoPlaceError, StaleUploadError):
        upload.abort()
        return None
    digest, length = store.digest(job.path)
    if length != sent.bytes:
        raise _conflict(job.path, got=f"{length} bytes instead of {sent.bytes}")
    return Written(bytes=length, digest=digest, statistics=sent.statistics)


def _conflict(path: str, *, got: str) -> ConflictError:
    return ConflictError(
        "an asset of the same key is in the output, and is not the same",
        expected="equal keys with equal bytes",
        got=f"{path} with {got}",
        remedy="It was made by other code of the same version: remove it if no item names it, then run `swath retry`.",
    )
