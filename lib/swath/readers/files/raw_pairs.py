"""Files of a raw image; and the pan and the multispectral image of one delivery, each in a folder of its own, by their names.

Airbus names them ``IMG_PHR1A_P_001`` and ``IMG_PHR1A_MS_002``, Maxar ``..._P001_PAN`` and ``..._P001_MUL``.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

#: Metadata and model of a raw image: DIMAP, and Maxar.
_RAW_FILE: Final = re.compile(r"^(DIM_.*\.XML|.*\.IMD)$", re.IGNORECASE)
_RAW_MODEL: Final = re.compile(r"^(RPC_.*\.XML|.*\.RPB|.*_RPC\.TXT)$", re.IGNORECASE)
_KIND: Final = re.compile(r"(?<![^_])(?P<pan>P|PAN)(?![^_])|(?<![^_])(?:MS|MS-FS|MUL)(?![^_])", re.IGNORECASE)
#: Airbus numbers the images of a delivery.
_NUMBER: Final = re.compile(r"(?<![^_])\d{3}(?![^_])")


def holds_raw_image(names: Iterable[str]) -> bool:
    """Whether files are those of a raw image: metadata of DIMAP or Maxar, and a model of the ground."""
    found = [PurePosixPath(name).name for name in names]
    return any(_RAW_FILE.match(name) for name in found) and any(_RAW_MODEL.match(name) for name in found)


def is_pan(name: str) -> bool:
    """Whether a folder's name says that its image is panchromatic."""
    found = _KIND.search(name)
    return found is not None and found["pan"] is not None


def partner_of(name: str, *, among: Iterable[str]) -> str | None:
    """The folder with the other image of a delivery; None where there is none, or more than one that fits equally.

    Args:
        name: Name of a folder.
        among: Names of the folders beside it.
    """
    if _KIND.search(name) is None:
        return None
    others = [n for n in among if _KIND.search(n) and is_pan(n) != is_pan(name)]
    for shape in (_key, _unnumbered):
        fitting = [n for n in others if shape(n) == shape(name)]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _key(name: str) -> str:
    return _KIND.sub("*", name, count=1).upper()


def _unnumbered(name: str) -> str:
    return _NUMBER.sub("#", _key(name))
