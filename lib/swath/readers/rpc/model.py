"""RPC files to a model: tags of a GeoTIFF, ``_RPC.TXT``, ``.RPB``, and ``RPC_*.XML`` of DIMAP.

All are brought to one origin, at which the centre of the first pixel is (0, 0): that of RPC00B, of GeoTIFF's tag, of ``_RPC.TXT``
and of ``.RPB``. DIMAP's of Pleiades and SPOT 6 and 7 counts it (1, 1), that of Pleiades Neo (0, 0).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from swath.algo.rpc import TERMS, Rpc
from swath.errors import MetadataError
from swath.readers.files.href import gdal_href
from swath.readers.files.xml import read_metadata, xml_of_bytes

#: Centre of the first pixel by the profile of a DIMAP document.
DIMAP_ORIGIN: Final[Mapping[str, float]] = {
    "PHR_SENSOR": 1.0, "S6_SENSOR": 1.0, "S7_SENSOR": 1.0, "SPOT_SENSOR": 1.0, "PNEO_SENSOR": 0.0
}  # fmt: skip
_SCALARS: Final = (
    "line_off", "samp_off", "lat_off", "long_off", "height_off",
    "line_scale", "samp_scale", "lat_scale", "long_scale", "height_scale",
)  # fmt: skip
_LISTS: Final = ("line_num", "line_den", "samp_num", "samp_den")
_TXT: Final = re.compile(r"^\s*([A-Z_]+?)(?:_(\d+))?\s*[:=]\s*([-+]?[\d.]+(?:[eEdD][-+]?\d+)?)", re.MULTILINE)
_NUMBER: Final = r"[-+]?\d*\.?\d+(?:[eEdD][-+]?\d+)?"
_RPB_SCALAR: Final = re.compile(rf"^\s*(\w+)\s*=\s*({_NUMBER})\s*;", re.MULTILINE)
_RPB_LIST: Final = re.compile(r"^\s*(\w+Coef)\s*=\s*\(([^)]*)\)\s*;", re.MULTILINE | re.DOTALL)
_RPB_NAMES: Final[Mapping[str, str]] = {
    "lineOffset": "line_off", "sampOffset": "samp_off", "latOffset": "lat_off", "longOffset": "long_off",
    "heightOffset": "height_off", "lineScale": "line_scale", "sampScale": "samp_scale", "latScale": "lat_scale",
    "longScale": "long_scale", "heightScale": "height_scale", "lineNumCoef": "line_num", "lineDenCoef": "line_den",
    "sampNumCoef": "samp_num", "sampDenCoef": "samp_den",
}  # fmt: skip


def read_rpc(href: str) -> Rpc:
    """Read a file of RPC by its name: ``.xml`` of DIMAP, ``.rpb``, or text of ``NAME: VALUE``.

    Raises:
        MetadataError: The file cannot be read, or its model cannot be used.
        ReadError: The file does not exist.
    """
    text = read_metadata(gdal_href(href))
    suffix = href.rpartition(".")[2].lower()
    kinds: Mapping[str, Callable[[bytes], Rpc]] = {"xml": rpc_of_dimap, "rpb": rpc_of_rpb}
    try:
        return kinds.get(suffix, rpc_of_text)(text)
    except MetadataError as error:
        error.got = f"{error.got} in {href}"
        raise


def rpc_of_tags(tags: Mapping[str, str]) -> Rpc:
    """The model in GDAL's RPC metadata of a raster (tag 50844, or the files that GDAL reads itself).

    Raises:
        MetadataError: A value is missing or no number, or the model cannot be used.
    """
    found: dict[str, str] = {key.lower(): value for key, value in tags.items()}
    lists = {name: found.get(f"{name}_coeff", "").split() for name in _LISTS}
    return _rpc({name: found.get(name, "") for name in _SCALARS}, lists, origin=0.0)


def rpc_of_text(data: bytes) -> Rpc:
    """The model in a ``_RPC.TXT``: ``LINE_OFF: +001234.00 pixels``, ``LINE_NUM_COEFF_1: ...``.

    Raises:
        MetadataError: See ``rpc_of_tags``.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, dict[int, str]] = {name: {} for name in _LISTS}
    for key, number, value in _TXT.findall(data.decode("utf-8", "replace")):
        name = key.lower().removesuffix("_coeff")
        if number and name in lists:
            lists[name][int(number)] = value
        else:
            scalars[key.lower()] = value
    return _rpc(scalars, {n: [found.get(i + 1, "") for i in range(TERMS)] for n, found in lists.items()}, origin=0.0)


def rpc_of_rpb(data: bytes) -> Rpc:
    """The model in a ``.RPB`` of Maxar.

    Raises:
        MetadataError: See ``rpc_of_tags``.
    """
    text = data.decode("utf-8", "replace")
    scalars = {_RPB_NAMES[k]: v for k, v in _RPB_SCALAR.findall(text) if k in _RPB_NAMES}
    lists = {_RPB_NAMES[k]: re.findall(_NUMBER, v) for k, v in _RPB_LIST.findall(text) if k in _RPB_NAMES}
    return _rpc(scalars, lists, origin=0.0)


def rpc_of_dimap(data: bytes) -> Rpc:
    """The model from ground to image in a ``RPC_*.XML`` of DIMAP.

    Raises:
        MetadataError: See ``rpc_of_tags``; or the profile does not tell where pixels are counted from.
    """
    root = xml_of_bytes(data, name="the RPC document")
    profile = (root.findtext(".//METADATA_PROFILE") or "").strip()
    if profile not in DIMAP_ORIGIN:
        raise MetadataError(
            "the RPC document does not tell where its pixels are counted from",
            expected=f"METADATA_PROFILE {', '.join(DIMAP_ORIGIN)}",
            got=profile or "none",
            remedy="Convert it to a _RPC.TXT, in which the centre of the first pixel is (0, 0).",
        )
    validity, inverse = root.find(".//RFM_Validity"), root.find(".//Inverse_Model")
    if validity is None or inverse is None:
        raise _missing(["RFM_Validity", "Inverse_Model"])
    scalars = {name: (validity.findtext(name.upper()) or "").strip() for name in _SCALARS}
    lists = {n: [(inverse.findtext(f"{n.upper()}_COEFF_{i + 1}") or "").strip() for i in range(TERMS)] for n in _LISTS}
    return _rpc(scalars, lists, origin=DIMAP_ORIGIN[profile])


def _rpc(scalars: Mapping[str, str], lists: Mapping[str, list[str]], *, origin: float) -> Rpc:
    missing = [n.upper() for n in _SCALARS if not scalars.get(n)]
    missing += [f"{n.upper()}_COEFF" for n in _LISTS if len(lists.get(n, [])) != TERMS or not all(lists[n])]
    if missing:
        raise _missing(missing)
    try:
        single = {name: _float(scalars[name]) for name in _SCALARS}
        several = {name: tuple(_float(v) for v in lists[name]) for name in _LISTS}
    except ValueError as error:
        raise MetadataError(
            "the RPC of the image has a value that is not a number", expected="numbers", got=str(error), remedy="Fetch it again."
        ) from error
    single["line_off"] -= origin
    single["samp_off"] -= origin
    return Rpc(
        **single,
        line_num=several["line_num"],
        line_den=several["line_den"],
        samp_num=several["samp_num"],
        samp_den=several["samp_den"],
    )


def _float(text: str) -> float:
    # Fortran's exponents occur.
    return float(text.split(maxsplit=1)[0].replace("D", "E").replace("d", "e"))


def _missing(names: list[str]) -> MetadataError:
    return MetadataError(
        "the RPC of the image is incomplete",
        expected="10 offsets and scales and four times 20 coefficients",
        got=f"no {', '.join(names[:6])}",
        remedy="Fetch the RPC file of the image again.",
    )
