"""What a run leaves in Delta: rows of a wave, committed in the order that makes a half-committed wave harmless."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row

from swath import __version__
from swath.account import Account, Count, Fate
from swath.engine.scene_tiles import split_href
from swath.errors import AccountError
from swath.ledger.rows import TableRow, asset_rows, counts_of, model_rows, row_of
from swath.ledger.schemas import BEGAN, PRODUCTS, QUARANTINE, RUNS, TILES
from swath.ledger.standing import standing_attempts
from swath.ledger.tables import AppendedRows, Tables
from swath.runs.ingest import name_of_row
from swath.runs.origin import RunOrigin
from swath.runs.plan import Aside, spec_of
from swath.runs.request import RunRequest
from swath.runs.resumed import Standing, standing
from swath.runs.work import Finished, ProductWork, Refusal, WaveResult
from swath.statistics import SUMS

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

#: Products whose versions are in memory at once, as text: some 50 kB each.
_AT_ONCE = 1024


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
        self._origin = request.origin
        # A wave is planned while another is committed, and tables keep what they have read.
        self._one = threading.Lock()

    def waves(self) -> set[int]:
        """Waves of this run that are committed."""
        rows: Sequence[Any] | None = self._tables.small("runs", RUNS, columns=["run_id", "wave", "attempt"])
        if rows is None:
            where = {"run_id": [self._request.run_id]}
            rows = self._tables.read("runs", RUNS, columns=["run_id", "wave", "attempt"], where=where).collect()
        own = [row for row in rows if row["run_id"] == self._request.run_id]
        # Rows of earlier versions of swath do not tell their attempt.
        self._origin = self._request.origin.again(max((row["attempt"] or 1 for row in own), default=0))
        return {row["wave"] for row in own} - {BEGAN}

    @property
    def origin(self) -> RunOrigin:
        """Origin of this execution; its attempt is known once ``waves`` was asked."""
        return self._origin

    def begin(self, started: datetime) -> None:
        """Note that the run began, or began again: whatever becomes of it, ``runs`` names it.

        Args:
            started: Start of the wave.
        """
        row = self._run(Account(), wave=BEGAN, cpu_s=0.0, started=started, ended=started)
        attempt = self._origin.attempt or 1
        self._tables.append("runs", [row], schema=RUNS, run_id=f"{self._request.run_id}+began", wave=attempt - 1)

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

    def find_versions(self, works: Sequence[ProductWork]) -> None:
        """Give works the versions of their products that the ledger knows, newest first."""
        for begin in range(0, len(works), _AT_ONCE):
            some = works[begin : begin + _AT_ONCE]
            found = self._versions([w.row["product_id"] for w in some])
            for work in some:
                work.know(found.get(work.row["product_id"], ()))

    def _versions(self, product_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
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
            aside: Rows of the plan that need no work; wave 0 carries them.
            started: Start of the wave.

        Raises:
            AccountError: The scenes taken in and those accounted for differ.
        """
        with self._one:
            return self._committed(result, aside=aside, started=started)

    def _committed(self, result: WaveResult, *, aside: Aside, started: datetime) -> Account:
        account = account_of(result, aside=aside)
        wave, request = result.wave, self._request
        now = datetime.now(UTC)
        stands = self.standing(wave)
        made = [w for w in result.products if w.made is not None and w.row["product_id"] not in stands.products]
        counted = [w for w in result.products if w.made is not None or w.tiles]

        # Rows are made as they are written: those of a wide wave are hundreds of megabytes.
        def tiles() -> Iterator[TableRow]:
            return (t for w in counted for t in _tiles(w, request=request, wave=wave))

        def products() -> Iterator[TableRow]:
            return (_product(w, f, request=request, wave=wave, now=now) for w, f in _finished(made))

        tables: dict[str, tuple[StructType, AppendedRows]] = {
            "tiles": (TILES, tiles if counted else []),
            "quarantine": (QUARANTINE, self._quarantine(result, aside=aside, now=now)),
            "products": (PRODUCTS, products if made else []),
            "runs": (
                RUNS,
                [self._run(account, wave=wave, cpu_s=sum(s.cpu_s for s in result.stages), started=started, ended=now)],
            ),
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

    def _quarantine(self, result: WaveResult, *, aside: Aside, now: datetime) -> list[TableRow]:
        refused = [(r, Refusal.of_row(r)) for r in aside.refused_rows()]
        refused += [(w.row, w.refusal) for w in result.products if w.refusal is not None]
        refused = [(r, why) for r, why in refused if r["href"] not in self.standing(result.wave).quarantine]
        if not refused:
            return []
        tried = standing_attempts(self._tables, pipeline=self._request.pipeline["name"])
        return [self._refused(r, why, wave=result.wave, attempts=tried.get(r["href"], 0) + 1, now=now) for r, why in refused]

    def _refused(self, row: Row, why: Refusal, *, wave: int, attempts: int, now: datetime) -> TableRow:
        request, href = self._request, row["href"]
        return row_of(
            QUARANTINE, run_id=request.run_id, wave=wave, scene_id=name_of_row(row, stage=why.stage), href=href,
            pipeline=request.pipeline["name"], stage=why.stage, error_class=why.error_class, message=why.message,
            attempts=attempts, retry=split_href(href)[0], at=now,
        )  # fmt: skip

    def _run(self, account: Account, *, wave: int, cpu_s: float, started: datetime, ended: datetime) -> TableRow:
        request = self._request
        return row_of(
            RUNS, run_id=request.run_id, wave=wave, pipeline=request.pipeline["name"], spec_digest=request.spec_digest,
            spec=spec_of(request), **counts_of(account), cpu_s=cpu_s, started=started, ended=ended, code=__version__,
            site=request.site, **self._origin.columns(),
        )  # fmt: skip


def account_of(result: WaveResult, *, aside: Aside) -> Account:
    """Count a wave: its scenes, the assets of their products, and each pair of a scene and a product."""
    works = result.products
    lost = [w for w in works if w.refusal is not None]
    made, linked = _assets_of(works)
    # A scene of several products has a row for each: all rows of one input share its number.
    fates: dict[int, Fate] = {}
    for work in works:
        number = work.row["n"]
        planned = Fate.QUARANTINED if number in result.partly_refused else work.fate
        fates[number] = max(work.fate, planned, fates.get(number, work.fate))
    beside = Count(taken_in=aside.skipped + aside.refused, skipped=aside.skipped, quarantined=aside.refused)
    skipped, refused = aside.edges or (aside.skipped, aside.refused)
    edges = Count(taken_in=skipped + refused, skipped=skipped, quarantined=refused)
    return Account(
        scenes=Count.of(fates.values()) + beside,
        edges=Count.of(w.fate for w in works) + edges,
        assets=Count(
            taken_in=sum(w.row["assets"] for w in works) + aside.assets_skipped + aside.assets_refused,
            made=made - linked,
            skipped=linked + aside.assets_skipped,
            quarantined=sum(w.row["assets"] for w in lost) + aside.assets_refused,
        ),
    )


def _finished(works: Iterable[ProductWork]) -> Iterator[tuple[ProductWork, Finished]]:
    """Works of which something was made, one opened at a time."""
    return ((w, f) for w in works if (f := w.finished()) is not None)


def _assets_of(works: Iterable[ProductWork]) -> tuple[int, int]:
    """Assets of all products, and those of them that were linked."""
    numbers = [(len(f.records), len(f.linked)) for _, f in _finished(works)]
    return sum(n for n, _ in numbers), sum(n for _, n in numbers)


def _tiles(work: ProductWork, *, request: RunRequest, wave: int) -> list[TableRow]:
    finished = work.finished()
    return [
        row_of(
            TILES, run_id=request.run_id, wave=wave, product_id=work.row["product_id"], asset=tile.asset, strip=tile.strip,
            **dict(zip(SUMS, tile.sums, strict=True)), bytes=tile.bytes, seconds=dict(seconds), peak_mb=peak_mb,
        )
        for tile, seconds, peak_mb in (work.tiles if finished is None else finished.tiles)
    ]  # fmt: skip


def _product(work: ProductWork, finished: Finished, *, request: RunRequest, wave: int, now: datetime) -> TableRow:
    row, published = work.row, finished.published
    return row_of(
        PRODUCTS,
        product_id=row["product_id"],
        product_key=row["product_key"],
        scene_id=row["scene_id"],
        scene_digest=row["scene_digest"],
        pipeline=request.pipeline["name"],
        pipeline_version=request.pipeline.get("version", 1),
        collection=published.collection,
        item=published.item,
        bbox=published.bbox,
        acquired=datetime.fromisoformat(published.acquired),
        platform=published.platform,
        assets=asset_rows(finished.records),
        records=finished.ledger,
        pictures=published.pictures,
        models=model_rows(r.model for r in finished.records if r.model is not None),
        left_out=published.left_out,
        facts=json.dumps(published.facts, sort_keys=True),
        code=__version__,
        run_id=request.run_id,
        wave=wave,
        site=request.site,
        made=now,
    )
