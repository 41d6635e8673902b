"""Landsat 4/5 TM, 7 ETM+ and 8/9 OLI-TIRS Level-1 deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from swath.algo.radiometry import fold_esun
from swath.algo.solar import ESUN, earth_sun_distance_au
from swath.errors import MetadataError, MissingBandError, ReadError, SceneError
from swath.readers.files.digest import combined_digest, file_digest, fingerprint
from swath.readers.landsat.bands import (
    QUALITY_BANDS,
    THERMAL_DEFAULTS,
    LandsatSensor,
    ThermalConstants,
    quality_scheme,
    sensor_of,
)
from swath.readers.landsat.files import BandFiles, LandsatDelivery, find_delivery, match_bands
from swath.readers.landsat.mtl import Mtl, read_mtl
from swath.readers.landsat.mtl_bands import MtlBand
from swath.readers.pixels.delivered import dn_type, stored_of
from swath.readers.pixels.header import RasterHeader, inspect
from swath.readers.pixels.same_ground import check_extents
from swath.readers.pixels.whereabouts import SLACK_DEG, around, box_of
from swath.scene import Angles, Asset, Band, Calibration, Quality, Reflectance, Scene, Stored, Thermal, processing_date

#: Level-1 DN 0 is fill (LSDS-1822, section 2).
FILL = 0
#: The whole pan band of Landsat 8 has 2.6e8 pixels.
MAX_PIXELS = 1_000_000_000


def read_scene(href: str) -> Scene:
    """Read what a Landsat Level-1 delivery says of itself; no pixels.

    Args:
        href: A scene folder, an MTL file, or an archive.

    Returns:
        The scene, with every band that is there. Grids are the rasters' own: a crop or a decimation of what the MTL
        describes is a scene like any other. Bands that are missing or cannot be calibrated are in ``left_out``.

    Raises:
        MetadataError: The MTL is missing, broken or ambiguous, not of Level 1, or of another place than the bands.
        UnsupportedSensorError: MSS, or another sensor without a reader.
        MissingBandError: Not one band was found.
        GeometryError: The sun is below the horizon; no CRS; bands of different extents.
        ReadError: A raster is empty, truncated, or of an impossible type.
        ArchiveError: The archive cannot be unpacked.
    """
    delivery = find_delivery(href)
    mtl = read_mtl(delivery.mtl_href)
    scene_id = mtl.product_id or mtl.scene_id or PurePosixPath(delivery.mtl_href).stem[: -len("_MTL")]
    try:
        return _scene(scene_id, delivery=delivery, mtl=mtl, source=href)
    except SceneError as error:
        error.of(scene_id)
        raise


def _scene(scene_id: str, *, delivery: LandsatDelivery, mtl: Mtl, source: str) -> Scene:
    sensor = sensor_of(spacecraft=mtl.spacecraft, sensor_id=mtl.sensor)
    _check_level(mtl)
    angles = Angles(sun_elevation_deg=mtl.sun_elevation_deg, sun_azimuth_deg=mtl.sun_azimuth_deg)
    bands = _bands(delivery, mtl=mtl, sensor=sensor)
    return Scene(
        scene_id=scene_id,
        platform=f"landsat-{mtl.spacecraft}",
        instrument=sensor.instrument,
        family=sensor.family,
        acquired=mtl.acquired,
        assets=bands.assets,
        angles=angles,
        reader="landsat",
        source_href=source,
        metadata_href=delivery.mtl_href,
        digest=_digest(bands, mtl_href=delivery.mtl_href),
        # Metadata without a level is from before there was another one: Level 2 began with PROCESSING_LEVEL in it.
        level=mtl.level or "L1",
        processed=processing_date(mtl.processed),
        baseline=mtl.software,
        cloud_cover_percent=mtl.cloud_cover_percent,
        properties=_properties(mtl),
        left_out=bands.left_out,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bands:
    assets: Mapping[str, Asset]
    left_out: Mapping[str, str]


def _bands(delivery: LandsatDelivery, *, mtl: Mtl, sensor: LandsatSensor) -> _Bands:
    """The bands that are there, over one ground where the MTL says."""
    files = match_bands(_wanted(mtl, sensor=sensor), rasters=delivery.rasters)
    bands = _read_bands(files, mtl=mtl, sensor=sensor)
    check_extents(bands.assets)
    _check_place(mtl, assets=bands.assets)
    return bands


def _digest(bands: _Bands, *, mtl_href: str) -> str:
    digests = [(PurePosixPath(a.href).name + end, d) for a in bands.assets.values() for end, d in a.digests.items()]
    return combined_digest([*digests, (PurePosixPath(mtl_href).name, file_digest(mtl_href))])


def _check_level(mtl: Mtl) -> None:
    if mtl.level and not mtl.level.upper().startswith("L1"):
        raise MetadataError(
            "this delivery is not Level 1",
            expected="L1TP, L1GT or L1GS",
            got=mtl.level,
            remedy="Give the Level-1 product of the scene; swath corrects for the atmosphere itself.",
        )


def _check_place(mtl: Mtl, *, assets: Mapping[str, Asset]) -> None:
    """Refuse bands that are far from the corners in the MTL, whose angles and calibration are of another scene then."""
    told = around(mtl.corners)
    found = box_of(next(iter(assets.values())).grid) if told else None
    if told is None or found is None or found.gap_deg(told) <= SLACK_DEG:
        return
    raise MetadataError(
        "the MTL file and the bands are of different places",
        expected=f"longitude and latitude {found} (the bands)",
        got=f"{told} (CORNER_UL_LON_PRODUCT and the others)",
        remedy="Put the MTL file of this scene beside its bands.",
    )


def _wanted(mtl: Mtl, *, sensor: LandsatSensor) -> list[MtlBand]:
    """Every band that the sensor or the delivery could have, with what the MTL says of it."""
    quality = [i for i in QUALITY_BANDS if i in mtl.bands]
    return [mtl.bands.get(i, MtlBand(native_id=i)) for i in (*sensor.bands, *(quality or QUALITY_BANDS))]


def _read_bands(files: BandFiles, *, mtl: Mtl, sensor: LandsatSensor) -> _Bands:
    assets: dict[str, Asset] = {}
    left_out: dict[str, str] = {}
    for native_id, band in {**sensor.bands, **QUALITY_BANDS}.items():
        if native_id not in files.hrefs:
            if native_id in sensor.bands or native_id in files.passed_over:
                left_out[band.name] = files.passed_over.get(native_id, "not in the delivery")
            continue
        calibration = calibration_of(native_id, mtl=mtl, sensor=sensor)
        if calibration is None:
            left_out[band.name] = _uncalibrated(native_id, mtl=mtl)
            continue
        assets[band.name] = _asset(band, href=files.hrefs[native_id], mtl=mtl, calibration=calibration)
    if not any(a.calibration.kind != "quality" for a in assets.values()):
        raise MissingBandError(
            "the delivery has no bands",
            expected=f"files like {next((b.file_name for b in mtl.bands.values() if b.file_name), '*_B4.TIF')}",
            got="none beside the metadata",
            remedy="Put the scene's GeoTIFFs beside its MTL file.",
        )
    return _Bands(assets=assets, left_out=left_out)


def _asset(band: Band, *, href: str, mtl: Mtl, calibration: Calibration) -> Asset:
    known = fingerprint(href)
    header = inspect(href, known=known, max_pixels=MAX_PIXELS)
    dtype = dn_type(header, nodata=None)
    if dtype is None or header.count - header.alpha != 1:
        raise ReadError(
            f"band {band.native_id} is not a Level-1 raster",
            expected="one band of whole numbers",
            got=f"{header.count} of {header.dtype} in {href}",
            remedy="Give the digital numbers as delivered, not a computed reflectance.",
        )
    quality = calibration.kind == "quality"
    details = mtl.bands.get(band.native_id)
    nodata = None if quality else _nodata(header.nodata, dtype=dtype)
    stored = _stored(header, dtype=dtype, told=nodata)
    saturated = None if quality or details is None else _saturated(details.quantize_max, dtype=dtype)
    return Asset(
        band=band,
        href=href,
        grid=header.grid,
        dtype=dtype,
        nodata=nodata,
        # What the file says is no data has not been seen too bright.
        saturated=None if stored is not None and stored.nodata == saturated else saturated,
        calibration=calibration,
        digest=known.sha256,
        mask=header.mask,
        stored=stored,
    )


def _stored(header: RasterHeader, *, dtype: str, told: int | None) -> Stored | None:
    """How a crop keeps its DN. In floats a nodata that is a DN (255 of a byte band's copy) means nothing, as in the delivery."""
    stored = stored_of(header, dtype=dtype, told=told)
    possible = (
        stored is not None and stored.dtype != dtype and stored.nodata is not None and FILL < stored.nodata < np.iinfo(dtype).max
    )
    return replace(stored, nodata=None) if stored is not None and possible else stored


def _nodata(declared: float | None, *, dtype: str) -> int:
    """Fill as delivered is 0. Only a signed crop's own negative value replaces it; 255 on a byte band is a real DN."""
    lowest = np.iinfo(dtype).min
    return int(declared) if declared is not None and lowest <= declared < 0 else FILL


def _saturated(quantize_max: int | None, *, dtype: str) -> int | None:
    """The highest DN; None when the file's type (a crop stored as int16) cannot hold it."""
    return quantize_max if quantize_max is not None and quantize_max <= np.iinfo(dtype).max else None


def calibration_of(native_id: str, *, mtl: Mtl, sensor: LandsatSensor) -> Calibration | None:
    """How the DN of a band become physical values; None when the metadata does not tell."""
    if native_id in QUALITY_BANDS:
        scheme = quality_scheme(native_id, collection=mtl.collection, family=sensor.family)
        return None if scheme is None else Quality(scheme=scheme)
    band = mtl.bands.get(native_id, MtlBand(native_id=native_id))
    if native_id in sensor.thermal:
        return _thermal(band, spacecraft=mtl.spacecraft)
    return _reflectance(band, mtl=mtl)


def _uncalibrated(native_id: str, *, mtl: Mtl) -> str:
    """Why a band's numbers cannot be understood."""
    if native_id not in QUALITY_BANDS:
        return "the metadata has no calibration for it"
    return f"the layout of its bits is unknown (collection {mtl.collection or 'none'}, {mtl.sensor}): it judges no pixel"


def _thermal(band: MtlBand, *, spacecraft: int) -> Thermal | None:
    constants = THERMAL_DEFAULTS.get(spacecraft)
    if band.k1 is not None and band.k2_k is not None:
        constants = ThermalConstants(k1=band.k1, k2_k=band.k2_k)
    if band.radiance is None or constants is None:
        return None
    return Thermal(gain=band.radiance.gain, offset=band.radiance.offset, k1=constants.k1, k2_k=constants.k2_k)


def _reflectance(band: MtlBand, *, mtl: Mtl) -> Reflectance | None:
    """The delivered coefficients; in metadata without them, radiance and ESUN folded into the same form."""
    if band.reflectance is not None:
        return Reflectance(gain=band.reflectance.gain, offset=band.reflectance.offset, sun_normalised=False)
    esun = ESUN.get(f"landsat-{mtl.spacecraft}", {}).get(band.native_id)
    if band.radiance is None or esun is None:
        return None
    gain, offset = fold_esun(
        gain=band.radiance.gain,
        offset=band.radiance.offset,
        esun=esun,
        distance_au=mtl.earth_sun_distance_au or earth_sun_distance_au(mtl.acquired),
    )
    return Reflectance(gain=gain, offset=offset, sun_normalised=False)


def _properties(mtl: Mtl) -> dict[str, str | int | float]:
    """STAC Landsat extension 2.0: paths and rows are strings of three digits; since Landsat 4 they are WRS-2."""
    located = mtl.wrs_path is not None and mtl.wrs_row is not None
    known: dict[str, str | float | None] = {
        "landsat:wrs_type": "2" if located else None,
        "landsat:wrs_path": f"{mtl.wrs_path:03d}" if located else None,
        "landsat:wrs_row": f"{mtl.wrs_row:03d}" if located else None,
        "landsat:collection_number": mtl.collection,
        "landsat:collection_category": mtl.category,
        "landsat:scene_id": mtl.scene_id,
        "landsat:correction": mtl.level,
        "landsat:cloud_cover_land": mtl.cloud_cover_land_percent,
    }
    return {key: value for key, value in known.items() if value is not None and value != ""}
