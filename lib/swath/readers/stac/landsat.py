"""The MTL file that a Landsat item of USGS names: its bands have no scale of their own."""

from collections.abc import Mapping
from dataclasses import replace

from swath.errors import SceneError
from swath.readers.files.href import gdal_href
from swath.readers.gate.gate import check_level
from swath.readers.gate.levels import ProcessingLevel, level_in
from swath.readers.landsat.bands import sensor_of
from swath.readers.landsat.mtl import Mtl, read_mtl
from swath.readers.landsat.scene import FILL, calibration_of
from swath.readers.stac.candidate import BandCandidate
from swath.readers.stac.item import Item
from swath.sensors import LANDSAT, constellation_of

_KEYS = ("mtl.json", "mtl.txt", "mtl.xml", "mtl")


def with_mtl(bands: Mapping[str, BandCandidate], *, item: Item, family: str) -> Mapping[str, BandCandidate]:
    """Bands with the calibration of the MTL file beside them where the item gives no scale.

    Args:
        bands: Bands by name.
        item: Whose assets they are.
        family: Sensor's; other families have no MTL file.

    Raises:
        MetadataError: The MTL file is of Level 2.
    """
    if constellation_of(family) != LANDSAT or all(c.gain is not None or c.quality is not None for c in bands.values()):
        return bands
    mtl = _mtl(item)
    if mtl is None:
        return bands
    check_level(
        ProcessingLevel(number=level_in(mtl.level), said=f"PROCESSING_LEVEL {mtl.level} of the MTL file") if mtl.level else None
    )
    return {name: _with_mtl(candidate, mtl=mtl) for name, candidate in bands.items()}


def _with_mtl(candidate: BandCandidate, *, mtl: Mtl) -> BandCandidate:
    if candidate.gain is not None or candidate.quality is not None:
        return candidate
    sensor = sensor_of(spacecraft=mtl.spacecraft, sensor_id=mtl.sensor)
    calibration = calibration_of(candidate.band.native_id, mtl=mtl, sensor=sensor)
    return replace(candidate, calibration=calibration, nodata=FILL if candidate.nodata is None else candidate.nodata)


def _mtl(item: Item) -> Mtl | None:
    """The first MTL file that can be read; None when the item names none."""
    keys = {key.lower(): key for key in item.assets}
    for key in _KEYS:
        href = str(item.assets[keys[key]].get("href", "")) if key in keys else ""
        if href:
            try:
                return read_mtl(gdal_href(item.resolve(href)))
            except SceneError:
                continue
    return None
