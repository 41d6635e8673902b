"""Find scenes: in folders, lists, STAC records and STAC searches. Names only; what is inside comes later."""

import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from swath.errors import ConfigError
from swath.readers.href import TAR_SUFFIXES
from swath.readers.landsat_files import MTL_SUFFIXES
from swath.readers.listing import folders_on_s3, is_file
from swath.readers.recognise import JSON_SUFFIXES, kind_of_file, kind_of_folder, landsat_metadata, stac_document, stac_type
from swath.readers.registry import plugins
from swath.readers.search import Say, is_search, search
from swath.readers.xml import MAX_METADATA_BYTES

LIST_SUFFIXES = (".txt", ".lst", ".list")
#: What an ``s3://`` input may name itself; anything else is a prefix.
FILE_SUFFIXES = (*JSON_SUFFIXES, *MTL_SUFFIXES, *TAR_SUFFIXES, ".zip")
MAX_DEPTH = 32
LOOKED_FOR = (
    "a Landsat scene (folder, *_MTL.txt|json|xml, tar), a Sentinel-2 product (SAFE folder or zip, AWS layout), "
    "a STAC item or item collection, a text file of hrefs, a STAC search, or a folder of these"
)


def discover(inputs: Sequence[str], *, scratch: str | None = None, say: Say | None = None) -> Iterator[str]:
    """Yield the href of every scene that ``inputs`` name or contain, in a stable order.

    A scene that is named twice is yielded twice: whoever plans counts it as a duplicate.

    Args:
        inputs: Scene folders, MTL files, SAFE folders or zips, tars, STAC items and item collections, text files with
            one href a line (``#`` begins a comment), STAC searches (see ``readers.search``), or folders or S3 prefixes
            of any of these.
        scratch: Where the answer of a STAC search is kept; everybody who reads the scenes must see it.
        say: Hears of the progress of a search.

    Raises:
        ConfigError: An input does not exist, or holds no scene.
    """
    for given in inputs:
        yield from _something(given, found=_input(given, scratch=scratch, say=say))


def _something(given: str, *, found: Iterator[str]) -> Iterator[str]:
    empty = True
    for href in found:
        empty = False
        yield href
    if empty:
        msg = f"nothing to do in {given!r}: expected {LOOKED_FOR}; found none. Check --input."
        raise ConfigError(msg)


def _input(given: str, *, scratch: str | None, say: Say | None) -> Iterator[str]:
    if is_search(given):
        if scratch is None:
            msg = f"a STAC search needs a place for its answer: {given!r}; name a scratch folder that all workers see"
            raise ConfigError(msg)
        yield from search(given, folder=Path(scratch), say=say)
    elif _is_item_of_collection(given):
        yield given
    elif given.startswith("s3://"):
        yield from _file(given) if given.lower().endswith(FILE_SUFFIXES) else _prefix(given)
    else:
        yield from _local(given)


def _local(given: str) -> Iterator[str]:
    path = Path(given.removeprefix("file://"))
    if not path.exists():
        msg = f"the input {given!r} does not exist; expected {LOOKED_FOR}. Check --input."
        raise ConfigError(msg)
    if path.is_dir():
        yield from _folder(path, above=())
    elif path.suffix.lower() in LIST_SUFFIXES and kind_of_file(str(path)) is None:
        yield from _list(path)
    else:
        _check_size(path)
        yield from _file(str(path))


def _check_size(path: Path) -> None:
    """A file that was named must not be passed over silently because it is too large; in a folder it may be anything."""
    if path.suffix.lower() in JSON_SUFFIXES and path.stat().st_size > MAX_METADATA_BYTES:
        msg = f"{path} is too large to be read: expected at most {MAX_METADATA_BYTES} bytes; split it, or name a folder of items"
        raise ConfigError(msg)


def _is_item_of_collection(given: str) -> bool:
    file, separator, item = given.partition("#")
    return bool(separator and item) and file.lower().endswith(JSON_SUFFIXES)


def _file(href: str) -> Iterator[str]:
    if kind_of_file(href) is not None or _is_plugged(href):
        yield href
    elif href.lower().endswith(JSON_SUFFIXES):
        yield from _items(href)


def _is_plugged(href: str) -> bool:
    return any(plugin.recognises(href) for plugin in plugins().values())


def _items(href: str) -> Iterator[str]:
    """``collection.json#item-id`` for each item of a collection."""
    if stac_type(href) == "FeatureCollection":
        for feature in stac_document(href)["features"]:
            if isinstance(feature, dict) and feature.get("id"):
                yield f"{href}#{feature['id']}"


def _list(path: Path) -> Iterator[str]:
    """One href a line. A line that does not exist is still a scene: it fails alone, the others run."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in (text.strip() for text in lines):
        if not line or line.startswith("#"):
            continue
        named = line if "://" in line else str(path.parent / line)
        folder = Path(named)
        if folder.is_dir():
            yield from _something(line, found=_folder(folder, above=()))
        elif folder.is_file() and (inside := list(_items(named))):
            yield from inside
        else:
            yield named


def _folder(folder: Path, *, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Scenes in a folder. Does not descend into a scene, nor twice into a folder that links lead back to."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above or len(above) >= MAX_DEPTH:
        return
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    files = {entry.name for entry in entries if is_file(entry)}
    if kind_of_folder(files) is not None or _is_plugged(str(folder)):
        yield from _granules(folder) or (str(folder),)
        return
    inside = _inside(entries, files=files, above=(*above, here))
    first = next(inside, None)
    if first is not None:
        yield first
        yield from inside
    elif folder.suffix.upper() == ".SAFE":
        yield str(folder)  # a product that lost its metadata is told, not passed over


def _inside(entries: Sequence[os.DirEntry[str]], *, files: AbstractSet[str], above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    metadata = landsat_metadata(files)
    for entry in entries:
        if entry.name in files:
            yield from _among(entry.name, href=entry.path, metadata=metadata)
        elif entry.is_dir():
            yield from _folder(Path(entry.path), above=above)


def _granules(folder: Path) -> Sequence[str]:
    """Each granule of a SAFE that holds several (before December 2016): each is a scene of its own."""
    inside = folder / "GRANULE"
    found = sorted(str(granule) for granule in inside.iterdir() if granule.is_dir()) if inside.is_dir() else []
    return found if len(found) > 1 else ()


def _prefix(prefix: str) -> Iterator[str]:
    """Scenes below a prefix in a bucket."""
    for folder, names in folders_on_s3(prefix):
        if "/GRANULE/" in folder.removeprefix(prefix):  # part of the SAFE that comes after it
            continue
        if kind_of_folder(names) is not None or _is_plugged(folder):
            yield folder
            continue
        metadata = landsat_metadata(names)
        for name in names:
            yield from _among(name, href=f"{folder}/{name}", metadata=metadata)


def _among(name: str, *, href: str, metadata: Mapping[str, str]) -> Iterator[str]:
    """What a file is in a folder that is not one scene: an MTL file stands for its scene, what belongs to it does not.

    A scene's other files are other spellings of its MTL, its rasters, its STAC records.
    """
    if name in metadata.values():
        yield href
    elif not name.upper().startswith(tuple(scene.removesuffix("_MTL") for scene in metadata)):
        yield from _file(href)
