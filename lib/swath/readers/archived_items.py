"""STAC items inside an archive: each is a scene, whose relative hrefs are members of the archive."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from swath.errors import SceneError
from swath.readers.files.archived import archived_files
from swath.readers.files.href import JSON_SUFFIXES
from swath.readers.landsat.files import is_mtl
from swath.readers.stac_record import record_type, stac_document

_RASTERS = (".tif", ".tiff", ".jp2", ".ntf")


def items_inside(href: str, *, names: Iterable[str]) -> list[str]:
    """Places of the items among an archive's members, in order.

    A record that cannot be read is one where rasters are beside it: its reader says why.

    Args:
        href: Href of the archive.
        names: Names of its members, with slashes.
    """
    found = sorted(names)
    records = [name for name in found if name.lower().endswith(JSON_SUFFIXES) and not is_mtl(name)]
    if not records:
        return []
    files = archived_files(href)
    folders = {_folder(name) for name in found if name.lower().endswith(_RASTERS)}
    return [name for name in records if _is_item(files[name], doubtful=_folder(name) in folders)]


def _is_item(href: str, *, doubtful: bool) -> bool:
    try:
        return record_type(stac_document(href), href=href) == "Feature"
    except SceneError:
        return doubtful


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)
