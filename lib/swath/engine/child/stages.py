"""The parts of making a product: a strip, the file of an asset, the item; and files that are adopted."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from time import process_time

from swath.engine.adopt import adopt
from swath.engine.checks import examine
from swath.engine.feature_counts import merged
from swath.engine.link_messages import Adopt, Adopted
from swath.engine.messages import AssetMade, MakeAsset, MakeStrip, Publish, Published, StripMade
from swath.engine.pipeline_json import checks_of_json
from swath.engine.preview import Preview, load
from swath.engine.product_plan import CHECKED, ProductPlan, plan_product, product_of
from swath.engine.shared_uploads import Finishing, finish, path_of
from swath.engine.strip import StripJob, run_strip
from swath.engine.subject import OfProduct
from swath.engine.supplies import Supplies
from swath.inference.loader import load_predictor
from swath.inference.training_bins import bins_at
from swath.product import AssetRecord
from swath.readers.angles import angle_field
from swath.readers.pixels.bands import BandReader
from swath.shares import shares_of
from swath.sinks.cog.assemble import CogTarget
from swath.sinks.cog.strip_part import PartManifest
from swath.sinks.publish import publish_product
from swath.stores.base import Store
from swath.stores.parts import Uploading
from swath.stores.registry import open_store


def plan_of(request: OfProduct) -> ProductPlan:
    """The plan of the product that a request is about."""
    return plan_product(request.product.scene, request.product.pipeline)


def make_strip(request: MakeStrip) -> StripMade:
    """Make a strip whose parts go to the output.

    Raises:
        SceneError: The scene cannot be read or computed.
    """
    return strip_of(request, plan_of(request), parts=store_of(request.output))


def strip_of(request: MakeStrip, plan: ProductPlan, *, parts: Store) -> StripMade:
    """Make a strip; its part files and its share of the pictures go to ``parts``."""
    since = process_time()
    store, cut = store_of(request.output), request.cut
    shared = {n: store.upload(path_of(plan, n), i) for n, i in request.uploads.items()} if isinstance(store, Uploading) else {}
    job = StripJob(
        graph=plan.graph,
        cut=plan.cut(rows=cut.strip_rows, split=cut.split, piece=cut.piece),
        number=request.strip,
        previews=plan.previews if cut.pictures else (),
        folder=cut.folder,
        skip=frozenset(cut.skip),
        uploads=shared,
    )
    made = run_strip(job, store=parts, supplies=_supplies(plan, cut.models), reader=_reader(request.product.scene))
    return StripMade(
        parts=made.parts,
        dark={band: {str(k): n for k, n in counts.items()} for band, counts in made.dark.items()},
        preview=made.preview,
        features=made.features,
        seconds=made.seconds,
        peak_mb=made.peak_mb,
        cpu_s=process_time() - since,
    )


def _supplies(plan: ProductPlan, models: Mapping[str, Mapping[str, str]]) -> Supplies:
    loaded = {name: load_predictor(m["path"], m["digest"]) for name, m in models.items()}
    scene = plan.graph.scene
    bins = {name: found for name, m in models.items() if (found := bins_at(m["path"], m["digest"])) is not None}
    return Supplies(angles=_angles(scene) if scene.angles_href else None, models=loaded, bins=bins)


@dataclass(slots=True)
class _Readers:
    """The reader of the scene at hand: strips of one scene follow each other, so one is enough."""

    scene: str = ""
    reader: BandReader | None = None


_READERS = _Readers()


def _reader(scene: str) -> BandReader:
    if _READERS.reader is None or _READERS.scene != scene:
        if _READERS.reader is not None:
            _READERS.reader.close()
        _READERS.scene, _READERS.reader = scene, BandReader()
    return _READERS.reader


_angles = angle_field
#: The store of an output.
store_of: Callable[[str], Store] = lru_cache(maxsize=4)(lambda uri: open_store(uri, create=False))


def make_asset(request: MakeAsset) -> AssetMade:
    """Make the file of an asset of parts in the output.

    Raises:
        ConflictError: The output has another file of its name.
    """
    return asset_of(request, plan_of(request), parts=store_of(request.output))


def asset_of(request: MakeAsset, plan: ProductPlan, *, parts: Store) -> AssetMade:
    """Make the file of an asset; its part files are in ``parts``."""
    since = process_time()
    store = store_of(request.output)
    name = request.asset
    spec = plan.graph.outputs[name]
    target = CogTarget(
        grid=spec.grid,
        encoding=spec.encoding,
        description=spec.title,
        tags={"SWATH_ASSET_KEY": plan.keys[name], "SWATH_LAYER": spec.layer},
    )
    job = Finishing(
        parts=list(request.parts),
        target=target,
        path=path_of(plan, name),
        upload_id=request.upload,
        attempt=request.attempt,
        remake=lambda: _remade(request, plan, store=parts),
        writer=plan.graph.writer,
    )
    written = finish(job, store, part_files=parts)
    record = AssetRecord(
        name=name,
        layer=spec.layer,
        href=plan.href(name),
        key=plan.keys[name],
        bytes=written.bytes,
        digest=written.digest,
        statistics=written.statistics,
        model=spec.model,
    )
    return AssetMade(record=record, cpu_s=process_time() - since)


def _remade(request: MakeAsset, plan: ProductPlan, *, store: Store) -> list[PartManifest]:
    """The parts of one asset anew, all of them in part files."""
    cut = plan.cut(rows=request.cut.strip_rows, split=request.cut.split)
    others = frozenset(plan.graph.outputs) - {request.asset}
    supplies, reader = _supplies(plan, request.cut.models), _reader(request.product.scene)
    made: list[PartManifest] = []
    for number in range(cut.strips):
        job = StripJob(graph=plan.graph, cut=cut, number=number, previews=(), folder=request.cut.folder, skip=others)
        made += run_strip(job, store=store, supplies=supplies, reader=reader).parts
    return made


def publish(request: Publish) -> Published:
    """Check a product, and write its pictures and its item.

    Raises:
        RangeError: A check refuses it.
    """
    return published(request, plan_of(request), parts=store_of(request.output))


def published(request: Publish, plan: ProductPlan, *, parts: Store) -> Published:
    """Check a product, and write its pictures and its item; shares of the pictures are in ``parts``."""
    since = process_time()
    store = store_of(request.output)
    # Linked records and new ones in the order in which the pipeline writes them.
    order = list(plan.graph.outputs)
    records = sorted(request.records, key=lambda r: order.index(r.name))
    product = product_of(plan, request.product.pipeline, records=records)
    path = f"{plan.folder}/{product.product_id}.json"
    checked = examine(product, dark=request.dark, checks=checks_of_json(request.product.pipeline), before=store.read(path))
    product = replace(product, checked=checked)
    previews = _previews(parts, request.previews)
    shares = shares_of(product.counted)
    done = publish_product(product, folder=plan.folder, previews=previews, store=store, kept=request.kept)
    return Published(
        item=done["item"],
        bbox=done["bbox"],
        pictures=done["pictures"],
        collection=plan.collection,
        left_out=dict(product.left_out),
        facts={**product.facts, **({CHECKED: dict(checked)} if checked else {})},
        acquired=product.scene.acquired.isoformat(),
        platform=product.scene.platform,
        reduced=product.reduced,
        shares={"valid": shares.valid, "saturated": shares.saturated, "cloud": shares.cloud},
        features=merged(request.features),
        cpu_s=process_time() - since,
    )


def adopt_files(request: Adopt) -> Adopted:
    """Look at files that an item names and no ledger knows."""
    since = process_time()
    store = store_of(request.output)
    data = store.read(request.item)
    folder = request.item.rpartition("/")[0]
    records = adopt(json.loads(data), names=request.names, folder=folder, store=store) if data else ()
    return Adopted(records=tuple(records), cpu_s=process_time() - since)


def _previews(store: Store, hrefs: tuple[str, ...]) -> dict[str, Preview]:
    merged: dict[str, Preview] = {}
    for href in hrefs:
        data = store.read(href)
        for name, preview in load(data).items() if data else ():
            merged[name] = merged[name].merged(preview) if name in merged else preview
    return merged
