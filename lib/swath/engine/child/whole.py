"""A product as a child makes it: existing assets are linked, what is small is made from end to end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from swath.engine.blame import infrastructure_failure
from swath.engine.child.stages import asset_of, plan_of, published, store_of, strip_of
from swath.engine.link_messages import Prepare, Prepared
from swath.engine.links import Links, linked
from swath.engine.messages import (
    AssetMade,
    Counted,
    MakeAsset,
    MakeProduct,
    MakeStrip,
    ProductMade,
    Publish,
    StripMade,
    kept_records,
)
from swath.engine.product_plan import ProductPlan
from swath.engine.refused import Refused
from swath.engine.shared_uploads import open_uploads, path_of
from swath.errors import SceneError
from swath.outside import message
from swath.sinks.cog.strip_part import PartManifest
from swath.stores.base import Store
from swath.stores.local import LocalStore
from swath.stores.parts import Uploading


def prepare(request: Prepare) -> Prepared:
    """See what of a product is there, and open the uploads that its strips will send parts to.

    Raises:
        SceneError: The scene cannot give what the pipeline must have.
    """
    since = process_time()
    plan, store = plan_of(request), store_of(request.output)
    there = linked(plan, request.versions, store=store)
    cut = plan.cut(rows=request.cut.strip_rows, split=request.cut.split)
    skip = frozenset(there.records)
    uploads = open_uploads(plan, cut, store=store, skip=skip) if isinstance(store, Uploading) else {}
    return Prepared(
        records=tuple(there.records.values()),
        kept=there.pictures,
        pictures=not there.true_colour,
        uploads=uploads,
        paths={n: path_of(plan, n) for n in uploads},
        cpu_s=process_time() - since,
    )


def make(request: MakeProduct) -> ProductMade | Refused:
    """A product of one strip from end to end: what is small need not go out three times.

    Returns:
        What was made; a refusal carries the stage of the work.

    Raises:
        SceneError: The scene cannot be read or computed.
    """
    since = process_time()
    plan, store = plan_of(request), store_of(request.output)
    there = linked(plan, request.versions, store=store)
    with _parts_at_hand(store) as parts:
        strip, seconds = _strip(request, plan, there=there, parts=parts), dict[str, float]()
        try:
            stage = "assemble"
            made = tuple(asset_of(_asset_request(request, part), plan, parts=parts) for part in (strip.parts if strip else ()))
            stage = "publish"
            told = published(_publish_request(request, there, strip=strip, made=made), plan, parts=parts)
        except SceneError as error:
            if infrastructure_failure(error) is not None:
                raise
            return Refused(error.error_class, message(str(error.of(request.scene_id))), stage=stage)
    if strip is not None:
        seconds = {**strip.seconds, "assemble": sum(m.cpu_s for m in made), "publish": told.cpu_s}
    records = (*there.records.values(), *(m.record for m in made))
    return ProductMade(
        linked=tuple(there.records),
        records=tuple(r.bare() for r in records),
        ledger=kept_records(records),
        tiles=tuple(map(Counted.of, strip.parts)) if strip else (),
        seconds=seconds,
        published=told,
        cpu_s=process_time() - since,
        peak_mb=strip.peak_mb if strip else 0.0,
    )


def _strip(request: MakeProduct, plan: ProductPlan, *, there: Links, parts: Store) -> StripMade | None:
    """The strip of what is missing; None when nothing is."""
    if len(there.records) == len(plan.keys) and there.true_colour:
        return None
    cut = replace(request.cut, skip=tuple(sorted(there.records)), pictures=not there.true_colour)
    return strip_of(MakeStrip(product=request.product, cut=cut, strip=0), plan, parts=parts)


@contextmanager
def _parts_at_hand(store: Store) -> Iterator[Store]:
    """Where the parts of a product go that one task makes from end to end: no network, and gone with the block."""
    if isinstance(store, LocalStore):
        # The wave removes them with its folder, also those of a child that was killed.
        yield store
        return
    with TemporaryDirectory(dir=store.scratch()) as folder:
        yield LocalStore(Path(folder))


def _asset_request(request: MakeProduct, part: PartManifest) -> MakeAsset:
    return MakeAsset(product=request.product, cut=request.cut, asset=part.asset, parts=(part,), attempt=request.attempt)


def _publish_request(request: MakeProduct, there: Links, *, strip: StripMade | None, made: tuple[AssetMade, ...]) -> Publish:
    return Publish(
        product=request.product,
        records=(*there.records.values(), *(m.record for m in made)),
        previews=(strip.preview,) if strip and strip.preview else (),
        dark=(strip.dark,) if strip else (),
        features=(strip.features,) if strip else (),
        kept=there.pictures,
    )
