"""What a child does with a new scene: read its metadata, and see what a pipeline would make of it."""

import json
from dataclasses import replace
from typing import Any

from swath.engine.blame import internal_error
from swath.engine.file_names import check_file_names
from swath.engine.ingested import Ingest, SceneFound, TileFound
from swath.engine.needs import peak_mb, raw_bytes
from swath.engine.pipeline_json import pipeline_of_json
from swath.engine.product_plan import plan_product
from swath.engine.refused import Refused
from swath.engine.scene_tiles import on_tile, tiles_of
from swath.errors import ConfigError, SceneError, ServiceError
from swath.moments import moments_of
from swath.outside import escaped_values, message
from swath.plain import canonical
from swath.readers.files.digest_memory import DigestMemory, remembering
from swath.readers.gate.terms import Terms, under
from swath.readers.registry import read_scene
from swath.source_ref import Identity
from swath.stores.names import NameLimits


def ingest(request: Ingest) -> SceneFound | Refused:
    """Read a scene's metadata; with a pipeline, tell also what it would make of the scene.

    Raises:
        SceneError: The scene is unusable.
        ConfigError: The pipeline is wrong, or its strip height is not legal.
        ServiceError: A store was away for longer than we wait.
    """
    terms = Terms.from_plain(request.terms)
    try:
        with under(terms), remembering(DigestMemory.from_json(request.files)) as memory:
            scene = read_scene(request.href)
    except SceneError as error:
        if not error.stage:
            raise
        return Refused(error.error_class, str(error), stage=error.stage)
    text = _bordered(scene.to_json())
    found = SceneFound(
        scene=text,
        scene_id=scene.scene_id,
        scene_digest=scene.digest,
        processed=scene.processed,
        files=memory.to_json(),
        moments=moments_of(json.loads(text)),
    )
    if request.pipeline is None:
        return found
    try:
        pipeline = pipeline_of_json(request.pipeline)
        tiles = tiles_of(scene, pipeline)
        if not tiles:
            return replace(found, **_planned(text, request))
    except (ConfigError, ServiceError):
        raise
    except Exception as error:  # noqa: BLE001  the scene is known by now, whatever its plan met
        return replace(found, unfit=_refused(error, scene.scene_id))
    return replace(found, tiles=tuple(_in_tile(tile, found, request, pipeline=pipeline.name) for tile in tiles))


def _in_tile(tile: str, found: SceneFound, request: Ingest, *, pipeline: str) -> TileFound:
    """The product of one tile; whatever its plan meets is this tile's alone."""
    try:
        return TileFound(tile=tile, **_planned(on_tile(found.scene, tile), request))
    except (ConfigError, ServiceError):
        raise
    except Exception as error:  # noqa: BLE001  as for scenes
        identity = Identity(pipeline=pipeline, scene_id=found.scene_id, tile=tile)
        return TileFound(tile=tile, product_id=identity.product_id, unfit=_refused(error, identity.subject))


def _refused(error: Exception, name: str) -> Refused:
    fate = error if isinstance(error, SceneError) else internal_error(error)
    return Refused(fate.error_class, message(str(fate.of(name))))


def _planned(scene: str, request: Ingest) -> dict[str, Any]:
    """What an answer tells of the plan of a product."""
    plan = plan_product(scene, request.pipeline or "")
    check_file_names(plan, limits=NameLimits(**request.names))
    return {
        "product_id": plan.product_id, "product_key": plan.product_key, "assets": len(plan.keys),
        "strips": plan.cut(rows=request.strip_rows, split=True).strips, "pixels": plan.pixels, "raw_bytes": raw_bytes(plan),
        "needed_mb": peak_mb(plan, strip_rows=request.strip_rows),
    }  # fmt: skip


def _bordered(scene: str) -> str:
    """The JSON of a scene with every text in it escaped, once, before any table holds it.

    The JSON of honest scenes has no escapes but of letters, so that it is passed on as it is.
    """
    return canonical(escaped_values(json.loads(scene))) if "\\u" in scene or "\\n" in scene or "\\t" in scene else scene
