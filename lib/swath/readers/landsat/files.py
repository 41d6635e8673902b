"""The files of a Landsat delivery: folder, MTL file or archive; and which file holds which band."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from swath.errors import MetadataError
from swath.readers.archives.companions import is_companion
from swath.readers.files.archived import archived_files, is_archive, split_place
from swath.readers.files.href import gdal_href, user_href
from swath.readers.files.listing import direct_files
from swath.readers.landsat.mtl_bands import MtlBand

RASTER_SUFFIXES = (".tif", ".tiff")
#: In this order of preference when a delivery has several spellings of the same metadata.
MTL_SUFFIXES = ("_mtl.txt", "_mtl.json", "_mtl.xml")

_TOKEN = re.compile(r"^(?P<stem>.*?)[_-]?(?P<token>B\d{1,2}(?:_VCID_\d)?|BQA|QA_PIXEL|QA_RADSAT)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LandsatDelivery:
    """What is in one place.

    Args:
        mtl_href: The metadata file.
        rasters: GDAL names by file name.
    """

    mtl_href: str
    rasters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BandFiles:
    """Which file holds which band.

    Args:
        hrefs: GDAL names by native id.
        passed_over: Why a band has no file, by native id.
    """

    hrefs: Mapping[str, str]
    passed_over: Mapping[str, str] = field(default_factory=dict)


def is_mtl(name: str) -> bool:
    """Whether a file name is that of Landsat metadata."""
    return name.lower().endswith(MTL_SUFFIXES) and not is_companion(name)


def find_delivery(href: str) -> LandsatDelivery:
    """List a scene folder, the folder of an MTL file, or an archive; on this machine or on S3.

    Raises:
        MetadataError: There is no MTL file, or there are several scenes'.
        ReadError: The folder cannot be listed.
        ArchiveError: The archive cannot be unpacked.
    """
    archive, place = split_place(href)
    if place:
        return _at_place(archived_files(archive), place=place, href=href)
    if not is_mtl(href) and is_archive(href):
        files = _beside_metadata(archived_files(href), href=href)
        return LandsatDelivery(mtl_href=_only_mtl(files, href=href), rasters=_rasters(files))
    given = user_href(gdal_href(href))
    name = PurePosixPath(given).name
    folder = given.rpartition("/")[0] if is_mtl(name) else given
    files = {n: gdal_href(f) for n, f in direct_files(folder).items()}
    mtl_href = gdal_href(given) if is_mtl(name) else _only_mtl(files, href=href)
    return LandsatDelivery(mtl_href=mtl_href, rasters=_rasters(files))


def _at_place(files: Mapping[str, str], *, place: str, href: str) -> LandsatDelivery:
    """One of several scenes in an archive: by its MTL file, or by the folder that holds none."""
    folder = place.rpartition("/")[0] if is_mtl(place) else place
    inside = {name.rpartition("/")[2]: file for name, file in files.items() if name.rpartition("/")[0] == folder}
    name = place.rpartition("/")[2]
    return LandsatDelivery(
        mtl_href=inside[name] if name in inside and is_mtl(name) else _only_mtl(inside, href=href), rasters=_rasters(inside)
    )


def match_bands(bands: Iterable[MtlBand], *, rasters: Mapping[str, str]) -> BandFiles:
    """Find each band's file: by the name that the MTL gives, otherwise by the band in the file's own name.

    When no file is named as the MTL says, the delivery was renamed: then files are matched by their band token
    (``B1``, ``B6_VCID_1``, ``BQA``), among those that share the stem that most of them share; other files beside them
    (a computed reflectance) are not this delivery's.

    Raises:
        MetadataError: Two stems have equally many bands, or one stem has a band twice.
    """
    by_name = {name.upper(): href for name, href in rasters.items()}
    wanted = {b.native_id: b for b in bands}
    named = {i: by_name[b.file_name.upper()] for i, b in wanted.items() if b.file_name.upper() in by_name}
    if named:
        return BandFiles(hrefs=named, passed_over=_absent(wanted, hrefs=named))
    tokens = {_token_of(b): i for i, b in wanted.items()}
    by_stem: dict[str, list[tuple[str, str]]] = {}
    for name in rasters:
        found = _TOKEN.match(PurePosixPath(name).stem.upper())
        if found is not None and found["token"] in tokens:
            by_stem.setdefault(found["stem"], []).append((tokens[found["token"]], name))
    pairs = _of_one_stem(by_stem)
    hrefs = {native_id: rasters[name] for native_id, name in pairs}
    return BandFiles(hrefs=hrefs, passed_over=_absent(wanted, hrefs=hrefs))


def _absent(wanted: Mapping[str, MtlBand], *, hrefs: Mapping[str, str]) -> dict[str, str]:
    return {
        i: f"not in the delivery (the metadata names {b.file_name})" for i, b in wanted.items() if i not in hrefs and b.file_name
    }


def _token_of(band: MtlBand) -> str:
    """The band as it is in the name that the MTL gives (``B10`` for band 1 before 2012), or its native id."""
    found = _TOKEN.match(PurePosixPath(band.file_name).stem.upper())
    return found["token"] if found is not None else band.native_id


def _of_one_stem(by_stem: Mapping[str, Sequence[tuple[str, str]]]) -> Sequence[tuple[str, str]]:
    if not by_stem:
        return ()
    first, *others = sorted(by_stem.items(), key=lambda item: -len(item[1]))
    if others and len(others[0][1]) == len(first[1]):
        raise MetadataError(
            "it is ambiguous which files are the scene's bands",
            expected="files named as the metadata says, or with one common stem",
            got=f"{first[1][0][1]} and {others[0][1][0][1]}",
            remedy="Leave one scene's files in the folder, or restore their names.",
        )
    counts = Counter(native_id for native_id, _ in first[1])
    twice = [native_id for native_id, count in counts.items() if count > 1]
    if twice:
        names = sorted(name for native_id, name in first[1] if native_id == twice[0])
        raise MetadataError(
            "it is ambiguous which file is a band's",
            expected=f"one file for {twice[0]}",
            got=" and ".join(names),
            remedy="Leave one of them in the folder.",
        )
    return first[1]


def _rasters(files: Mapping[str, str]) -> dict[str, str]:
    return {name: href for name, href in files.items() if name.lower().endswith(RASTER_SUFFIXES)}


def _beside_metadata(files: Mapping[str, str], *, href: str) -> dict[str, str]:
    """Files of an archive in the folder of its metadata, by their own names: one of another folder is none of the scene's.

    Raises:
        MetadataError: Several folders have metadata.
    """
    folders = sorted({name.rpartition("/")[0] for name in files if is_mtl(name)}, key=lambda f: (_depth(f), f))
    top = [f for f in folders if _depth(f) == _depth(folders[0])]
    if len(top) > 1:
        raise MetadataError(
            "the archive holds several scenes",
            expected="one folder with a *_MTL.txt, *_MTL.json or *_MTL.xml",
            got=f"{', '.join(top[:5])} in {href}",
            remedy="Unpack it and name the folder: each scene in it is then found.",
        )
    prefix = f"{top[0]}/" if top and top[0] else ""
    inside = {name.removeprefix(prefix): file for name, file in files.items() if name.startswith(prefix)}
    return {name: file for name, file in inside.items() if "/" not in name}


def _depth(folder: str) -> int:
    return folder.count("/") + bool(folder)


def _only_mtl(files: Mapping[str, str], *, href: str) -> str:
    """The metadata file; of one scene's several spellings, text first."""
    found = sorted((n for n in files if is_mtl(n)), key=lambda n: [n.lower().endswith(s) for s in MTL_SUFFIXES], reverse=True)
    scenes = {PurePosixPath(n).stem.upper() for n in found}
    if len(scenes) != 1:
        raise MetadataError(
            "a Landsat scene needs exactly one metadata file" if found else "there is no Landsat metadata",
            expected="one *_MTL.txt, *_MTL.json or *_MTL.xml",
            got=f"{', '.join(found[:5]) or 'none'} in {href}",
            remedy="Name the MTL file of the scene that you mean." if found else "Add the scene's MTL file.",
        )
    return files[found[0]]
