"""Scenes in folders and below prefixes in a bucket; what is none is counted."""

import os
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from swath.errors import SceneError
from swath.readers.archived_scenes import kind_of_folder, landsat_metadata
from swath.readers.archives.companions import is_companion
from swath.readers.files.href import JSON_SUFFIXES
from swath.readers.files.listing import folders_on_s3, is_file
from swath.readers.files.raw_pairs import is_pan, partner_of
from swath.readers.landsat.files import is_mtl
from swath.readers.passed_over import PassedOver
from swath.readers.recognise import deliveries
from swath.readers.registry import plugins
from swath.readers.stac_record import item_fragments, record_type, stac_document

MAX_DEPTH = 32
_SAFE = ".SAFE"
_IN_GRANULES = "/GRANULE/"
#: Files that a record beside them speaks of, or that belong to such a one.
_RASTERS = (".tif", ".tiff", ".jp2", ".png", ".jpg", ".jpeg", ".xml", ".gml", ".ovr", ".tfw")
#: Ends the name of a scene in the names of its files.
_SEPARATORS = ("_", ".", "-")


class Folders:
    """Looks for scenes, and counts what it passes over.

    Args:
        passed_over: Counts files that are no scene. Not counted are: files of a scene (rasters beside records are taken
            for theirs), and what a Mac leaves beside files.
    """

    def __init__(self, passed_over: PassedOver) -> None:
        self._passed_over = passed_over
        self._images: dict[str, list[str]] = {}

    def file(self, href: str) -> Iterator[str]:
        """The scene that a file is, or those of an item collection; nothing when it is none."""
        found = list(_scenes_of_file(href))
        if not found and not is_companion(href.rpartition("/")[2]):
            self._passed_over.add(href)
        yield from found

    def walk(self, folder: Path) -> Iterator[str]:
        """Scenes in a folder. Does not descend into a scene, nor twice into a folder that links lead back to."""
        yield from self._walk(folder, above=())

    def _walk(self, folder: Path, *, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
        try:
            status = folder.stat()
            with os.scandir(folder) as listing:
                entries = sorted((e for e in listing if not is_companion(e.name)), key=lambda entry: entry.name)
        except OSError:
            yield str(folder)  # its reader says why it cannot be listed
            return
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        if len(above) >= MAX_DEPTH:
            self._passed_over.add(str(folder))
            return
        files = {entry.name for entry in entries if is_file(entry)}
        if kind_of_folder(files) is not None or _is_plugged(str(folder)):
            # A folder that is named itself is its own scene.
            if above and self._is_with_another(str(folder)):
                return
            yield from _granules(folder) or (str(folder),)
            if metadata := landsat_metadata(files):
                others = self._below_landsat(entries, files=files, known={*metadata}, above=(*above, here))
                # A scene that is named itself is that scene alone: so a retry finds what was found before.
                yield from others if above else self._counted(others)
        elif folder.suffix.upper() == _SAFE:
            yield from self._safe(folder, entries=entries, files=files, above=(*above, here))
        else:
            yield from self._inside(entries, files=files, above=(*above, here))

    def _is_with_another(self, folder: str) -> bool:
        """Whether a folder is the pan image of a delivery whose multispectral image was found before it, in order of names."""
        around, _, name = folder.rpartition("/")
        before = self._images.setdefault(around, [])
        if partner_of(name, among=before) is not None and is_pan(name):
            return True
        before.append(name)
        return False

    def _below_landsat(
        self,
        entries: Sequence[os.DirEntry[str]],
        *,
        files: AbstractSet[str],
        known: AbstractSet[str],
        above: tuple[tuple[int, int], ...],
    ) -> Iterator[str]:
        """Other scenes in folders inside a scene's folder; a copy of it, and any other file there, is its own.

        Args:
            entries: Entries of the folder.
            files: Names of the files among them.
            known: Names of the MTL files of this scene and of those around it.
            above: Folders that were walked through.
        """
        for entry in entries:
            if entry.name in files or not entry.is_dir():
                continue
            own = Folders(PassedOver())
            yield from (h for h in own._walk(Path(entry.path), above=above) if _is_another(h, known=known))

    def _counted(self, hrefs: Iterator[str]) -> Iterator[str]:
        """Count what is passed over; nothing is yielded."""
        for href in hrefs:
            self._passed_over.add(href)
        yield from ()

    def _safe(
        self, folder: Path, *, entries: Sequence[os.DirEntry[str]], files: AbstractSet[str], above: tuple[tuple[int, int], ...]
    ) -> Iterator[str]:
        """A product without its metadata is reported, not passed over; a folder around one is an ordinary folder."""
        own = Folders(PassedOver())
        found = list(own._inside(entries, files=files, above=above))
        if found:
            self._passed_over.take(own._passed_over)
        yield from found or (str(folder),)

    def _inside(
        self, entries: Sequence[os.DirEntry[str]], *, files: AbstractSet[str], above: tuple[tuple[int, int], ...]
    ) -> Iterator[str]:
        among = _Among(files)
        for entry in entries:
            if entry.name in files or not entry.is_dir():
                yield from among.scenes(entry.name, href=entry.path)
            else:
                yield from self._walk(Path(entry.path), above=above)
        self._passed_over.take(among.passed_over)

    def prefix(self, prefix: str) -> Iterator[str]:
        """Scenes below a prefix in a bucket; or the archive that the prefix is the name of."""
        pending: dict[str, PassedOver] = {}
        safes: dict[str, bool] = {}
        granules: dict[str, dict[str, None]] = {}
        root, empty, latest = f"{prefix.rstrip('/')}/", True, ""
        for folder, names in folders_on_s3(prefix):
            empty = False
            if latest and folder.startswith(f"{latest}/"):  # part of the scene before
                continue
            safe = _safe_around(folder)
            product, _, granule = folder.partition(_IN_GRANULES)
            if granule:
                granules.setdefault(product, {})[f"{product}{_IN_GRANULES}{granule.split('/')[0]}"] = None
            if safe:
                safes.setdefault(safe, False)
            found = list(_in_prefix(folder, names=names, below=folder.removeprefix(prefix.rstrip("/")), pending=pending))
            if safe and found:
                safes[safe] = True
            latest = folder if found == [folder] else latest
            if found == [folder] and folder != prefix.rstrip("/") and self._is_with_another(folder):
                continue
            several = granules.pop(folder, {})
            yield from sorted(several) if found == [folder] and len(several) > 1 else found
        yield from (safe for safe, known in safes.items() if not known and f"{safe}/".startswith(root))
        for folder, passed_over in pending.items():
            if not _safe_around(folder):
                self._passed_over.take(passed_over)
        if empty:
            yield from self.file(prefix.rstrip("/"))


class _Among:
    """Files of a folder that is not one scene: an MTL file represents its scene, what belongs to it does not.

    A scene's other files are other spellings of its MTL, its rasters, its STAC records.
    """

    def __init__(self, names: AbstractSet[str]) -> None:
        self._metadata = landsat_metadata(names)
        self._stems = tuple(f"{scene.removesuffix('_MTL')}{s}" for scene in self._metadata for s in _SEPARATORS)
        self._others = PassedOver()
        self._parts = PassedOver()
        self._any = False

    def scenes(self, name: str, *, href: str) -> list[str]:
        """The scenes that one of the files represents."""
        if name in self._metadata.values():
            found = [href]
        elif name.upper().startswith(self._stems):
            return []
        else:
            found = list(_scenes_of_file(href))
        self._any = self._any or bool(found)
        if not found:
            (self._parts if name.lower().endswith(_RASTERS) else self._others).add(href)
        return found

    @property
    def passed_over(self) -> PassedOver:
        """What is no scene. Rasters and the like beside a scene are taken for its own."""
        told = PassedOver()
        told.take(self._others)
        if not self._any:
            told.take(self._parts)
        return told


def _scenes_of_file(href: str) -> Iterator[str]:
    if href.lower().endswith(JSON_SUFFIXES) and not is_mtl(href):
        yield from _records(href) or ((href,) if _is_plugged(href) else ())
    else:
        yield from deliveries(href) or ((href,) if _is_plugged(href) else ())


def _is_plugged(href: str) -> bool:
    return any(plugin.recognises(href) for plugin in plugins().values())


def _records(href: str) -> Sequence[str]:
    """A STAC item, or ``collection.json#item-id`` for each item of a collection."""
    try:
        document = stac_document(href)
        kind = record_type(document, href=href)
    except SceneError:
        return (href,)  # its reader says why it cannot be read
    if kind == "FeatureCollection":
        return [f"{href}#{fragment}" for fragment in item_fragments(document)]
    return (href,) if kind == "Feature" else ()


def _granules(folder: Path) -> Sequence[str]:
    """Each granule of a SAFE that holds several (before December 2016): each is a scene of its own."""
    inside = folder / "GRANULE"
    found = sorted(str(g) for g in inside.iterdir() if g.is_dir() and not is_companion(g.name)) if inside.is_dir() else []
    return found if len(found) > 1 else ()


def _in_prefix(folder: str, *, names: Sequence[str], below: str, pending: dict[str, PassedOver]) -> Iterator[str]:
    """Scenes of one folder in a bucket, which may come after those below it: what they passed over may be its own."""
    if _IN_GRANULES in below:  # part of the SAFE that comes after it
        return
    if kind_of_folder(names) is not None or _is_plugged(folder):
        for part in [p for p in pending if p.startswith(f"{folder}/")]:
            del pending[part]
        yield folder
        return
    among = _Among(frozenset(names))
    for name in names:
        yield from among.scenes(name, href=f"{folder}/{name}")
    if among.passed_over.count:
        pending[folder] = among.passed_over


def _is_another(href: str, *, known: AbstractSet[str]) -> bool:
    """Whether what was found inside a Landsat scene's folder is a delivery of its own, not a part or a copy of that scene."""
    path = Path(href)
    names = [path.name] if path.is_file() else [inside.name for inside in path.iterdir()]
    metadata = landsat_metadata(names)
    return known.isdisjoint(metadata) if metadata else kind_of_folder(names) == "sentinel2"


def _safe_around(folder: str) -> str:
    """The SAFE that a folder in a bucket is or is in; empty for others."""
    parts = folder.split("/")
    at = next((i for i, part in enumerate(parts) if part.upper().endswith(_SAFE)), None)
    return "" if at is None else "/".join(parts[: at + 1])
