"""Maxar's basic and ortho-ready products (``*.IMD`` beside ``*.RPB`` or ``*_RPC.TXT`` and the image, or its tiles and ``*.TIL``).

Radiance is ``L = absCalFactor / effectiveBandwidth DN`` [W m-2 sr-1 um-1]. The delivery does not tell the solar irradiance of its
bands: those of Thuillier (2003) as DigitalGlobe's "Absolute Radiometric Calibration: 2016v0" tabulates them are used; the
adjustment factors of that document are not.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from swath.errors import MetadataError
from swath.readers.files.href import gdal_href
from swath.readers.files.xml import read_metadata
from swath.readers.rpc.delivery import Delivery, RawBand, RawFile
from swath.readers.rpc.model import read_rpc
from swath.scene import Angles, Band

_PLATFORMS: Final[Mapping[str, str]] = {
    "WV01": "worldview-1", "WV02": "worldview-2", "WV03": "worldview-3", "GE01": "geoeye-1", "QB02": "quickbird-2",
}  # fmt: skip
#: Common name and centre wavelength [um] by group.
_BANDS: Final[Mapping[str, tuple[str, float]]] = {
    "BAND_P": ("pan", 0.63), "BAND_C": ("coastal", 0.425), "BAND_B": ("blue", 0.48), "BAND_G": ("green", 0.545),
    "BAND_Y": ("yellow", 0.605), "BAND_R": ("red", 0.66), "BAND_RE": ("rededge", 0.725), "BAND_N": ("nir", 0.83),
    "BAND_N2": ("nir09", 0.95),
}  # fmt: skip
#: Mean solar irradiance [W m-2 um-1] in the order of ``_BANDS``.
_ORDER: Final = ("pan", "coastal", "blue", "green", "yellow", "red", "rededge", "nir", "nir09")
_ESUN: Final[Mapping[str, Mapping[str, float]]] = {
    "WV01": {"pan": 1478.62},
    "WV02": dict(zip(_ORDER, (1571.36, 1773.81, 2007.27, 1829.62, 1701.85, 1538.85, 1346.09, 1053.21, 856.599), strict=True)),
    "WV03": dict(zip(_ORDER, (1574.41, 1757.89, 2004.61, 1830.18, 1712.07, 1535.33, 1348.08, 1055.94, 858.77), strict=True)),
    "GE01": {"pan": 1610.73, "blue": 1993.18, "green": 1828.83, "red": 1491.49, "nir": 1022.58},
    "QB02": {"pan": 1370.92, "blue": 1949.59, "green": 1823.64, "red": 1553.78, "nir": 1102.85},
}
_GROUP: Final = re.compile(r"BEGIN_GROUP\s*=\s*(\w+)(.*?)END_GROUP\s*=\s*\1", re.DOTALL)
_VALUE: Final = re.compile(r"^\s*(\w+)\s*=\s*\"?([^\";\n]+)\"?\s*;", re.MULTILINE)
_RASTERS: Final = (".tif", ".tiff", ".jp2", ".ntf")
#: First and last line and sample of a tile.
_CORNERS: Final = ("ULRowOffset", "ULColOffset", "LRRowOffset", "LRColOffset")


def read_maxar(files: Mapping[str, str]) -> Delivery:
    """The delivery in a folder.

    Args:
        files: Hrefs by file name.

    Raises:
        MetadataError: Something is missing or contradicts itself; names it.
    """
    imd = _one(files, (".imd",), what="*.IMD")
    href = gdal_href(files[imd])
    text = read_metadata(href).decode("utf-8", "replace")
    groups = dict(_GROUP.findall(text))
    said = dict(_VALUE.findall(text))
    rpc_name = _one(files, (".rpb", "_rpc.txt"), what="*.RPB or *_RPC.TXT")
    satellite = said.get("satId", "").strip()
    bands = [g for g in groups if g in _BANDS]
    if not bands:
        raise MetadataError("the bands of the image are not known", expected=", ".join(_BANDS), got=", ".join(groups) or "none")
    return Delivery(
        scene_id=imd.rpartition(".")[0].replace(" ", "_"),
        platform=_PLATFORMS.get(satellite, satellite.lower() or "unknown"),
        instrument="",
        acquired=_time(said.get("firstLineTime") or said.get("earliestAcqTime") or ""),
        angles=Angles(
            sun_elevation_deg=_float(said, "meanSunEl", "sunEl"),
            sun_azimuth_deg=_float(said, "meanSunAz", "sunAz"),
            view_zenith_deg=90.0 - _float(said, "meanSatEl", "satEl"),
            view_azimuth_deg=_float(said, "meanSatAz", "satAz"),
        ),
        bands=[_band(g, number, groups[g], satellite=satellite) for number, g in enumerate(bands, start=1)],
        files=_tiles(files) or [RawFile(href=gdal_href(files[_one(files, _RASTERS, what="one raster, or a tile list *.TIL")]))],
        rpc=read_rpc(files[rpc_name]),
        metadata=(href, *(gdal_href(files[name]) for name in (rpc_name, *_lists(files)))),
        processed=said.get("generationTime", ""),
    )


def _lists(files: Mapping[str, str]) -> list[str]:
    """Name of the tile list, if there is one."""
    return [_one(files, (".til",), what="one *.TIL")] if any(n.lower().endswith(".til") for n in files) else []


def _tiles(files: Mapping[str, str]) -> list[RawFile]:
    """Tiles of the image by its list, which has their corners in it; none without a list.

    Raises:
        MetadataError: A tile is missing, or tiles overlap or leave a gap.
    """
    found: list[tuple[str, list[int]]] = []
    for name in _lists(files):
        text = read_metadata(gdal_href(files[name])).decode("utf-8", "replace")
        for group, body in _GROUP.findall(text):
            if group.startswith("TILE_"):
                said = dict(_VALUE.findall(body))
                found.append((said.get("filename", "").strip(), [int(_float(said, key)) for key in _CORNERS]))
    by_name = {n.lower(): href for n, href in files.items()}
    for file, _ in found:
        if file.lower() not in by_name:
            raise MetadataError(
                "a tile of the image is missing", expected=file or "a filename", got=", ".join(sorted(files))[:200],
                remedy="Fetch the delivery again.",
            )  # fmt: skip
    rows = _ordinals([(corners[0], corners[2]) for _, corners in found])
    columns = _ordinals([(corners[1], corners[3]) for _, corners in found])
    return [
        RawFile(href=gdal_href(by_name[file.lower()]), row=rows[corners[0]], col=columns[corners[1]]) for file, corners in found
    ]


def _ordinals(spans: list[tuple[int, int]]) -> dict[int, int]:
    """Ordinals, from 1, of first lines or samples; each span begins where the last one ends."""
    ordered = sorted(set(spans))
    expected = 0
    for first, last in ordered:
        if first != expected:
            raise MetadataError(
                "the tiles of the image do not fit together", expected=f"a tile that begins at {expected}", got=str(first),
                remedy="Join them with gdalbuildvrt and gdal_translate, and keep one raster in the folder.",
            )  # fmt: skip
        expected = last + 1
    return {first: number for number, (first, _) in enumerate(ordered, start=1)}


def _band(group: str, number: int, text: str, *, satellite: str) -> RawBand:
    said = dict(_VALUE.findall(text))
    name, centre = _BANDS[group]
    factor, width = said.get("absCalFactor"), said.get("effectiveBandwidth")
    bandwidth = _float(said, "effectiveBandwidth") if width else None
    gain = _float(said, "absCalFactor") / bandwidth if factor and bandwidth else None
    band = Band(
        name=name,
        native_id=group.removeprefix("BAND_"),
        resolution_m=0.0,
        centre_um=centre,
        fwhm_um=bandwidth,
    )
    return RawBand(band=band, index=number, gain=gain, irradiance=_ESUN.get(satellite, {}).get(name))


def _one(files: Mapping[str, str], suffixes: tuple[str, ...], *, what: str) -> str:
    found = [n for n in sorted(files) if n.lower().endswith(suffixes)]
    if len(found) != 1:
        raise MetadataError(
            "the delivery is not one image", expected=what, got=", ".join(found[:5]) or "none",
            remedy="Keep the files of one image in one folder, tiles with their list (*.TIL).",
        )  # fmt: skip
    return found[0]


def _float(said: Mapping[str, str], *names: str) -> float:
    text = next((said[n] for n in names if n in said), "")
    try:
        return float(text)
    except ValueError as error:
        raise MetadataError("the metadata of the image is incomplete", expected=names[0], got=text or "nothing") from error


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise MetadataError("the acquisition time cannot be read", expected="firstLineTime", got=text or "nothing") from error
