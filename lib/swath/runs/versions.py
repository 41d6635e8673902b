"""Deliveries of one scene: which of several with one id is made, and what is said of the others.

Same id and same digest: a duplicate. Same id and another digest: a clash, of which one delivery is made. The later processing
date wins; without one on both sides, what products of the ledger were made from; else the digest that sorts first. So the
choice depends neither on the order in which scenes are found nor on partitions; the others go to quarantine, class ``clash``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from swath.errors import ClashError

Json = Mapping[str, Any]
CLASH: Final = ClashError.error_class
#: Where in a run a clash is seen.
STAGE: Final = "plan"
_REMEDY: Final = (
    "Give one of them an id of its own, or the one that is to be made the later processing date (`updated` of a STAC item)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneVersion:
    """A delivery of a scene.

    Args:
        digest: ``Scene.digest``.
        href: Reference that the scene was found by; empty if unknown.
        processed: ``Scene.processed``; empty when unknown.
    """

    digest: str
    href: str = ""
    processed: str = ""

    def newer_than(self, other: "SceneVersion") -> bool:
        """Whether both tell when they were processed, and this was later."""
        return bool(other.processed) and self.processed > other.processed


def latest_versions(products: Iterable[Json]) -> dict[str, str]:
    """The digest that the latest product of each scene was made from, by scene id.

    Args:
        products: Products of the ledger: ``scene_id``, ``scene_digest``, ``made``.
    """
    return {r["scene_id"]: r["scene_digest"] for r in sorted(products, key=lambda r: r["made"])}


def chosen(rows: Sequence[Json], *, standing: SceneVersion | None) -> SceneVersion:
    """The delivery of a scene that is made.

    Args:
        rows: Rows with the columns of ``INGESTED`` that can be used, of one product.
        standing: Sources of the ledger's products.
    """
    known = "" if standing is None else standing.digest
    ordered = sorted(rows, key=lambda r: (r["scene_digest"] != known, r["scene_digest"], r["n"]))
    top = max(ordered, key=lambda r: r["processed"] or "")
    newest = SceneVersion(digest=top["scene_digest"], href=top["href"], processed=top["processed"] or "")
    return newest if standing is None or newest.newer_than(standing) else standing


def clash_message(row: Json, *, other: SceneVersion) -> str:
    """Why a delivery is not made: what it is, and what is made instead."""
    newer = other.newer_than(SceneVersion(digest=row["scene_digest"], processed=row["processed"] or ""))
    which = "is the newer version" if newer else "is kept"
    return (
        f"{row['scene_id']}: two deliveries of different content have this id: "
        f"got {_named(row['href'], row['processed'])}; {_named(other.href, other.processed)} {which}. {_REMEDY}."
    )


def replaced_message(row: Json, *, before: SceneVersion, by: Literal["run", "ingest"] = "run") -> str:
    """What a newer delivery replaces: products, or what ``scenes`` keeps until a run makes it."""
    what = "replaces its products" if by == "run" else "takes its place: the next run replaces its products"
    return (
        f"{row['scene_id']}: {_named(row['href'], row['processed'])} is the newer version of "
        f"{_named(before.href, before.processed)} and {what}"
    )


def _named(href: str, processed: str | None) -> str:
    return (href or "an earlier delivery") + (f" (processed {processed})" if processed else "")


# The same for a million rows.


def latest_versions_of(products: DataFrame, scenes: DataFrame, *, ingested: DataFrame) -> DataFrame:
    """What products of the ledger were made from, a row a scene: ``scene_id``, and the version's digest, href and date.

    Args:
        products: Products of the ledger.
        scenes: Scenes of the ledger; their metadata is read only where a delivery of another digest arrived.
        ingested: The scenes of the run.
    """
    latest = products.groupBy("scene_id").agg(F.max_by("scene_digest", "made").alias("standing"))
    other = ingested.join(latest, "scene_id").filter(F.col("scene_digest") != F.col("standing"))
    clashing = other.select("scene_id", F.col("standing").alias("digest")).distinct()
    if clashing.isEmpty():
        nothing = [F.lit("").alias(n) for n in ("standing_href", "standing_processed")]
        return latest.select("*", *nothing)
    told = scenes.join(clashing, ["scene_id", "digest"], "left_semi").select(
        "scene_id",
        F.col("href").alias("standing_href"),
        F.coalesce(F.get_json_object("scene", "$.processed"), F.lit("")).alias("standing_processed"),
    )
    return latest.join(told.dropDuplicates(["scene_id"]), "scene_id", "left").fillna("")
