"""Facts of sensors that hold whatever a user calls his pipelines and platforms: who owns the data, and under which terms.

Keys are families as readers tell them (``Scene.family``), never parts of names. A sensor that is not in the table is the user's
own: its licence and providers are what its items say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

SENTINEL2_MSI: Final = "sentinel-2-msi"
LANDSAT: Final = "landsat"
SENTINEL2: Final = "sentinel-2"
#: Family of a scene whose item names neither platform nor constellation.
UNKNOWN: Final = "unknown"
#: STAC's word for terms that have no SPDX name, or that are not stated.
OTHER_LICENSE: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An organisation that has to do with data, as STAC has it.

    Args:
        name: Name.
        roles: Roles: ``licensor``, ``producer``, ``processor``, ``host``.
        url: Page; empty when unknown.
    """

    name: str
    roles: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor whose owner and terms are known.

    Args:
        family: ``Scene.family``.
        constellation: STAC constellation.
        providers: Producers and licensors of the data.
        license: SPDX name, or ``other``: see ``terms``.
        terms: Href of the terms.
        attribution: Attribution that the owner requires; ``{years}`` represents the years of acquisition.
    """

    family: str
    constellation: str
    providers: tuple[Provider, ...]
    license: str
    terms: str
    attribution: str


def _landsat(family: str) -> Sensor:
    return Sensor(
        family=family,
        constellation=LANDSAT,
        providers=(Provider(name="USGS", roles=("producer", "licensor"), url="https://www.usgs.gov/landsat-missions"),),
        license=OTHER_LICENSE,
        terms="https://www.usgs.gov/centers/eros/data-citation",
        attribution="Landsat Level-1 data [{years}] courtesy of the U.S. Geological Survey (public domain).",
    )


def _sentinel2(family: str) -> Sensor:
    return Sensor(
        family=family,
        constellation=SENTINEL2,
        providers=(Provider(name="ESA", roles=("producer", "licensor"), url="https://sentinels.copernicus.eu"),),
        license=OTHER_LICENSE,
        terms="https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice",
        attribution="Contains modified Copernicus Sentinel data [{years}].",
    )


#: Families of native readers; of MSS, which items alone bring; and of items that name a constellation instead of a platform.
_LANDSATS: Final = ("landsat-tm", "landsat-etm", "landsat-oli", *(f"landsat-{n}" for n in range(1, 6)), LANDSAT)
SENSORS: Final[Mapping[str, Sensor]] = {
    **{family: _landsat(family) for family in _LANDSATS},
    **{family: _sentinel2(family) for family in (SENTINEL2_MSI, SENTINEL2)},
}


#: STAC platforms, by name; another name is one of the user's own, however it begins.
_PLATFORMS: Final[Mapping[str, str]] = {
    **{f"landsat-{n}": LANDSAT for n in range(1, 10)},
    **{f"sentinel-2{unit}": SENTINEL2 for unit in "abcd"},
}


def constellation_of_platform(platform: str) -> str:
    """The constellation of a STAC platform; empty for one of the user's own."""
    return _PLATFORMS.get(platform, "")


def constellation_of(family: str) -> str:
    """The constellation of a family; empty for a sensor of the user's own."""
    return SENSORS[family].constellation if family in SENSORS else ""


def sensor_of_constellations(names: Iterable[str]) -> Sensor | None:
    """A sensor of the one constellation that all of a collection's items name; None for several, or one of the user's own.

    Args:
        names: Names of platforms as in our items, which readers and this table decide; ``''`` for an item without one.
    """
    distinct = set(names)
    return next((s for s in SENSORS.values() if distinct == {s.constellation}), None)
