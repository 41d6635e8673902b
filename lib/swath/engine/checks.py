"""What a product must look like before anybody sees it: its values in range, its pixels as its calibration says."""

import json
from collections.abc import Mapping, Sequence
from math import radians, sin
from typing import Any, Final

from swath.algo.darkest import merged
from swath.algo.radiometric_guard import GuardVerdict, ViewGeometry, judge
from swath.errors import RangeError
from swath.layer_name import LayerId
from swath.pipeline import Checks
from swath.product import AssetRecord, LayerSpec, Product
from swath.scene import Reflectance, Scene
from swath.sensors import SENSORS

#: Medians that a whole scene can have, by kind of layer. TOA reflectance: the brightest cloud and snow is near 1.2, dark
#: water near 0. Surface reflectance in wider limits, because a wrong atmosphere is no wrong scene. Temperature [K]:
#: between the coldest cloud tops and burning ground.
MEDIANS: Final[Mapping[str, tuple[float, float]]] = {"toa": (-0.05, 1.6), "sr": (-0.2, 2.0), "bt": (170.0, 370.0)}
#: Through the water vapour that this band is for, clouds and mountains are corrected to more than 1.
_DIM: Final = "sr:nir09"
_ALLOW = "If the scene is right, allow it in the pipeline file or by --set"
Json = dict[str, Any]


def examine(product: Product, *, dark: Sequence[Mapping[str, Mapping[str, int]]], checks: Checks, before: bytes | None) -> Json:
    """Look at a product whose files are made and whose item is not.

    Args:
        product: Product with all its records.
        dark: Counts of the strips that were made now (``StripResult.dark`` as JSON).
        checks: Checks of the pipeline.
        before: The existing item; what it says of the same pixels holds where too little was read now.

    Returns:
        What the item says of it: ``radiometry``, and ``range`` where the pipeline allows an alarm.

    Raises:
        RangeError: A value out of range, or pixels that contradict their calibration.
    """
    found: Json = {}
    if product.scene.family in SENSORS:
        # First of all: a false offset is the cause of most values out of range.
        found["radiometry"] = _radiometry(product, dark=dark, checks=checks, before=before)
    alarms = {a.name: why for a in product.assets if (why := _alarm(a, product.layers[a.name], checks=checks))}
    if any(not allowed for allowed, _ in alarms.values()):
        raise _refused({name: why for name, (allowed, why) in alarms.items() if not allowed})
    return {**found, "range": {name: why for name, (_, why) in alarms.items()}} if alarms else found


def _radiometry(
    product: Product, *, dark: Sequence[Mapping[str, Mapping[str, int]]], checks: Checks, before: bytes | None
) -> Json:
    verdict = _verdict(product, dark=dark)
    if verdict.outcome == "contradicts" and checks.radiometry == "quarantine":
        raise _contradicted(verdict)
    said, earlier = verdict.to_plain(), _said_before(product, before)
    # A run that made a part of the product read a part of the bands.
    fuller = earlier is not None and len(earlier.get("bands", {})) > len(verdict.measured)
    return earlier if earlier is not None and fuller else said


def _alarm(record: AssetRecord, layer: LayerSpec, *, checks: Checks) -> tuple[bool, str] | None:
    """Whether the pipeline allows the problem of an asset, and the problem; None without one."""
    kind, statistics = LayerId.of(record.layer).kind, record.statistics
    if kind not in MEDIANS or not statistics.valid:
        return None
    percent = 100.0 * statistics.clamped / statistics.valid
    if percent > checks.clamped_percent:
        return (
            False,
            f"{percent:.3g} % of the valid pixels are beyond what the file can hold (at most {checks.clamped_percent:g} %)",
        )
    if record.layer == _DIM:
        return None
    median, (low, high) = median_of(record, layer), MEDIANS[kind]
    if low <= median <= high:
        return None
    return checks.beyond_ground == "note", f"the median is {median:.4g}, which no ground has ({low:g} to {high:g})"


def median_of(record: AssetRecord, layer: LayerSpec) -> float:
    """Median of an asset's valid pixels in physical units, from its histogram: to half a bin."""
    shift, seen = layer.encoding.histogram_shift, 0
    for slot, number in sorted(record.statistics.histogram.items()):
        seen += number
        if 2 * seen >= record.statistics.valid:
            return float(((slot << shift) + (1 << shift) / 2) * layer.encoding.scale)
    return 0.0


def _refused(alarms: Mapping[str, str]) -> RangeError:
    told = "; ".join(f"{name}: {why}" for name, why in list(alarms.items())[:4])
    more = f"; and {len(alarms) - 4} more" if len(alarms) > 4 else ""
    return RangeError(
        "values are out of range",
        expected="reflectance and temperature that ground or cloud can have",
        got=told + more,
        remedy="Check scale and offset of these bands in the metadata. "
        f"{_ALLOW} (checks.clamped_percent, checks.beyond_ground: note).",
    )


def _contradicted(verdict: GuardVerdict) -> RangeError:
    told = "; ".join(
        f"{m.band}: {m.reflectance:.3f} at {m.percentile:g} % of the pixels"
        + (f", must be {m.lowest:.3f} to {m.highest:.3f}" if m.band == "cirrus" else f", must be at least {m.lowest:.3f}")
        for m in verdict.measured
    )
    return RangeError(
        "the pixels contradict the radiometric offset of the metadata",
        expected="TOA reflectance of the darkest pixels that air over ground can have",
        got=f"{verdict.why} ({told})",
        remedy=f"Compare baseline and RADIO_ADD_OFFSET (Landsat: REFLECTANCE_ADD) with the provider's own. "
        f"{_ALLOW} (checks.radiometry: note).",
    )


def _verdict(product: Product, *, dark: Sequence[Mapping[str, Mapping[str, int]]]) -> GuardVerdict:
    parts = [{band: {int(k): n for k, n in counts.items()} for band, counts in part.items()} for part in dark]
    return judge(merged(parts), geometry=geometry_of(product.scene, pressure_hpa=_pressure(product)))


def _pressure(product: Product) -> float | None:
    """At the ground, where the scene or the pipeline states it; a default is no knowledge."""
    for step in product.steps:
        if step.parameters.get("pressure_hpa") is not None:
            return float(step.parameters["pressure_hpa"])
    return product.scene.atmosphere.get("pressure_hpa")


def geometry_of(scene: Scene, *, pressure_hpa: float | None) -> ViewGeometry:
    """Geometry of a scene as the guard takes it."""
    angles = scene.angles
    normalised = all(a.calibration.sun_normalised for a in scene.assets.values() if isinstance(a.calibration, Reflectance))
    return ViewGeometry(
        sun_zenith_deg=90.0 - angles.sun_elevation_deg,
        view_zenith_deg=angles.view_zenith_deg,
        relative_azimuth_deg=angles.sun_azimuth_deg - angles.view_azimuth_deg,
        pressure_hpa=pressure_hpa,
        wavelengths_um={n: a.band.centre_um for n, a in scene.assets.items() if a.band.centre_um},
        offset_worth=1.0 if normalised else 1.0 / sin(radians(angles.sun_elevation_deg)),
    )


def _said_before(product: Product, before: bytes | None) -> Json | None:
    """The verdict of an item of the same scene version."""
    try:
        properties = json.loads(before)["properties"] if before else {}
        same = properties.get("swath:scene_digest") == product.scene.digest
        said = properties.get("swath:radiometry") if same else None
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return said if isinstance(said, dict) else None
