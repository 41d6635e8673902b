"""What a path is, judged by names alone, or by the bytes of a record or an archive: which reader would read it."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from swath.errors import ArchiveError, ReadError, SceneError
from swath.readers.archived_items import items_inside
from swath.readers.archived_scenes import kind_of_members, kind_of_place, scenes_inside
from swath.readers.archives.archive import looks_packed
from swath.readers.archives.companions import is_companion
from swath.readers.files.archived import SEPARATOR, archived, archived_files, split_place
from swath.readers.files.href import ARCHIVE_SUFFIXES, JSON_SUFFIXES, PACKED_SUFFIXES, TAR_SUFFIXES, gdal_href, open_bytes
from swath.readers.files.raw_pairs import holds_raw_image
from swath.readers.landsat.files import is_mtl
from swath.readers.marks import Kind, names_a_delivery, names_one_scene
from swath.readers.stac_record import is_record, record_type, stac_document

#: Files of a delivery, of which none is a delivery by itself: they are not looked into.
_PARTS = (".tif", ".tiff", ".jp2", ".xml", ".gml", ".html", ".png", ".jpg", ".jpeg", ".csv", ".pdf", ".md")
#: And of those that lie beside an archive under its name.
_BESIDE = (
    *_PARTS,
    *JSON_SUFFIXES,
    ".txt",
    ".md5",
    ".sha1",
    ".sha256",
    ".properties",  # what GDAL leaves beside an archive that it has read
    ".sum",
    ".log",
    ".ovr",
    ".tfw",
    ".kml",
    ".aria2",
    ".meta4",
)
_HEAD_BYTES = 512
#: What is wrong with an archive that is named as one scene and holds several.
SEVERAL = "the archive holds several scenes"
#: A compressed archive of at most so many bytes is looked into while scenes are looked for: half a second.
CHEAP_BYTES = 64 << 20


def deliveries(href: str) -> Sequence[str]:
    """The deliveries that a file is or holds: itself, or the place of each of several scenes in an archive; none when it is none.

    What looks like a delivery and cannot be read is one: its reader says why. An archive that is named as one scene is not
    looked into where that costs as much as to unpack it: its reader refuses it if it holds several.
    """
    name = PurePosixPath(href).name
    if is_companion(name):
        return ()
    if _says_one(name) and _is_dear(href):
        return (href,)
    try:
        kind, places = _looked_into(href)
    except SceneError:
        return (href,)
    if len(places) > 1 or (places and kind == "stac"):
        return [f"{href}{SEPARATOR}{place}" for place in places]
    return (href,) if kind is not None else ()


def scenes_of(names: Iterable[str]) -> list[str]:
    """Places of the scenes among the members of an archive; and beside them archives of deliveries, which are refused."""
    found = list(names)
    scenes = scenes_inside(found)
    own = [f"{place.rpartition('/')[0] if is_mtl(place) else place}/" for place in scenes]
    inside = [name for name in found if _looks_delivered(PurePosixPath(name).name)] if scenes else []
    return [*scenes, *(name for name in inside if not any(place == "/" or name.startswith(place) for place in own))]


def places_inside(href: str) -> Sequence[str]:
    """Places of the scenes in an archive, in order.

    Raises:
        ArchiveError: The archive cannot be read, or holds none of these.
    """
    return _archive(href)[1]


def is_delivery(href: str) -> bool:
    """Whether a file is a delivery, holds some, or looks like one and cannot be read."""
    return bool(deliveries(href))


def kind_of_file(href: str) -> Kind | None:
    """The kind of scene that a file is or holds; None when it is none.

    Args:
        href: Href of a file, or of one of several scenes in an archive.

    Raises:
        SceneError: The file looks like a delivery by name, suffix or first bytes, and cannot be read.
        ArchiveError: The archive holds several scenes, and the place of none is named.
    """
    archive, place = split_place(href)
    if place:
        return _kind_of_place(archive, place=place)
    kind, places = _looked_into(href)
    if len(places) > 1 or (places and kind == "stac"):
        raise ArchiveError(
            SEVERAL,
            expected="one scene, or the place of one",
            got=f"{', '.join(places[:5])}{' ...' if len(places) > 5 else ''} in {href}",
            remedy=f"Unpack it and name the folder, or name each scene: {href}{SEPARATOR}{places[0]}",
        )
    return kind


def _kind_of_place(archive: str, *, place: str) -> Kind | None:
    names = list(archived_files(archive))
    if place in names and place.lower().endswith(JSON_SUFFIXES) and not is_mtl(place):
        return "stac"
    if place in names and not is_mtl(place):
        raise _archives_inside(place, archive=archive)
    kind = kind_of_place(names, place=place)
    if kind is None:
        known = scenes_inside(names)
        raise ArchiveError(
            "the archive holds no scene at that place",
            expected=f"one of {', '.join(known[:5])}" if known else "a scene",
            got=f"{place} of {archive}",
            remedy="Check the place, or name the archive alone.",
        )
    return kind


def _looked_into(href: str) -> tuple[Kind | None, Sequence[str]]:
    """The kind of a file, and the places of the scenes in it if it is an archive."""
    name = PurePosixPath(href).name
    if is_companion(name):
        return None, ()
    if is_mtl(name):
        return "landsat", ()
    if name.lower().endswith(JSON_SUFFIXES):
        return ("stac" if record_type(stac_document(href), href=href) == "Feature" else None), ()
    if name.lower().endswith(ARCHIVE_SUFFIXES) or _looks_delivered(name):
        return _archive(href)
    return _by_bytes(href)


def _looks_delivered(name: str) -> bool:
    """Whether a file is named as an archive of a delivery, whatever its suffix, if it has one."""
    return names_a_delivery(name) and not name.lower().endswith(_BESIDE)


def _says_one(name: str) -> bool:
    """Whether a file is named as an archive of one scene."""
    return names_one_scene(name) and not name.lower().endswith(_BESIDE)


def _is_dear(href: str) -> bool:
    """Whether to list an archive is to read much: a large one that is compressed as a whole, in a bucket every tar."""
    name = href.lower()
    if name.startswith("s3://"):
        return name.endswith(TAR_SUFFIXES) or not name.endswith(ARCHIVE_SUFFIXES)
    if not name.endswith(PACKED_SUFFIXES) or not names_one_scene(PurePosixPath(href).name):
        return False
    path = Path(href.removeprefix("file://"))
    return path.is_file() and path.stat().st_size > CHEAP_BYTES


def _by_bytes(href: str) -> tuple[Kind | None, Sequence[str]]:
    """A file whose name says nothing; only of this machine: in a bucket each look is a request."""
    if "://" in href or href.lower().endswith(_PARTS):
        return None, ()
    try:
        with open_bytes(gdal_href(href)) as file:
            head = file.read(_HEAD_BYTES)
    except ReadError:
        return None, ()
    if is_record(head):
        return "stac", ()
    if not looks_packed(head):
        return None, ()
    try:
        return _archive(href)
    except ArchiveError:
        if PurePosixPath(href).suffix:  # of another trade: .docx, .csv.gz
            return None, ()
        raise


def _archive(href: str) -> tuple[Kind | None, Sequence[str]]:
    names = list(archived(href).members)
    kind = kind_of_members(names)
    items = items_inside(href, names=names) if kind is None else []
    if items:
        return "stac", items
    inside = next((n for n in names if n.lower().endswith(ARCHIVE_SUFFIXES) or _looks_delivered(PurePosixPath(n).name)), None)
    if kind is None and inside is not None:
        raise _archives_inside(inside, archive=href)
    if kind is None and _looks_delivered(PurePosixPath(href).name):
        raise ArchiveError(
            "the archive holds no scene",
            expected="the files of one Landsat or Sentinel-2 delivery with its metadata",
            got=f"{len(names)} other files in {href}",
            remedy="Fetch it again: it may be cut short.",
        )
    if kind is None and _holds_records(names):
        raise ArchiveError(
            "the archive holds STAC records and no item",
            expected="a delivery, or STAC items in files of their own",
            got=f"{next(n for n in names if n.lower().endswith(JSON_SUFFIXES))} in {href}",
            remedy="Unpack it and name the folder.",
        )
    if kind is None and holds_raw_image(names):
        raise ArchiveError(
            "the files of the raw image are in several folders of the archive",
            expected="metadata, model and image in one folder",
            got=f"{len(names)} files in {href}",
            remedy="Unpack it, put them into one folder, and name that.",
        )
    return kind, scenes_of(names)


def _archives_inside(name: str, *, archive: str) -> ArchiveError:
    return ArchiveError(
        "the archive holds other archives",
        expected="the files of one delivery with its metadata",
        got=f"{name} in {archive}",
        remedy="Unpack it and name the folder.",
    )


def _holds_records(names: Sequence[str]) -> bool:
    """Whether an archive looks like one of items and their bands."""
    ends = [PurePosixPath(name).suffix.lower() for name in names]
    return any(end in JSON_SUFFIXES for end in ends) and any(end in (".tif", ".tiff", ".jp2") for end in ends)
