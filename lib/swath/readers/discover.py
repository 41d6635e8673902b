"""Find scenes: in folders, lists, STAC records and STAC searches. Names only; what is inside comes later."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from swath.errors import ConfigError
from swath.readers.files.archived import split_place
from swath.readers.files.href import ARCHIVE_SUFFIXES, JSON_SUFFIXES, split_item
from swath.readers.files.listing import is_folder, is_there
from swath.readers.files.xml import MAX_METADATA_BYTES
from swath.readers.folders import Folders
from swath.readers.landsat.files import MTL_SUFFIXES, is_mtl
from swath.readers.passed_over import PassedOver
from swath.readers.printable import printable
from swath.readers.recognise import is_delivery
from swath.readers.stac.search import Say, is_search, search
from swath.redaction import without_query

LIST_SUFFIXES = (".txt", ".lst", ".list")
#: What an ``s3://`` input may name itself; anything else is a prefix, or an archive when nothing is below it.
FILE_SUFFIXES = (*JSON_SUFFIXES, *MTL_SUFFIXES, *ARCHIVE_SUFFIXES)
LOOKED_FOR = (
    "a Landsat scene (folder, *_MTL.txt|json|xml, archive), a Sentinel-2 product (SAFE folder or archive, AWS layout), "
    "a STAC item or item collection, a text file of hrefs, a STAC search, or a folder of these"
)
_S3 = "s3://"


def discover(
    inputs: Sequence[str], *, scratch: str | None = None, say: Say | None = None, passed_over: PassedOver | None = None
) -> Iterator[str]:
    """Yield the href of every scene that ``inputs`` name or contain, in a stable order.

    A scene that is named twice is yielded twice: the plan counts it as a duplicate. What looks like a delivery and
    cannot be read (cut short, empty, of zeros, a corrupt archive) is yielded too: ``read_scene`` refuses it by its path.

    Args:
        inputs: Scene folders, MTL files, SAFE folders, archives, STAC items and item collections, text files with
            one href a line (``#`` begins a comment), STAC searches (see ``readers.search``), or folders or S3 prefixes
            of any of these.
        scratch: Folder for the answer of a STAC search; everything that reads the scenes must see it.
        say: Hears of the progress of a search.
        passed_over: Counts the files that are no scene.

    Raises:
        ConfigError: An input does not exist, or holds no scene.
    """
    folders = Folders(passed_over if passed_over is not None else PassedOver())
    for given in inputs:
        for href in _something(given, found=_input(given, scratch=scratch, say=say, folders=folders)):
            yield printable(href)


def _something(given: str, *, found: Iterator[str]) -> Iterator[str]:
    empty = True
    for href in found:
        empty = False
        yield href
    if empty:
        msg = f"nothing to do in {printable(given)!r}: expected {LOOKED_FOR}; found none. Check --input."
        raise ConfigError(msg)


def _input(given: str, *, scratch: str | None, say: Say | None, folders: Folders) -> Iterator[str]:
    if is_search(given):
        if scratch is None:
            msg = f"a STAC search needs a place for its answer: {given!r}; name a scratch folder that all workers see"
            raise ConfigError(msg)
        yield from search(given, folder=Path(scratch), say=say)
    elif _is_item_of_collection(given) or split_place(given)[1]:
        yield given
    elif given.startswith(_S3):
        yield from _on_s3(given, folders=folders)
    else:
        yield from _local(given, folders=folders)


def _on_s3(given: str, *, folders: Folders) -> Iterator[str]:
    if given.lower().endswith(FILE_SUFFIXES):
        yield from folders.file(given)
    else:
        yield from folders.prefix(given)


def _local(given: str, *, folders: Folders) -> Iterator[str]:
    path = Path(given.removeprefix("file://"))
    if is_folder(str(path)):
        yield from folders.walk(path)
    elif not is_there(str(path)):
        msg = f"the input {printable(given)!r} does not exist; expected {LOOKED_FOR}. Check --input."
        raise ConfigError(msg)
    elif path.suffix.lower() in LIST_SUFFIXES and not is_mtl(path.name):
        yield from (str(path),) if is_delivery(str(path)) else _list(path, folders=folders)
    else:
        _check_size(path)
        yield from folders.file(str(path))


def _check_size(path: Path) -> None:
    """A file that was named must not be passed over silently because it is too large; in a folder it may be anything."""
    if path.name.lower().endswith(JSON_SUFFIXES) and path.stat().st_size > MAX_METADATA_BYTES:
        msg = f"{path} is too large to be read: expected at most {MAX_METADATA_BYTES} bytes; split it, or name a folder of items"
        raise ConfigError(msg)


def _is_item_of_collection(given: str) -> bool:
    return bool(split_item(given)[1])


def _list(path: Path, *, folders: Folders) -> Iterator[str]:
    """One href a line. A line that does not exist, or holds no scene, is still one: it fails alone, the others run."""
    for line in (text.strip() for text in _text(path).splitlines()):
        if not line or line.startswith("#"):
            continue
        named = without_query(line) if "://" in line else str(path.parent / line)
        # A line that names an object is not looked at here: a list may have a million of them.
        inside: Sequence[str] = ()
        if is_folder(named):
            inside = list(folders.walk(Path(named)))
        elif is_there(named):
            inside = list(folders.file(named))
        yield from inside or (named,)


def _text(path: Path) -> str:
    """A list's text; PowerShell writes UTF-16.

    Raises:
        ConfigError: The file is not text.
    """
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        msg = f"the list {printable(str(path))} is not text: expected one href a line in UTF-8; {error}. Check --input."
        raise ConfigError(msg) from error
