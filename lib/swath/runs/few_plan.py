"""The plan of a run of few scenes, made without a DataFrame: one scene must not pay for what a million need.

It decides as ``plan.decide`` does and is kept in the same files, so that a restart reads it like any other.
"""

import io
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from swath.engine.ingested import columns_of
from swath.ledger.arrow_rows import table_of
from swath.ledger.delta import NeedsSparkError
from swath.ledger.schemas import INGESTED, PLANNED, PRODUCTS, SCENES
from swath.ledger.tables import Tables
from swath.runs.hands import Hands
from swath.runs.ingest import BLOCK_SCENES, IngestRequest, StageProgress, question, run_path
from swath.runs.own_fate import keepable, refusal, scene_row
from swath.runs.plan import DUPLICATE, KNOWN_OF_PRODUCTS, MADE, MAKE, REFUSED, TOLD, Plan, waves_per_block
from swath.runs.request import RunRequest
from swath.runs.versions import CLASH, STAGE, Version, chosen, clash_message, latest_versions, replaced_message
from swath.stores.base import Store

Json = dict[str, Any]
#: Scenes that are few: their rows are a few MB on the driver.
FEW = 1000


class FewPlan(Plan):
    """A stored plan whose rows are at hand.

    Args:
        spark: The session; without one its rows are no DataFrames.
        store: Where the plan is kept.
        run_id: Id of the run.
        rows: Rows with the columns of ``PLANNED``.
        scenes: By ``n``.
    """

    def __init__(
        self, spark: SparkSession | None, store: Store, *, run_id: str, rows: Sequence[Row], scenes: Mapping[int, str]
    ) -> None:
        self._spark, self._store, self._run_id = spark, store, run_id
        self._planned, self._scenes = rows, scenes

    @property
    def rows(self) -> DataFrame:
        """All rows, for who joins them."""
        return self._stored("plan", PLANNED)

    @property
    def ingested(self) -> DataFrame:
        """What it was made of."""
        return self._stored("ingested", INGESTED)

    def _stored(self, part: str, schema: StructType) -> DataFrame:
        if self._spark is None:
            raise NeedsSparkError
        return self._spark.read.schema(schema).parquet(self._store.spark_path(run_path(self._run_id, part)))

    @cached_property
    def _counts(self) -> list[Row]:
        scenes: Counter[tuple[str, int, int]] = Counter()
        assets: Counter[tuple[str, int, int]] = Counter()
        for row in self._planned:
            place = (row["status"], row["wave"], row["block"])
            scenes[place] += 1
            assets[place] += row["assets"] or 0
        return [Row(status=p[0], wave=p[1], block=p[2], scenes=number, assets=assets[p]) for p, number in scenes.items()]

    def wave(self, number: int) -> list[Row]:
        """Rows to make in a wave, in order, each with its ``scene``."""
        rows = [r for r in self._planned if r["status"] == MAKE and r["wave"] == number]
        return [Row(**r.asDict(), scene=self._scenes[r["n"]]) for r in rows]

    def to_make(self, *, most: int) -> list[Row]:
        """See ``Plan``."""
        return [r for r in self._planned if r["status"] == MAKE][:most]

    def _told(self, *statuses: str) -> list[Row]:
        return [r for r in self._planned if r["status"] in statuses][:TOLD]


def plan_few(
    hands: Hands,
    store: Store,
    *,
    request: RunRequest,
    asked: IngestRequest,
    tables: Tables,
    found: Sequence[tuple[int, str]],
    remembering: bool,
    progress: StageProgress | None = None,
) -> Plan | None:
    """Make and store the plan of few scenes; None when they, or the ledger, are many.

    Args:
        hands: What reads the scenes; without a session of theirs the plan has no DataFrames.
        store: Where the plan is kept.
        request: What was asked.
        asked: What to ask of each scene.
        tables: The ledger.
        found: Number and href of each scene.
        remembering: Add new scenes to the ledger.
        progress: Told how many of how many inputs are read.

    Raises:
        ConfigError: The configuration does not fit a scene.
        BrokenInstallationError: Too many scenes ended by an error that nobody foresaw.
    """
    if len(found) > FEW:
        return None
    # Of a ledger with a million products only these scenes' rows are looked for.
    known = tables.small("scenes", SCENES, columns=["href", "files", "run_id"], where={"href": [href for _, href in found]})
    if known is None:
        return None
    ingested = _ingest(hands, asked, found=found, known=known, store=store, progress=progress)
    _keep(ingested, INGESTED, path=run_path(request.run_id, "ingested"), store=store)
    these = {"scene_id": sorted({r["scene_id"] for r in ingested if r["scene_id"] is not None})}
    there = tables.small("scenes", SCENES, columns=["scene_id", "digest"], where=these)
    products = tables.small("products", PRODUCTS, columns=[*KNOWN_OF_PRODUCTS], where=these)
    if there is None or products is None:
        return None  # what was ingested is kept: nothing is read twice
    if remembering:
        _remember(ingested, known=there, tables=tables, run_id=request.run_id)
    versions = _versions(ingested, products, tables=tables)
    width = request.width(cores=hands.cores)
    planned = decide_few(ingested, products, versions=versions, wave_products=width)
    _keep(planned, PLANNED, path=run_path(request.run_id, "plan"), store=store)
    rows = [Row(**{n: r[n] for n in PLANNED.names}) for r in planned]
    return FewPlan(hands.session, store, run_id=request.run_id, rows=rows, scenes={r["n"]: r["scene"] for r in ingested})


def _ingest(
    hands: Hands,
    asked: IngestRequest,
    *,
    found: Sequence[tuple[int, str]],
    known: Sequence[Json],
    store: Store,
    progress: StageProgress | None,
) -> list[Json]:
    """Rows of ``INGESTED``, in order."""
    files = {r["href"]: r["files"] for r in sorted(known, key=lambda r: r["run_id"])}
    plain = question(asked, store)
    requests = [replace(plain, href=href, files=files.get(href)) for _, href in found]
    answers = hands.read(requests, asked=asked, progress=progress)
    return [
        keepable({**columns_of(answer, INGESTED.names), "n": n, "href": href, "block": n // BLOCK_SCENES})
        for (n, href), answer in zip(found, answers, strict=True)
    ]


def _versions(ingested: Sequence[Json], products: Sequence[Json], *, tables: Tables) -> dict[str, Version]:
    """What the ledger's products were made from, by scene id; metadata is looked into only where another digest has come."""
    standing = latest_versions(products)
    other = {r["scene_id"] for r in ingested if standing.get(r["scene_id"], r["scene_digest"]) != r["scene_digest"]}
    columns = ["scene_id", "digest", "href", "scene"]
    rows = tables.small("scenes", SCENES, columns=columns, where={"scene_id": sorted(other)}) if other else []
    told = {(r["scene_id"], r["digest"]): r for r in rows or () if r["scene_id"] in other}
    found = {}
    for scene_id, digest in standing.items():
        row = told.get((scene_id, digest))
        processed = json.loads(row["scene"]).get("processed", "") if row is not None else ""
        found[scene_id] = Version(digest=digest, href=row["href"] if row is not None else "", processed=processed)
    return found


def decide_few(
    ingested: Sequence[Json], products: Sequence[Json], *, versions: Mapping[str, Version], wave_products: int
) -> list[Json]:
    """What becomes of each row, and in which wave: see ``plan.decide``.

    Args:
        ingested: Rows of ``INGESTED``, in order.
        products: Products of the ledger: ids, keys, when they were made.
        versions: What the ledger's products were made from, by scene id.
        wave_products: Products that commit together.

    Returns:
        Rows of ``PLANNED``, in order.
    """
    latest = {r["product_id"]: r["product_key"] for r in sorted(products, key=lambda r: r["made"])}
    usable: defaultdict[str, list[Json]] = defaultdict(list)
    for row in ingested:
        if row["error_class"] is None and row["product_id"] is not None:
            usable[row["product_id"]].append(row)
    choices, broken = _choices(usable, versions=versions)
    seen: set[str] = set()
    places: defaultdict[int, int] = defaultdict(int)
    planned = []
    for row in ingested:
        choice, before, wave = choices.get(row["product_id"]), versions.get(row["scene_id"]), 0
        if row["error_class"] is None and row["product_id"] in broken:
            told = {"status": REFUSED, **refusal(broken[row["product_id"]], row=row, stage=STAGE)}
        else:
            told = _decided(row, choice=choice, before=before, latest=latest, seen=seen)
        if told["status"] == MAKE:
            wave = row["block"] * waves_per_block(wave_products) + places[row["block"]] // wave_products
            places[row["block"]] += 1
        known = {n: row.get(n) for n in PLANNED.names}
        planned.append({**known, "again": row["product_id"] in latest, "wave": wave, **told})
    return planned


def _choices(
    usable: Mapping[str, Sequence[Json]], *, versions: Mapping[str, Version]
) -> tuple[dict[str, Version], dict[str, Exception]]:
    """Which delivery of each product is made, and of which products nothing can be said: an error is theirs alone."""
    choices, broken = {}, {}
    for name, rows in usable.items():
        try:
            choices[name] = chosen(rows, standing=versions.get(rows[0]["scene_id"]))
            # What is said of a row compares the same things.
            _ = [choices[name].newer_than(Version(digest="", processed=row["processed"] or "")) for row in rows]
        except Exception as error:  # noqa: BLE001  whatever it is, it is this scene's
            broken[name] = error
    return choices, broken


def _decided(
    row: Json, *, choice: Version | None, before: Version | None, latest: Mapping[str, str], seen: set[str]
) -> dict[str, str]:
    """Status of a row, and what is said of it; notes in ``seen`` the products that have a row already."""
    if row["error_class"] is not None:
        return {"status": REFUSED}
    name = row["product_id"]
    there = latest.get(name) == row["product_key"]
    if choice is not None and row["scene_digest"] != choice.digest and not (there and choice == before):
        told = clash_message(row, other=choice)
        return {"status": REFUSED, "error_class": CLASH, "message": told, "stage": STAGE}
    if name in seen:
        return {"status": DUPLICATE}
    seen.update({name} - {None})
    if there:
        return {"status": MADE}
    replaces = choice is not None and before is not None and before.digest != choice.digest
    return {"status": MAKE, "message": replaced_message(row, before=before)} if replaces and before else {"status": MAKE}


def _remember(ingested: Sequence[Json], *, known: Sequence[Json], tables: Tables, run_id: str) -> None:
    """Add the scene versions that the ledger does not have yet: see ``ingest.remember``."""
    there = {(r["scene_id"], r["digest"]) for r in known}
    rows = []
    for row in ingested:
        version = (row["scene_id"], row["scene_digest"])
        if row["scene_digest"] is None or version in there:
            continue
        there.add(version)
        rows.append(scene_row(row, run_id=run_id))
    if rows:
        tables.append("scenes", rows, schema=SCENES, run_id=run_id, wave=0)


def _keep(rows: Sequence[Json], schema: StructType, *, path: str, store: Store) -> None:
    """Store rows as Spark does: a folder a block, and a mark when all are there."""
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
