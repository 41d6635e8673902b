"""Ids of granules: products before December 2016 hold several, and some hold two of one tile."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from swath.readers.files.archived import archived_files, split_place
from swath.readers.sentinel2.metadata import Sentinel2Metadata
from swath.stores.registry import open_store

_GRANULES = "GRANULE"
_S3 = "s3://"
#: When a granule was made, in its id (``S2A_OPER_MSI_L1C_TL_SGS__20160615T152456_A005124_T56JMM_N02.04``).
_MADE = re.compile(r"_(\d{8}T\d{6})_")


def scene_id_of(metadata: Sentinel2Metadata, *, source: str) -> str:
    """The scene's id; where the product holds two granules of one tile, the time of making tells them apart.

    Args:
        metadata: Metadata of the product and the granule.
        source: Source as the user named it: a granule's folder has its siblings beside it.
    """
    if metadata.tile is None or sum(1 for _ in _of_tile(source, tile=metadata.tile.mgrs)) <= 1:
        return metadata.scene_id
    made = _MADE.search(metadata.tile.tile_id)
    return f"{metadata.scene_id}_{made.group(1) if made else metadata.tile.tile_id}"


def _of_tile(source: str, *, tile: str) -> Iterator[str]:
    """Folders of a tile's granules beside a granule's folder: on this machine, on S3, in an archive."""
    archive, place = split_place(source)
    above, _, granule = f"/{place or source.rstrip('/')}".rpartition(f"/{_GRANULES}/")
    if not granule or "/" in granule:
        return
    beside: Iterable[str] = ()
    if place:
        inside = f"{above}/{_GRANULES}/"
        beside = (f"/{name}".removeprefix(inside) for name in archived_files(archive) if f"/{name}".startswith(inside))
    elif source.startswith(_S3):
        beside = open_store(f"{above[1:]}/{_GRANULES}", create=False).list("")
    elif Path(source).parent.is_dir():
        beside = (f"{f.name}/" for f in Path(source).parent.iterdir() if f.is_dir())
    folders = {name.split("/")[0] for name in beside if "/" in name}
    yield from sorted(name for name in folders if f"_T{tile}" in name)
