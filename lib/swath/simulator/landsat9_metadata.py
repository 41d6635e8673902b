"""The metadata file of a simulated Landsat 9 scene, as text, JSON and XML.

Groups and keys: Landsat 8-9 Collection 2 Level 1 Data Format Control Book (LSDS-1822), appendix A.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import pi
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from rasterio.warp import transform

from swath.algo.solar import earth_sun_distance_au
from swath.grid import Grid

REFLECTIVE_NUMBERS: Final = tuple(range(1, 10))
THERMAL_NUMBERS: Final = (10, 11)
#: Solar irradiance [W m-2 um-1] by band: what RADIANCE_MULT of delivered OLI scenes implies.
ESUN: Final[Mapping[int, float]] = {
    1: 1972.0, 2: 2019.5, 3: 1861.0, 4: 1569.2, 5: 960.3, 6: 238.8, 7: 80.5, 8: 1775.9, 9: 375.3,
}  # fmt: skip
#: A value of the metadata; text is quoted in the ODL form when ``Quoted``.
Value = str | int


class Quoted(str):
    """Text that ODL writes in quotes."""

    __slots__ = ()


Group = dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDelivery:
    """What the metadata says of a scene.

    Args:
        scene_id: Product identifier.
        acquired: Scene centre, UTC.
        processed: Time when the product was made.
        grid: Grid of the 30 m bands.
        pan: Grid of the pan band.
        sun_elevation_deg: Sun elevation at the scene's centre.
        sun_azimuth_deg: Sun azimuth at the scene's centre.
        cloud_cover_percent: Cloud cover over the imaged pixels [%].
        thermal: Radiance gain, K1 and K2 by band number.
        gain: Reflectance per DN.
        offset: Reflectance at DN 0.
        saturated: Numbers of bands with saturated pixels.
    """

    scene_id: str
    acquired: datetime
    processed: datetime
    grid: Grid
    pan: Grid
    sun_elevation_deg: float
    sun_azimuth_deg: float
    cloud_cover_percent: float
    thermal: Mapping[int, tuple[float, float, float]]
    gain: float
    offset: float
    saturated: frozenset[int]


def write_metadata(folder: Path, delivery: SimulatedDelivery) -> Path:
    """Write MTL.txt, MTL.json and MTL.xml; returns the text one."""
    groups = {
        "PRODUCT_CONTENTS": _contents(delivery),
        "IMAGE_ATTRIBUTES": _attributes(delivery),
        "PROJECTION_ATTRIBUTES": _projection(delivery),
        "LEVEL1_PROCESSING_RECORD": _record(delivery),
        "LEVEL1_MIN_MAX_RADIANCE": _radiance_range(delivery),
        "LEVEL1_MIN_MAX_REFLECTANCE": _reflectance_range(delivery),
        "LEVEL1_MIN_MAX_PIXEL_VALUE": _count_range(),
        "LEVEL1_RADIOMETRIC_RESCALING": _rescaling(delivery),
        "LEVEL1_THERMAL_CONSTANTS": _thermal(delivery),
        "LEVEL1_PROJECTION_PARAMETERS": _projection_parameters(),
    }
    stem = f"{delivery.scene_id}_MTL"
    text = folder / f"{stem}.txt"
    text.write_text(_odl(groups), encoding="ascii")
    plain = {"LANDSAT_METADATA_FILE": {n: {k: str(v) for k, v in g.items()} for n, g in groups.items()}}
    (folder / f"{stem}.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="ascii")
    _write_xml(folder / f"{stem}.xml", groups)
    return text


def _odl(groups: Mapping[str, Group]) -> str:
    lines = ["GROUP = LANDSAT_METADATA_FILE"]
    for name, group in groups.items():
        lines.append(f"  GROUP = {name}")
        lines += [f"    {k} = " + (f'"{v}"' if isinstance(v, Quoted) else str(v)) for k, v in group.items()]
        lines.append(f"  END_GROUP = {name}")
    return "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END", ""])


def _write_xml(path: Path, groups: Mapping[str, Group]) -> None:
    root = Element("LANDSAT_METADATA_FILE")
    for name, group in groups.items():
        node = SubElement(root, name)
        for key, value in group.items():
            SubElement(node, key).text = str(value)
    indent(root)
    ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def _file_names(scene_id: str) -> Group:
    names: Group = {f"FILE_NAME_BAND_{n}": Quoted(f"{scene_id}_B{n}.TIF") for n in range(1, 12)}
    return {
        **names,
        "FILE_NAME_QUALITY_L1_PIXEL": Quoted(f"{scene_id}_QA_PIXEL.TIF"),
        "FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION": Quoted(f"{scene_id}_QA_RADSAT.TIF"),
        "FILE_NAME_METADATA_ODL": Quoted(f"{scene_id}_MTL.txt"),
        "FILE_NAME_METADATA_XML": Quoted(f"{scene_id}_MTL.xml"),
    }


def _contents(delivery: SimulatedDelivery) -> Group:
    types: Group = {f"DATA_TYPE_BAND_{n}": Quoted("UINT16") for n in range(1, 12)}
    return {
        "ORIGIN": Quoted("Simulated by swath; not an image of any place"),
        "DIGITAL_OBJECT_IDENTIFIER": Quoted("https://doi.org/10.5066/P975CC9B"),
        "LANDSAT_PRODUCT_ID": Quoted(delivery.scene_id),
        "PROCESSING_LEVEL": Quoted("L1TP"),
        "COLLECTION_NUMBER": "02",
        "COLLECTION_CATEGORY": Quoted("T1"),
        "OUTPUT_FORMAT": Quoted("GEOTIFF"),
        **_file_names(delivery.scene_id),
        **types,
        "DATA_TYPE_QUALITY_L1_PIXEL": Quoted("UINT16"),
        "DATA_TYPE_QUALITY_L1_RADIOMETRIC_SATURATION": Quoted("UINT16"),
    }


def _attributes(delivery: SimulatedDelivery) -> Group:
    acquired = delivery.acquired
    saturation: Group = {f"SATURATION_BAND_{n}": Quoted("Y" if n in delivery.saturated else "N") for n in REFLECTIVE_NUMBERS}
    return {
        "SPACECRAFT_ID": Quoted("LANDSAT_9"),
        "SENSOR_ID": Quoted("OLI_TIRS"),
        "WRS_TYPE": 2,
        "WRS_PATH": 193,
        "WRS_ROW": 22,
        "NADIR_OFFNADIR": Quoted("NADIR"),
        "TARGET_WRS_PATH": 193,
        "TARGET_WRS_ROW": 22,
        "DATE_ACQUIRED": f"{acquired:%Y-%m-%d}",
        "SCENE_CENTER_TIME": Quoted(f"{acquired:%H:%M:%S}.{acquired.microsecond:06d}0Z"),
        "STATION_ID": Quoted("LGN"),
        "CLOUD_COVER": f"{delivery.cloud_cover_percent:.2f}",
        "CLOUD_COVER_LAND": f"{delivery.cloud_cover_percent:.2f}",
        "IMAGE_QUALITY_OLI": 9,
        "IMAGE_QUALITY_TIRS": 9,
        **saturation,
        "ROLL_ANGLE": "0.000",
        "SUN_AZIMUTH": f"{delivery.sun_azimuth_deg:.8f}",
        "SUN_ELEVATION": f"{delivery.sun_elevation_deg:.8f}",
        "EARTH_SUN_DISTANCE": f"{earth_sun_distance_au(acquired):.7f}",
    }


def _projection(delivery: SimulatedDelivery) -> Group:
    grid, pan = delivery.grid, delivery.pan
    # Corners are those of pixel centres.
    left, top = grid.left + grid.dx / 2, grid.top - grid.dy / 2
    right, bottom = left + (grid.width - 1) * grid.dx, top - (grid.height - 1) * grid.dy
    corners = {"UL": (left, top), "UR": (right, top), "LL": (left, bottom), "LR": (right, bottom)}
    degrees: Group = {}
    metres: Group = {}
    for name, (x, y) in corners.items():
        (longitude,), (latitude,) = transform(grid.crs, "EPSG:4326", [x], [y])[:2]
        degrees |= {f"CORNER_{name}_LAT_PRODUCT": f"{latitude:.5f}", f"CORNER_{name}_LON_PRODUCT": f"{longitude:.5f}"}
        metres[f"CORNER_{name}_PROJECTION_X_PRODUCT"] = f"{x:.3f}"
        metres[f"CORNER_{name}_PROJECTION_Y_PRODUCT"] = f"{y:.3f}"
    return {
        **_projection_names(),
        "PANCHROMATIC_LINES": pan.height,
        "PANCHROMATIC_SAMPLES": pan.width,
        "REFLECTIVE_LINES": grid.height,
        "REFLECTIVE_SAMPLES": grid.width,
        "THERMAL_LINES": grid.height,
        "THERMAL_SAMPLES": grid.width,
        "ORIENTATION": Quoted("NORTH_UP"),
        **degrees,
        **metres,
    }


def _projection_names() -> Group:
    return {
        "MAP_PROJECTION": Quoted("UTM"),
        "DATUM": Quoted("WGS84"),
        "ELLIPSOID": Quoted("WGS84"),
        "UTM_ZONE": 33,
        "GRID_CELL_SIZE_PANCHROMATIC": "15.00",
        "GRID_CELL_SIZE_REFLECTIVE": "30.00",
        "GRID_CELL_SIZE_THERMAL": "30.00",
    }


def _projection_parameters() -> Group:
    return {
        **_projection_names(),
        "ORIENTATION": Quoted("NORTH_UP"),
        "RESAMPLING_OPTION": Quoted("CUBIC_CONVOLUTION"),
    }


def _record(delivery: SimulatedDelivery) -> Group:
    return {
        "ORIGIN": Quoted("Simulated by swath; not an image of any place"),
        "DIGITAL_OBJECT_IDENTIFIER": Quoted("https://doi.org/10.5066/P975CC9B"),
        "REQUEST_ID": Quoted("SIMULATED"),
        "LANDSAT_SCENE_ID": Quoted(f"LC9193022{delivery.acquired:%Y%j}LGN00"),
        "LANDSAT_PRODUCT_ID": Quoted(delivery.scene_id),
        "PROCESSING_LEVEL": Quoted("L1TP"),
        "COLLECTION_CATEGORY": Quoted("T1"),
        "OUTPUT_FORMAT": Quoted("GEOTIFF"),
        "DATE_PRODUCT_GENERATED": f"{delivery.processed:%Y-%m-%dT%H:%M:%SZ}",
        "PROCESSING_SOFTWARE_VERSION": Quoted("LPGS_16.4.0"),
        **_file_names(delivery.scene_id),
        "DATA_SOURCE_ELEVATION": Quoted("NONE"),
        "GROUND_CONTROL_POINTS_VERSION": 5,
        "GROUND_CONTROL_POINTS_MODEL": 340,
        "GEOMETRIC_RMSE_MODEL": "0.000",
        "GEOMETRIC_RMSE_MODEL_Y": "0.000",
        "GEOMETRIC_RMSE_MODEL_X": "0.000",
    }


def _radiance_gain(delivery: SimulatedDelivery, number: int) -> tuple[float, float]:
    """Radiance per DN and at DN 0 [W m-2 sr-1 um-1]."""
    if number in delivery.thermal:
        return delivery.thermal[number][0], 0.1
    per_reflectance = ESUN[number] / (pi * earth_sun_distance_au(delivery.acquired) ** 2)
    return delivery.gain * per_reflectance, delivery.offset * per_reflectance


def _radiance_range(delivery: SimulatedDelivery) -> Group:
    group: Group = {}
    for n in (*REFLECTIVE_NUMBERS, *THERMAL_NUMBERS):
        gain, offset = _radiance_gain(delivery, n)
        group[f"RADIANCE_MAXIMUM_BAND_{n}"] = f"{gain * 65535 + offset:.5f}"
        group[f"RADIANCE_MINIMUM_BAND_{n}"] = f"{gain + offset:.5f}"
    return group


def _reflectance_range(delivery: SimulatedDelivery) -> Group:
    group: Group = {}
    for n in REFLECTIVE_NUMBERS:
        group[f"REFLECTANCE_MAXIMUM_BAND_{n}"] = f"{delivery.gain * 65535 + delivery.offset:.6f}"
        group[f"REFLECTANCE_MINIMUM_BAND_{n}"] = f"{delivery.gain + delivery.offset:.6f}"
    return group


def _count_range() -> Group:
    group: Group = {}
    for n in (*REFLECTIVE_NUMBERS, *THERMAL_NUMBERS):
        group |= {f"QUANTIZE_CAL_MAX_BAND_{n}": 65535, f"QUANTIZE_CAL_MIN_BAND_{n}": 1}
    return group


def _rescaling(delivery: SimulatedDelivery) -> Group:
    gains = {n: _radiance_gain(delivery, n) for n in (*REFLECTIVE_NUMBERS, *THERMAL_NUMBERS)}
    return {
        **{f"RADIANCE_MULT_BAND_{n}": f"{g:.4E}" for n, (g, _) in gains.items()},
        **{f"RADIANCE_ADD_BAND_{n}": f"{o:.5f}" for n, (_, o) in gains.items()},
        **{f"REFLECTANCE_MULT_BAND_{n}": f"{delivery.gain:.4E}" for n in REFLECTIVE_NUMBERS},
        **{f"REFLECTANCE_ADD_BAND_{n}": f"{delivery.offset:.6f}" for n in REFLECTIVE_NUMBERS},
    }


def _thermal(delivery: SimulatedDelivery) -> Group:
    group: Group = {}
    for n, (_, k1, k2) in delivery.thermal.items():
        group |= {f"K1_CONSTANT_BAND_{n}": f"{k1:.4f}", f"K2_CONSTANT_BAND_{n}": f"{k2:.4f}"}
    return group
