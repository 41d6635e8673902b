"""Deliveries of one scene: which of several with one id is made, and what is said of the others.

Same id and same digest: a duplicate. Same id and another digest: a clash, of which one delivery is made. The later processing
date wins; without one on both sides, what products of the ledger were made from; else the digest that sorts first. Products of
one acquisition are never replaced by another that has its id (see ``swath.moments``). So the choice depends neither on the order
in which scenes are found nor on partitions; the others go to quarantine, class ``clash``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from swath.errors import ClashError
from swath.moments import BETWEEN, STRIPS, one_acquisition, words_of

Json = Mapping[str, Any]
CLASH: Final = ClashError.error_class
#: Where in a run a clash is seen.
STAGE: Final = "plan"
_OWN_ID: Final = "Give one of them an id of its own"
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
        moments: ``moments_of`` the scene; empty when unknown.
    """

    digest: str
    href: str = ""
    processed: str = ""
    moments: str = ""

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
    known, moments = ("", "") if standing is None else (standing.digest, standing.moments)
    rows = [r for r in rows if one_acquisition(r.get("moments"), moments)]
    if standing is not None and not rows:
        return standing
    ordered = sorted(rows, key=lambda r: (r["scene_digest"] != known, r["scene_digest"], r["n"]))
    top = max(ordered, key=lambda r: r["processed"] or "")
    newest = version_of(top)
    return newest if standing is None or newest.newer_than(standing) else standing


def clash_message(row: Json, *, other: SceneVersion) -> str:
    """Why a delivery is not made: what it is, and what is made instead."""
    own = version_of(row)
    if not one_acquisition(own.moments, other.moments):
        return (
            f"{row['scene_id']}: two acquisitions have this id, and none is a version of the other: "
            f"got {_named(own.href, words_of(own.moments))}; {_named(other.href, words_of(other.moments))} is kept. {_OWN_ID}."
        )
    newer = other.newer_than(own)
    which = "is the newer version" if newer else "is kept"
    return (
        f"{row['scene_id']}: two deliveries of different content have this id: "
        f"got {_told(own)}; {_told(other)} {which}. {_REMEDY}."
    )


def replaced_message(row: Json, *, before: SceneVersion, by: Literal["run", "ingest"] = "run") -> str:
    """What a newer delivery replaces: products, or what ``scenes`` keeps until a run makes it."""
    what = "replaces its products" if by == "run" else "takes its place: the next run replaces its products"
    return f"{row['scene_id']}: {_told(version_of(row))} is the newer version of {_told(before)} and {what}"


def version_of(row: Json) -> SceneVersion:
    """The delivery of a row with the columns of ``INGESTED``."""
    return SceneVersion(
        digest=row["scene_digest"], href=row["href"] or "", processed=row["processed"] or "", moments=row.get("moments") or ""
    )


def _told(version: SceneVersion) -> str:
    return _named(version.href, f"processed {version.processed}" if version.processed else "")


def _named(href: str, words: str) -> str:
    return (href or "an earlier delivery") + (f" ({words})" if words else "")


# The same for a million rows.


def latest_versions_of(products: DataFrame, scenes: DataFrame, *, ingested: DataFrame) -> DataFrame:
    """What products of the ledger were made from, a row a scene: ``scene_id``, and the version's digest, href, date and moments.

    Args:
        products: Products of the ledger.
        scenes: Scenes of the ledger; their metadata is read only where a delivery of another digest arrived.
        ingested: The scenes of the run.
    """
    latest = products.groupBy("scene_id").agg(F.max_by("scene_digest", "made").alias("standing"))
    other = ingested.join(latest, "scene_id").filter(F.col("scene_digest") != F.col("standing"))
    clashing = other.select("scene_id", F.col("standing").alias("digest")).distinct()
    if clashing.isEmpty():
        nothing = [F.lit("").alias(n) for n in ("standing_href", "standing_processed", "standing_moments")]
        return latest.select("*", *nothing)
    told = scenes.join(clashing, ["scene_id", "digest"], "left_semi").select(
        "scene_id",
        F.col("href").alias("standing_href"),
        F.coalesce(F.get_json_object("scene", "$.processed"), F.lit("")).alias("standing_processed"),
        moments_column("scene").alias("standing_moments"),
    )
    return latest.join(told.dropDuplicates(["scene_id"]), "scene_id", "left").fillna("")


def moments_column(scene: str) -> Column:
    """``moments_of`` a column with scenes' JSON."""
    paths = ("$.acquired", *(f"$.properties['{name}']" for name in STRIPS))
    return F.concat_ws(BETWEEN, *(F.coalesce(F.get_json_object(scene, path), F.lit("")) for path in paths))
