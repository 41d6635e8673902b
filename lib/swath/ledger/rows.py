"""Rows of the tables, made by the names of their columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pyspark.sql.types import StructType

from swath.account import Account, Count
from swath.ledger.schemas import ASSET, MODEL, SOURCES
from swath.product import AssetRecord, ModelRef
from swath.source_ref import SourceRef

TableRow = tuple[Any, ...]
#: Columns of ``RUNS`` by the count that they hold, in the order taken in, made, skipped, quarantined.
_COUNTS: Final = {
    "scenes": ("scenes_in", "made", "skipped", "quarantined"),
    "assets": ("assets_in", "assets_made", "assets_skipped", "assets_quarantined"),
}
#: Names of these columns.
COUNTED: Final = tuple(name for names in _COUNTS.values() for name in names)


def row_of(schema: StructType, **values: Any) -> TableRow:
    """A row of a table, in the order of its columns.

    Args:
        schema: Schema of the table.
        values: A value for each column, by name.

    Raises:
        ValueError: A column has no value, or a value no column.
    """
    if set(values) != set(schema.names):
        missing, unknown = sorted(set(schema.names) - set(values)), sorted(set(values) - set(schema.names))
        msg = f"a row needs a value for each column: missing {missing}, unknown {unknown}"
        raise ValueError(msg)
    return tuple(values[name] for name in schema.names)


def asset_rows(records: Iterable[AssetRecord]) -> list[TableRow]:
    """Values of ``products.assets``."""
    return [
        row_of(
            ASSET, name=r.name, layer=r.layer, href=r.href, key=r.key, bytes=r.bytes, digest=r.digest,
            model_digest=r.model.digest if r.model is not None else None,
        )
        for r in records
    ]  # fmt: skip


def model_rows(models: Iterable[ModelRef]) -> list[TableRow]:
    """Values of ``products.models``, each model once, by digest."""
    return [row_of(MODEL, name=m.name, version=m.version, digest=m.digest) for m in {m.digest: m for m in models}.values()]


def source_rows(sources: Sequence[SourceRef], *, product_id: str, product_key: str, run_id: str, wave: int) -> list[TableRow]:
    """Rows of ``sources`` for a product of many.

    Args:
        sources: Sources of the product, in its order.
        product_id: Id of the product.
        product_key: Key of the product.
        run_id: Id of the run.
        wave: Number of the wave.
    """
    return [
        row_of(
            SOURCES, run_id=run_id, wave=wave, product_id=product_id, product_key=product_key, n=n, scene_id=s.scene_id,
            href=s.href, acquired=s.acquired, used=s.used, message=s.left_out,
        )
        for n, s in enumerate(sources)
    ]  # fmt: skip


def counts_of(account: Account) -> dict[str, Any]:
    """The columns of ``RUNS`` that an account fills."""
    counts = {
        name: getattr(getattr(account, kind), field)
        for kind, names in _COUNTS.items()
        for name, field in zip(names, Count.__dataclass_fields__, strict=True)
    }
    return {**counts, "balanced": account.balanced}


def account_in(sums: Mapping[str, Any]) -> Account:
    """The account that sums of the columns of ``RUNS`` tell; ``RUNS`` counts no edges, so each scene is one.

    Args:
        sums: A sum by each name of ``COUNTED``; None counts as 0.
    """
    scenes, assets = (_count(sums, names) for names in _COUNTS.values())
    return Account(scenes=scenes, assets=assets, edges=scenes)


def _count(sums: Mapping[str, Any], names: Sequence[str]) -> Count:
    return Count(**{field: int(sums[n] or 0) for field, n in zip(Count.__dataclass_fields__, names, strict=True)})
