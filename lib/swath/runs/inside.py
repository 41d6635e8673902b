"""Scenes of an archive that was taken for one: once a worker has looked into it, each becomes an input of its own.

Discovery does not look into archives that are named as one scene where that means to unpack them: nearly all hold one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from swath.errors import ArchiveError
from swath.readers.files.archived import SEPARATOR, split_place
from swath.readers.recognise import SEVERAL, places_inside

_CLASS = ArchiveError.error_class


def is_several(row: Mapping[str, Any]) -> bool:
    """Whether a row of ``INGESTED`` is an archive that holds several scenes and was named as one."""
    return row["error_class"] == _CLASS and SEVERAL in (row["message"] or "")


def several() -> Column:
    """``is_several`` of rows in Spark; never null."""
    return F.coalesce((F.col("error_class") == _CLASS) & F.col("message").contains(SEVERAL), F.lit(False))


def inputs_inside(hrefs: Iterable[str], *, first: int, room: int | None) -> list[tuple[int, str]]:
    """Numbers and hrefs of the scenes in archives; the archives are listed once more, within the limits of archives.

    Args:
        hrefs: Archives, in order.
        first: Number of the first scene.
        room: Take at most so many scenes; None takes all.
    """
    places = [f"{href}{SEPARATOR}{place}" for href in hrefs for place in places_inside(href)]
    return list(enumerate(places[:room], start=first))


def missing_inside(ingested: DataFrame, *, limit: int | None) -> list[tuple[int, str]]:
    """The scenes of such archives that have no row yet: all of them, or what an ended run did not come to.

    Args:
        ingested: Rows of ``INGESTED``.
        limit: Largest number of scenes of the run.
    """
    archives = [row["href"] for row in ingested.filter(several()).select("n", "href").orderBy("n").collect()]
    if not archives:
        return []
    rows = ingested.select("n", "href").filter(F.col("href").contains(SEPARATOR)).collect()
    there = {row["href"] for row in rows if split_place(row["href"])[0] in archives}
    named = ingested.filter(~F.col("href").isin(sorted(there))).agg(F.max("n").alias("last")).collect()[0]["last"] + 1
    inside = inputs_inside(archives, first=named, room=None if limit is None else max(limit - named + len(archives), 0))
    return [(number, href) for number, href in inside if href not in there]
