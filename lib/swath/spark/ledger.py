"""What a run leaves in Delta: rows of a wave, committed in the order that makes a half-committed wave harmless."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from swath import __version__
from swath.errors import AccountError
from swath.scene import Scene
from swath.sinks.delta import Tables
from swath.spark.ingest import name_of
from swath.spark.plan import DUPLICATE, MADE, REFUSED, spec_of
from swath.spark.request import RunRequest
from swath.spark.schemas import PRODUCTS, QUARANTINE, RUNS, TILES
from swath.spark.wave import ProductWork, WaveResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """In = made + skipped + quarantined, for scenes and for assets."""

    scenes_in: int
    made: int
    skipped: int
    quarantined: int
    assets_in: int = 0
    assets_made: int = 0
    assets_skipped: int = 0
    assets_quarantined: int = 0

    @property
    def balanced(self) -> bool:
        """Nothing is left over."""
        scenes = self.made + self.skipped + self.quarantined
        assets = self.assets_made + self.assets_skipped + self.assets_quarantined
        return scenes == self.scenes_in and assets == self.assets_in

    def __add__(self, other: "Account") -> "Account":
        """Both together."""
        names = self.__dataclass_fields__
        return Account(**{n: getattr(self, n) + getattr(other, n) for n in names})


class Ledger:
    """The Delta ledger of one output.

    Args:
        tables: Of the output.
        request: The run that writes.
    """

    def __init__(self, tables: Tables, *, request: RunRequest) -> None:
        self._tables = tables
        self._request = request

    def waves(self) -> set[int]:
        """Waves of this run that are committed."""
        rows = self._tables.read("runs", RUNS).filter(F.col("run_id") == self._request.run_id).select("wave").collect()
        return {row["wave"] for row in rows}

    def of_run(self, table: str) -> DataFrame:
        """Rows of this run."""
        schema = {"products": PRODUCTS, "quarantine": QUARANTINE, "runs": RUNS, "tiles": TILES}[table]
        return self._tables.read(table, schema).filter(F.col("run_id") == self._request.run_id)

    def commit(self, result: WaveResult, *, aside: list[Row], started: datetime) -> Account:
        """Commit a wave: tiles, quarantine, products, and last ``runs``, which makes it exist.

        Args:
            result: The wave.
            aside: Rows of the plan that need no work (wave 0 carries them): there already, duplicate, refused.
            started: When the wave began.

        Raises:
            AccountError: What went in is not what came out.
        """
        account = account_of(result, aside=aside)
        wave, request = result.wave, self._request
        now = datetime.now(UTC)
        tables = {
            "tiles": (TILES, [t for w in result.products for t in _tiles(w, request=request, wave=wave)]),
            "quarantine": (QUARANTINE, self._quarantine(result, aside=aside, now=now)),
            "products": (PRODUCTS, [_product(w, request=request, wave=wave, now=now) for w in result.products if w.published]),
            "runs": (RUNS, [self._run(result, account, started=started, now=now)]),
        }
        if not account.balanced:
            msg = f"wave {wave} of run {request.run_id} does not balance: {account}; nothing of it was committed"
            raise AccountError(msg)
        for name, (schema, rows) in tables.items():
            self._tables.append(name, rows, schema=schema, run_id=request.run_id, wave=wave)
        return account

    def _quarantine(self, result: WaveResult, *, aside: list[Row], now: datetime) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        request = self._request
        for row in aside:
            if row["status"] == REFUSED:
                scene = name_of(row["scene_id"], row["href"])
                rows.append(
                    (request.run_id, result.wave, scene, row["href"], request.pipeline["name"], row["stage"],
                     row["error_class"], row["message"], 1, row["href"], now)
                )  # fmt: skip
        for work in result.products:
            if work.refusal is not None:
                rows.append(
                    (request.run_id, result.wave, work.row["scene_id"], work.row["href"], request.pipeline["name"],
                     work.refusal.stage, work.refusal.error_class, work.refusal.message, 1, work.row["href"], now)
                )  # fmt: skip
        return rows

    def _run(self, result: WaveResult, account: Account, *, started: datetime, now: datetime) -> tuple[Any, ...]:
        request = self._request
        cpu_s = sum(s.cpu_s for s in result.stages)
        return (
            request.run_id, result.wave, request.pipeline["name"], request.spec_digest, spec_of(request),
            account.scenes_in, account.made, account.skipped, account.quarantined, account.assets_in,
            account.assets_made, account.assets_skipped, account.assets_quarantined, account.balanced, cpu_s,
            started, now, __version__, request.site,
        )  # fmt: skip


def account_of(result: WaveResult, *, aside: list[Row]) -> Account:
    """Count a wave."""
    made = [w for w in result.products if w.published is not None]
    lost = [w for w in result.products if w.refusal is not None]
    skipped = [r for r in aside if r["status"] in {MADE, DUPLICATE}]
    refused = [r for r in aside if r["status"] == REFUSED]

    def assets(rows: list[Row]) -> int:
        return sum(r["assets"] or 0 for r in rows)

    return Account(
        scenes_in=len(result.products) + len(aside),
        made=len(made),
        skipped=len(skipped),
        quarantined=len(lost) + len(refused),
        assets_in=assets([w.row for w in result.products]) + assets(list(aside)),
        assets_made=sum(len(w.records) for w in made),
        assets_skipped=assets(skipped),
        assets_quarantined=assets([w.row for w in lost]) + assets(refused),
    )


def _tiles(work: ProductWork, *, request: RunRequest, wave: int) -> list[tuple[Any, ...]]:
    rows = []
    for answer in work.strips:
        for part in answer["parts"]:
            count, valid, clamped, minimum, maximum, total, squares = part["statistics"]
            rows.append(
                (request.run_id, wave, work.row["product_id"], part["asset"], part["strip"], count, valid, clamped,
                 minimum, maximum, total, squares, part["bytes"], answer["seconds"], answer["peak_mb"])
            )  # fmt: skip
    return rows


def _product(work: ProductWork, *, request: RunRequest, wave: int, now: datetime) -> tuple[Any, ...]:
    row, published = work.row, work.published or {}
    scene = Scene.from_json(row["scene"])
    models = {r["model"]["digest"]: r["model"] for r in work.records if r.get("model")}
    assets = [
        (r["name"], r["layer"], r["href"], r["key"], r["bytes"], r["digest"], (r.get("model") or {}).get("digest"))
        for r in work.records
    ]
    return (
        row["product_id"], row["product_key"], row["scene_id"], row["scene_digest"], request.pipeline["name"],
        request.pipeline.get("version", 1), published["collection"], published["item"], published["bbox"], scene.acquired,
        scene.platform, assets, json.dumps(work.records, sort_keys=True), published["pictures"],
        [(m["name"], m["version"], m["digest"]) for m in models.values()], published["left_out"],
        json.dumps(published["facts"], sort_keys=True), __version__, request.run_id, wave, request.site, now,
    )  # fmt: skip
