"""The plan of a run of composites, stored once: a restart makes what it says, whatever came since."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

from swath.composites.plan import LeftOut, Skipped
from swath.composites.work import CompositeWork
from swath.runs.ingest import run_path
from swath.stack.composite import Composite
from swath.stores.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """What a run does.

    Args:
        stacks: Paths of the stacks of the composites to make, relative to the output, in order.
        skipped: Composites that already exist.
        left_out: Items that are no source.
        sources: Usable sources that were found.
        older: Versions of which a newer one is used.
        outside: Sources outside the area or the periods.
        empty: Tiles and periods without a source.
        composites_in: Items of the inputs that are composites themselves.
    """

    stacks: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    sources: int = 0
    older: int = 0
    outside: int = 0
    empty: int = 0
    composites_in: int = field(default=0)

    @classmethod
    def read(cls, store: Store, *, run_id: str) -> Self | None:
        """The plan of a run; None when there is none yet."""
        data = store.read(_path(run_id))
        if data is None:
            return None
        plain = json.loads(data)
        left_out = tuple(LeftOut(**item) for item in plain["left_out"])
        skipped = tuple(Skipped(**item) for item in plain["skipped"])
        return cls(**{**plain, "stacks": tuple(plain["stacks"]), "skipped": skipped, "left_out": left_out})

    def write(self, store: Store, *, run_id: str) -> None:
        """Store it."""
        store.write(_path(run_id), json.dumps(asdict(self), sort_keys=True).encode())

    def wave(self, number: int, *, size: int, store: Store) -> list[CompositeWork]:
        """The composites of a wave.

        Raises:
            FileNotFoundError: A stored composite is missing.
        """
        found = []
        for path in self.stacks[number * size : (number + 1) * size]:
            data = store.read(path)
            if data is None:
                raise FileNotFoundError(path)
            found.append(CompositeWork(composite=Composite.from_json(data, without={}), stack=path))
        return found

    def waves(self, *, size: int) -> int:
        """How many; one at least, which tells what needed no work."""
        return max(1, -(-len(self.stacks) // size))


def write_stacks(composites: Sequence[Composite], store: Store, *, run_id: str) -> tuple[str, ...]:
    """Write each composite to where workers find it."""
    paths = tuple(run_path(run_id, f"stacks/{c.product_id}.json") for c in composites)
    for path, composite in zip(paths, composites, strict=True):
        store.write(path, composite.to_json().encode())
    return paths


def _path(run_id: str) -> str:
    return run_path(run_id, "composites.json")
