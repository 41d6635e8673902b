"""An output of swath as the map's source: its ledger says what is there, its items say what the files mean."""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from swath.errors import ConfigError
from swath.ledger.arrow_rows import dicts_of
from swath.stores.base import Store
from swath.view.listing import Found, Listed, Query, days_of, found_in
from swath.view.rows import COLUMNS, in_delta, plain_rows
from swath.view.source import Located, QuarantinedScene

if TYPE_CHECKING:
    from swath.ledger.tables import Tables

Json = dict[str, Any]
#: Runs whose results are looked at for what they reused, the newest first; larger results are passed over [bytes].
_RUNS_READ, _LARGEST_RESULT = 20, 16 << 20
#: What the page may link to. Ids have no slash, so that no link leaves its folder.
_LINKED = re.compile(r"(reports/[^/]+\.(html|log|json)|products/([^/]+/){5}[^/]+\.(json|png))")
#: Tile of Sentinel-2 (MGRS) or path and row of Landsat (WRS-2) in a scene's id, and the day of acquisition.
_PLACE = re.compile(r"_(T\d{2}[A-Z]{3}|\d{6})_")
_DAY = re.compile(r"_(\d{4})(\d{2})(\d{2})[T_]")


class OutputSource:
    """An output in a folder or on S3, with its ledger wherever that is.

    Args:
        store: The output.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def title(self) -> str:
        """Root of the output."""
        return self._store.root

    def summary(self) -> Json:
        """Number of products, collections, days with their numbers, and runs, the newest first."""
        listed = self._listed
        return {
            "title": self.title,
            "products": len(listed),
            "complete": True,
            "collections": sorted({p.collection for p in listed}),
            "days": days_of(listed),
            "runs": self._runs[:_RUNS_READ],
        }

    def products(self, query: Query) -> Found:
        """Products that fit a query, newest first."""
        return found_in(self._listed, query)

    def located(self, product_id: str) -> Located | None:
        """A product, or None when the ledger has none of this id."""
        row = self._by_id.get(product_id)
        data = None if row is None else self._store.read(row.item)
        if row is None or data is None:
            return None
        item: Json = json.loads(data)
        folder = posixpath.dirname(row.item)
        paths = {name: posixpath.normpath(posixpath.join(folder, asset["href"])) for name, asset in item["assets"].items()}
        report, log = (f"reports/{row.run_id}.{kind}" for kind in ("html", "log"))
        return Located(
            item=item,
            # An item that names files elsewhere is not one of ours; those files are not opened.
            files={n: self._store.gdal_path(p) for n, p in paths.items() if p.startswith(f"{folder}/")},
            report=report if self._store.size(report) is not None else "",
            log=log if self._store.size(log) is not None else "",
            path=row.item,
            trace=f"{self._store.root.rstrip('/')}/{row.item}",
        )

    def refused(self) -> tuple[QuarantinedScene, ...]:
        """Scenes in quarantine, each where another scene of its tile is."""
        from swath.runs.status import standing_rows  # noqa: PLC0415  see ``rows``

        rows = standing_rows(self._tables, self._rows, also=("stage", "message"))
        places: dict[str, tuple[float, ...]] = {}
        for product in self._listed if rows else ():
            if there := _PLACE.search(product.scene_id):
                places.setdefault(there[1], product.bbox)
        return tuple(_refused(row, places=places) for row in rows)

    def file(self, path: str) -> bytes | None:
        """A report, a log, an item or a picture of the output."""
        if not _LINKED.fullmatch(path) or ".." in path.split("/"):
            return None
        try:
            return self._store.read(path)
        except ValueError:  # a link on the file system that leads out of the output
            return None

    @cached_property
    def _tables(self) -> "Tables":
        from swath.ledger.open import open_tables  # noqa: PLC0415  see ``rows``

        return open_tables(None, self._store)

    @cached_property
    def _rows(self) -> Any:
        return self._columns("products")

    @cached_property
    def _runs(self) -> list[Json]:
        waves: dict[str, list[Json]] = {}
        for row in dicts_of(self._columns("runs")):
            waves.setdefault(row["run_id"], []).append(row)
        runs = [_run(some) for some in waves.values()]
        return sorted(runs, key=lambda run: str(run["started"]), reverse=True)

    def _columns(self, name: str) -> Any:
        found = plain_rows(self._store, name) if in_delta(self._store) else self._told(name)
        if found is None:
            msg = f"{self.title}: table {name} has features of Delta that only Spark reads; run swath maintain with this version"
            raise ConfigError(msg)
        return found

    def _told(self, name: str) -> Any:
        """The same of a ledger in PostgreSQL."""
        from swath.ledger.schemas import TABLES  # noqa: PLC0415  see ``rows``

        return self._tables.arrow(name, TABLES[name], columns=COLUMNS[name].names)

    @cached_property
    def _listed(self) -> Sequence[Listed]:
        newest: dict[str, Json] = {}
        for row in dicts_of(self._rows):
            known = newest.setdefault(row["product_id"], row)
            if row["made"] > known["made"]:
                newest[row["product_id"]] = row
        reused = self._reused()
        listed = [_listed(row, reused=reused) for row in newest.values()]
        return sorted(sorted(listed, key=attrgetter("product_id")), key=attrgetter("acquired"), reverse=True)

    @cached_property
    def _by_id(self) -> Mapping[str, Listed]:
        return {p.product_id: p for p in self._listed}

    def _reused(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The newest run that reused a product and its start, by pipeline and scene."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for run in self._runs[:_RUNS_READ]:
            path = f"reports/{run['run_id']}.json"
            size = self._store.size(path) if run["skipped"] else None
            data = self._store.read(path) if size is not None and size <= _LARGEST_RESULT else None
            for skip in json.loads(data or b"{}").get("skips", []):
                if skip["reason"] == "already there":
                    found.setdefault((run["pipeline"], skip["scene_id"]), (run["run_id"], run["started"]))
        return found


def _run(waves: Sequence[Json]) -> Json:
    """A run as the page shows it: all its waves together."""
    first = waves[0]
    sums = {n: sum(w[n] for w in waves) for n in ("scenes_in", "made", "skipped", "quarantined")}
    moments = {"started": min(w["started"] for w in waves).isoformat(), "ended": max(w["ended"] for w in waves).isoformat()}
    balanced = all(w["balanced"] for w in waves)
    return {"run_id": first["run_id"], "pipeline": first["pipeline"], "balanced": balanced, **sums, **moments}


def _listed(row: Json, *, reused: Mapping[tuple[str, str], tuple[str, str]]) -> Listed:
    product = Listed(
        product_id=row["product_id"],
        scene_id=row["scene_id"],
        collection=row["collection"],
        acquired=row["acquired"],
        bbox=tuple(row["bbox"] or ()),
        item=row["item"],
        run_id=row["run_id"],
        met_by=row["run_id"],
    )
    later = reused.get((row["pipeline"], row["scene_id"]))
    if later is None or later[1] < row["made"].isoformat():
        return product
    return replace(product, state="reused", met_by=later[0])


def _refused(row: Json, *, places: Mapping[str, tuple[float, ...]]) -> QuarantinedScene:
    scene_id = row["scene_id"] or row["href"]
    place, day = _PLACE.search(scene_id), _DAY.search(scene_id)
    return QuarantinedScene(
        scene_id=scene_id,
        pipeline=row["pipeline"] or "",
        stage=row["stage"] or "",
        error=row["error_class"],
        message=row["message"],
        run_id=row["run_id"],
        day="-".join(day.groups()) if day else "",
        bbox=places.get(place[1], ()) if place else (),
    )
