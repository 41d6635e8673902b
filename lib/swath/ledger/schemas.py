"""Every table and row that swath exchanges with Spark. Column names occur here and nowhere else as literals' source."""

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

_TEXT, _LONG, _REAL, _TIME, _FLAG = StringType(), LongType(), DoubleType(), TimestampType(), BooleanType()


def _struct(**columns: object) -> StructType:
    return StructType([StructField(name, kind) for name, kind in columns.items()])  # type: ignore[arg-type]


#: One scene version as delivered: ``scene`` is ``Scene.to_json()``, ``href`` what it was found by, ``files`` the digests of
#: its files as ``readers.digest.DigestMemory`` keeps them.
SCENES = _struct(
    scene_id=_TEXT, digest=_TEXT, reader=_TEXT, source_href=_TEXT, platform=_TEXT, family=_TEXT, acquired=_TIME,
    scene=_TEXT, run_id=_TEXT, href=_TEXT, files=_TEXT,
)  # fmt: skip
ASSET = _struct(name=_TEXT, layer=_TEXT, href=_TEXT, key=_TEXT, bytes=_LONG, digest=_TEXT, model_digest=_TEXT)
MODEL = _struct(name=_TEXT, version=_TEXT, digest=_TEXT)
#: One product version. ``records`` holds ``AssetRecord.to_plain()`` of each asset as JSON, statistics included.
PRODUCTS = _struct(
    product_id=_TEXT, product_key=_TEXT, scene_id=_TEXT, scene_digest=_TEXT, pipeline=_TEXT, pipeline_version=_LONG,
    collection=_TEXT, item=_TEXT, bbox=ArrayType(_REAL), acquired=_TIME, platform=_TEXT, assets=ArrayType(ASSET),
    records=_TEXT, pictures=MapType(_TEXT, _TEXT), models=ArrayType(MODEL), left_out=MapType(_TEXT, _TEXT),
    facts=_TEXT, code=_TEXT, run_id=_TEXT, wave=_LONG, site=_TEXT, made=_TIME,
)  # fmt: skip
#: One strip of one asset: exact sums over stored values, CPU seconds by stage of the whole strip.
TILES = _struct(
    run_id=_TEXT, wave=_LONG, product_id=_TEXT, asset=_TEXT, strip=_LONG, count=_LONG, valid=_LONG, clamped=_LONG,
    minimum=_LONG, maximum=_LONG, total=_LONG, squares=_LONG, bytes=_LONG, seconds=MapType(_TEXT, _REAL), peak_mb=_REAL,
)  # fmt: skip
QUARANTINE = _struct(
    run_id=_TEXT, wave=_LONG, scene_id=_TEXT, href=_TEXT, pipeline=_TEXT, stage=_TEXT, error_class=_TEXT,
    message=_TEXT, attempts=_LONG, retry=_TEXT, at=_TIME,
)  # fmt: skip
#: Wave of the row that says that a run began: it is none of its waves.
BEGAN = -1
#: One row a wave: the wave exists when its row does. And one for each attempt, which says that it began (``BEGAN``), with nothing
#: counted. New columns are added at the end: tables of earlier versions have none of the last four.
RUNS = _struct(
    run_id=_TEXT, wave=_LONG, pipeline=_TEXT, spec_digest=_TEXT, spec=_TEXT, scenes_in=_LONG, made=_LONG,
    skipped=_LONG, quarantined=_LONG, assets_in=_LONG, assets_made=_LONG, assets_skipped=_LONG,
    assets_quarantined=_LONG, balanced=_FLAG, cpu_s=_REAL, started=_TIME, ended=_TIME, code=_TEXT, site=_TEXT,
    submitted_by=_TEXT, image=_TEXT, site_digest=_TEXT, attempt=_LONG,
)  # fmt: skip
#: One source of one composite: ``n`` is its number there; one that was left out says why.
SOURCES = _struct(
    run_id=_TEXT, wave=_LONG, product_id=_TEXT, product_key=_TEXT, n=_LONG, scene_id=_TEXT, href=_TEXT, acquired=_TIME,
    used=_FLAG, message=_TEXT,
)  # fmt: skip
#: One promotion of a model; beside a registry, not in an output. ``numbers`` is JSON.
PROMOTIONS = _struct(
    name=_TEXT, version=_TEXT, alias=_TEXT, digest=_TEXT, basis=_TEXT, before=_TEXT, judged_on=_TEXT, numbers=_TEXT,
    reason=_TEXT, by=_TEXT, at=_TIME,
)  # fmt: skip
#: One version of a product that retention removed, written before its first file goes; ``removed_by`` is the run of ``maintain``.
TOMBSTONES = _struct(
    product_id=_TEXT, product_key=_TEXT, scene_id=_TEXT, scene_digest=_TEXT, pipeline=_TEXT, collection=_TEXT, item=_TEXT,
    acquired=_TIME, run_id=_TEXT, made=_TIME, files=_LONG, bytes=_LONG, rule=_TEXT, removed=_TIME, removed_by=_TEXT,
)  # fmt: skip
TABLES = {
    "scenes": SCENES, "products": PRODUCTS, "tiles": TILES, "sources": SOURCES, "quarantine": QUARANTINE, "runs": RUNS,
    "tombstones": TOMBSTONES,
}  # fmt: skip

#: What workers answer: JSON as ``engine.message.pack`` makes it, whether it is a refusal, and what the work cost.
ANSWER = _struct(id=_LONG, answer=BinaryType(), refused=_FLAG, cpu_s=_REAL, peak_mb=_REAL)
#: What the user named.
INPUT = _struct(n=_LONG, href=_TEXT)
#: The same with the digests of its files that are known (JSON, or null).
KNOWN_INPUT = _struct(n=_LONG, href=_TEXT, files=_TEXT)
#: What ingest found there and what the pipeline would make of it. ``error_class`` is null for a usable scene. ``block`` is
#: ``n`` divided by a constant: the folder that the row is in. A scene in several tiles has a row for each, all with its ``n``.
INGESTED = _struct(
    n=_LONG, href=_TEXT, scene_id=_TEXT, scene_digest=_TEXT, scene=_TEXT, product_id=_TEXT, product_key=_TEXT,
    assets=_LONG, strips=IntegerType(), error_class=_TEXT, message=_TEXT, stage=_TEXT, files=_TEXT, block=IntegerType(),
    processed=_TEXT, pixels=_LONG, raw_bytes=_LONG, needed_mb=_REAL, tile=_TEXT, moments=_TEXT,
)  # fmt: skip
#: What a run decided: no scene, so that a million rows stay small. The href of a scene in one tile names the tile.
#: ``again``: the ledger knows a version of the product.
PLANNED = _struct(
    n=_LONG, href=_TEXT, scene_id=_TEXT, scene_digest=_TEXT, product_id=_TEXT, product_key=_TEXT, assets=_LONG,
    strips=IntegerType(), error_class=_TEXT, message=_TEXT, stage=_TEXT, status=_TEXT, again=_FLAG, wave=_LONG,
    block=IntegerType(), pixels=_LONG, raw_bytes=_LONG, needed_mb=_REAL,
)  # fmt: skip
#: What the UDF ``predict`` gives of a tile.
CLASSIFIED = _struct(landcover=BinaryType(), probability=BinaryType())
