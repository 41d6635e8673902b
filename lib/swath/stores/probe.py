"""What an object store can do, asked by doing it below a prefix of its own, which is removed afterwards."""

import io
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from threading import Barrier

from botocore.exceptions import BotoCoreError, ClientError

from swath.errors import ServiceError, StoreRefusedError
from swath.stores.parts import MIN_PART, StaleUploadError, UploadedPart
from swath.stores.s3 import S3Store
from swath.stores.s3_client import code_of

_RACERS = 8
_RACES = 3
_LISTED = 20
#: Signatures are refused beyond 15 minutes; ages of files in the making are compared long before.
_CLOCK_S = 60.0


class Ability(StrEnum):
    """What is asked of a store."""

    WRITE = "write, read, delete"
    LIST = "list after write"
    OVERWRITE = "read after overwrite"
    PUT = "conditional put, one after the other"
    RACE = "conditional put, at once"
    COMPLETE = "conditional completion of an upload"
    PARTS = "multipart upload by several writers"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """One question to a store.

    Args:
        ability: Ability that was tested.
        able: Whether it can.
        told: Behaviour that was observed.
        cause: Why it could not be asked: ``away``, or a ``StoreRefusedError``'s cause; empty when it answered.
    """

    ability: Ability
    able: bool
    told: str
    cause: str = ""


def probe(store: S3Store) -> tuple[ProbeAnswer, ...]:
    """Ask everything; stops after the first question when nothing can be written at all."""
    folder = f".probe-{uuid.uuid4().hex}"
    answers: list[ProbeAnswer] = []
    try:
        for ability, ask in _QUESTIONS.items():
            answers.append(_asked(ability, ask, store=store, folder=folder))
            if answers[-1].cause or (ability is Ability.WRITE and not answers[-1].able):
                break
    finally:
        if answers and answers[0].able and not answers[-1].cause:
            store.delete_tree(folder)
    return tuple(answers)


def guard_of(answers: tuple[ProbeAnswer, ...]) -> str:
    """What keeps two runs from mixing on such a store, in words."""
    able = {a.ability for a in answers if a.able}
    if not able >= {Ability.LIST, Ability.OVERWRITE}:
        return "no Delta ledger here: it needs a store whose writes are visible at once; keep the ledger in PostgreSQL"
    if able >= {Ability.PUT, Ability.RACE, Ability.COMPLETE}:
        return "files are written with If-None-Match; for commits of several drivers set SWATH_LOCK=postgresql"
    return "files can be replaced unseen: one run at a time, or SWATH_LOCK=postgresql"


def _asked(ability: Ability, ask: Callable[[S3Store, str], str], *, store: S3Store, folder: str) -> ProbeAnswer:
    try:
        wrong = ask(store, folder)
    except StoreRefusedError as error:
        return ProbeAnswer(ability=ability, able=False, told=str(error), cause=error.cause)
    except ServiceError as error:
        return ProbeAnswer(ability=ability, able=False, told=str(error), cause="away")
    except ClientError as error:
        wrong = f"{code_of(error)}: {error.response.get('Error', {}).get('Message', '')}"
    except (BotoCoreError, StaleUploadError, OSError) as error:
        wrong = str(error)
    return ProbeAnswer(ability=ability, able=not wrong, told=wrong or "yes")


def _write(store: S3Store, folder: str) -> str:
    path = f"{folder}/write"
    store.write(path, b"swath")
    if store.read(path) != b"swath":
        return "what was read is not what was written"
    store.delete(path)
    return "" if store.read(path) is None else "a deleted object is still there"


def _list(store: S3Store, folder: str) -> str:
    wanted = [f"{folder}/list/{n:02d}" for n in range(_LISTED)]
    for number, path in enumerate(wanted, start=1):
        store.write(path, b"")
        if list(store.list(f"{folder}/list")) != wanted[:number]:
            return f"a list after {number} writes does not show them"
    return ""


def _overwrite(store: S3Store, folder: str) -> str:
    path = f"{folder}/overwrite"
    for number in range(_LISTED):
        store.write(path, str(number).encode())
        if store.read(path) != str(number).encode():
            return "an older version was read after an overwrite"
    return ""


def _put(store: S3Store, folder: str) -> str:
    path = f"{folder}/put"
    first, second = (store.put_if_absent(path, data) for data in (b"first", b"second"))
    if not first:
        return "a new key was refused"
    return "If-None-Match is ignored or unknown: the second put replaced the first" if second else ""


def _race(store: S3Store, folder: str) -> str:
    for race in range(_RACES):
        together = Barrier(_RACERS)

        def put(racer: int, path: str = f"{folder}/race-{race}", together: Barrier = together) -> bool:
            together.wait()
            return store.put_if_absent(path, str(racer).encode())

        with ThreadPoolExecutor(_RACERS) as pool:
            won = sum(pool.map(put, range(_RACERS)))
        if won != 1:
            return f"{won} of {_RACERS} simultaneous conditional writes were all accepted as the one that created the object"
    return ""


def _complete(store: S3Store, folder: str) -> str:
    path = f"{folder}/complete"
    uploads = [store.upload(path) for _ in range(2)]
    parts = [[u.put(1, io.BytesIO(b"a"), length=1)] for u in uploads]
    made = [u.complete(p) for u, p in zip(uploads, parts, strict=True)]
    return "" if made == [True, False] else "If-None-Match is ignored: the second completion replaced the first"


def _parts(store: S3Store, folder: str) -> str:
    """Numbers with gaps, the first part last, a part twice, and a part whose bytes changed in between."""
    path = f"{folder}/parts"
    upload = store.upload(path)
    try:
        again = [_sent(store, path, upload.upload_id, number=100, fill=b"b") for _ in range(2)]
        last = upload.put(9000, io.BytesIO(b"c"), length=1)
        first = _sent(store, path, upload.upload_id, number=1, fill=b"a")
        if again[0] != again[1]:
            return "a part that is sent twice gets two ETags"
        _sent(store, path, upload.upload_id, number=100, fill=b"x")
        if not _refuses(lambda: upload.complete([again[0], last, first])):
            return "the list of parts does not show a part that changed"
        _sent(store, path, upload.upload_id, number=100, fill=b"b")
        upload.complete([again[0], last, first])
    finally:
        upload.abort()
    return "" if store.size(path) == 2 * MIN_PART + 1 else "parts are not joined in the order of their numbers"


def _refuses(complete: Callable[[], object]) -> bool:
    try:
        complete()
    except StaleUploadError:
        return True
    return False


def _sent(store: S3Store, path: str, upload_id: str, *, number: int, fill: bytes) -> UploadedPart:
    return store.upload(path, upload_id).put(number, io.BytesIO(fill * MIN_PART), length=MIN_PART)


def _clock(store: S3Store, folder: str) -> str:
    before = time.time()
    answer = store.client.list_objects_v2(Bucket=store.name, Prefix=store.key(folder), MaxKeys=1)
    here = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    there = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    apart = abs((there - here).total_seconds())
    return f"this machine and the store are {apart:.0f} s apart; beyond 900 s requests are refused" if apart > _CLOCK_S else ""


_QUESTIONS: dict[Ability, Callable[[S3Store, str], str]] = {
    Ability.WRITE: _write,
    Ability.LIST: _list,
    Ability.OVERWRITE: _overwrite,
    Ability.PUT: _put,
    Ability.RACE: _race,
    Ability.COMPLETE: _complete,
    Ability.PARTS: _parts,
    Ability.CLOCK: _clock,
}
