"""Finding the files of a Sentinel-2 scene: SAFE folder or zip, one granule of an old SAFE, or an AWS tile."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

from swath.errors import MetadataError, ReadError
from swath.readers.href import gdal_href, open_bytes
from swath.readers.listing import direct_files
from swath.readers.sentinel2_bands import NATIVE_IDS
from swath.readers.sentinel2_metadata import MetadataFiles
from swath.stores.registry import open_store

#: A SAFE product has about 150 files, one of 2015 with many granules a few thousand.
MAX_FILES = 50_000

_PRODUCT = re.compile(r"(?i)(?:MTD_MSIL(?:1C|2A)|S2._OPER_MTD_SAFL1C_[^/]*|product_metadata)\.xml")
_TILE = re.compile(r"(?i)(?:(?:.+/)?(?:MTD_TL|S2._OPER_MTD_L1C_TL_[^/]*)|metadata)\.xml")
_IMAGE = re.compile(r"(?:(?:.*/)?IMG_DATA/(?:[^/]*_)?)?(B0[1-9]|B1[0-2]|B8A)\.(?:jp2|tif)")
_GRANULE = "GRANULE"
_S3 = "s3://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The files of one scene.

    Args:
        source: What the user named.
        metadata: The documents.
        images: Href of each band's raster, by native band id.
        names: Name relative to the product's root, the same in folder and archive, by href.
        left_out: What was passed over, in words, by name.
    """

    source: str
    metadata: MetadataFiles
    images: Mapping[str, str]
    names: Mapping[str, str]
    left_out: Mapping[str, str]


def find_delivery(href: str) -> Delivery:
    """Find the files of a scene.

    Args:
        href: A SAFE folder or zip, a granule's folder inside a SAFE, an AWS tile's folder or zip; here or on S3.

    Raises:
        MetadataError: No Sentinel-2 metadata there, or several granules.
        ReadError: The archive is broken or the folder is not there.
    """
    files = _of_zip(href) if href.lower().endswith(".zip") else _of_folder(href)
    product = _the_one(files, pattern=_PRODUCT, what="product", source=href)
    tile = _the_one(files, pattern=_TILE, what="granule", source=href)
    if product is None and tile is None:
        raise MetadataError(
            "no Sentinel-2 metadata was found",
            expected="MTD_MSIL1C.xml and GRANULE/*/MTD_TL.xml, or an AWS tile's metadata.xml",
            got=f"{len(files)} other files in {href}",
            remedy="Name the SAFE folder or zip, or the AWS tile folder.",
        )
    images = _images(files, tile=tile)
    return Delivery(
        source=href,
        metadata=MetadataFiles(
            product=files.get(product or ""),
            tile=files.get(tile or ""),
            tile_info=files.get("tileInfo.json"),
            product_info=files.get("productInfo.json"),
        ),
        images={native: files[name] for native, name in images.items()},
        names={file: name for name, file in files.items()},
        left_out=_passed_over(files),
    )


def _of_folder(href: str) -> dict[str, str]:
    """Files of a folder: href by name relative to the product's root."""
    folder = (href if href.startswith(_S3) else str(Path(href.removeprefix("file://")).absolute())).rstrip("/")
    parent, _, granule = folder.rpartition(f"/{_GRANULE}/")
    if not parent or "/" in granule:
        return _from_root({name: gdal_href(f"{folder}/{name}") for name in _names(folder)})
    inside = f"{_GRANULE}/{granule}"
    tops = {name: gdal_href(f"{parent}/{name}") for name in direct_files(parent)}
    return _from_root({**tops, **{f"{inside}/{name}": gdal_href(f"{folder}/{name}") for name in _names(folder)}})


def _names(folder: str) -> list[str]:
    """Names of all files below a folder, on this machine or on S3."""
    if folder.startswith(_S3):
        names = list(islice(open_store(folder, create=False).list(""), MAX_FILES + 1))
    else:
        if not Path(folder).is_dir():
            raise ReadError("the scene is not there", expected="a folder or a zip", got=folder, remedy="Check the path.")
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        names = [path.relative_to(folder).as_posix() for path in islice(files, MAX_FILES + 1)]
    if len(names) > MAX_FILES:
        raise MetadataError(
            "the folder holds too many files for one scene",
            expected=f"at most {MAX_FILES}",
            got=folder,
            remedy="Name the scene's own folder.",
        )
    return names


def _of_zip(href: str) -> dict[str, str]:
    archive_href = gdal_href(href)
    try:
        with open_bytes(archive_href) as file, ZipFile(file) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (ReadError, ValueError) as error:
        raise ReadError(
            "the archive cannot be opened", expected="an intact zip", got=f"{href}: {error}", remedy="Fetch it again."
        ) from error
    return _from_root({name: gdal_href(archive_href, member=name) for name in names[:MAX_FILES]})


def _from_root(files: Mapping[str, str]) -> dict[str, str]:
    """Names relative to where the product's metadata lies (a zip holds a folder around it), inside it only."""
    tops = [name for name in files if _PRODUCT.fullmatch(name.rpartition("/")[2])]
    tops = tops or [name for name in files if _TILE.fullmatch(name.rpartition("/")[2])]
    if not tops:
        return dict(files)
    top = min(tops, key=lambda name: (name.count("/"), name)).rpartition("/")[0]
    prefix = f"{top}/" if top else ""
    return {name.removeprefix(prefix): file for name, file in files.items() if name.startswith(prefix)}


def _the_one(names: Iterable[str], *, pattern: re.Pattern[str], what: str, source: str) -> str | None:
    found = sorted(name for name in names if pattern.fullmatch(name))
    if len(found) > 1:
        raise MetadataError(
            f"there are several {what}s",
            expected="one scene",
            got=f"{len(found)} in {source}: {', '.join(found[:3])} ...",
            remedy="Unpack it and name one granule's folder (<SAFE>/GRANULE/<granule>).",
        )
    return found[0] if found else None


def _images(files: Iterable[str], *, tile: str | None) -> dict[str, str]:
    """Name of each band's raster, in the granule's own folder."""
    folder = (tile or "").rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    found: dict[str, str] = {}
    for name in sorted(files):
        match = _IMAGE.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if match:
            found.setdefault(match.group(1), name)
    return {native: found[native] for native in NATIVE_IDS if native in found}


def _passed_over(files: Iterable[str]) -> dict[str, str]:
    pictures = [name for name in files if re.search(r"(?:^|[/_])TCI\.(?:jp2|tif)$", name)]
    return {"visual": "a picture of 8 bits, not a measurement"} if pictures else {}
