"""What a path is, told from names alone (and, for JSON, from its type): which reader would read it."""

import json
import re
import tarfile
import zipfile
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from typing import Any, Literal

from swath.errors import MetadataError, ReadError
from swath.readers.href import TAR_SUFFIXES, gdal_href, open_bytes
from swath.readers.landsat_files import is_mtl
from swath.readers.xml import read_metadata

Kind = Literal["landsat", "sentinel2", "stac"]

JSON_SUFFIXES = (".json", ".geojson")
_LANDSAT_NAME = re.compile(r"^L[COTEM]0?[1-9]", re.IGNORECASE)
_SENTINEL2_NAME = re.compile(r"^S2[A-D]_(MSIL1C|OPER_)", re.IGNORECASE)
_LANDSAT_BAND = re.compile(r"^L[COTEM]0?[1-9]\w*_B\d{1,2}(_VCID_\d)?\.TIFF?$", re.IGNORECASE)
#: Files that only a Sentinel-2 product has, at its top: SAFE since 2016, SAFE before, and the AWS layout; and those that
#: only one granule of a SAFE has.
_SENTINEL2_FILE = re.compile(r"^(MTD_MSIL[12][AC]\.xml|S2[A-D]_OPER_MTD_SAFL1C_.*\.xml|tileInfo\.json)$", re.IGNORECASE)
_GRANULE_FILE = re.compile(r"^(MTD_TL\.xml|S2[A-D]_OPER_MTD_L1C_TL_.*\.xml)$", re.IGNORECASE)
#: How deep below an archive's top a product's own metadata may lie.
_ARCHIVE_DEPTH = 2


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


def kind_of_file(href: str) -> Kind | None:
    """The kind of scene that a file is or holds; None when it is none."""
    name = PurePosixPath(href).name
    lower = name.lower()
    if is_mtl(lower):
        return "landsat"
    if lower.endswith(".zip"):
        return "sentinel2" if _SENTINEL2_NAME.match(name) or _zip_has_product(href) else None
    if lower.endswith(TAR_SUFFIXES):
        return "landsat" if _LANDSAT_NAME.match(name) or _tar_has_mtl(href) else None
    if lower.endswith(JSON_SUFFIXES) and stac_type(href) == "Feature":
        return "stac"
    return None


def stac_type(href: str) -> str:
    """``Feature`` for a STAC item, ``FeatureCollection`` for an item collection, ``''`` for any other JSON."""
    document = stac_document(href)
    if "stac_version" in document and document.get("type") == "Feature":
        return "Feature"
    features = document.get("features")
    if document.get("type") == "FeatureCollection" and isinstance(features, list):
        stac = "stac_version" in document or any(isinstance(f, dict) and "stac_version" in f for f in features)
        return "FeatureCollection" if stac else ""
    return ""


def stac_document(href: str) -> dict[str, Any]:
    """The JSON object in a file; empty when it is not one, or too large to be a record."""
    try:
        document = json.loads(read_metadata(gdal_href(href)))
    except (MetadataError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _zip_has_product(href: str) -> bool:
    try:
        with open_bytes(gdal_href(href)) as file, zipfile.ZipFile(file) as archive:
            members = [PurePosixPath(n) for n in archive.namelist()]
    except ReadError:
        return False
    return any(len(m.parts) <= _ARCHIVE_DEPTH and _SENTINEL2_FILE.match(m.name) for m in members)


def _tar_has_mtl(href: str) -> bool:
    try:
        with open_bytes(gdal_href(href)) as file, tarfile.open(fileobj=file) as tar:
            return any(is_mtl(member.name) for member in tar)
    except ReadError:
        return False
