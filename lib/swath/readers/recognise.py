"""What a path is, judged by names alone, or by the bytes of a record or an archive: which reader would read it."""

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from typing import Literal

from swath.errors import ArchiveError, ReadError, SceneError
from swath.readers.archives.archive import looks_packed
from swath.readers.archives.companions import is_companion
from swath.readers.files.archived import archived
from swath.readers.files.href import ARCHIVE_SUFFIXES, gdal_href, open_bytes
from swath.readers.landsat.files import is_mtl
from swath.readers.stac_record import JSON_SUFFIXES, is_record, record_type, stac_document

Kind = Literal["landsat", "sentinel2", "stac"]

_LANDSAT_NAME = re.compile(r"^L[COTEM]0?[1-9](_L[12]|\d{7})", re.IGNORECASE)
_SENTINEL2_NAME = re.compile(r"^S2[A-D]_(MSIL1C|MSIL2A|OPER_)", re.IGNORECASE)
_LANDSAT_BAND = re.compile(r"^L[COTEM]0?[1-9]\w*_B\d{1,2}(_VCID_\d)?\.TIFF?$", re.IGNORECASE)
#: Files that only a Sentinel-2 product has, at its top: SAFE since 2016, SAFE before, and the AWS layout; and those that
#: only one granule of a SAFE has.
_SENTINEL2_FILE = re.compile(r"^(MTD_MSIL[12][AC]\.xml|S2[A-D]_OPER_MTD_SAFL1C_.*\.xml|tileInfo\.json)$", re.IGNORECASE)
_GRANULE_FILE = re.compile(r"^(MTD_TL\.xml|S2[A-D]_OPER_MTD_L1C_TL_.*\.xml)$", re.IGNORECASE)
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


def kind_of_folder(names: Collection[str]) -> Kind | None:
    """The kind of scene that a folder is, from the names of its files; None when it is none, or several scenes."""
    if any(_SENTINEL2_FILE.match(name) or _GRANULE_FILE.match(name) for name in names):
        return "sentinel2"
    metadata = landsat_metadata(names)
    return "landsat" if len(metadata) == 1 or (not metadata and _lost_its_metadata(names)) else None


def _lost_its_metadata(names: Iterable[str]) -> bool:
    """Several bands named as Landsat's, and nothing that describes them: its reader says what is missing."""
    found = list(names)
    described = any(name.lower().endswith(JSON_SUFFIXES) for name in found)
    return not described and len([name for name in found if _LANDSAT_BAND.match(name)]) > 1


def landsat_metadata(names: Iterable[str]) -> dict[str, str]:
    """The MTL file of each scene among ``names``, by scene; text before JSON before XML."""
    found: dict[str, str] = {}
    for suffix in (".txt", ".json", ".xml"):
        for name in sorted(names):
            if is_mtl(name) and name.lower().endswith(suffix):
                found.setdefault(PurePosixPath(name).stem.upper(), name)
    return found


def is_delivery(href: str) -> bool:
    """Whether a file is a delivery, or looks like one and cannot be read: then its reader says why.

    An archive with the name of a delivery is not looked into: that costs as much as to unpack it.
    """
    name = PurePosixPath(href).name
    if is_companion(name):
        return False
    if _looks_delivered(name):
        return True
    try:
        return kind_of_file(href) is not None
    except SceneError:
        return True


def kind_of_file(href: str) -> Kind | None:
    """The kind of scene that a file is or holds; None when it is none.

    Raises:
        SceneError: It looks like a delivery by name, suffix or first bytes, and cannot be read.
    """
    name = PurePosixPath(href).name
    if is_companion(name):
        return None
    if is_mtl(name):
        return "landsat"
    if name.lower().endswith(JSON_SUFFIXES):
        return "stac" if record_type(stac_document(href), href=href) == "Feature" else None
    if name.lower().endswith(ARCHIVE_SUFFIXES) or _looks_delivered(name):
        return _kind_of_archive(href)
    return _kind_by_bytes(href)


def _looks_delivered(name: str) -> bool:
    """Whether a file is named as an archive of a delivery, whatever its suffix, if it has one."""
    return bool(_LANDSAT_NAME.match(name) or _SENTINEL2_NAME.match(name)) and not name.lower().endswith(_BESIDE)


def _kind_by_bytes(href: str) -> Kind | None:
    """A file whose name says nothing; only of this machine: in a bucket each look is a request."""
    if "://" in href or href.lower().endswith(_PARTS):
        return None
    try:
        with open_bytes(gdal_href(href)) as file:
            head = file.read(_HEAD_BYTES)
    except ReadError:
        return None
    if is_record(head):
        return "stac"
    if not looks_packed(head):
        return None
    try:
        return _kind_of_archive(href)
    except ArchiveError:
        if PurePosixPath(href).suffix:  # of another trade: .docx, .csv.gz
            return None
        raise


def _kind_of_archive(href: str) -> Kind | None:
    names = list(archived(href).members)
    kind = _kind_of_members(names)
    inside = next((n for n in names if n.lower().endswith(ARCHIVE_SUFFIXES) and _looks_delivered(PurePosixPath(n).name)), None)
    if kind is None and (inside is not None or _looks_delivered(PurePosixPath(href).name)):
        raise ArchiveError(
            "the archive holds other archives" if inside else "the archive holds no scene",
            expected="the files of one Landsat or Sentinel-2 delivery with its metadata",
            got=f"{inside or f'{len(names)} other files'} in {href}",
            remedy="Unpack it and name the folder." if inside else "Fetch it again: it may be cut short.",
        )
    return kind


def _kind_of_members(names: Iterable[str]) -> Kind | None:
    found = [PurePosixPath(name).name for name in names]
    if any(_SENTINEL2_FILE.match(name) or _GRANULE_FILE.match(name) for name in found):
        return "sentinel2"
    return "landsat" if any(is_mtl(name) for name in found) or _lost_its_metadata(found) else None
