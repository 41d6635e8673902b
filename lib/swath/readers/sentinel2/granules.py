"""Ids of granules: products before December 2016 hold several, and some hold two of one tile."""

import re
from collections.abc import Iterator
from pathlib import Path

from swath.readers.sentinel2.metadata import Sentinel2Metadata
from swath.stores.registry import open_store

_GRANULES = "GRANULE"
_S3 = "s3://"
#: When a granule was made, in its id (``S2A_OPER_MSI_L1C_TL_SGS__20160615T152456_A005124_T56JMM_N02.04``).
_MADE = re.compile(r"_(\d{8}T\d{6})_")


def scene_id_of(metadata: Sentinel2Metadata, *, source: str) -> str:
    """The scene's id; where the product holds two granules of one tile, each is told by when it was made.

    Args:
        metadata: Metadata of the product and the granule.
        source: What the user named: a granule's folder has its siblings beside it.
    """
    if metadata.tile is None or sum(1 for _ in _of_tile(source, tile=metadata.tile.mgrs)) <= 1:
        return metadata.scene_id
    made = _MADE.search(metadata.tile.tile_id)
    return f"{metadata.scene_id}_{made.group(1) if made else metadata.tile.tile_id}"


def _of_tile(source: str, *, tile: str) -> Iterator[str]:
    """Folders of a tile's granules beside a granule's folder, on this machine or on S3."""
    if source.startswith(_S3):
        above, _, granule = source.rstrip("/").rpartition(f"/{_GRANULES}/")
        if above and "/" not in granule:
            names = open_store(f"{above}/{_GRANULES}", create=False).list("")
            beside = {name.split("/")[0] for name in names if "/" in name}
            yield from sorted(name for name in beside if f"_T{tile}" in name)
        return
    folder = Path(source)
    if folder.parent.name == _GRANULES and folder.parent.is_dir():
        yield from (f.name for f in folder.parent.iterdir() if f.is_dir() and f"_T{tile}" in f.name)
