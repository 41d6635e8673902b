"""Process quarantined scenes again, with the pipeline, models and strips of their first run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from swath.engine.scene_tiles import split_href
from swath.errors import ConfigError
from swath.ledger.schemas import RUNS
from swath.ledger.standing import standing
from swath.ledger.tables import Tables
from swath.plain import canonical
from swath.readers.gate.terms import Terms
from swath.runs.ingest import run_path
from swath.runs.request import RunRequest
from swath.stores.base import Store
from swath.stores.local import LocalStore

#: What ingest alone refused has no pipeline: it is ingested again, not retried.
_NO_PIPELINE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Scenes that one recorded specification failed on.

    Args:
        request: Request of that run; inputs and run id are the retry's own.
        hrefs: Hrefs of the scenes.
    """

    request: RunRequest
    hrefs: tuple[str, ...]


def wanted(tables: Tables, *, error_classes: Sequence[str] = (), pipeline: str | None = None) -> DataFrame:
    """Standing quarantine rows of some error classes (all without one) and of one pipeline (any without one)."""
    rows = standing(tables).filter(F.col("pipeline") != _NO_PIPELINE)
    if error_classes:
        rows = rows.filter(F.col("error_class").isin(list(error_classes)))
    return rows if pipeline is None else rows.filter(F.col("pipeline") == pipeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A row of the quarantine with what its run was asked.

    Args:
        scene_id: Id of what was refused.
        href: Reference that the scene was found by.
        spec: Specification of the run.
        site: Site of the run.
    """

    scene_id: str
    href: str
    spec: Mapping[str, Any]
    site: str


def failed(tables: Tables, *, rows: DataFrame) -> list[Failed]:
    """Rows of ``wanted`` with the specifications that they were refused under, in the order of their hrefs.

    Raises:
        ConfigError: No run recorded how a scene was asked for.
    """
    specs = {r["run_id"]: r for r in _specs(tables, rows)}
    found = []
    for row in rows.select("run_id", "scene_id", "href", "pipeline").orderBy("href").collect():
        told = specs.get(row["run_id"])
        if told is None:
            msg = (
                f"run {row['run_id']}, which quarantined {row['href']}, never committed: expected its row in the runs table; "
                f"run it again: swath run {row['pipeline']} --run-id {row['run_id']} ..."
            )
            raise ConfigError(msg)
        found.append(Failed(scene_id=row["scene_id"], href=row["href"], spec=json.loads(told["spec"]), site=told["site"]))
    return found


def find_retries(rows: Sequence[Failed], store: Store, *, run_id: str) -> list[Retry]:
    """One retry for each specification of a run of scenes that the rows were refused under.

    Args:
        rows: Rows that ``failed`` found; sources and composites among them are ignored.
        store: The output.
        run_id: Id of the first retry; further ones get a number appended.
    """
    found: dict[str, tuple[RunRequest, list[str]]] = {}
    for row in rows:
        spec = row.spec
        if "composite" in spec:
            continue
        same = canonical([spec["pipeline"], spec["models"], spec["strip_rows"], spec.get("terms")])
        request = RunRequest(
            run_id=run_id, pipeline=spec["pipeline"], models=spec["models"], strip_rows=spec["strip_rows"], inputs=(),
            output=store.root, site=row.site, terms=Terms.from_plain(spec.get("terms")),
        )  # fmt: skip
        hrefs = found.setdefault(same, (request, []))[1]
        # Of several tiles the scene is read once: what is made of it already is skipped.
        whole = split_href(row.href)[0]
        hrefs += [whole] if whole not in hrefs else []
    return [_listed(store, request, hrefs, number=n) for n, (request, hrefs) in enumerate(found.values())]


def numbered(run_id: str, number: int) -> str:
    """Id of a retry: the first has the name that was asked for, further ones a number behind it."""
    return run_id if number == 0 else f"{run_id}-{number + 1}"


def _specs(tables: Tables, rows: DataFrame) -> list[Row]:
    runs = tables.read("runs", RUNS, columns=["run_id", "wave", "spec", "site"])
    runs = runs.groupBy("run_id").agg(*[F.max_by(name, "wave").alias(name) for name in ("spec", "site")])
    return runs.join(rows.select("run_id").distinct(), "run_id").collect()


def _listed(store: Store, request: RunRequest, hrefs: Sequence[str], *, number: int) -> Retry:
    """The hrefs as an input: a list, so that one that is gone fails alone."""
    run_id = numbered(request.run_id, number)
    name = run_path(run_id, "retry.txt")
    path = store.at(name) if isinstance(store, LocalStore) else store.scratch() / f"{run_id}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{href}\n" for href in hrefs), encoding="utf-8")
    return Retry(request=replace(request, run_id=run_id, inputs=(str(path),)), hrefs=tuple(hrefs))
