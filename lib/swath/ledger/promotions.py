"""Which version an alias meant when, and why: a Delta table beside a registry, which only ever grows."""

from collections.abc import Mapping
from typing import Any

from swath.errors import ConfigError
from swath.ledger.delta import DeltaTables
from swath.ledger.rows import row_of
from swath.ledger.schemas import PROMOTIONS
from swath.stores.base import Store

TABLE = "promotions"


def append_promotion(store: Store, row: Mapping[str, Any]) -> None:
    """Append one promotion.

    Args:
        store: Folder of the registry.
        row: Values by column of ``PROMOTIONS``.
    """
    # Two promotions of one moment have different versions or aliases: the name is that of one transaction.
    name = f"{row['name']}-{row['version']}-{row['alias']}-{row['at'].isoformat()}"
    DeltaTables(None, store).append(TABLE, [row_of(PROMOTIONS, **row)], schema=PROMOTIONS, run_id=name, wave=0)


def read_promotions(store: Store, *, name: str = "") -> list[dict[str, Any]]:
    """All promotions, of one model or of all, oldest first.

    Raises:
        ConfigError: The table is not one that swath wrote.
    """
    rows = DeltaTables(None, store).small(TABLE, PROMOTIONS, columns=PROMOTIONS.names)
    if rows is None:
        msg = f"{store.root}: its table of promotions has features of Delta that swath does not write; read it with Spark"
        raise ConfigError(msg)
    return sorted((r for r in rows if name in ("", r["name"])), key=lambda r: r["at"])
