"""Find scenes: in folders, lists, STAC records and STAC searches. Names only; what is inside comes later."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from swath.errors import ConfigError
from swath.readers.recognise import kind_of_file, kind_of_folder, landsat_metadata, stac_document, stac_type
from swath.readers.registry import plugins
from swath.readers.search import is_search, search
from swath.readers.xml import MAX_METADATA_BYTES

JSON_SUFFIXES = (".json", ".geojson")
LIST_SUFFIXES = (".txt", ".lst", ".list")
MAX_DEPTH = 32
LOOKED_FOR = (
    "a Landsat scene (folder, *_MTL.txt|json|xml, tar), a Sentinel-2 product (SAFE folder or zip, AWS layout), "
    "a STAC item or item collection, a text file of hrefs, a STAC search, or a folder of these"
)


def discover(inputs: Sequence[str], *, scratch: str | None = None) -> Iterator[str]:
    """Yield the href of every scene that ``inputs`` name or contain, in a stable order.

    A scene that is named twice is yielded twice: whoever plans counts it as a duplicate.

    Args:
        inputs: Scene folders, MTL files, SAFE folders or zips, tars, STAC items and item collections, text files with
            one href a line (``#`` begins a comment), STAC searches (see ``readers.search``), or folders of any of these.
        scratch: Where the answer of a STAC search is kept; everybody who reads the scenes must see it.

    Raises:
        ConfigError: An input does not exist, or holds no scene.
    """
    for given in inputs:
        yield from _something(given, found=_input(given, scratch=scratch))


def _something(given: str, *, found: Iterator[str]) -> Iterator[str]:
    empty = True
    for href in found:
        empty = False
        yield href
    if empty:
        msg = f"nothing to do in {given!r}: expected {LOOKED_FOR}; found none. Check --input."
        raise ConfigError(msg)


def _input(given: str, *, scratch: str | None) -> Iterator[str]:
    if is_search(given):
        if scratch is None:
            msg = f"a STAC search needs a place for its answer: {given!r}; name a scratch folder that all workers see"
            raise ConfigError(msg)
        yield from search(given, folder=Path(scratch))
        return
    if given.startswith("s3://"):
        msg = f"{given!r} is on S3, which is not read directly yet; copy or mount it, or name a STAC item collection"
        raise ConfigError(msg)
    plain = Path(given.removeprefix("file://"))
    if _is_item_of_collection(given):
        yield given
        return
    if not plain.exists():
        msg = f"the input {given!r} does not exist; expected {LOOKED_FOR}. Check --input."
        raise ConfigError(msg)
    if plain.is_dir():
        yield from _folder(plain, above=())
    elif _is_list(plain):
        yield from _list(plain)
    else:
        yield from _file(plain)


def _is_item_of_collection(given: str) -> bool:
    path, separator, item = given.partition("#")
    return bool(separator and item) and Path(path).is_file()


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in LIST_SUFFIXES and kind_of_file(path) is None


def _file(path: Path) -> Iterator[str]:
    if kind_of_file(path) is not None or _is_plugged(path):
        yield str(path)
    elif path.suffix.lower() in JSON_SUFFIXES:
        yield from _items(path)


def _is_plugged(path: Path) -> bool:
    return any(plugin.recognises(str(path)) for plugin in plugins().values())


def _items(path: Path) -> Iterator[str]:
    """``collection.json#item-id`` for each item of a collection.

    Raises:
        ConfigError: The collection is larger than any record is read.
    """
    if path.suffix.lower() in JSON_SUFFIXES and path.stat().st_size > MAX_METADATA_BYTES:
        msg = f"{path} is too large to be read: expected at most {MAX_METADATA_BYTES} bytes; split it, or name a folder of items"
        raise ConfigError(msg)
    if stac_type(path) == "FeatureCollection":
        for feature in stac_document(path)["features"]:
            if isinstance(feature, dict) and feature.get("id"):
                yield f"{path}#{feature['id']}"


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
        elif folder.is_file() and (inside := list(_items(folder))):
            yield from inside
        else:
            yield named


def _folder(folder: Path, *, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Scenes in a folder. Does not descend into a scene, nor twice into a folder that links lead back to."""
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above or len(above) >= MAX_DEPTH:
        return
    entries = sorted(folder.iterdir())
    files = {e.name: e for e in entries if e.is_file()}
    if kind_of_folder(files) is not None or _is_plugged(folder):
        yield str(folder)
        return
    metadata = landsat_metadata(files)
    for entry in entries:
        if entry.name in metadata.values():
            yield str(entry)
        elif entry.name in files and not _belongs(entry.name, scenes=metadata):
            yield from _file(entry)
        elif entry.is_dir():
            yield from _folder(entry, above=(*above, here))


def _belongs(name: str, *, scenes: Collection[str]) -> bool:
    """Whether a file is part of a scene found beside it: other spellings of its MTL, its rasters, its STAC records."""
    return name.upper().startswith(tuple(scene.removesuffix("_MTL") for scene in scenes))
