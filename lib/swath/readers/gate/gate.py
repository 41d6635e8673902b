"""The gate: every scene passes it, whichever reader made it. What a scene does not say is asked for, never assumed.

A scene whose numbers mean something else than its calibration says gives wrong pixels silently: a missing offset is
0.1 too bright everywhere, surface reflectance corrected again is too dark, a radiance taken for reflectance is white.
"""

from dataclasses import replace
from datetime import UTC, datetime
from math import isclose, isfinite
from typing import Final

import numpy as np

from swath.errors import MetadataError
from swath.readers.gate.levels import OWN_PROPERTY, ProcessingLevel, has_two_levels, level_in, mission_of, stated_level
from swath.readers.gate.terms import STATED, terms_in_use
from swath.readers.gate.times import check_time
from swath.scene import Asset, Reflectance, Scene
from swath.sensors import SENTINEL2, SENTINEL2_MSI, UNKNOWN

#: Coarser steps of reflectance than 8 bits give are no reflectance: a radiance, a ratio, a percentage, an inverse.
COARSEST: Final = 0.005
#: A band whose brightest DN is darker than this has a scale that is too small.
LEAST_RANGE: Final = 0.1
#: Reflectance at DN 0 that an encoding may have; what is larger is in DN, or in percent.
LARGEST_OFFSET: Final = 1.0
#: Since this baseline DN of Sentinel-2 carry an offset, and since this day nothing else is made: ESA, "Sentinel-2
#: Products: processing baseline 04.00".
OFFSET_BASELINE: Final = (4, 0)
_OFFSET_SINCE: Final = datetime(2022, 1, 25, tzinfo=UTC)
#: Scale and offset of Sentinel-2's Level-1C DN: reflectance of one DN, and of the offset of -1000 DN.
_NATIVE_GAIN: Final = 1e-4
_NATIVE_OFFSET: Final = -0.1
#: Scale and offset of USGS's Collection-2 surface reflectance (Landsat 8-9 Collection 2 Level 2 data format control book).
_SURFACE_SCALING: Final = (2.75e-5, -0.2)
#: Scale and offset of every Level-1 scene of Landsat 8 and 9.
_OLI_SCALING: Final = (2e-5, -0.1)
#: The reader of items, which people write; what agencies write of their own products is checked against pixels.
ITEMS: Final = "stac"
#: Properties by which a provider says that pixels were shifted already.
APPLIED: Final = ("earthsearch:boa_offset_applied", "swath:offset_applied")
_BYTES: Final = ("int8", "uint8")
ASSUMED: Final = "L1 (assumed: the delivery states none)"
#: Property of products that says on whose word the level of their scene rests.
SCENE_LEVEL: Final = "swath:scene_level"


def admitted(scene: Scene) -> Scene:
    """The scene when its numbers may be believed.

    Args:
        scene: Scene from a reader.

    Returns:
        The scene with its level. Where the delivery of a sensor of the user's own states none, ``swath:scene_level`` says so.

    Raises:
        MetadataError: The level is not 1 or unknown, the time is one of no satellite, a scale or an offset cannot be one of
            reflectance, or a Sentinel-2 scene lacks the offset of its baseline.
    """
    try:
        level = _level(scene)
        check_level(level)
        check_time(scene.acquired)
        for asset in scene.assets.values():
            if isinstance(asset.calibration, Reflectance):
                _check_scale(asset, calibration=asset.calibration)
                _check_offset(asset, calibration=asset.calibration)
                _check_oli_offset(asset, scene=scene, calibration=asset.calibration)
                _check_surface_scaling(asset, calibration=asset.calibration)
        _check_baseline(scene)
        return _with_level(scene, level=level)
    except MetadataError as error:
        raise error.of(scene.scene_id) from None


def check_level(level: ProcessingLevel | None) -> None:
    """Refuse what is corrected for the atmosphere already, or is of an unknown level.

    Raises:
        MetadataError: The scene is corrected already, or its level is unknown.
    """
    if level is None or level.top_of_atmosphere:
        return
    if level.number is None:
        raise MetadataError(
            "the processing level is not understood",
            expected="a level such as L1, L1C, L1TP or Level-1C",
            got=level.said,
            remedy=f"Write {OWN_PROPERTY}: L1 into the item's properties when its reflectance is top-of-atmosphere.",
        )
    what = "surface reflectance already" if level.number > 1 else "raw counts"
    raise MetadataError(
        f"the item's bands are {what}",
        expected="top-of-atmosphere reflectance (Level 1)",
        got=level.said,
        remedy="Give the Level-1 item of the same acquisition. "
        f"If the name is the user's own and the bands are Level 1, write {OWN_PROPERTY}: L1 into the item's properties.",
    )


def _level(scene: Scene) -> ProcessingLevel | None:
    if scene.level:
        return ProcessingLevel(number=level_in(scene.level), said=f"level {scene.level}")
    said = {**scene.properties, "platform": scene.platform, "constellation": scene.family}
    return stated_level(said, collection="", item_id=scene.scene_id)


def _with_level(scene: Scene, *, level: ProcessingLevel | None) -> Scene:
    if level is not None:
        return scene if scene.level else replace(scene, level="L1")
    vouched = terms_in_use().level
    if vouched and vouched != STATED:
        return replace(scene, level=vouched, properties={**scene.properties, SCENE_LEVEL: f"{vouched} (the run's --level)"})
    both = has_two_levels(scene.platform, scene.family)
    if both or vouched == STATED:
        why = f"{scene.platform} is distributed as Level 1 and as Level 2" if both else f"the run's --level is {STATED}"
        raise MetadataError(
            "the processing level is unknown",
            expected=f"processing:level (or {OWN_PROPERTY}): {why}",
            got="no level, product type, collection or id that says it",
            remedy=f"Write {OWN_PROPERTY}: L1 into the item's properties when its reflectance is top-of-atmosphere, or run with"
            " --level L1.",
        )
    return replace(scene, level="L1", properties={**scene.properties, SCENE_LEVEL: ASSUMED})


def _check_scale(asset: Asset, *, calibration: Reflectance) -> None:
    gain = calibration.gain
    if isfinite(gain) and 0.0 < gain <= COARSEST and _ends(asset, calibration=calibration, offset=0.0)[1] >= LEAST_RANGE:
        return
    raise MetadataError(
        f"the scale of {asset.band.name} is not one of reflectance",
        expected=f"raster:scale above 0 and at most {COARSEST:g} (0.0001 for 10000 a unit), reaching {LEAST_RANGE:g} at least",
        got=f"{gain:g} for {asset.stored.dtype if asset.stored else asset.dtype}",
        remedy="Write the reflectance of one DN into raster:scale; a radiance needs its unit and eo:solar_illumination.",
    )


def _check_offset(asset: Asset, *, calibration: Reflectance) -> None:
    offset = calibration.offset
    low, high = _ends(asset, calibration=calibration, offset=offset)
    signed = not asset.dtype.startswith("uint")
    if isfinite(offset) and (signed or abs(offset) <= LARGEST_OFFSET) and low <= LARGEST_OFFSET and high >= LEAST_RANGE:
        return
    raise MetadataError(
        f"the offset of {asset.band.name} is not one of reflectance",
        expected="raster:offset in reflectance (value = scale DN + offset): -0.1, not -1000",
        got=f"{offset:g} beside a scale of {calibration.gain:g}",
        remedy=f"Write {offset * calibration.gain:g} if the offset is one of DN.",
    )


def _check_surface_scaling(asset: Asset, *, calibration: Reflectance) -> None:
    if not _near((calibration.gain, calibration.offset), _SURFACE_SCALING):
        return
    raise MetadataError(
        f"{asset.band.name} has the scale of surface reflectance",
        expected="top-of-atmosphere reflectance (Level 1)",
        got=f"scale {calibration.gain:g} and offset {calibration.offset:g}, which are those of Landsat Collection 2 Level 2",
        remedy="Give the Level-1 item of the same acquisition, or correct raster:scale and raster:offset.",
    )


def _check_oli_offset(asset: Asset, *, scene: Scene, calibration: Reflectance) -> None:
    """Refuse USGS's scale of Landsat 8 and 9 with another offset than the one it has in every scene."""
    if scene.reader != ITEMS or scene.family != "landsat-oli" or not _near((calibration.gain,), _OLI_SCALING[:1]):
        return
    if isclose(calibration.offset, _OLI_SCALING[1], rel_tol=1e-3):
        return
    raise MetadataError(
        f"the offset of {asset.band.name} is not one of Landsat 8 and 9",
        expected=f"{_OLI_SCALING[1]:g} beside a scale of {_OLI_SCALING[0]:g} (REFLECTANCE_ADD_BAND_x of the MTL file)",
        got=f"{calibration.offset:g}",
        remedy="Fetch the delivery again; pixels of another encoding have another scale.",
    )


def _near(found: tuple[float, ...], known: tuple[float, ...]) -> bool:
    return all(isclose(a, b, rel_tol=1e-3) for a, b in zip(found, known, strict=True))


def _ends(asset: Asset, *, calibration: Reflectance, offset: float) -> tuple[float, float]:
    """Reflectance of the lowest and the highest DN of the asset's type; of 16 bits where the type is a float."""
    # What fewer bits than the asset's hold, wider ones cannot make larger.
    dtype = asset.stored.dtype if asset.stored is not None and asset.stored.dtype in _BYTES else asset.dtype
    limits = np.iinfo(dtype if np.dtype(dtype).kind in "iu" else "int16")
    return float(limits.min) * calibration.gain + offset, float(limits.max) * calibration.gain + offset


def _check_baseline(scene: Scene) -> None:
    if not _is_sentinel2(scene):
        return
    offsets = {n: a.calibration.offset for n, a in scene.assets.items() if isinstance(a.calibration, Reflectance)}
    applied = next((name for name in APPLIED if str(scene.properties.get(name)).lower() in ("true", "1")), "")
    without = sorted(name for name, offset in offsets.items() if offset == 0.0)
    if applied and len(without) < len(offsets):
        raise MetadataError(
            "the item says that the offset is in the pixels already, and gives one",
            expected=f"raster:offset 0 beside {applied}",
            got=", ".join(f"{n} {o:g}" for n, o in sorted(offsets.items()) if o)[:120],
            remedy="Write the one that holds: with both, 0.1 would be taken off twice.",
        )
    if scene.reader == ITEMS:
        _check_native_offset(scene)
    if without and not applied and needs_offset(scene.baseline, acquired=scene.acquired):
        raise MetadataError(
            "the radiometric offset is missing",
            expected="raster:offset -0.1 of every band, which Sentinel-2 has from baseline 04.00 on",
            got=f"none for {', '.join(without)[:80]}, baseline {scene.baseline or 'unknown'}",
            remedy="Write raster:offset into the item, add the product's metadata (MTD_MSIL1C.xml) as the asset"
            " product_metadata, or write swath:offset_applied: true when the pixels were shifted already.",
        )


def _check_native_offset(scene: Scene) -> None:
    """Refuse an offset that no Sentinel-2 product has, or not one of its baseline; of DN as ESA scales them."""
    known = scene.baseline and not needs_offset(scene.baseline, acquired=scene.acquired)
    for name, asset in sorted(scene.assets.items()):
        if not isinstance(asset.calibration, Reflectance) or not isclose(asset.calibration.gain, _NATIVE_GAIN, rel_tol=1e-3):
            continue
        offset = asset.calibration.offset
        if offset == 0.0 or (isclose(offset, _NATIVE_OFFSET, rel_tol=0.02) and not known):
            continue
        raise MetadataError(
            f"the offset of {name} is not one of its Sentinel-2 product",
            expected=f"raster:offset 0 before baseline 04.00, {_NATIVE_OFFSET} since",
            got=f"{offset:g}, baseline {scene.baseline or 'unknown'}",
            remedy="Correct raster:offset, or s2:processing_baseline; pixels of another encoding have another raster:scale.",
        )


def _is_sentinel2(scene: Scene) -> bool:
    """Whether a scene is Sentinel-2's, also where its item forgot the platform."""
    if scene.family == SENTINEL2_MSI or "s2:processing_baseline" in scene.properties:
        return True
    # A platform that is named is believed, whatever the id looks like.
    forgot = scene.family in (SENTINEL2, UNKNOWN)
    return forgot and mission_of(scene.platform, scene.family, item_id=scene.scene_id) == SENTINEL2


def needs_offset(baseline: str, *, acquired: datetime) -> bool:
    """Whether DN of a Sentinel-2 product carry an offset.

    Args:
        baseline: Processing baseline (``05.09``, ``0509``); empty when unknown.
        acquired: Decides where the baseline is unknown; aware.
    """
    digits = "".join(c for c in baseline if c.isdigit())
    if len(digits) < len("0400"):
        return acquired >= _OFFSET_SINCE
    return (int(digits[:2]), int(digits[2:4])) >= OFFSET_BASELINE
