"""Names of spectral bands that STAC gives."""

from typing import Final

#: STAC eo 2.0 common names: a key among them names a band that has no object of its own.
COMMON_NAMES: Final = frozenset(
    {"pan", "coastal", "blue", "green", "green05", "yellow", "red", "rededge", "rededge071", "rededge075", "rededge078"}
    | {"nir", "nir08", "nir09", "cirrus", "swir16", "swir22", "lwir", "lwir11", "lwir12"}
)
