"""How long the names of files in a store may be."""

import os
from dataclasses import dataclass

from swath.names import FILE_NAME_BYTES
from swath.stores.base import Store
from swath.stores.local import LocalStore

#: A file that is being written has a name of its own: a dot, the final name, a dot and 32 digits.
_IN_THE_MAKING = 34
_PATH_BYTES = 4096
#: S3 counts a key as a whole, in UTF-8.
_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NameLimits:
    """Most bytes of names.

    Args:
        part: File or folder name, one part of a path.
        path: Path relative to the store's root.
        told: Source of the limits, for messages.
    """

    part: int = FILE_NAME_BYTES - _IN_THE_MAKING
    path: int = _PATH_BYTES // 2
    told: str = "a file system"

    def plain(self) -> dict[str, int | str]:
        """JSON-able."""
        return {"part": self.part, "path": self.path, "told": self.told}


def name_limits(store: Store) -> NameLimits:
    """The limits of a store: of the file system that holds a folder, or of S3."""
    if not isinstance(store, LocalStore):
        key = _KEY_BYTES - len(store.root.partition("://")[2].partition("/")[2].encode()) - 1
        return NameLimits(part=key, path=key, told=f"a key on S3 ({_KEY_BYTES} bytes, the prefix of {store.root} among them)")
    try:
        part, path = os.pathconf(store.folder, "PC_NAME_MAX"), os.pathconf(store.folder, "PC_PATH_MAX")
    except OSError:  # a file system that does not say
        part, path = FILE_NAME_BYTES, _PATH_BYTES
    room = path - len(str(store.folder).encode()) - _IN_THE_MAKING - 1
    told = f"the file system of {store.folder} ({part} bytes, {_IN_THE_MAKING} of them while a file is written)"
    return NameLimits(part=part - _IN_THE_MAKING, path=room, told=told)
