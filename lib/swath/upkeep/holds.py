"""Legal holds: what no retention removes, as files of the output that people may read."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from swath.errors import ConfigError
from swath.stores.base import Store

FOLDER = "holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold.

    Args:
        what: Id of a product or of a scene, or name of a collection.
        reason: Why, in the words of who asked for it.
        by: Who.
        at: When, ISO 8601 in UTC.
    """

    what: str
    reason: str
    by: str
    at: str

    @classmethod
    def parse(cls, data: bytes, *, path: str) -> Self:
        """A hold from its file.

        Args:
            data: Content of the file.
            path: Its path, for the message.

        Raises:
            ConfigError: It cannot be read: then nobody knows what must stay.
        """
        try:
            told: dict[str, Any] = json.loads(data)
            hold = cls(**told)
        except (ValueError, TypeError) as error:
            msg = f"{path} is not a hold ({error}): nothing is removed until it is repaired, or deleted by hand"
            raise ConfigError(msg) from error
        return hold


def holds(store: Store) -> Iterator[Hold]:
    """All holds of an output.

    Raises:
        ConfigError: One of them cannot be read.
    """
    for path in store.list(FOLDER):
        if path.endswith(".json"):
            yield Hold.parse(store.read(path) or b"", path=path)


def hold(store: Store, what: str, *, reason: str, by: str) -> Hold:
    """Keep a product, a scene's products or a collection, whatever its retention; the same again replaces the reason.

    Args:
        store: The output.
        what: Id of a product or of a scene, or name of a collection.
        reason: Why.
        by: Who.
    """
    made = Hold(what=what, reason=reason, by=by, at=datetime.now(UTC).isoformat(timespec="seconds"))
    store.write(_path(what), json.dumps(asdict(made), ensure_ascii=False, sort_keys=True).encode())
    return made


def release(store: Store, what: str) -> bool:
    """End a hold; whether there was one."""
    if store.size(_path(what)) is None:
        return False
    store.delete(_path(what))
    return True


def _path(what: str) -> str:
    # ids may be longer than a file's name, or hold what a name may not
    return f"{FOLDER}/{hashlib.sha256(what.encode()).hexdigest()[:16]}.json"
