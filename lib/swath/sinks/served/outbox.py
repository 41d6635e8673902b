"""What the served catalogue still has to receive: references to published items, in the output itself."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

FOLDER = "outbox"


class OutboxFiles(Protocol):
    """Where the outbox lives; paths are relative to the output's root."""

    def read(self, path: str) -> bytes | None:
        """All bytes, or None when there is no such file."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Make a small file visible at once."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Paths of all files below a folder, in order."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OutboxEntry:
    """An item that was published or replaced.

    A reference and not the item: a late replay delivers what is true then.

    Args:
        collection: Collection.
        product_id: Id.
        item: Path, relative to the output's root.
    """

    collection: str
    product_id: str
    item: str


class Outbox:
    """The outbox of one output: a file a wave, gone when the catalogue has it.

    Args:
        store: The output.
    """

    def __init__(self, store: OutboxFiles) -> None:
        self._store = store

    def put(self, name: str, entries: Iterable[OutboxEntry]) -> str | None:
        """Write entries down; the same name replaces what it held.

        Args:
            name: Name of the run and wave; the stem of the file.
            entries: Entries of that wave.

        Returns:
            The path, None when there was nothing to write.
        """
        lines = [json.dumps(asdict(e), sort_keys=True) for e in entries]
        if not lines:
            return None
        path = f"{FOLDER}/{name}.ndjson"
        self._store.write(path, ("\n".join(lines) + "\n").encode())
        return path

    def pending(self) -> list[str]:
        """Paths of all files, oldest run first."""
        return [p for p in self._store.list(FOLDER) if p.endswith(".ndjson")]

    def read(self, path: str) -> list[OutboxEntry]:
        """Entries of a file; none when another driver delivered it meanwhile."""
        return [OutboxEntry(**json.loads(line)) for line in (self._store.read(path) or b"").splitlines() if line.strip()]

    def keep(self, path: str, entries: Iterable[OutboxEntry]) -> None:
        """Leave only these in a file; without any the file goes."""
        if self.put(path.removeprefix(f"{FOLDER}/").removesuffix(".ndjson"), entries) is None:
            self._store.delete(path)
