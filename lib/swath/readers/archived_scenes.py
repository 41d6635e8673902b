"""The scenes in an archive: where each is, as ``archive.zip#place``."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from swath.readers.archives.companions import is_companion
from swath.readers.files.href import JSON_SUFFIXES
from swath.readers.files.raw_pairs import holds_raw_image, is_pan, partner_of
from swath.readers.landsat.files import is_mtl
from swath.readers.marks import Kind, kind_by_metadata

_LANDSAT_BAND = re.compile(r"^L[COTEM]0?[1-9]\w*_B\d{1,2}(_VCID_\d)?\.TIFF?$", re.IGNORECASE)
_GRANULES = "GRANULE"
#: A tile of the AWS layout: its bands, and the granule's metadata under a name that others use too.
_TILE_BAND = re.compile(r"^B(?:\d\d|8A)\.(?:jp2|tiff?)$", re.IGNORECASE)
_TILE_METADATA = "metadata.xml"


def kind_of_folder(names: Collection[str]) -> Kind | None:
    """The kind of scene that a folder is, from the names of its files; None when it is none, or several scenes."""
    if (kind := _kind_by_metadata(names)) is not None:
        return kind
    if _TILE_METADATA in names and any(_TILE_BAND.match(name) for name in names):
        return "sentinel2"
    if holds_raw_image(names):
        return "rpc"
    metadata = landsat_metadata(names)
    return "landsat" if len(metadata) == 1 or (not metadata and _lost_its_metadata(names)) else None


def _kind_by_metadata(names: Iterable[str]) -> Kind | None:
    return next((kind for name in names if (kind := kind_by_metadata(name)) is not None), None)


def landsat_metadata(names: Iterable[str]) -> dict[str, str]:
    """The MTL file of each scene among ``names``, by scene; text before JSON before XML."""
    found: dict[str, str] = {}
    for suffix in (".txt", ".json", ".xml"):
        for name in sorted(names):
            if is_mtl(name) and name.lower().endswith(suffix):
                found.setdefault(PurePosixPath(name).stem.upper(), name)
    return found


def kind_of_members(names: Iterable[str]) -> Kind | None:
    """The kind of scene that an archive holds, from the names of its members; None when it holds none."""
    folders = _by_folder(names)
    found = [name for inside in folders.values() for name in inside]
    if (kind := _kind_by_metadata(found)) is not None:
        return kind
    if any(holds_raw_image(inside) for inside in folders.values()):
        return "rpc"
    return "landsat" if any(is_mtl(name) for name in found) or _lost_its_metadata(found) else None


def kind_of_place(names: Iterable[str], *, place: str) -> Kind | None:
    """The kind of scene at a place of an archive."""
    if is_mtl(place):
        return "landsat"
    direct = [name.rpartition("/")[2] for name in names if name.rpartition("/")[0] == place]
    return kind_of_folder(direct) or ("sentinel2" if f"/{_GRANULES}/" in f"/{place}" else None)


def scenes_inside(names: Iterable[str]) -> list[str]:
    """Places of the scenes among an archive's members, in order.

    A scene's folder is not looked into for others, but that a copy of it below it is passed over and another scene is not.

    Args:
        names: Names of the members, with slashes.

    Returns:
        Of a Landsat scene its MTL file; of another product its folder (``''`` for the archive's own), or the folder of each
        granule of a Sentinel-2 product that holds several. The pan image of a delivery is with its multispectral one.
    """
    folders = _by_folder(names)
    products: list[str] = []
    images: dict[str, list[str]] = {}
    scenes: dict[str, str] = {}
    for folder in sorted(folders, key=lambda f: (bool(f), f.count("/"), f)):
        if any(not product or f"{folder}/".startswith(f"{product}/") for product in products):
            continue
        if _kind_by_metadata(folders[folder]) is not None:
            products.append(folder)
            continue
        if holds_raw_image(folders[folder]):
            around, _, name = folder.rpartition("/")
            before = images.setdefault(around, [])
            if not (is_pan(name) and partner_of(name, among=before) is not None):
                before.append(name)
                products.append(folder)
            continue
        metadata = landsat_metadata(folders[folder])
        for scene, name in metadata.items():
            place = f"{folder}/{name}" if folder else name
            if not _is_copy(scene, folder=folder, scenes=scenes):
                scenes[place] = scene
        if not metadata and folder and _lost_its_metadata(folders[folder]) and not _inside_scene(folder, scenes=scenes):
            scenes[folder] = ""
    return [*(place for product in products for place in _granules(product, folders=folders)), *scenes]


def _by_folder(names: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder, []).append(file)
    return folders


def _granules(product: str, *, folders: Mapping[str, object]) -> list[str]:
    inside = f"{product}/{_GRANULES}/" if product else f"{_GRANULES}/"
    granules = {folder.removeprefix(inside).split("/")[0] for folder in folders if folder.startswith(inside)}
    found = sorted(f"{inside}{granule}" for granule in granules if not is_companion(granule))
    return found if len(found) > 1 else [product]


def _is_copy(scene: str, *, folder: str, scenes: Mapping[str, str]) -> bool:
    """Whether a folder above holds metadata of the same name."""
    return any(scene == other and _is_above(place, folder=folder) for place, other in scenes.items())


def _inside_scene(folder: str, *, scenes: Iterable[str]) -> bool:
    return any(_is_above(place, folder=folder) for place in scenes)


def _is_above(place: str, *, folder: str) -> bool:
    above = place.rpartition("/")[0]
    return above != folder and (not above or f"{folder}/".startswith(f"{above}/"))


def _lost_its_metadata(names: Iterable[str]) -> bool:
    """Several bands named as Landsat's, and nothing that describes them: its reader says what is missing."""
    found = list(names)
    described = any(name.lower().endswith(JSON_SUFFIXES) for name in found)
    return not described and len([name for name in found if _LANDSAT_BAND.match(name)]) > 1
