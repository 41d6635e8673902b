"""What a child process does: ingest a scene, make a strip, assemble an asset, adopt one, publish a product."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from time import process_time
from typing import Any

from swath.engine.adopt import adopt
from swath.engine.blame import infrastructure_failure, internal_error
from swath.engine.checks import examine
from swath.engine.file_names import check_file_names
from swath.engine.keys import canonical
from swath.engine.pipeline_json import checks_of_json
from swath.engine.preview import Preview, load
from swath.engine.product_plan import CHECKED, ProductPlan, plan_product, product_of
from swath.engine.shared_uploads import Finishing, finish, open_uploads, path_of
from swath.engine.strip import StripJob, run_strip
from swath.errors import AccessError, ConfigError, SceneError, ServiceError, StoreRefusedError
from swath.inference.loader import load_predictor
from swath.outside import escaped_values, message
from swath.pipeline import Context
from swath.product import AssetRecord
from swath.readers.angles import angle_field
from swath.readers.files.digest_memory import DigestMemory, remembering
from swath.readers.gate.terms import Terms, under
from swath.readers.pixels.bands import BandReader
from swath.readers.registry import read_scene
from swath.sinks.cog.assemble import CogTarget
from swath.sinks.cog.strip_part import PartManifest
from swath.sinks.publish import publish_product
from swath.stack.tasks import OPS as STACK_OPS
from swath.stores.base import Store
from swath.stores.names import NameLimits
from swath.stores.parts import Uploading
from swath.stores.registry import is_below, open_store

Json = dict[str, Any]


def perform(request: Mapping[str, Any]) -> Json:
    """Do one request by its ``op``.

    Raises:
        SceneError: The scene is unusable; told about its scene. A file of it that its store refuses is one reason.
        StoreRefusedError: The output is refused: no scene can go on.
        ServiceError: A store was away for longer than we wait.
    """
    work: Callable[[Mapping[str, Any]], Json] = _OPS[request["op"]]
    try:
        return work(request)
    except SceneError as error:
        raise error.of(str(request.get("scene_id", ""))) from error
    except StoreRefusedError as error:
        if is_below(error.uri, str(request.get("output", ""))):
            raise
        told = AccessError(str(error), scene_id=str(request.get("scene_id", "")))
        raise told from error


def _ingest(request: Mapping[str, Any]) -> Json:
    """Read a scene's metadata; with a pipeline, tell also what it would make of the scene."""
    terms = Terms.from_plain(request.get("terms"))
    try:
        with under(terms), remembering(DigestMemory.from_json(request.get("files"))) as memory:
            scene = read_scene(request["href"])
    except SceneError as error:
        if not error.stage:
            raise
        return {"refused": {"class": error.error_class, "message": str(error), "stage": error.stage}}
    text = _bordered(scene.to_json())
    found: Json = {
        "scene": text, "scene_id": scene.scene_id, "scene_digest": scene.digest, "processed": scene.processed,
        "files": memory.to_json(),
    }  # fmt: skip
    if "pipeline" not in request:
        return found
    try:
        plan = plan_product(text, request["pipeline"])
        check_file_names(plan, limits=NameLimits(**request.get("names", {})))
        strips = plan.cut(rows=request["strip_rows"], split=True).strips
    except (ConfigError, ServiceError):
        raise
    except Exception as error:  # noqa: BLE001  the scene is known by now, whatever its plan met
        fate = error if isinstance(error, SceneError) else internal_error(error)
        told = {"class": fate.error_class, "message": message(str(fate.of(scene.scene_id)))}
        return {**found, "unfit": told}
    return {
        **found,
        "product_id": plan.product_id,
        "product_key": plan.product_key,
        "assets": len(plan.keys),
        "strips": strips,
    }


def _bordered(scene: str) -> str:
    """The JSON of a scene with every text in it escaped, once, before any table holds it.

    The JSON of honest scenes has no escapes but of letters, so that it is passed on as it is.
    """
    return canonical(escaped_values(json.loads(scene))) if "\\u" in scene or "\\n" in scene or "\\t" in scene else scene


def _strip(request: Mapping[str, Any]) -> Json:
    since = process_time()
    plan = plan_product(request["scene"], request["pipeline"])
    store = _store(request["output"])
    uploads = request.get("uploads", {})
    job = StripJob(
        graph=plan.graph,
        cut=plan.cut(rows=request["strip_rows"], split=request["split"], piece=request.get("piece")),
        number=request["strip"],
        previews=plan.previews if request.get("pictures", True) else (),
        folder=request["folder"],
        skip=frozenset(request.get("skip", ())),
        uploads={n: store.upload(path_of(plan, n), i) for n, i in uploads.items()} if isinstance(store, Uploading) else {},
    )
    result = run_strip(job, store=store, context=_context(plan, request.get("models", {})), reader=_reader(request["scene"]))
    return {**result.to_plain(), "cpu_s": process_time() - since}


def _context(plan: ProductPlan, models: Mapping[str, Mapping[str, str]]) -> Context:
    loaded = {name: load_predictor(m["path"], m["digest"]) for name, m in models.items()}
    scene = plan.graph.scene
    return Context(angles=_angles(scene) if scene.angles_href else None, models=loaded)


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
_store: Callable[[str], Store] = lru_cache(maxsize=4)(lambda uri: open_store(uri, create=False))


def _asset(request: Mapping[str, Any]) -> Json:
    since = process_time()
    plan = plan_product(request["scene"], request["pipeline"])
    store = _store(request["output"])
    name = request["asset"]
    spec = plan.graph.outputs[name]
    target = CogTarget(
        grid=spec.grid,
        encoding=spec.encoding,
        description=spec.title,
        tags={"SWATH_ASSET_KEY": plan.keys[name], "SWATH_LAYER": spec.layer},
    )
    job = Finishing(
        parts=[PartManifest.from_plain(p) for p in request["parts"]],
        target=target,
        path=path_of(plan, name),
        upload_id=request.get("upload", ""),
        attempt=request["attempt"],
        remake=lambda: _remade(request, plan, store=store),
        writer=plan.graph.writer,
    )
    written = finish(job, store)
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
    return {"record": record.to_plain(), "cpu_s": process_time() - since}


def _remade(request: Mapping[str, Any], plan: ProductPlan, *, store: Store) -> list[PartManifest]:
    """The parts of one asset anew, all of them in part files."""
    cut = plan.cut(rows=request["strip_rows"], split=request["split"])
    others = frozenset(plan.graph.outputs) - {request["asset"]}
    context, reader = _context(plan, request.get("models", {})), _reader(request["scene"])
    made: list[PartManifest] = []
    for number in range(cut.strips):
        job = StripJob(graph=plan.graph, cut=cut, number=number, previews=(), folder=request["folder"], skip=others)
        made += run_strip(job, store=store, context=context, reader=reader).parts
    return made


def _open(request: Mapping[str, Any]) -> Json:
    """Open the uploads that the strips of a product will send parts to."""
    plan = plan_product(request["scene"], request["pipeline"])
    store = _store(request["output"])
    cut = plan.cut(rows=request["strip_rows"], split=request["split"])
    skip = frozenset(request.get("skip", ()))
    uploads = open_uploads(plan, cut, store=store, skip=skip) if isinstance(store, Uploading) else {}
    return {"uploads": uploads, "paths": {n: path_of(plan, n) for n in uploads}}


def _publish(request: Mapping[str, Any]) -> Json:
    since = process_time()
    plan = plan_product(request["scene"], request["pipeline"])
    store = _store(request["output"])
    # Linked records and new ones in the order in which the pipeline writes them.
    order = list(plan.graph.outputs)
    records = sorted(request["records"], key=lambda r: order.index(r["name"]))
    product = product_of(plan, request["pipeline"], records=records)
    path = f"{plan.folder}/{product.product_id}.json"
    checked = examine(product, dark=request.get("dark", ()), checks=checks_of_json(request["pipeline"]), before=store.read(path))
    product = replace(product, checked=checked)
    previews = _previews(store, request["previews"])
    kept = request.get("kept", {})
    published = publish_product(product, folder=plan.folder, previews=previews, store=store, kept=kept)
    told: Json = {"collection": plan.collection, "left_out": dict(product.left_out), "facts": dict(product.facts)}
    told["facts"] |= {CHECKED: dict(checked)} if checked else {}
    told["acquired"] = product.scene.acquired.isoformat()
    return {**published, **told, "cpu_s": process_time() - since}


def _make(request: Mapping[str, Any]) -> Json:
    """A product of one strip from end to end: what is small need not go out three times.

    Returns:
        The answers of its strip, its assets (records) and its item; what a part of the work refuses is told with its stage.
    """
    stage, done = "process", _strip(request)
    try:
        stage = "assemble"
        own: dict[str, list[Json]] = {}
        for part in done["parts"]:
            own.setdefault(part["asset"], []).append(part)
        asked = [{**request, "asset": n, "parts": p, "upload": request["uploads"].get(n, "")} for n, p in own.items()]
        made = [_asset(a) for a in asked]
        stage = "publish"
        records = [*request["records"], *(m["record"] for m in made)]
        published = _publish(
            {**request, "records": records, "previews": [done["preview"]] if done["preview"] else [], "dark": [done["dark"]]}
        )
    except SceneError as error:
        if infrastructure_failure(error) is not None:
            raise
        return {"refused": _refusal(error, request), "stage": stage}
    spent = {"assemble": sum(m["cpu_s"] for m in made), "publish": published["cpu_s"]}
    done["seconds"] |= spent
    done["cpu_s"] += sum(spent.values())
    return {"strip": done, "assets": made, "published": published, "cpu_s": done["cpu_s"], "peak_mb": done["peak_mb"]}


def _refusal(error: SceneError, request: Mapping[str, Any]) -> Json:
    return {"class": error.error_class, "message": message(str(error.of(str(request.get("scene_id", "")))))}


def _adopt(request: Mapping[str, Any]) -> Json:
    since = process_time()
    store = _store(request["output"])
    data = store.read(request["item"])
    folder = request["item"].rpartition("/")[0]
    records = adopt(json.loads(data), names=request["names"], folder=folder, store=store) if data else []
    return {"records": [r.to_plain() for r in records], "cpu_s": process_time() - since}


def _previews(store: Store, hrefs: list[str]) -> dict[str, Preview]:
    merged: dict[str, Preview] = {}
    for href in hrefs:
        data = store.read(href)
        for name, preview in load(data).items() if data else ():
            merged[name] = merged[name].merged(preview) if name in merged else preview
    return merged


_OPS: Mapping[str, Callable[[Mapping[str, Any]], Json]] = {
    "adopt": _adopt,
    "ingest": _ingest,
    "make": _make,
    "open": _open,
    "strip": _strip,
    "asset": _asset,
    "publish": _publish,
    **STACK_OPS,
}
