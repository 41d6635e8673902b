"""NASA's Harmonized Landsat and Sentinel-2: its items of LP DAAC and CMR leave out what its user guide fixes for all of them."""

import re
from dataclasses import replace
from typing import Final

from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.item import Item

_HLS: Final = re.compile(r"hls[sl]30.*|hls2?[-_.][sl]30.*")
#: HLS Product User Guide 2.0, table 6: reflectance of one DN, and the fill value.
SCALE, FILL = 0.0001, -9999.0


def is_hls(item: Item) -> bool:
    """Whether an item is of HLS, by its collection or its id."""
    return any(_HLS.fullmatch(name.lower()) for name in (item.collection, item.item_id))


def with_hls_scale(candidate: BandCandidate) -> BandCandidate:
    """A band with the scale and fill of the user guide where the item gives none."""
    if candidate.quality is not None or candidate.gain is not None:
        return candidate
    nodata = candidate.nodata if candidate.nodata is not None else FILL
    return replace(candidate, gain=SCALE, offset=0.0, nodata=nodata)
