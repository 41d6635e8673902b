"""Validity that is not a number of the band: internal masks, ``.msk`` side-cars and alpha bands, found when a header is read."""

from pathlib import Path

import rasterio
from rasterio.enums import ColorInterp, MaskFlags

from swath.readers.files.archived import is_member
from swath.readers.files.digest import file_digest
from swath.readers.files.href import split_href, user_href
from swath.scene import Mask
from swath.stores.registry import open_store

#: What GDAL calls a mask beside a raster.
_SUFFIXES = (".msk", ".MSK")
_S3 = "/vsis3/"
#: Masks that GDAL makes up: of nothing, and of an alpha band, which it forgets where there is a nodata number.
_MADE_UP = {MaskFlags.all_valid, MaskFlags.alpha}


def find_mask(href: str, *, source: rasterio.DatasetReader) -> Mask | None:
    """The mask of a raster: beside it, inside it, or its alpha band, in GDAL's order; None when it has none.

    Args:
        href: Address as ``gdal_href`` spells it.
        source: The raster, opened.

    Raises:
        ReadError: There is a file beside the raster that cannot be read.
    """
    beside = mask_beside(href)
    if beside:
        return Mask(kind="sidecar", href=beside, digest=file_digest(beside))
    flags = set(source.mask_flag_enums[0])
    if flags != {MaskFlags.nodata} and not flags & _MADE_UP:
        return Mask(kind="internal")
    alpha = alpha_of(source)
    return Mask(kind="alpha", band_index=alpha) if alpha else None


def alpha_of(source: rasterio.DatasetReader) -> int:
    """Index of the alpha band, from 1; 0 when there is none, or nothing else."""
    if source.count == 1:
        return 0
    return next((n for n, meaning in enumerate(source.colorinterp, start=1) if meaning == ColorInterp.alpha), 0)


def mask_beside(href: str) -> str:
    """Href of the mask beside a raster; empty when there is none."""
    there = _is_file if split_href(href)[0] == "file" else is_member
    return next((f"{href}{suffix}" for suffix in _SUFFIXES if there(f"{href}{suffix}")), "")


def _is_file(href: str) -> bool:
    if not href.startswith("/vsi"):
        return Path(href).is_file()
    if not href.startswith(_S3):
        return False
    from swath.stores.s3 import S3Store  # noqa: PLC0415  loads boto3, which folders do without

    folder, _, name = user_href(href).rpartition("/")
    store = open_store(folder, create=False)
    return isinstance(store, S3Store) and store.seen(name)
