"""What a raster itself says of the scale, the offset and the name of a band, beside what the item says."""

from dataclasses import replace
from math import isclose
from typing import Final

from swath.errors import MetadataError
from swath.readers.pixels.header import RasterHeader
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.common_names import COMMON_NAMES

#: Scales are written with four digits and more.
_RELATIVE: Final = 1e-4
_OFFSET: Final = 1e-6


def as_in_file(candidate: BandCandidate, *, header: RasterHeader) -> BandCandidate:
    """The band with the file's offset where the item says none.

    Raises:
        MetadataError: Item and file contradict each other: a scale, an offset, the order of the bands.
    """
    if candidate.quality is not None:
        return candidate
    _check_order(candidate, header=header)
    scale, offset = header.scaling(candidate.band_index)
    if candidate.gain is None or (scale, offset) == (1.0, 0.0):
        return candidate
    agrees = isclose(candidate.gain, scale, rel_tol=_RELATIVE)
    if agrees and candidate.offset is None:
        return replace(candidate, offset=offset)
    if agrees and isclose(candidate.offset or 0.0, offset, rel_tol=_RELATIVE, abs_tol=_OFFSET):
        return candidate
    said = "no offset" if candidate.offset is None else f"offset {candidate.offset:g}"
    raise MetadataError(
        f"the item and the file contradict each other about {candidate.band.name}",
        expected=f"scale and offset of the file: {scale:g} and {offset:g}",
        got=f"scale {candidate.gain:g} and {said} in the item, {candidate.href}",
        remedy="Correct the item, or the file (gdal_edit.py -scale 1 -offset 0 takes its own away).",
    )


def _check_order(candidate: BandCandidate, *, header: RasterHeader) -> None:
    """Refuse a file whose bands are named otherwise than the item names them."""
    names = [name.strip().lower() for name in header.descriptions]
    if candidate.entries < 2 or candidate.band.name not in names or any(name not in COMMON_NAMES for name in names):
        return
    if names[candidate.band_index - 1] == candidate.band.name:
        return
    raise MetadataError(
        f"the item and the file contradict each other about the place of {candidate.band.name}",
        expected=f"the order of the file's descriptions: {', '.join(names)}",
        got=f"{candidate.band.name} at place {candidate.band_index} in the item, {candidate.href}",
        remedy="Describe the bands in the order of the file, or correct its descriptions.",
    )
