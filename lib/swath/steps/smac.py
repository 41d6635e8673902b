"""Atmospheric correction with SMAC: surface reflectance from TOA reflectance."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, ClassVar, Final, Literal

import numpy as np

from swath.algo.atmosphere import (
    ACCURATE_ZENITH_DEG,
    LEAST_AOT550,
    RANGES,
    Atmosphere,
    SmacTerms,
    check_angles,
    smac_terms,
    surface_reflectance,
)
from swath.algo.lattice import Axis, correct_on_lattice
from swath.algo.smac_accuracy import reduced_accuracy
from swath.algo.smac_table import SmacCoefficients, SmacSensor, smac_sensor
from swath.errors import ConfigError, GeometryError, MetadataError, SceneError
from swath.grid import Window
from swath.inputs import AngleField, AnglesInput, Inputs
from swath.pipeline import Layer, Layers, Need, Recipe
from swath.product import REFLECTANCE, LayerName, LayerSpec
from swath.scene import VIEW_ANGLES, Angles, Scene
from swath.steps.naming import layer_name, of_kind

#: Bands in which the ground is not seen: there is no surface reflectance to find.
BLIND_BANDS: Final = frozenset({"cirrus"})
Source = Literal["parameter", "scene", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smac:
    """``sr:<band>`` of each ``toa:<band>`` that the sensor's table covers.

    A parameter that is None is taken from the scene when the scene has it, otherwise it is the default of
    ``Atmosphere``; the recipe's facts say which.

    Args:
        aot550: Aerosol optical depth at 550 nm [1].
        ozone_atm_cm: Ozone column [atm-cm].
        water_vapour_g_cm2: Water vapour column [g cm-2].
        pressure_hpa: Pressure at the ground [hPa].

    Raises:
        ConfigError: A parameter is outside the model's range.
    """

    name: ClassVar[str] = "smac"
    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[str, ...]] = ("sr",)

    aot550: float | None = None
    ozone_atm_cm: float | None = None
    water_vapour_g_cm2: float | None = None
    pressure_hpa: float | None = None

    def __post_init__(self) -> None:
        """Refuse parameters that the model does not cover."""
        for key, value in self.parameters.items():
            low, high = RANGES[key]
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                msg = f"smac.{key} must be a number from {low:g} to {high:g}, got {value!r}"
                raise ConfigError(msg)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As given; None where the scene or the default decides."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def recipes(self, scene: Scene, *, given: Mapping[LayerName, LayerSpec]) -> tuple[Recipe, ...]:
        """One call for each band with coefficients.

        Raises:
            UnsupportedSensorError: There are no coefficients for the scene's platform.
            MetadataError: The delivery does not say from where the sensor looks.
            RangeError: The sun, the view, the scene's atmosphere, or haze under a low sun is beyond the model.
        """
        sensor = smac_sensor(scene.platform)
        if VIEW_ANGLES in scene.left_out:
            raise MetadataError(
                "no surface reflectance without the direction of the view",
                expected="view angles of some band",
                got=scene.left_out[VIEW_ANGLES],
                remedy="Fetch the metadata again, or use the pipeline `toa` for this scene.",
                scene_id=scene.scene_id,
            )
        sources = self.sources(scene)
        atmosphere = self.atmosphere(scene)
        check_angles(sun_zenith_deg=90.0 - scene.angles.sun_elevation_deg, view_zenith_deg=scene.angles.view_zenith_deg)
        facts = {
            "atmosphere": {k: self._fact(k, v, scene=scene, source=sources[k]) for k, v in asdict(atmosphere).items()},
            **_angle_facts(scene),
        }
        covered = {n: s for n, s in of_kind(given, kind="toa").items() if n in sensor.bands and n not in BLIND_BANDS}
        for band in covered:
            # Refuses here, before any pixel is read, what the model cannot do.
            _scene_terms(sensor.bands[band], angles=scene.angles, atmosphere=atmosphere)
        return tuple(
            replace(
                _recipe(
                    band, source=spec, sensor=sensor, facts=facts, accuracy=_accuracy(band, scene=scene, atmosphere=atmosphere)
                ),
                inputs=() if scene.angles_href is None else (AnglesInput(digest=scene.digest),),
            )
            for band, spec in covered.items()
        )

    def run(self, recipe: Recipe, layers: Layers, *, window: Window, scene: Scene, inputs: Inputs) -> Layers:
        """Correct one band, with the angles of each pixel where the scene has them."""
        del window
        (source,), (made,) = recipe.needs, recipe.makes
        coefficients = smac_sensor(scene.platform).bands[made.asset]
        layer, atmosphere = layers[source], self.atmosphere(scene)
        if not recipe.inputs:
            terms = _scene_terms(coefficients, angles=scene.angles, atmosphere=atmosphere)
            return {made.name: layer.map(lambda toa: surface_reflectance(toa, terms))}
        angles = inputs.of(AnglesInput(digest=scene.digest))
        corrected = _per_pixel(layer, band=made.asset, coefficients=coefficients, angles=angles, atmosphere=atmosphere)
        return {made.name: corrected}

    def sources(self, scene: Scene) -> Mapping[str, Source]:
        """Where each parameter comes from."""
        return {
            key: "parameter" if value is not None else "scene" if key in scene.atmosphere else "default"
            for key, value in self.parameters.items()
        }

    def _fact(self, key: str, value: float, *, scene: Scene, source: Source) -> dict[str, Any]:
        """A parameter as it was used; with what was asked where that is another value."""
        given = self._given(scene).get(key, value)
        return {"value": value, "source": source, **({"asked": given} if given != value else {})}

    def _given(self, scene: Scene) -> dict[str, float]:
        chosen = {k: scene.atmosphere[k] for k in self.parameters if k in scene.atmosphere}
        return chosen | {k: float(v) for k, v in self.parameters.items() if v is not None}

    def atmosphere(self, scene: Scene) -> Atmosphere:
        """The atmosphere that this scene is corrected for; aerosol is at least what the coefficients were fitted to.

        Raises:
            RangeError: A value of the scene is outside the model's range.
        """
        try:
            asked = Atmosphere(**self._given(scene))
        except SceneError as error:
            raise error.of(scene.scene_id) from None
        return replace(asked, aot550=max(asked.aot550, LEAST_AOT550))


@lru_cache(maxsize=64)
def _scene_terms(coefficients: SmacCoefficients, *, angles: Angles, atmosphere: Atmosphere) -> SmacTerms:
    return smac_terms(
        coefficients,
        sun_zenith_deg=90.0 - angles.sun_elevation_deg,
        view_zenith_deg=angles.view_zenith_deg,
        relative_azimuth_deg=angles.sun_azimuth_deg - angles.view_azimuth_deg,
        atmosphere=atmosphere,
    )


def _per_pixel(layer: Layer, *, band: str, coefficients: SmacCoefficients, angles: AngleField, atmosphere: Atmosphere) -> Layer:
    grid, window = layer.grid, layer.window
    if not grid.upright:
        raise GeometryError(
            "angles per pixel are known on upright grids alone",
            expected="a band whose columns go east and whose rows go south",
            got=f"a turned raster (transform {grid.transform})",
            remedy="Warp the bands before they are ingested.",
        )
    rows = Axis.of(window.row, window.height, pixel=grid.dy)
    columns = Axis.of(window.col, window.width, pixel=grid.dx)
    sun_zenith, sun_azimuth, view_zenith, view_azimuth = angles.sample(
        x=grid.left + columns.nodes, y=grid.top - rows.nodes, band=band
    )
    terms = smac_terms(
        coefficients,
        sun_zenith_deg=sun_zenith,
        view_zenith_deg=view_zenith,
        relative_azimuth_deg=sun_azimuth - view_azimuth,
        atmosphere=atmosphere,
    )
    corrected = correct_on_lattice(
        layer.physical,
        path=np.asarray(terms.path_reflectance),
        transmission=np.asarray(terms.transmission),
        spherical_albedo=terms.spherical_albedo,
        rows=rows,
        columns=columns,
    )
    return layer.with_physical(corrected)


def _accuracy(band: str, *, scene: Scene, atmosphere: Atmosphere) -> str:
    angles = scene.angles
    return reduced_accuracy(
        band,
        platform=scene.platform,
        sun_zenith_deg=90.0 - angles.sun_elevation_deg,
        aot550=atmosphere.aot550,
        relative_azimuth_deg=angles.sun_azimuth_deg - angles.view_azimuth_deg,
    )


def _angle_facts(scene: Scene) -> dict[str, Any]:
    zenith = max(90.0 - scene.angles.sun_elevation_deg, scene.angles.view_zenith_deg)
    facts: dict[str, Any] = {"angles": asdict(scene.angles), "angles_source": "scene"}
    if scene.angles_href is not None:
        # The digest of the delivery represents its angle grids.
        facts |= {"angles_source": "per-pixel", "angles_digest": scene.digest}
    if zenith > ACCURATE_ZENITH_DEG:
        facts["accuracy"] = f"reduced: a zenith angle is above {ACCURATE_ZENITH_DEG:g} degrees"
    return facts


def _recipe(band: str, *, source: LayerSpec, sensor: SmacSensor, facts: Mapping[str, Any], accuracy: str) -> Recipe:
    made = LayerSpec(
        name=layer_name("sr", band=band),
        asset=band,
        title=f"Surface reflectance, {band}",
        grid=source.grid,
        encoding=REFLECTANCE,
        band=source.band,
        roles=("data", "reflectance"),
        accuracy=accuracy,
    )
    table = {"platform": sensor.platform, "published_as": sensor.published_as, "version": sensor.version}
    table["acknowledgement"] = sensor.acknowledgement
    return Recipe(makes=(made,), needs={source.name: Need()}, facts={**facts, "coefficients": table})
