"""Deliveries of one scene when scenes are only taken in: which one ``scenes`` keeps, by the rule of ``runs.versions``.

A kept scene counts as a product of the ledger does: a delivery of other content replaces it with a later processing
date alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from swath.ledger.removed import ever_made
from swath.ledger.schemas import SCENES
from swath.ledger.tables import Tables
from swath.runs.versions import (
    SceneVersion,
    chosen,
    clash_message,
    latest_versions,
    moments_column,
    replaced_message,
    version_of,
)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A delivery that is not kept.

    Args:
        n: Number of its row.
        scene_id: The id that another delivery has.
        href: Reference that the scene was found by.
        message: Names both, and what to do.
    """

    n: int
    scene_id: str
    href: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What several contents of a scene lead to.

    Args:
        clashes: Deliveries that are not kept, in order.
        replaced: Scenes that newer versions replace, in words, in order of the scenes.
    """

    clashes: Sequence[Clash] = ()
    replaced: Sequence[str] = ()


def decisions_of(ingested: DataFrame, *, tables: Tables) -> Decisions:
    """What is kept of scenes that have several contents. Only those come to the driver.

    Args:
        ingested: Rows of ``INGESTED``.
        tables: Tables of the output.
    """
    usable = ingested.filter(F.col("error_class").isNull() & F.col("scene_digest").isNotNull())
    came = usable.select("n", "scene_id", "scene_digest", "href", "processed", "moments")
    known = tables.read("scenes", SCENES, columns=["scene_id", "digest", "href", "scene"]).select(
        F.lit(0).alias("n"), "scene_id", F.col("digest").alias("scene_digest"), "href",
        F.get_json_object("scene", "$.processed").alias("processed"),
        moments_column("scene").alias("moments"),
    )  # fmt: skip
    products = ever_made(tables, columns=["scene_id", "scene_digest", "made"])
    contents = [rows.select("scene_id", "scene_digest") for rows in (came, known, products)]
    several = reduce(DataFrame.union, contents).groupBy("scene_id").agg(F.countDistinct("scene_digest").alias("contents"))
    several = several.filter("contents > 1").join(came, "scene_id", "left_semi").select("scene_id")
    rows = came.join(several, "scene_id", "left_semi").collect()
    if not rows:
        return Decisions()
    ids = sorted({r["scene_id"] for r in rows})
    kept, made = (frame.filter(F.col("scene_id").isin(ids)).collect() for frame in (known, products))
    return decided([r.asDict() for r in rows], known=[r.asDict() for r in kept], products=[r.asDict() for r in made])


def decided(rows: Iterable[Json], *, known: Iterable[Json], products: Iterable[Json]) -> Decisions:
    """See ``decisions_of``.

    Args:
        rows: Deliveries that came: ``n``, ``scene_id``, ``scene_digest``, ``href``, ``processed``, ``moments``.
        known: Rows of ``scenes``, likewise.
        products: ``scene_id``, ``scene_digest``, ``made``.
    """
    came, before = _by_scene(rows), _by_scene(known)
    made = latest_versions(products)
    clashes: list[Clash] = []
    replaced: dict[str, str] = {}
    for scene_id, deliveries in came.items():
        standing = _standing(before.get(scene_id, []), made=made.get(scene_id))
        choice = chosen(deliveries, standing=standing)
        if standing is not None and standing.digest != choice.digest:
            kept = next(r for r in deliveries if r["scene_digest"] == choice.digest)
            replaced[scene_id] = replaced_message(kept, before=standing, by="ingest")
        clashes += [
            Clash(n=r["n"], scene_id=scene_id, href=r["href"], message=clash_message(r, other=choice))
            for r in deliveries
            if r["scene_digest"] != choice.digest
        ]
    told = tuple(replaced[scene_id] for scene_id in sorted(replaced))
    return Decisions(clashes=sorted(clashes, key=lambda clash: clash.n), replaced=told)


def _standing(known: Sequence[Json], *, made: str | None) -> SceneVersion | None:
    """What products were made from, else what ``scenes`` keeps; of several there (of runs) the one that a run would make."""
    if made is None:
        return chosen(known, standing=None) if known else None
    row = next((r for r in known if r["scene_digest"] == made), None)
    return SceneVersion(digest=made) if row is None else version_of(row)


def _by_scene(rows: Iterable[Json]) -> dict[str, list[Json]]:
    found: defaultdict[str, list[Json]] = defaultdict(list)
    for row in rows:
        found[row["scene_id"]].append(row)
    return dict(found)
