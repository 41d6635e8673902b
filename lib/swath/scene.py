"""One acquisition as delivered. A scene knows where its bands are and how to read their numbers; it never opens them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, Protocol, Self

from swath.asset import (
    Asset,
    Band,
    Calibration,
    Mask,
    Part,
    Quality,
    QualityScheme,
    Reflectance,
    Stored,
    Thermal,
    Uncalibrated,
    asset_of,
)
from swath.errors import GeometryError, MetadataError
from swath.grid import Grid
from swath.names import NAME_RULE, name_problem
from swath.plain import plain_of
from swath.sensors import Provider

# Assets are what a scene is made of, so they can be had here too.
__all__ = [
    "VIEW_ANGLES",
    "Angles",
    "Asset",
    "Band",
    "Calibration",
    "Delivered",
    "Mask",
    "Part",
    "Quality",
    "QualityScheme",
    "Reflectance",
    "Scene",
    "Stored",
    "Thermal",
    "Uncalibrated",
    "asset_of",
    "processing_date",
]

#: The entry of ``Scene.left_out`` where a delivery that should does not say from where the sensor looks.
VIEW_ANGLES: Final = "view_angles"


_AZIMUTHS: Final = (-180.0, 360.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Angles:
    """Scene-wide angles [deg]: of the scene centre, or means over the scene.

    ``view_zenith_deg`` and ``view_azimuth_deg`` are 0 where the delivery does not say (Landsat is near nadir). Azimuths are
    clockwise from north; deliveries count them from 0 to 360 or, as Landsat's, from -180 to 180. They are kept in [0, 360).

    Raises:
        GeometryError: Not finite, an azimuth of no such count, or the sun is not above the horizon.
    """

    sun_elevation_deg: float
    sun_azimuth_deg: float
    view_zenith_deg: float = 0.0
    view_azimuth_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse angles under which no formula here holds."""
        values = (self.sun_elevation_deg, self.sun_azimuth_deg, self.view_zenith_deg, self.view_azimuth_deg)
        if not all(isfinite(v) for v in values):
            raise GeometryError(
                "an angle is not a number", expected="finite degrees", got=str(values), remedy="Check the metadata."
            )
        for name, azimuth in (("sun", self.sun_azimuth_deg), ("view", self.view_azimuth_deg)):
            if not _AZIMUTHS[0] <= azimuth <= _AZIMUTHS[1]:
                raise GeometryError(
                    f"the {name} azimuth is no direction",
                    expected="0 to 360 degrees clockwise from north, or -180 to 180",
                    got=f"{azimuth:g}",
                    remedy="Correct the metadata: which angle was meant is not known.",
                )
            object.__setattr__(self, f"{name}_azimuth_deg", azimuth % 360.0)
        if not 0.0 < self.sun_elevation_deg <= 90.0:
            raise GeometryError(
                "the sun is not above the horizon",
                expected="a sun elevation in (0, 90] degrees",
                got=f"{self.sun_elevation_deg}",
                remedy="Night scenes have no reflectance; take the scene out of the input.",
            )
        if not 0.0 <= self.view_zenith_deg < 90.0:
            raise GeometryError(
                "the view zenith is absurd",
                expected="[0, 90) degrees",
                got=f"{self.view_zenith_deg}",
                remedy="Check the metadata.",
            )


class Delivered(Protocol):
    """What rasters are read of: a scene, or a date of a stack."""

    @property
    def scene_id(self) -> str:
        """Names it in messages."""
        ...

    @property
    def assets(self) -> Mapping[str, Asset]:
        """Its rasters, by name."""
        ...

    @property
    def reader(self) -> str:
        """What remembers how its files are opened."""
        ...

    @property
    def source_href(self) -> str:
        """What the user named."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One acquisition of one sensor, as delivered.

    Args:
        scene_id: The provider's identifier; also the stem of every product id.
        platform: STAC platform (``landsat-8``, ``sentinel-2a``).
        instrument: STAC instrument (``oli``, ``tm``, ``msi``).
        family: Sensor family that a collection is made of (``landsat-tm``, ``landsat-etm``, ``landsat-oli``,
            ``sentinel-2-msi``, or the platform's own name for other sensors).
        acquired: Scene centre, aware, UTC.
        assets: Assets by band name. Quality bands are among them.
        angles: Scene-wide angles.
        angles_href: Metadata with angle grids per pixel, read by ``readers.angles`` when a step wants them.
        reader: Name of the reader that made this scene (``landsat``, ``sentinel2``, ``stac``).
        source_href: Source as the user named it: folder, archive, item.
        metadata_href: The main metadata file.
        digest: Hex sha256 over the digests of all files of the scene: the version of the delivery.
        level: Processing level (``L1``, ``L1TP``, ``L1C``); empty when the delivery does not say, see ``readers.gate``.
        processed: Processing time of the delivery, ISO 8601 in UTC to the second; empty if unknown. Of two deliveries with
            one id the later one is the newer version.
        baseline: Processing baseline or software version as delivered; empty when unknown.
        cloud_cover_percent: Cloud cover as delivered; None if unknown.
        atmosphere: Atmospheric state that came with the scene, by SMAC parameter name (``aot550``,
            ``ozone_atm_cm``, ``water_vapour_g_cm2``, ``pressure_hpa``); usually empty.
        properties: STAC properties of the delivery worth keeping (``landsat:wrs_path``, ``grid:code`` ...).
        left_out: Parts that the delivery lacks or that were passed over, in words, by name.
        footprint: Ring of (longitude, latitude) [deg] around the data as the delivery tells it; empty when it does not.
        license: Licence that the delivery states, for a sensor that is not in ``swath.sensors``; empty if it states none.
        providers: Providers that the delivery states, for such a sensor.
        tile: Name of the tile that a product of it covers, of its pipeline's tiling; empty for all of the scene.
    """

    scene_id: str
    platform: str
    instrument: str
    family: str
    acquired: datetime
    assets: Mapping[str, Asset]
    angles: Angles
    reader: str
    source_href: str
    metadata_href: str
    digest: str
    angles_href: str | None = None
    level: str = ""
    processed: str = ""
    baseline: str = ""
    cloud_cover_percent: float | None = None
    atmosphere: Mapping[str, float] = field(default_factory=dict)
    properties: Mapping[str, str | int | float] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    footprint: tuple[tuple[float, float], ...] = ()
    license: str = ""
    providers: tuple[Provider, ...] = ()
    tile: str = ""

    def __post_init__(self) -> None:
        """Refuse a scene that no product can be dated or named after."""
        if self.acquired.tzinfo is None:
            raise MetadataError(
                "the acquisition time has no time zone",
                expected="an aware UTC time",
                got=self.acquired.isoformat(),
                scene_id=self.scene_id,
            )
        problem = name_problem(self.scene_id)
        if problem:
            raise MetadataError(
                "the scene id cannot name a folder",
                expected=NAME_RULE,
                got=f"{self.scene_id!a}: {problem}",
                remedy="Change the id in the metadata.",
            )
        try:
            self.acquired.astimezone(UTC)
        except OverflowError:
            raise MetadataError(
                "the acquisition time is at the end of time",
                expected="a time that can be expressed in UTC",
                got=self.acquired.isoformat(),
                remedy="Check the metadata.",
                scene_id=self.scene_id,
            ) from None

    @property
    def reference(self) -> Grid:
        """The grid that strips are counted on: the finest among the bands, pan left aside.

        Raises:
            MetadataError: There is no band.
        """
        grids = [a.grid for n, a in self.assets.items() if n != "pan" and a.calibration.kind != "quality"]
        grids = grids or [a.grid for a in self.assets.values()]
        if not grids:
            raise MetadataError("the scene has no bands", scene_id=self.scene_id, remedy="Check the delivery.")
        return min(grids, key=lambda g: (g.resolution_m, -g.width, g.left, -g.top))

    def to_json(self) -> str:
        """The scene as canonical JSON (sorted keys), for tables and task rows."""
        plain = plain_of(self)
        for name, asset in self.assets.items():
            plain["assets"][name]["grid"] = asset.grid.to_plain()
        plain["acquired"] = self.acquired.astimezone(UTC).isoformat()
        if not self.tile:
            del plain["tile"]
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of ``to_json``."""
        plain: dict[str, Any] = json.loads(text)
        assets = {name: asset_of(a) for name, a in plain.pop("assets").items()}
        acquired = datetime.fromisoformat(plain.pop("acquired"))
        footprint = tuple((lon, lat) for lon, lat in plain.pop("footprint", ()))
        said = plain.pop("providers", ())
        providers = tuple(Provider(name=p["name"], roles=tuple(p["roles"]), url=p["url"]) for p in said)
        values = {**plain, "angles": Angles(**plain["angles"]), "footprint": footprint, "providers": providers}
        return cls(**values, assets=assets, acquired=acquired)


def processing_date(*told: str) -> str:
    """The first of some times that is one, as ``Scene.processed`` has it; ``''`` when none is.

    Args:
        told: Time as deliveries write it; a time without a zone is UTC.
    """
    for text in told:
        try:
            time = datetime.fromisoformat(text.strip())
        except ValueError:
            continue
        aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        with suppress(OverflowError):  # at the ends of time there is no other zone
            return aware.astimezone(UTC).isoformat(timespec="seconds")
    return ""
