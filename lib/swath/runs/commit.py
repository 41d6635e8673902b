"""What a run leaves in Delta: rows of a wave, committed in the order that makes a half-committed wave harmless."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, Row

from swath import __version__
from swath.engine.messages import Published
from swath.errors import AccountError
from swath.ledger.schemas import BEGAN, PRODUCTS, QUARANTINE, RUNS, TILES
from swath.ledger.standing import standing_attempts
from swath.ledger.tables import Tables
from swath.runs.ingest import name_of
from swath.runs.plan import Aside, spec_of
from swath.runs.request import RunRequest
from swath.runs.resumed import Standing, standing
from swath.runs.work import ProductWork, Refusal, WaveResult


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
        tables: Tables of the output.
        request: The run that writes.
    """

    def __init__(self, tables: Tables, *, request: RunRequest) -> None:
        self._tables = tables
        self._request = request
        self._stands: dict[int, Standing] = {}
        # A wave is planned while another is committed, and tables keep what they have read.
        self._one = threading.Lock()

    def waves(self) -> set[int]:
        """Waves of this run that are committed."""
        few = self._tables.small("runs", RUNS, columns=["run_id", "wave"])
        if few is not None:
            return {row["wave"] for row in few if row["run_id"] == self._request.run_id} - {BEGAN}
        rows = self._tables.read("runs", RUNS, columns=["wave"], where={"run_id": [self._request.run_id]}).collect()
        return {row["wave"] for row in rows} - {BEGAN}

    def begin(self, started: datetime) -> None:
        """Note that the run began: whatever becomes of it, ``runs`` names it. A run that begins again has its row.

        Args:
            started: When it did.
        """
        request = self._request
        counts = (0,) * len(Account.__dataclass_fields__)
        row = (
            request.run_id, BEGAN, request.pipeline["name"], request.spec_digest, spec_of(request), *counts, True, 0.0,
            started, started, __version__, request.site,
        )  # fmt: skip
        self._tables.append("runs", [row], schema=RUNS, run_id=f"{request.run_id}+began", wave=0)

    def look_back(self, waves: set[int]) -> None:
        """Find what an earlier execution of the run committed of its waves.

        Args:
            waves: Those that exist.
        """
        self._stands = standing(self.of_run("products"), self.of_run("quarantine"), waves=waves)

    def standing(self, wave: int) -> Standing:
        """State of a wave that does not exist."""
        return self._stands.get(wave, Standing())

    def of_run(self, table: str) -> DataFrame:
        """Rows of this run."""
        schema = {"products": PRODUCTS, "quarantine": QUARANTINE, "runs": RUNS, "tiles": TILES}[table]
        return self._tables.read(table, schema, where={"run_id": [self._request.run_id]})

    def versions(self, product_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Every version of some products, newest first."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        columns = ["product_id", "item", "records", "pictures", "made"]
        with self._one:
            if not product_ids or not self._tables.exists("products"):
                return found
            few = self._tables.small("products", PRODUCTS, columns=columns)
            if few is None:
                rows = self._tables.read("products", PRODUCTS, columns=columns, where={"product_id": product_ids})
                few = [row.asDict() for row in rows.collect()]
        wanted = set(product_ids)
        for row in sorted((r for r in few if r["product_id"] in wanted), key=lambda r: r["made"], reverse=True):
            found.setdefault(row["product_id"], []).append(row)
        return found

    def commit(self, result: WaveResult, *, aside: Aside, started: datetime) -> Account:
        """Commit a wave: tiles, quarantine, products, and last ``runs``, which makes it exist.

        Args:
            result: The wave.
            aside: What of the plan needs no work; wave 0 carries it.
            started: When the wave began.

        Raises:
            AccountError: What went in is not what came out.
        """
        with self._one:
            return self._committed(result, aside=aside, started=started)

    def _committed(self, result: WaveResult, *, aside: Aside, started: datetime) -> Account:
        account = account_of(result, aside=aside)
        wave, request = result.wave, self._request
        now = datetime.now(UTC)
        stands = self.standing(wave)
        made = [(w, w.published) for w in result.products if w.published and w.row["product_id"] not in stands.products]
        tables = {
            "tiles": (TILES, [t for w in result.products for t in _tiles(w, request=request, wave=wave)]),
            "quarantine": (QUARANTINE, self._quarantine(result, aside=aside, now=now)),
            "products": (PRODUCTS, [_product(w, p, request=request, wave=wave, now=now) for w, p in made]),
            "runs": (RUNS, [self._run(result, account, started=started, now=now)]),
        }
        if not account.balanced:
            msg = f"wave {wave} of run {request.run_id} does not balance: {account}; nothing of it was committed"
            raise AccountError(msg)
        before = {"quarantine": len(stands.quarantine), "products": len(stands.products)}
        for name, (schema, rows) in tables.items():
            # More rows for a table that has some of this wave are a transaction of their own, repeated without effect too.
            run_id = f"{request.run_id}+{before[name]}" if before.get(name) else request.run_id
            self._tables.append(name, rows, schema=schema, run_id=run_id, wave=wave)
        return account

    def _quarantine(self, result: WaveResult, *, aside: Aside, now: datetime) -> list[tuple[Any, ...]]:
        refused = [(r, Refusal.of_row(r)) for r in aside.refused_rows()]
        refused += [(w.row, w.refusal) for w in result.products if w.refusal is not None]
        refused = [(r, why) for r, why in refused if r["href"] not in self.standing(result.wave).quarantine]
        if not refused:
            return []
        tried = standing_attempts(self._tables, pipeline=self._request.pipeline["name"])
        return [self._refused(r, why, wave=result.wave, attempts=tried.get(r["href"], 0) + 1, now=now) for r, why in refused]

    def _refused(self, row: Row, why: Refusal, *, wave: int, attempts: int, now: datetime) -> tuple[Any, ...]:
        request, href = self._request, row["href"]
        return (
            request.run_id, wave, name_of(row["scene_id"], href, stage=why.stage), href, request.pipeline["name"],
            why.stage, why.error_class, why.message, attempts, href, now,
        )  # fmt: skip

    def _run(self, result: WaveResult, account: Account, *, started: datetime, now: datetime) -> tuple[Any, ...]:
        request = self._request
        cpu_s = sum(s.cpu_s for s in result.stages)
        return (
            request.run_id, result.wave, request.pipeline["name"], request.spec_digest, spec_of(request),
            account.scenes_in, account.made, account.skipped, account.quarantined, account.assets_in,
            account.assets_made, account.assets_skipped, account.assets_quarantined, account.balanced, cpu_s,
            started, now, __version__, request.site,
        )  # fmt: skip


def account_of(result: WaveResult, *, aside: Aside) -> Account:
    """Count a wave."""
    made = [w for w in result.products if w.published is not None]
    lost = [w for w in result.products if w.refusal is not None]
    linked = sum(len(w.linked) for w in made)
    return Account(
        scenes_in=len(result.products) + aside.skipped + aside.refused,
        made=len(made),
        skipped=aside.skipped,
        quarantined=len(lost) + aside.refused,
        assets_in=sum(w.row["assets"] for w in result.products) + aside.assets_skipped + aside.assets_refused,
        assets_made=sum(len(w.records) for w in made) - linked,
        assets_skipped=linked + aside.assets_skipped,
        assets_quarantined=sum(w.row["assets"] for w in lost) + aside.assets_refused,
    )


def _tiles(work: ProductWork, *, request: RunRequest, wave: int) -> list[tuple[Any, ...]]:
    return [
        (request.run_id, wave, work.row["product_id"], tile.asset, tile.strip, *tile.sums, tile.bytes, dict(seconds), peak_mb)
        for tile, seconds, peak_mb in work.tiles
    ]


def _product(work: ProductWork, published: Published, *, request: RunRequest, wave: int, now: datetime) -> tuple[Any, ...]:
    row, acquired = work.row, datetime.fromisoformat(published.acquired)
    models = {r.model.digest: r.model for r in work.records if r.model is not None}
    assets = [
        (r.name, r.layer, r.href, r.key, r.bytes, r.digest, r.model.digest if r.model is not None else None) for r in work.records
    ]
    return (
        row["product_id"], row["product_key"], row["scene_id"], row["scene_digest"], request.pipeline["name"],
        request.pipeline.get("version", 1), published.collection, published.item, published.bbox, acquired,
        published.platform, assets, work.ledger, published.pictures,
        [(m.name, m.version, m.digest) for m in models.values()], published.left_out,
        json.dumps(published.facts, sort_keys=True), __version__, request.run_id, wave, request.site, now,
    )  # fmt: skip
