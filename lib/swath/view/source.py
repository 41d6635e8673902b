"""Where the map's products come from: an output of swath, or a STAC API."""

from dataclasses import dataclass
from typing import Any, Protocol

from swath.view.listing import Found, Query

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedScene:
    """A scene in quarantine.

    Args:
        scene_id: The scene; its href where its id is not known.
        pipeline: Pipeline that was requested.
        stage: Stage that failed.
        error: Class of the error.
        message: Problem and remedy.
        run_id: Run that refused it.
        day: Day of acquisition that its id tells, ``2024-08-21``; empty where it tells none.
        bbox: West, south, east, north [degree] of another scene of the same tile or path and row; empty where there is none.
    """

    scene_id: str
    pipeline: str
    stage: str
    error: str
    message: str
    run_id: str
    day: str = ""
    bbox: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """An item, and the name under which GDAL opens each of its assets.

    Args:
        item: STAC item.
        files: Names by asset.
        report: Path of its run's report relative to the output's root; empty without one.
        log: Path of its run's log, likewise.
        path: Path of the item's file, likewise.
        trace: Path or URI of the item as ``swath models trace`` and ``swath reproduce`` take it.
    """

    item: Json
    files: dict[str, str]
    report: str = ""
    log: str = ""
    path: str = ""
    trace: str = ""


class ViewSource(Protocol):
    """What the server asks."""

    @property
    def title(self) -> str:
        """The name that the user gave."""
        ...

    def summary(self) -> Json:
        """What the page opens with: number of products, collections, days with their numbers, runs."""
        ...

    def products(self, query: Query) -> Found:
        """Products that fit a query, newest first."""
        ...

    def located(self, product_id: str) -> Located | None:
        """A product, or None when there is no such product."""
        ...

    def refused(self) -> tuple[QuarantinedScene, ...]:
        """Scenes in quarantine."""
        ...

    def file(self, path: str) -> bytes | None:
        """A file that the page may link to; None when there is none, or it is another one."""
        ...
