"""The log of a Delta table, read and written without Spark: a commit of a few rows costs milliseconds instead of jobs.

Only what every version of Delta knows is used (reader 1, writer 2): a table with more than that, or one that is large, is left
to Spark. See "Delta Transaction Log Protocol".
"""

import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

from swath import __version__
from swath.ledger import delta_checkpoint as checkpoints
from swath.ledger.growth import compatible, grown
from swath.stores.base import Store

Json = dict[str, Any]
_COMMIT = re.compile(r"(\d{20})\.json")
#: Delta's own default: a removed file may still be read for so long, so a checkpoint says that it was removed [ms].
_REMEMBERED_MS = 7 * 24 * 3_600_000
_READER, _WRITER = 1, 2
_TRIES = 100


class Exclusive(Protocol):
    """A store that can make a file once."""

    def put_if_absent(self, path: str, data: bytes) -> bool:
        """Make a file, visible whole or not at all; False when there is one."""
        ...


@dataclass(slots=True)
class DeltaLog:
    """What the log of one table says, as far as it was read.

    Args:
        store: Store of the table.
        folder: Folder of the table, relative to the store's root.
        version: Version of the latest commit; -1 without any.
        checkpoint: Version of the latest checkpoint; -1 without any.
        added: The table's files as the log added them, by path relative to its folder.
        removed: Files that were removed lately, likewise.
        applications: Latest transaction of each application.
        told: Latest ``protocol`` and ``metaData``.
        schema: Schema of the table, as Spark writes schemas.
        plain: Whether nothing in the log is beyond what is known here.
    """

    store: Store
    folder: str
    version: int = -1
    checkpoint: int = -1
    added: dict[str, Json] = field(default_factory=dict)
    removed: dict[str, Json] = field(default_factory=dict)
    applications: dict[str, Json] = field(default_factory=dict)
    told: dict[str, Json] = field(default_factory=dict)
    schema: Json | None = None
    plain: bool = True

    @classmethod
    def of(cls, store: Store, folder: str) -> "DeltaLog":
        """Read the log from its latest checkpoint to its end."""
        log = cls(store, folder)
        names = [path.rsplit("/", 1)[-1] for path in store.list(f"{folder}/_delta_log")]
        # Checkpoints of several files, or of the second kind.
        log.plain = not any(".checkpoint." in n and not checkpoints.NAME.fullmatch(n) and not n.startswith(".") for n in names)
        commits = [int(m[1]) for n in names if (m := _COMMIT.fullmatch(n))]
        log.checkpoint = max((int(m[1]) for n in names if (m := checkpoints.NAME.fullmatch(n))), default=-1)
        if log.checkpoint >= 0:
            log._read_checkpoint()
        elif commits:
            log.version = min(commits) - 1
            log.plain = log.plain and log.version < 0
        log.advance()
        return log

    @property
    def files(self) -> dict[str, int]:
        """Bytes of the table's files, by path relative to its folder."""
        return {path: add["size"] for path, add in self.added.items()}

    @property
    def transactions(self) -> dict[str, int]:
        """Latest version of each transaction application."""
        return {name: txn["version"] for name, txn in self.applications.items()}

    def advance(self) -> None:
        """Read the commits that came since."""
        while self._read_next():
            pass

    def _read_next(self) -> bool:
        """Read one commit more; False when there is none."""
        data = self.store.read(self.commit_path(self.version + 1))
        if data is None:
            return False
        self.version += 1
        self._apply(json.loads(line) for line in data.splitlines() if line)
        return True

    def commit_path(self, version: int) -> str:
        """Where a commit is."""
        return f"{self.folder}/_delta_log/{version:020d}.json"

    def append(self, add: Json | None, *, schema: Json, application: str, wave: int) -> bool:
        """Commit one new file, unless the transaction is in the log.

        Args:
            add: Path, size and statistics of the file; None commits no rows.
            schema: Schema of the rows; the table is created, or gets columns that it lacks.
            application: Transaction application.
            wave: Version.

        Returns:
            Whether this is the commit of the transaction.

        Raises:
            OSError: Others commit without end.
            ValueError: The table has become another one meanwhile.
        """
        store: Any = self.store
        keeper: Exclusive = store
        for _ in range(_TRIES):
            if self.has(application, wave=wave):
                return False
            if not self.fits(schema):
                msg = f"{self.folder} is of another kind since version {self.version}: run again"
                raise ValueError(msg)
            now = time.time_ns() // 1_000_000
            lines = [
                _info(now),
                *(_born(schema, now) if self.version < 0 else self._grown(schema)),
                *_added(add, now=now, application=application, wave=wave),
            ]
            if keeper.put_if_absent(self.commit_path(self.version + 1), _lines(lines)):
                taken = self.version + 1
                # What the store has of it now, not what was sent; commits of others are read before the next one.
                self._read_next()
                if self.version == taken and taken and taken % checkpoints.INTERVAL == 0:
                    self.write_checkpoint()
                return True
            self.advance()
        msg = f"{self.folder}: others took {_TRIES} versions in a row"
        raise OSError(msg)

    def replace(self, paths: Sequence[str], add: Json) -> bool:
        """Commit that one file holds the rows of others from now on.

        Args:
            paths: The files, of which all are in the log.
            add: Path, size and statistics of the file.

        Returns:
            Whether it was committed; not if another driver committed first.
        """
        store: Any = self.store
        keeper: Exclusive = store
        now = time.time_ns() // 1_000_000
        same = {"dataChange": False, "partitionValues": {}}
        gone = [{"path": self.added[p]["path"], "size": self.added[p]["size"], "deletionTimestamp": now} for p in paths]
        lines: list[Json] = [
            _info(now, joining=True),
            *({"remove": {**file, "extendedFileMetadata": True, **same}} for file in gone),
            {"add": {"modificationTime": now, **same, **add}},
        ]
        committed = keeper.put_if_absent(self.commit_path(self.version + 1), _lines(lines))
        self.advance()
        return committed

    def has(self, application: str, *, wave: int) -> bool:
        """Whether the log holds a transaction."""
        txn = self.applications.get(application)
        return txn is not None and txn["version"] >= wave

    def write_checkpoint(self) -> None:
        """Write what the log says into one file, unless there is more in the log than is known here.

        Readers that come later begin with it. Should it fail, the commit before it stands all the same.
        """
        if not self.plain or self.version <= self.checkpoint:
            return
        kept = time.time_ns() // 1_000_000 - _REMEMBERED_MS
        self.removed = {p: r for p, r in self.removed.items() if r.get("deletionTimestamp", 0) >= kept}
        actions = [
            *({kind: fields} for kind, fields in self.told.items()),
            *({"txn": txn} for txn in self.applications.values()),
            *({"add": {**add, "dataChange": False}} for add in self.added.values()),
            *({"remove": {**remove, "dataChange": False}} for remove in self.removed.values()),
        ]
        data = checkpoints.checkpoint_bytes(actions)
        self.store.write(f"{self.folder}/_delta_log/{checkpoints.checkpoint_name(self.version)}", data)
        pointer = checkpoints.pointer_bytes(self.version, actions=len(actions), bytes_=len(data), files=len(self.added))
        self.store.write(f"{self.folder}/_delta_log/{checkpoints.POINTER}", pointer)
        self.checkpoint = self.version

    def fits(self, schema: Json) -> bool:
        """Whether rows of a schema may be added and read here; an earlier or a later swath's table has other columns beside."""
        return self.plain and (self.schema is None or compatible(self.schema, schema))

    def knows_all(self, names: Sequence[str]) -> bool:
        """Whether the table has no column beside these."""
        return self.schema is not None and {field["name"] for field in self.schema["fields"]} <= set(names)

    def _grown(self, schema: Json) -> list[Json]:
        """The action that gives the table the columns that it lacks."""
        more = grown(self.schema, schema) if self.schema is not None else None
        return [{"metaData": {**self.told["metaData"], "schemaString": json.dumps(more, separators=(",", ":"))}}] if more else []

    def _read_checkpoint(self) -> None:
        data = self.store.read(f"{self.folder}/_delta_log/{checkpoints.checkpoint_name(self.checkpoint)}")
        self.version = self.checkpoint
        self._apply(checkpoints.checkpoint_actions(data or b""))

    def _apply(self, actions: Iterable[Mapping[str, Any]]) -> None:
        for action in actions:
            if txn := action.get("txn"):
                self.applications[txn["appId"]] = txn
            if add := action.get("add"):
                self.plain = self.plain and not add.get("deletionVector") and ":" not in add["path"]
                self.added[unquote(add["path"])] = add
                self.removed.pop(unquote(add["path"]), None)
            if remove := action.get("remove"):
                self.added.pop(unquote(remove["path"]), None)
                self.removed[unquote(remove["path"])] = remove
            self.told |= {kind: action[kind] for kind in ("protocol", "metaData") if action.get(kind)}
            if told := action.get("protocol"):
                self.plain = self.plain and told["minReaderVersion"] <= _READER and told["minWriterVersion"] <= _WRITER
            if told := action.get("metaData"):
                self.schema = json.loads(told["schemaString"])
                self.plain = self.plain and not told.get("partitionColumns") and not told.get("configuration")


def _lines(actions: Iterable[Json]) -> bytes:
    """A commit's content."""
    return "".join(f"{json.dumps(action, separators=(',', ':'))}\n" for action in actions).encode()


def _info(now: int, *, joining: bool = False) -> Json:
    what: Json = {"operation": "WRITE", "operationParameters": {"mode": "Append", "partitionBy": "[]"}, "isBlindAppend": True}
    if joining:
        what = {"operation": "OPTIMIZE", "operationParameters": {"predicate": "[]"}, "isBlindAppend": False}
    told = {"timestamp": now, **what, "isolationLevel": "SnapshotIsolation" if joining else "Serializable"}
    return {"commitInfo": {**told, "engineInfo": f"swath/{__version__}", "txnId": str(uuid.uuid4())}}


def _born(schema: Json, now: int) -> list[Json]:
    """The beginning of a table."""
    form = {"provider": "parquet", "options": {}}
    text = json.dumps(schema, separators=(",", ":"))
    told = {"id": str(uuid.uuid4()), "format": form, "schemaString": text, "partitionColumns": [], "configuration": {}}
    return [
        {"protocol": {"minReaderVersion": _READER, "minWriterVersion": _WRITER}},
        {"metaData": {**told, "createdTime": now}},
    ]


def _added(add: Json | None, *, now: int, application: str, wave: int) -> list[Json]:
    lines: list[Json] = [{"txn": {"appId": application, "version": wave, "lastUpdated": now}}]
    if add is not None:
        lines.append({"add": {"partitionValues": {}, "modificationTime": now, "dataChange": True, **add}})
    return lines
