"""Finding the files of a Sentinel-2 scene: SAFE folder or archive, one granule of an old SAFE, or an AWS tile."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from swath.errors import MetadataError, ReadError
from swath.readers.archives.companions import is_companion
from swath.readers.files.archived import archived_files, is_archive, split_place
from swath.readers.files.href import gdal_href
from swath.readers.files.listing import direct_files
from swath.readers.sentinel2.bands import NATIVE_IDS
from swath.readers.sentinel2.metadata import MetadataFiles
from swath.stores.registry import open_store

#: A SAFE product has about 150 files, one of 2015 with many granules a few thousand.
MAX_FILES = 50_000

_PRODUCT = re.compile(r"(?i)(?:MTD_MSIL(?:1C|2A)|S2._OPER_MTD_SAFL1C_[^/]*|product_metadata)\.xml")
_TILE = re.compile(r"(?i)(?:(?:.+/)?(?:MTD_TL|S2._OPER_MTD_L1C_TL_[^/]*)|metadata)\.xml")
#: Where a band's raster is in its granule's folder, in order of preference: as ESA and AWS deliver it, then as downloads
#: of single files leave it. JPEG 2000, or a copy as GeoTIFF.
_BAND = r"(?P<band>B0[1-9]|B1[0-2]|B8A)\.(?P<suffix>jp2|tiff?)"
_IMAGES = (
    re.compile(rf"(?i)(?P<stem>(?:.*/)?IMG_DATA/(?:[^/]*_)?){_BAND}"),
    re.compile(rf"(?i)(?P<stem>){_BAND}"),
    re.compile(rf"(?i)(?P<stem>(?:T\d\d[A-Z]{{3}}_\d{{8}}T\d{{6}}|S2[A-D]_[A-Z0-9_]*T\d\d[A-Z]{{3}})_){_BAND}"),
)
_RASTER = re.compile(r"(?i).*\.(?:jp2|tiff?)")
EXPECTED_LAYOUT = (
    "B01 to B12 as .jp2 or .tif: in GRANULE/*/IMG_DATA (SAFE), as B01.jp2 beside tileInfo.json (AWS), "
    "or as T??XXX_*_B01.jp2 beside MTD_TL.xml (all files in one folder)"
)
_GRANULE = "GRANULE"
_S3 = "s3://"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeDelivery:
    """The files of one scene.

    Args:
        source: Source as the user named it.
        metadata: The documents.
        images: Href of each band's raster, by native band id.
        names: Name relative to the product's root, the same in folder and archive, by href.
        left_out: Parts that were passed over, in words, by name.
        strays: Rasters that are not where a band is expected; only where no band is.
        flat: All files lie in one folder.
    """

    source: str
    metadata: MetadataFiles
    images: Mapping[str, str]
    names: Mapping[str, str]
    left_out: Mapping[str, str]
    strays: tuple[str, ...] = ()
    flat: bool = False


def find_delivery(href: str) -> SafeDelivery:
    """Find the files of a scene.

    Args:
        href: A SAFE folder or archive, a granule's folder inside a SAFE, an AWS tile's folder or archive; here or on S3.

    Raises:
        MetadataError: No Sentinel-2 metadata there, or several granules.
        ReadError: The archive is broken or the folder is not there.
    """
    files = files_of(href)
    documents = documents_of(files, source=href)
    tile = _the_one(files, pattern=_TILE, what="granule", source=href)
    images = _images(files, tile=tile, source=href)
    return SafeDelivery(
        source=href,
        metadata=documents,
        images={native: files[name] for native, name in images.items()},
        names={file: name for name, file in files.items()},
        left_out=_passed_over(files),
        flat=any(_IMAGES[-1].fullmatch(name) for name in images.values()),
        strays=() if images else tuple(sorted(name for name in files if _RASTER.fullmatch(name))),
    )


def files_of(href: str) -> dict[str, str]:
    """Files of a delivery: href by name relative to the product's root.

    Raises:
        ReadError: The archive is broken or the folder is not there.
    """
    return _of_archive(href) if is_archive(href) else _of_folder(href)


def documents_of(files: Mapping[str, str], *, source: str) -> MetadataFiles:
    """The documents among the files of a delivery.

    Raises:
        MetadataError: No Sentinel-2 metadata there, or several granules.
    """
    product = _the_one(files, pattern=_PRODUCT, what="product", source=source)
    tile = _the_one(files, pattern=_TILE, what="granule", source=source)
    if product is None and tile is None:
        raise MetadataError(
            "no Sentinel-2 metadata was found",
            expected="MTD_MSIL1C.xml and GRANULE/*/MTD_TL.xml, or an AWS tile's metadata.xml",
            got=f"{len(files)} other files in {source}",
            remedy="Name the SAFE folder or zip, or the AWS tile folder.",
        )
    return MetadataFiles(
        product=files.get(product or ""),
        tile=files.get(tile or ""),
        tile_info=files.get("tileInfo.json"),
        product_info=files.get("productInfo.json"),
    )


def _of_archive(href: str) -> dict[str, str]:
    """Files of an archive, or of one of several products or granules in it: href by name relative to the product's root."""
    place = split_place(href)[1]
    files = archived_files(href)
    if not place:
        return _from_root(files, source=href)
    parent, inside, granule = f"/{place}".rpartition(f"/{_GRANULE}/")
    granule = granule if inside else ""
    root = parent if granule else f"/{place}"
    below = {f"/{name}".removeprefix(f"{root}/"): file for name, file in files.items() if f"/{name}".startswith(f"{root}/")}
    own = f"{_GRANULE}/{granule}/" if granule else ""
    return _from_root({n: f for n, f in below.items() if n.startswith(own) or (granule and "/" not in n)}, source=href)


def _of_folder(href: str) -> dict[str, str]:
    """Files of a folder: href by name relative to the product's root."""
    folder = (href if href.startswith(_S3) else str(Path(href.removeprefix("file://")).absolute())).rstrip("/")
    parent, _, granule = folder.rpartition(f"/{_GRANULE}/")
    if not parent or "/" in granule:
        return _from_root({name: gdal_href(f"{folder}/{name}") for name in _names(folder)}, source=href)
    inside = f"{_GRANULE}/{granule}"
    tops = {name: gdal_href(f"{parent}/{name}") for name in direct_files(parent)}
    own = {f"{inside}/{name}": gdal_href(f"{folder}/{name}") for name in _names(folder)}
    return _from_root({**tops, **own}, source=href)


def _names(folder: str) -> list[str]:
    """Names of all files below a folder, on this machine or on S3."""
    if folder.startswith(_S3):
        names = list(islice(open_store(folder, create=False).list(""), MAX_FILES + 1))
    else:
        if not Path(folder).is_dir():
            raise ReadError("the scene is not there", expected="a folder or a zip", got=folder, remedy="Check the path.")
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        names = [path.relative_to(folder).as_posix() for path in islice(files, MAX_FILES + 1)]
    names = [name for name in names if not is_companion(name)]
    if len(names) > MAX_FILES:
        raise MetadataError(
            "the folder holds too many files for one scene",
            expected=f"at most {MAX_FILES}",
            got=folder,
            remedy="Name the scene's own folder.",
        )
    return names


def _from_root(files: Mapping[str, str], *, source: str) -> dict[str, str]:
    """Names relative to where the product's metadata is (an archive holds a folder around it), inside it only.

    Raises:
        MetadataError: Several products are equally near the top: none may be passed over.
    """
    tops = [name for name in files if _PRODUCT.fullmatch(name.rpartition("/")[2])]
    tops = tops or [name for name in files if _TILE.fullmatch(name.rpartition("/")[2])]
    if not tops:
        return dict(files)
    nearest = min(name.count("/") for name in tops)
    folders = sorted({name.rpartition("/")[0] for name in tops if name.count("/") == nearest})
    if len(folders) > 1:
        raise MetadataError(
            "there are several products",
            expected="one product",
            got=f"{len(folders)} in {source}: {', '.join(folders[:3])}",
            remedy="Unpack it and name the folder: each product in it is then found.",
        )
    prefix = f"{folders[0]}/" if folders[0] else ""
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


def _images(files: Iterable[str], *, tile: str | None, source: str) -> dict[str, str]:
    """Name of each band's raster, in the granule's own folder, in the first layout that has any.

    Raises:
        MetadataError: Files of several granules lie in one folder.
    """
    folder = (tile or "").rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    inside = sorted(name for name in files if name.startswith(prefix))
    for layout in _IMAGES:
        matches = [m for name in inside if (m := layout.fullmatch(name, len(prefix)))]
        stems = sorted({m["stem"].upper() for m in matches})
        if len(stems) > 1:
            raise MetadataError(
                "it is ambiguous which files are the scene's bands",
                expected="bands of one granule",
                got=f"names with {' and '.join(stems[:3])} in {source}",
                remedy="Leave one granule's files in the folder.",
            )
        if matches:
            # Of a band and a copy of it as GeoTIFF the original is read.
            found = {m["band"].upper(): m.string for m in sorted(matches, key=lambda m: m["suffix"].lower() == "jp2")}
            return {native: found[native] for native in NATIVE_IDS if native in found}
    return {}


def _passed_over(files: Iterable[str]) -> dict[str, str]:
    pictures = [name for name in files if re.search(r"(?i)(?:^|[/_])TCI\.(?:jp2|tiff?)$", name)]
    return {"visual": "a picture of 8 bits, not a measurement"} if pictures else {}
