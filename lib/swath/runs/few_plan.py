"""The plan of a run of few scenes, made without a DataFrame: one scene must not pay for what a million need.

It is kept in the same files as any other, so that a restart reads it likewise.
"""

import io
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyspark.sql import Row
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from swath.engine.ingested import rows_of
from swath.ledger.arrow_rows import table_of
from swath.ledger.removed import few_ever_made
from swath.ledger.schemas import INGESTED, PLANNED, SCENES
from swath.ledger.tables import Tables
from swath.moments import moments_of
from swath.runs.decide import decide
from swath.runs.hands import Hands
from swath.runs.ingest import BLOCK_SCENES, question
from swath.runs.inside import inputs_inside, is_several
from swath.runs.own_fate import keepable
from swath.runs.plan import KNOWN_OF_PRODUCTS, Plan
from swath.runs.plan_rows import HeldRows, StoredFrames
from swath.runs.planning import FOUND, PLAN, Planning
from swath.runs.remember import remember
from swath.runs.versions import SceneVersion, latest_versions

Json = dict[str, Any]
#: Scenes that are few: their rows are a few MB on the driver.
FEW = 1000


def plan_few(hands: Hands, planning: Planning, *, found: Sequence[tuple[int, str]]) -> Plan | None:
    """Make and store the plan of few scenes; None when they, or the ledger, are many.

    Args:
        hands: Reader of the scenes; without a session of its own the plan has no DataFrames.
        planning: The run.
        found: Number and href of each scene.

    Raises:
        ConfigError: The configuration does not fit a scene.
        BrokenInstallationError: Too many scenes ended by an unexpected error.
    """
    tables, run_id = planning.tables, planning.request.run_id
    if len(found) > FEW:
        return None
    # Of a ledger with a million products only these scenes' rows are looked for.
    known = tables.small("scenes", SCENES, columns=["href", "files", "run_id"], where={"href": [href for _, href in found]})
    if known is None:
        return None
    ingested = _with_members(hands, planning, found=found, known=known)
    _keep(ingested, INGESTED, planning=planning, part=FOUND)
    these = {"scene_id": sorted({r["scene_id"] for r in ingested if r["scene_id"] is not None})}
    there = tables.small("scenes", SCENES, columns=["scene_id", "digest"], where=these)
    products = few_ever_made(tables, columns=KNOWN_OF_PRODUCTS, where=these)
    if there is None or products is None:
        return None  # what was ingested is kept: nothing is read twice
    if planning.remembering:
        remember(ingested, known=there, tables=tables, run_id=run_id)
    versions = _versions(ingested, products, tables=tables)
    planned = decide(ingested, products, versions=versions, wave_products=planning.request.width(cores=hands.cores))
    _keep(planned, PLANNED, planning=planning, part=PLAN)
    rows = [Row(**{n: r[n] for n in PLANNED.names}) for r in planned]
    frames = StoredFrames(spark=hands.session, store=planning.store, run_id=run_id)
    return Plan(HeldRows(rows=rows, scenes={r["n"]: r["scene"] for r in ingested}), frames=frames)


def _with_members(hands: Hands, planning: Planning, *, found: Sequence[tuple[int, str]], known: Sequence[Json]) -> list[Json]:
    """Rows of ``INGESTED``, in order; an archive of several scenes gives theirs instead of its own."""
    ingested = _ingest(hands, planning, found=found, known=known)
    archives = [r["href"] for r in ingested if is_several(r)]
    if not archives:
        return ingested
    first, limit = max(r["n"] for r in ingested) + 1, planning.asked.limit
    room = None if limit is None else max(limit - len(ingested) + len(archives), 0)
    inside = inputs_inside(archives, first=first, room=room)
    alone = [r for r in ingested if not is_several(r)]
    return alone + _ingest(hands, planning, found=inside, known=known)


def _ingest(hands: Hands, planning: Planning, *, found: Sequence[tuple[int, str]], known: Sequence[Json]) -> list[Json]:
    """Rows of ``INGESTED``, in order."""
    files = {r["href"]: r["files"] for r in sorted(known, key=lambda r: r["run_id"])}
    plain = question(planning.asked, planning.store)
    requests = [replace(plain, href=href, files=files.get(href)) for _, href in found]
    answers = hands.read(requests, asked=planning.asked, progress=planning.progress)
    return [
        keepable({**columns, "n": n, "href": href, "block": n // BLOCK_SCENES})
        for (n, href), answer in zip(found, answers, strict=True)
        for columns in rows_of(answer, INGESTED.names)
    ]


def _versions(ingested: Sequence[Json], products: Sequence[Json], *, tables: Tables) -> dict[str, SceneVersion]:
    """What the ledger's products were made from, by scene id; metadata is looked into only where another digest has come."""
    standing = latest_versions(products)
    other = {r["scene_id"] for r in ingested if standing.get(r["scene_id"], r["scene_digest"]) != r["scene_digest"]}
    columns = ["scene_id", "digest", "href", "scene"]
    rows = tables.small("scenes", SCENES, columns=columns, where={"scene_id": sorted(other)}) if other else []
    told = {(r["scene_id"], r["digest"]): r for r in rows or () if r["scene_id"] in other}
    found = {}
    for scene_id, digest in standing.items():
        row = told.get((scene_id, digest))
        if row is None:
            found[scene_id] = SceneVersion(digest=digest)
            continue
        scene = json.loads(row["scene"])
        found[scene_id] = SceneVersion(
            digest=digest, href=row["href"], processed=scene.get("processed", ""), moments=moments_of(scene)
        )
    return found


def _keep(rows: Sequence[Json], schema: StructType, *, planning: Planning, part: str) -> None:
    """Store rows as Spark does: a folder a block, and a mark when all are there."""
    store, path = planning.store, planning.path(part)
    store.delete_tree(path)
    columns = StructType([f for f in schema.fields if f.name != "block"])
    blocks: defaultdict[int, list[Json]] = defaultdict(list)
    for row in rows:
        blocks[row["block"]].append(row)
    for block, own in blocks.items():
        data = io.BytesIO()
        pq.write_table(table_of(own, to_arrow_schema(columns)), data, compression="snappy")
        store.write(f"{path}/block={block}/part-00000.snappy.parquet", data.getvalue())
    store.write(f"{path}/_SUCCESS", b"")
