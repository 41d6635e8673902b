"""What a run of composites leaves in the ledger, wave by wave: as a run of scenes does, and a row for each source."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time

from swath import __version__
from swath.account import Account, Count
from swath.composites.plan import LeftOut, Skipped
from swath.composites.request import CompositeRequest
from swath.composites.work import CompositeWork
from swath.errors import AccountError
from swath.ledger.rows import TableRow, asset_rows, counts_of, row_of, source_rows
from swath.ledger.schemas import PRODUCTS, QUARANTINE, RUNS, SOURCES, TILES
from swath.ledger.standing import standing_attempts
from swath.ledger.tables import Tables
from swath.plain import digest_of
from swath.product import AssetRecord
from swath.runs.origin import RunOrigin
from swath.runs.work import Refusal
from swath.statistics import SUMS


def account_of(works: Sequence[CompositeWork], *, skipped: Sequence[Skipped], left_out: int) -> Account:
    """Count a wave: composites and items that are no source, assets, and each pair of a source and a composite.

    Args:
        works: Works of the wave.
        skipped: Composites that already existed.
        left_out: Number of items that are no source.
    """
    made = [w for w in works if w.published is not None]
    lost = [w for w in works if w.refusal is not None]
    beside = Count(taken_in=len(skipped) + left_out, skipped=len(skipped), quarantined=left_out)
    there, sources = sum(c.assets for c in skipped), sum(c.sources for c in skipped)
    edges = Count(taken_in=sources + left_out, skipped=sources, quarantined=left_out)
    return Account(
        scenes=Count.of(w.fate for w in works) + beside,
        edges=sum((w.edges for w in works), edges),
        assets=Count(
            taken_in=sum(len(w.composite.layers) for w in works) + there,
            made=sum(len(w.records) for w in made),
            skipped=there,
            quarantined=sum(len(w.composite.layers) for w in lost),
        ),
    )


class CompositeLedger:
    """Commits waves.

    Args:
        tables: Tables of the output.
        request: The run that writes.
    """

    def __init__(self, tables: Tables, *, request: CompositeRequest) -> None:
        self._tables, self._request, self._origin = tables, request, request.origin

    def waves(self) -> set[int]:
        """Waves of this run that are committed."""
        where = {"run_id": [self._request.run_id]}
        rows = self._tables.read("runs", RUNS, columns=["wave", "attempt"], where=where).collect()
        self._origin = self._request.origin.again(max((row["attempt"] or 1 for row in rows), default=0))
        return {row["wave"] for row in rows}

    @property
    def origin(self) -> RunOrigin:
        """Origin of this execution; its attempt is known once ``waves`` was asked."""
        return self._origin

    def commit(
        self, wave: int, works: Sequence[CompositeWork], *, account: Account, left_out: Sequence[LeftOut], started: datetime
    ) -> None:
        """Commit a wave; last ``runs``, which makes it exist.

        Raises:
            AccountError: The composites taken in and those accounted for differ.
        """
        request, now = self._request, datetime.now(UTC)
        if not account.balanced:
            msg = f"wave {wave} of run {request.run_id} does not balance: {account}; nothing of it was committed"
            raise AccountError(msg)
        made = [w for w in works if w.published is not None]
        tables = {
            "tiles": (TILES, [t for w in made for t in self._tiles(w, wave=wave)]),
            "sources": (SOURCES, [s for w in made for s in self._sources(w, wave=wave)]),
            "quarantine": (QUARANTINE, self._quarantine(works, left_out=left_out, wave=wave, now=now)),
            "products": (PRODUCTS, [self._product(w, wave=wave, now=now) for w in made]),
            "runs": (RUNS, [self._run(account, wave=wave, started=started, now=now)]),
        }
        for name, (schema, rows) in tables.items():
            self._tables.append(name, rows, schema=schema, run_id=request.run_id, wave=wave)

    def _tiles(self, work: CompositeWork, *, wave: int) -> list[TableRow]:
        run_id, product_id = self._request.run_id, work.composite.product_id
        return [
            row_of(
                TILES, run_id=run_id, wave=wave, product_id=product_id, asset=part["asset"], strip=part["strip"],
                **dict(zip(SUMS, part["statistics"], strict=True)), bytes=part["bytes"], seconds=answer["seconds"],
                peak_mb=answer["peak_mb"],
            )
            for answer in work.strips
            for part in answer["parts"]
        ]  # fmt: skip

    def _sources(self, work: CompositeWork, *, wave: int) -> list[TableRow]:
        name, key = work.composite.product_id, work.composite.product_key
        return source_rows(work.sources, product_id=name, product_key=key, run_id=self._request.run_id, wave=wave)

    def _quarantine(
        self, works: Sequence[CompositeWork], *, left_out: Sequence[LeftOut], wave: int, now: datetime
    ) -> list[TableRow]:
        refused = [(item.scene_id or item.href, item.href, item.refusal) for item in left_out]
        for work in works:
            for number, (error_class, message) in work.without.items():
                source = work.composite.sources[number]
                why = Refusal(stage="process", error_class=error_class, message=message)
                refused.append((source.scene_id, source.source_href, why))
            if work.refusal is not None:
                refused.append((work.composite.identity.subject, work.composite.product_id, work.refusal))
        if not refused:
            return []
        pipeline = self._request.recipe.name
        tried = standing_attempts(self._tables, pipeline=pipeline)
        return [
            row_of(
                QUARANTINE, run_id=self._request.run_id, wave=wave, scene_id=name, href=href, pipeline=pipeline,
                stage=why.stage, error_class=why.error_class, message=why.message, attempts=tried.get(href, 0) + 1,
                retry=href, at=now,
            )
            for name, href, why in refused
        ]  # fmt: skip

    def _product(self, work: CompositeWork, *, wave: int, now: datetime) -> TableRow:
        composite, request, published = work.composite, self._request, work.published or {}
        facts = {"sources": len(composite.sources), "tile": composite.tile, "period": composite.period.name}
        return row_of(
            PRODUCTS,
            product_id=composite.product_id,
            product_key=composite.product_key,
            scene_id=composite.identity.subject,
            scene_digest=composite.stack_digest,
            pipeline=request.recipe.name,
            pipeline_version=request.recipe.version,
            collection=composite.collection,
            item=published["item"],
            bbox=published["bbox"],
            acquired=datetime.combine(composite.period.start, time(), tzinfo=UTC),
            platform="",
            assets=asset_rows(AssetRecord.from_plain(r) for r in work.records),
            records=json.dumps(work.records, sort_keys=True),
            pictures=published["pictures"],
            models=[],
            left_out={s.scene_id: s.left_out for s in work.sources if not s.used},
            facts=json.dumps(facts, sort_keys=True),
            code=__version__,
            run_id=request.run_id,
            wave=wave,
            site=request.site,
            made=now,
        )

    def _run(self, account: Account, *, wave: int, started: datetime, now: datetime) -> TableRow:
        request = self._request
        return row_of(
            RUNS, run_id=request.run_id, wave=wave, pipeline=request.recipe.name, spec_digest=digest_of(request.spec),
            spec=json.dumps(request.spec, sort_keys=True), **counts_of(account), cpu_s=0.0, started=started, ended=now,
            code=__version__, site=request.site, **self._origin.columns(),
        )  # fmt: skip
