"""What a run of composites leaves in the ledger, wave by wave: as a run of scenes does, and a row for each source."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from swath import __version__
from swath.composites.plan import LeftOut
from swath.composites.request import CompositeRequest
from swath.composites.work import CompositeWork
from swath.engine.keys import digest_of
from swath.errors import AccountError
from swath.ledger.schemas import PRODUCTS, QUARANTINE, RUNS, SOURCES, TILES
from swath.ledger.tables import Tables
from swath.runs.commit import Account

#: Rows of the quarantine without a pipeline are not retried scene by scene: the next run reads every item anew.
_NO_PIPELINE = ""
Rows = list[tuple[Any, ...]]


def account_of(works: Sequence[CompositeWork], *, skipped: Sequence[int], left_out: int) -> Account:
    """Count a wave: composites, their assets, and items that are no source.

    Args:
        works: Works of the wave.
        skipped: Assets of each composite that was there already.
        left_out: Items that are no source.
    """
    made = [w for w in works if w.published is not None]
    lost = [w for w in works if w.refusal is not None]
    assets = sum(len(w.composite.layers) for w in works) + sum(skipped)
    return Account(
        scenes_in=len(works) + len(skipped) + left_out,
        made=len(made),
        skipped=len(skipped),
        quarantined=len(lost) + left_out,
        assets_in=assets,
        assets_made=sum(len(w.records) for w in made),
        assets_skipped=sum(skipped),
        assets_quarantined=sum(len(w.composite.layers) for w in lost),
    )


class CompositeLedger:
    """Commits waves.

    Args:
        tables: Tables of the output.
        request: The run that writes.
    """

    def __init__(self, tables: Tables, *, request: CompositeRequest) -> None:
        self._tables, self._request = tables, request

    def waves(self) -> set[int]:
        """Waves of this run that are committed."""
        rows = self._tables.read("runs", RUNS, columns=["wave"], where={"run_id": [self._request.run_id]}).collect()
        return {row["wave"] for row in rows}

    def commit(
        self, wave: int, works: Sequence[CompositeWork], *, account: Account, left_out: Sequence[LeftOut], started: datetime
    ) -> None:
        """Commit a wave; last ``runs``, which makes it exist.

        Raises:
            AccountError: What went in is not what came out.
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

    def _tiles(self, work: CompositeWork, *, wave: int) -> Rows:
        found: Rows = []
        for answer in work.strips:
            for part in answer["parts"]:
                found.append(
                    (self._request.run_id, wave, work.composite.product_id, part["asset"], part["strip"], *part["statistics"],
                     part["bytes"], answer["seconds"], answer["peak_mb"])
                )  # fmt: skip
        return found

    def _sources(self, work: CompositeWork, *, wave: int) -> Rows:
        composite, run_id = work.composite, self._request.run_id
        key = composite.product_key
        return [
            (run_id, wave, composite.product_id, key, n, source.scene_id, source.source_href, source.acquired,
             n not in work.without, work.without.get(n, ("", ""))[1])
            for n, source in enumerate(composite.sources)
        ]  # fmt: skip

    def _quarantine(self, works: Sequence[CompositeWork], *, left_out: Sequence[LeftOut], wave: int, now: datetime) -> Rows:
        run_id = self._request.run_id
        found: Rows = [
            (run_id, wave, item.scene_id or item.href, item.href, _NO_PIPELINE, "ingest", item.error_class, item.message, 1,
             item.href, now)
            for item in left_out
        ]  # fmt: skip
        for work in works:
            for number, (error_class, message) in work.without.items():
                source = work.composite.sources[number]
                href = source.source_href
                found.append(
                    (run_id, wave, source.scene_id, href, _NO_PIPELINE, "process", error_class, message, 1, href, now)
                )  # fmt: skip
            if work.refusal is not None:
                name, why = work.composite.product_id, work.refusal
                found.append(
                    (run_id, wave, name, name, _NO_PIPELINE, why.stage, why.error_class, why.message, 1, name, now)
                )  # fmt: skip
        return found

    def _product(self, work: CompositeWork, *, wave: int, now: datetime) -> tuple[Any, ...]:
        composite, request, published = work.composite, self._request, work.published or {}
        assets = [(r["name"], r["layer"], r["href"], r["key"], r["bytes"], r["digest"], None) for r in work.records]
        start = datetime.combine(composite.period.start, time(), tzinfo=UTC)
        left_out = {composite.sources[n].scene_id: why[1] for n, why in work.without.items()}
        facts = {"sources": len(composite.sources), "tile": composite.tile, "period": composite.period.name}
        return (
            composite.product_id, composite.product_key, f"{composite.tile}_{composite.period.name}", composite.stack_digest,
            request.recipe.name, request.recipe.version, composite.collection, published["item"], published["bbox"], start, "",
            assets, json.dumps(work.records, sort_keys=True), published["pictures"], [], left_out,
            json.dumps(facts, sort_keys=True), __version__, request.run_id, wave, request.site, now,
        )  # fmt: skip

    def _run(self, account: Account, *, wave: int, started: datetime, now: datetime) -> tuple[Any, ...]:
        request = self._request
        return (
            request.run_id, wave, request.recipe.name, digest_of(request.spec), json.dumps(request.spec, sort_keys=True),
            account.scenes_in, account.made, account.skipped, account.quarantined, account.assets_in, account.assets_made,
            account.assets_skipped, account.assets_quarantined, account.balanced, 0.0, started, now, __version__, request.site,
        )  # fmt: skip
