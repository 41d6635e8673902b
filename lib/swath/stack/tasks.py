"""What a child process does for composites: read an item, make a strip, assemble an asset, publish a composite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import process_time
from typing import Any

from swath.engine.shared_uploads import Finishing, finish
from swath.errors import MetadataError
from swath.product import AssetRecord
from swath.readers.files.digest_memory import DigestMemory, remembering
from swath.readers.gate.terms import Terms, under
from swath.readers.level2.source import is_composite
from swath.readers.pixels.bands import BandReader
from swath.readers.sources import read_source
from swath.sinks.cog.assemble import CogTarget
from swath.sinks.cog.strip_part import PartManifest
from swath.stack.composite import Composite
from swath.stack.item import left_out_of
from swath.stack.publish import publish_composite
from swath.stack.strip import StackJob, run_stack
from swath.stores.base import Store
from swath.stores.registry import open_store

Json = dict[str, Any]
Request = Mapping[str, Any]


def _source(request: Request) -> Json:
    """Read the item of a source; a composite is none, though it may be in the same output."""
    if is_composite(request["href"]):
        return {"composite": True}
    with under(Terms.from_plain(request.get("terms"))), remembering(DigestMemory.from_json(request.get("files"))):
        return {"source": read_source(request["href"]).to_plain()}


def _strip(request: Request) -> Json:
    since = process_time()
    composite = _composite(request)
    rows = (request["rows"][0], request["rows"][1])
    job = StackJob(composite=composite, rows=rows, number=request["strip"], folder=request["folder"])
    made = run_stack(job, store=_store(request["output"]), reader=_READERS.of(request["stack"]))
    return {**made.to_plain(), "cpu_s": process_time() - since}


def _asset(request: Request) -> Json:
    since = process_time()
    composite, store, name = _composite(request), _store(request["output"]), request["asset"]
    spec, key = composite.layers[name], composite.keys[name]
    tags = {"SWATH_ASSET_KEY": key, "SWATH_LAYER": spec.name}
    written = finish(
        Finishing(
            parts=[PartManifest.from_plain(p) for p in request["parts"]],
            target=CogTarget(grid=spec.grid, encoding=spec.encoding, description=spec.title, tags=tags),
            path=f"{composite.folder}/{composite.href(name)}",
            upload_id="",
            attempt=request["attempt"],
            remake=list,
        ),
        store,
    )
    record = AssetRecord(
        name=name,
        layer=spec.name,
        href=composite.href(name),
        key=key,
        bytes=written.bytes,
        digest=written.digest,
        statistics=written.statistics,
    )
    return {"record": record.to_plain(), "cpu_s": process_time() - since}


def _publish(request: Request) -> Json:
    since = process_time()
    composite = _composite(request)
    published = publish_composite(composite, records=request["records"], store=_store(request["output"]))
    return {**published, "collection": composite.collection, "cpu_s": process_time() - since}


@dataclass(slots=True)
class _Readers:
    """The rasters of the stack at hand stay open from strip to strip."""

    stack: str = ""
    reader: BandReader | None = None

    def of(self, stack: str) -> BandReader:
        if self.reader is None or self.stack != stack:
            if self.reader is not None:
                self.reader.close()
            self.stack, self.reader = stack, BandReader()
        return self.reader


_READERS = _Readers()
_store: Callable[[str], Store] = lru_cache(maxsize=4)(lambda uri: open_store(uri, create=False))


def _composite(request: Request) -> Composite:
    without = left_out_of(request.get("without", {}))
    return _loaded(request["output"], request["stack"], tuple(sorted(without.items())))


@lru_cache(maxsize=4)
def _loaded(output: str, stack: str, without: tuple[tuple[int, str], ...]) -> Composite:
    data = _store(output).read(stack)
    if data is None:
        raise MetadataError("the plan of a composite is gone", expected=stack, got="no such file", remedy="Start the run again.")
    return Composite.from_json(data, without=dict(without))


OPS: Mapping[str, Callable[[Request], Json]] = {
    "stack-source": _source,
    "stack-strip": _strip,
    "stack-asset": _asset,
    "stack-publish": _publish,
}
