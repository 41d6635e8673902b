"""Landsat Collection 2 Level 2 of USGS: its own items leave out the scale, which its product guide fixes for all of them."""

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from swath.readers.stac.candidate import BandCandidate

#: A file of surface reflectance of Collection 2, by the name that USGS gives it.
_FILE: Final = re.compile(r"(?i)L[COET]0\d_L2S[PR]_\d{6}_\d{8}_\d{8}_02_(?:T1|T2|RT)_SR_B\d\.TIFF?")
#: USGS, "Landsat 8-9 Collection 2 Level 2 Science Product Guide" (LSDS-1619), and its counterpart for Landsat 4 to 7:
#: reflectance of one DN and of DN 0, and the fill value.
SCALE, OFFSET, FILL = 2.75e-05, -0.2, 0.0


def with_usgs_scale(candidate: BandCandidate) -> BandCandidate:
    """A band of such a file with the scale and fill of the product guide where the item gives neither scale nor offset."""
    said = candidate.gain is not None or candidate.offset is not None or candidate.quality is not None
    if said or not _FILE.fullmatch(PurePosixPath(candidate.href.partition("?")[0]).name):
        return candidate
    nodata = candidate.nodata if candidate.nodata is not None else FILL
    return replace(candidate, gain=SCALE, offset=OFFSET, nodata=nodata)
