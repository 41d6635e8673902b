"""Tombstones as files of the output, beside the ledger: a ledger that is lost does not take along what was removed.

``removed/<run_id>.<number>.ndjson.gz`` has a line for each version. It is written after the rows of its batch and before
the first file of them goes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from swath.errors import ConfigError
from swath.ledger.removed import TABLE, Version, version_of
from swath.ledger.rows import TableRow
from swath.ledger.schemas import TOMBSTONES
from swath.ledger.tables import Tables
from swath.ndjson import packed, unpacked
from swath.stores.base import Store

FOLDER: Final = "removed"
_ENDING: Final = ".ndjson.gz"
_MOMENTS: Final = ("acquired", "made", "removed")


def write_removed(store: Store, rows: Iterable[TableRow], *, run_id: str, number: int) -> None:
    """Write tombstones beside the ledger; the same batch again replaces its file.

    Args:
        store: The output.
        rows: Rows of ``tombstones``.
        run_id: The execution that removes.
        number: Number of the batch in it.
    """
    lines = [_line(dict(zip(TOMBSTONES.names, row, strict=True))) for row in rows]
    if lines:
        store.write(f"{FOLDER}/{run_id}.{number:05d}{_ENDING}", packed(lines))


def write_all_removed(tables: Tables, store: Store, *, run_id: str) -> None:
    """Write the tombstones of a ledger that has no such file yet: of an earlier version, or interrupted before its first one.

    Args:
        tables: Tables of the output.
        store: The output.
        run_id: The execution.
    """
    if tables.exists(TABLE) and not has_removed(store):
        few = tables.small(TABLE, TOMBSTONES, columns=TOMBSTONES.names)
        rows: Iterable[Any] = tables.read(TABLE, TOMBSTONES).toLocalIterator() if few is None else few
        write_removed(store, (tuple(row[n] for n in TOMBSTONES.names) for row in rows), run_id=f"{run_id}.all", number=0)


def has_removed(store: Store) -> bool:
    """Whether something was removed by retention, whatever the ledger knows of it."""
    return any(path.endswith(_ENDING) for path in store.list(FOLDER))


def told_removed(store: Store) -> Iterator[TableRow]:
    """Rows of ``tombstones`` that the files hold, each version once, as it was written first.

    Raises:
        ConfigError: A file cannot be read: then nobody knows what must not come back.
    """
    found: dict[Version, dict[str, Any]] = {}
    for path in store.list(FOLDER):
        if path.endswith(_ENDING):
            for row in _read(store.read(path) or b"", path=path):
                known = found.setdefault(version_of(row), row)
                if row["removed"] < known["removed"]:
                    found[version_of(row)] = row
    return (tuple(row[n] for n in TOMBSTONES.names) for row in found.values())


def told_versions(store: Store) -> set[Version]:
    """Versions of which the files hold a tombstone.

    Args:
        store: The output.

    Raises:
        ConfigError: A file cannot be read.
    """
    return {version_of(dict(zip(TOMBSTONES.names, row, strict=True))) for row in told_removed(store)}


def restore_removed(tables: Tables, store: Store, *, run_id: str) -> int:
    """Record tombstones that the files hold and the ledger lacks; how many.

    Args:
        tables: Tables of the output.
        store: The output.
        run_id: Names this in the ledger.

    Raises:
        ConfigError: A file cannot be read.
    """
    told = list(told_removed(store))
    known = _known(tables) if told else set()
    rows = [row for row in told if version_of(dict(zip(TOMBSTONES.names, row, strict=True))) not in known]
    if rows:
        tables.append(TABLE, rows, schema=TOMBSTONES, run_id=f"{run_id}+removed", wave=0)
    return len(rows)


def _known(tables: Tables) -> set[Version]:
    columns = ["product_id", "product_key", "made"]
    few: Sequence[Any] | None = tables.small(TABLE, TOMBSTONES, columns=columns) if tables.exists(TABLE) else []
    if few is None:
        few = tables.read(TABLE, TOMBSTONES, columns=columns).collect()
    return {version_of(row) for row in few}


def _line(row: Mapping[str, Any]) -> str:
    # Spark hands naive moments of the driver's zone to Python
    plain = {n: v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for n, v in row.items()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def _read(data: bytes, *, path: str) -> list[dict[str, Any]]:
    try:
        if not data:
            raise ValueError("it is empty")  # noqa: TRY301  one message for everything that is none
        return [{n: datetime.fromisoformat(r[n]) if n in _MOMENTS else r[n] for n in TOMBSTONES.names} for r in unpacked(data)]
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path} holds no tombstones ({error}): restore it, or delete it if what it names may be made again"
        raise ConfigError(msg) from error
