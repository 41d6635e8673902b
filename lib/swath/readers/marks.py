"""Names by which deliveries are recognised before anything is read: a row for each sensor with metadata of its own.

A new sensor is a room below ``swath.readers`` whose module ``scene`` has ``read_scene``, and a row here. Where a scene has no
file that only its sensor has (Landsat's crops, tiles of the AWS layout), ``archived_scenes`` knows more.
"""

import re
from dataclasses import dataclass
from typing import Final

#: Name of the room that reads a delivery: ``landsat``, ``sentinel2``, ``stac``, ``rpc``, or that of a row.
Kind = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How the deliveries of a sensor are named.

    Args:
        kind: Name of the room.
        metadata: Files of which one makes its folder a delivery of this sensor; None where the name of no file suffices.
        archive: Archives of deliveries.
        one: Those of them that hold one scene.
    """

    kind: Kind
    metadata: re.Pattern[str] | None
    archive: re.Pattern[str]
    one: re.Pattern[str]


_LANDSAT_NAME: Final = re.compile(r"^L[COTEM]0?[1-9](_L[12]|\d{7})", re.IGNORECASE)

MARKS: tuple[Marks, ...] = (
    Marks(
        kind="sentinel2",
        # At the top of a product: SAFE since 2016, SAFE before, and the AWS layout; and those of one granule of a SAFE.
        metadata=re.compile(
            r"^(MTD_MSIL[12][AC]\.xml|S2[A-D]_OPER_MTD_SAFL1C_.*\.xml|tileInfo\.json"
            r"|MTD_TL\.xml|S2[A-D]_OPER_MTD_L1C_TL_.*\.xml)$",
            re.IGNORECASE,
        ),
        archive=re.compile(r"^S2[A-D]_(MSIL1C|MSIL2A|OPER_)", re.IGNORECASE),
        # A product of before December 2016 may hold several granules; since then each holds one.
        one=re.compile(r"^S2[A-D]_MSIL[12][AC]_", re.IGNORECASE),
    ),
    Marks(kind="landsat", metadata=None, archive=_LANDSAT_NAME, one=_LANDSAT_NAME),
)


def kind_by_metadata(name: str) -> Kind | None:
    """The sensor whose metadata a file is, by its name."""
    return next((marks.kind for marks in MARKS if marks.metadata is not None and marks.metadata.match(name)), None)


def names_a_delivery(name: str) -> bool:
    """Whether a file is named as an archive of deliveries, whatever its suffix."""
    return any(marks.archive.match(name) for marks in MARKS)


def names_one_scene(name: str) -> bool:
    """Whether a file is named as an archive of one scene."""
    return any(marks.one.match(name) for marks in MARKS)
