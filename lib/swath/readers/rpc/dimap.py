"""DIMAP version 2: raw images of Pleiades, Pleiades Neo, SPOT 6 and 7 (``DIM_*.XML`` beside ``RPC_*.XML``).

Radiance is ``L = DN / GAIN + BIAS`` [W m-2 sr-1 um-1] (Airbus, "Pleiades Imagery User Guide", radiometric calibration); the
solar irradiance of each band is in the same list.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from swath.errors import MetadataError
from swath.readers.files.href import gdal_href
from swath.readers.files.xml import parse_xml
from swath.readers.rpc.delivery import Delivery, RawBand, RawFile
from swath.readers.rpc.model import read_rpc
from swath.scene import VIEW_ANGLES, Angles, Band

#: Platform and instrument by mission.
_MISSIONS: Final[Mapping[str, tuple[str, str]]] = {
    "PHR": ("pleiades-", "hiri"), "PNEO": ("pleiades-neo-", "pneo"), "SPOT": ("spot-", "naomi"), "SPOT ": ("spot-", "naomi"),
}  # fmt: skip
#: Common names and centre wavelengths [um] by the band's id.
_BANDS: Final[Mapping[str, tuple[str, float]]] = {
    "P": ("pan", 0.65), "PAN": ("pan", 0.65),
    "B0": ("blue", 0.49), "B1": ("green", 0.56), "B2": ("red", 0.66), "B3": ("nir", 0.84),
    "B": ("blue", 0.49), "G": ("green", 0.56), "R": ("red", 0.66), "NIR": ("nir", 0.84),
    "RE": ("rededge", 0.725), "DB": ("coastal", 0.425),
}  # fmt: skip
#: Processings after which the gains no longer make radiance of counts.
_RAW_COUNTS: Final = ("BASIC", "LINEAR_STRETCH_NONE", "")


def read_dimap(files: Mapping[str, str]) -> Delivery:
    """The delivery in a folder.

    Args:
        files: Hrefs by file name.

    Raises:
        MetadataError: Something is missing or contradicts itself; names it.
    """
    name = next(n for n in sorted(files) if n.upper().startswith("DIM_") and n.upper().endswith(".XML"))
    href = gdal_href(files[name])
    root = parse_xml(href)
    _check_raw(root, name=name)
    platform, instrument = _platform(root)
    angles, left_out = _angles(root)
    rpc_name = _rpc_file(root, files)
    return Delivery(
        scene_id=(_text(root, "DATASET_NAME") or name.removeprefix("DIM_").rpartition(".")[0]).strip().replace(" ", "_"),
        platform=platform,
        instrument=instrument,
        acquired=_acquired(root),
        angles=angles,
        bands=_bands(root),
        files=_rasters(root, files),
        rpc=read_rpc(files[rpc_name]),
        metadata=(href, gdal_href(files[rpc_name])),
        nodata=_special(root, "NODATA"),
        saturated=_special(root, "SATURATED"),
        processed=_text(root, "PRODUCTION_DATE") or _text(root, "DATASET_PRODUCTION_DATE"),
        left_out=left_out,
    )


def _text(root: Element, tag: str) -> str:
    return (root.findtext(f".//{tag}") or "").strip()


def _needed(root: Element, tag: str) -> str:
    found = _text(root, tag)
    if not found:
        raise MetadataError("the metadata of the image is incomplete", expected=tag, got="nothing", remedy="Fetch it again.")
    return found


def _number(root: Element, tag: str) -> float | None:
    text = _text(root, tag).split(" ")[0]
    try:
        return float(text) if text else None
    except ValueError as error:
        raise MetadataError("a number of the metadata cannot be read", expected=f"{tag} as a number", got=text) from error


def _check_raw(root: Element, *, name: str) -> None:
    level = _text(root, "PROCESSING_LEVEL")
    if level and level.upper() not in ("SENSOR", "PRIMARY"):
        raise MetadataError(
            "the image is on a map already",
            expected="PROCESSING_LEVEL SENSOR or PRIMARY",
            got=f"{level} in {name}",
            remedy="Describe the GeoTIFF by a STAC item.",
        )


def _platform(root: Element) -> tuple[str, str]:
    mission, index = _needed(root, "MISSION").upper(), _text(root, "MISSION_INDEX").lower()
    platform, instrument = _MISSIONS.get(mission, (f"{mission.lower().replace(' ', '-')}-", _text(root, "INSTRUMENT").lower()))
    return f"{platform}{index}".rstrip("-"), instrument


def _acquired(root: Element) -> datetime:
    date, time = _needed(root, "IMAGING_DATE"), _needed(root, "IMAGING_TIME")
    text = f"{date.split('T')[0]}T{time.removesuffix('Z')}"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise MetadataError("the acquisition time cannot be read", expected="IMAGING_DATE and IMAGING_TIME", got=text) from error


def _angles(root: Element) -> tuple[Angles, Mapping[str, str]]:
    """Angles; those of the centre where values are given for several places."""
    places = root.findall(".//Located_Geometric_Values")
    centre = next(
        (p for p in places if _text(p, "LOCATION_TYPE").upper() == "CENTER"), places[len(places) // 2] if places else root
    )
    elevation, azimuth = _number(centre, "SUN_ELEVATION"), _number(centre, "SUN_AZIMUTH")
    if elevation is None or azimuth is None:
        raise MetadataError(
            "the sun's angles are missing", expected="SUN_ELEVATION and SUN_AZIMUTH", got="none", remedy="Fetch it again."
        )
    view, direction = _number(centre, "INCIDENCE_ANGLE"), _number(centre, "AZIMUTH_ANGLE")
    said = view is not None and direction is not None
    left_out = {} if said else {VIEW_ANGLES: "the delivery does not say from where the sensor looks"}
    angles = Angles(
        sun_elevation_deg=elevation, sun_azimuth_deg=azimuth,
        view_zenith_deg=abs(view or 0.0), view_azimuth_deg=direction or 0.0,
    )  # fmt: skip
    return angles, left_out


def _bands(root: Element) -> list[RawBand]:
    radiances = {_text(e, "BAND_ID"): e for e in root.findall(".//Band_Radiance")}
    suns = {_text(e, "BAND_ID"): _number(e, "VALUE") for e in root.findall(".//Band_Solar_Irradiance")}
    ranges = {_text(e, "BAND_ID"): (_number(e, "MIN"), _number(e, "MAX")) for e in root.findall(".//Band_Spectral_Range")}
    calibrated = _text(root, "RADIOMETRIC_PROCESSING").upper() in _RAW_COUNTS
    order = {_text(e, "BAND_ID"): int(_text(e, "BAND_INDEX") or 0) for e in root.findall(".//Raster_Index")}
    ids = sorted(order, key=lambda b: order[b]) or [b for b in radiances if b]
    unknown = [b for b in ids if b.upper() not in _BANDS]
    if not ids or unknown:
        raise MetadataError(
            "the bands of the image are not known",
            expected=f"BAND_ID {', '.join(_BANDS)}",
            got=", ".join(unknown) or "none",
            remedy="Describe the image by a STAC item.",
        )
    found = []
    for number, band_id in enumerate(ids, start=1):
        name, centre = _BANDS[band_id.upper()]
        gain, bias = None, 0.0
        if calibrated and band_id in radiances:
            told = _number(radiances[band_id], "GAIN")
            gain, bias = 1.0 / told if told else None, _number(radiances[band_id], "BIAS") or 0.0
        low, high = ranges.get(band_id, (None, None))
        width = high - low if low is not None and high is not None else None
        band = Band(name=name, native_id=band_id, resolution_m=0.0, centre_um=centre, fwhm_um=width)
        found.append(RawBand(band=band, index=order.get(band_id, number), gain=gain, bias=bias, irradiance=suns.get(band_id)))
    return found


def _rasters(root: Element, files: Mapping[str, str]) -> list[RawFile]:
    found, by_name = [], {n.upper(): href for n, href in files.items()}
    for entry in root.findall(".//Data_File"):
        path = entry.find(".//DATA_FILE_PATH")
        name = ("" if path is None else path.get("href", "")).rpartition("/")[2]
        if name.upper() not in by_name:
            raise MetadataError("a file of the image is missing", expected=name or "a DATA_FILE_PATH", got="no such file",
                                remedy="Fetch the delivery again.")  # fmt: skip
        tile = int(entry.get("tile_R", "1")), int(entry.get("tile_C", "1"))
        found.append(RawFile(href=gdal_href(by_name[name.upper()]), row=tile[0], col=tile[1]))
    if not found:
        raise MetadataError("the metadata names no raster", expected="Data_File entries", got="none", remedy="Fetch it again.")
    return found


def _rpc_file(root: Element, files: Mapping[str, str]) -> str:
    wanted = next((p.get("href", "") for p in root.findall(".//COMPONENT_PATH") if "RPC_" in p.get("href", "").upper()), "")
    names = [n for n in sorted(files) if n.upper().startswith("RPC_") and n.upper().endswith(".XML")]
    found = [n for n in names if n == wanted.rpartition("/")[2]] or names
    if len(found) != 1:
        raise MetadataError(
            "the model of the image is not one file", expected="one RPC_*.XML", got=", ".join(found) or "none",
            remedy="Keep the files of one image in one folder.",
        )  # fmt: skip
    return found[0]


def _special(root: Element, name: str) -> int | None:
    for value in root.findall(".//Special_Value"):
        if _text(value, "SPECIAL_VALUE_TEXT").upper() == name:
            return int(_number(value, "SPECIAL_VALUE_COUNT") or 0)
    return None
