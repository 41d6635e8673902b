"""One acquisition as delivered. A scene knows where its bands are and how to read their numbers; it never opens them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, Literal, Protocol, Self

from swath.errors import GeometryError, MetadataError
from swath.grid import Grid
from swath.names import NAME_RULE, name_problem
from swath.plain import plain_of
from swath.sensors import Provider

#: The entry of ``Scene.left_out`` where a delivery that should does not say from where the sensor looks.
VIEW_ANGLES: Final = "view_angles"
QualityScheme = Literal[
    "landsat-pre-bqa", "landsat-c1-bqa", "landsat-c2-qa-pixel", "landsat-c2-qa-radsat", "swath-qa", "sentinel2-scl", "hls-fmask"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A spectral (or quality) channel.

    Args:
        name: The common name, which is also the asset key (``red``, ``nir08``, ``lwir11``, ``qa_pixel``).
        native_id: The sensor's own name (``B4``, ``B8A``, ``B6_VCID_1``).
        resolution_m: Nominal ground sampling [m]; a decimated delivery's grid may differ.
        centre_um: Centre wavelength [um]; None for quality bands.
        fwhm_um: Full width at half maximum [um]; None for quality bands.
    """

    name: str
    native_id: str
    resolution_m: float
    centre_um: float | None = None
    fwhm_um: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflectance:
    """``rho = gain * DN + offset``; divided by the sine of the sun's elevation unless ``sun_normalised``.

    Old Landsat metadata without reflectance coefficients arrives here too: its reader folds
    ``pi * L * d^2 / ESUN`` into gain and offset.
    """

    gain: float
    offset: float
    sun_normalised: bool
    kind: Literal["reflectance"] = "reflectance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermal:
    """``L = gain * DN + offset`` [W m-2 sr-1 um-1]; ``T = k2_k / ln(k1 / L + 1)`` [K]."""

    gain: float
    offset: float
    k1: float
    k2_k: float
    kind: Literal["thermal"] = "thermal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Packed bits as delivered."""

    scheme: QualityScheme
    kind: Literal["quality"] = "quality"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncalibrated:
    """Counts of which the delivery does not say how they become physical values."""

    kind: Literal["counts"] = "counts"


Calibration = Reflectance | Thermal | Quality | Uncalibrated
_CALIBRATIONS: Mapping[str, type[Calibration]] = {
    "counts": Uncalibrated,
    "reflectance": Reflectance,
    "thermal": Thermal,
    "quality": Quality,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Which pixels of a raster hold data, where the raster says so by more than a number.

    Args:
        kind: A mask inside the raster, its alpha band (any opacity counts as data), or a file beside it (``.msk``).
        band_index: Index of the alpha band, from 1; 0 for other kinds.
        href: Href of the file beside the raster; empty for other kinds.
        digest: Hex sha256 of that file; empty for the other kinds, whose bytes are the raster's own.
    """

    kind: Literal["internal", "alpha", "sidecar"]
    band_index: int = 0
    href: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How a file keeps DN otherwise than delivered: R and QGIS write a crop's whole numbers as floats, or with another nodata.

    Args:
        dtype: NumPy name of the file's type.
        nodata: The finite number in the file that means no data, beside the DN that does; None when there is none. NaN
            and infinities always mean no data.
    """

    dtype: str
    nodata: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One band of a scene: one raster file (first band of it, or ``band_index``).

    Args:
        band: The channel.
        href: A path or URI that GDAL can open (``/vsizip/...``, ``/vsitar/...``, ``/vsis3/...`` for archives and S3).
        grid: The raster's own grid, from its own header.
        dtype: NumPy name of the DN's type (``uint8``, ``uint16``, ``int16``).
        nodata: The DN that means no data; None when there is none.
        saturated: The lowest DN that means saturation; None when unknown.
        calibration: How DN become physical values.
        digest: Hex sha256 of the file's bytes.
        band_index: 1-based index of the band in the file.
        residue: The highest DN that lossy compression leaves where there is no data and that no ground can have: DN up to
            it are read as ``nodata``. None when only ``nodata`` itself means no data.
        mask: Which pixels hold data, where the file says so by more than ``nodata``; None when it does not.
        stored: How the file keeps the DN; None when it keeps them in their own type.
    """

    band: Band
    href: str
    grid: Grid
    dtype: str
    nodata: int | None
    saturated: int | None
    calibration: Calibration
    digest: str
    band_index: int = 1
    residue: int | None = None
    mask: Mask | None = None
    stored: Stored | None = None

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the files that its pixels come from, by what is added to the raster's name."""
        own = {"": self.digest}
        return {**own, ".msk": self.mask.digest} if self.mask is not None and self.mask.digest else own


@dataclass(frozen=True, slots=True, kw_only=True)
class Angles:
    """Scene-wide angles [deg]: of the scene centre, or means over the scene.

    ``view_zenith_deg`` and ``view_azimuth_deg`` are 0 where the delivery does not say (Landsat is near nadir).

    Raises:
        GeometryError: Not finite, or the sun is not above the horizon.
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
        assets: By band name. Quality bands are among them.
        angles: Scene-wide angles.
        angles_href: Metadata with angle grids per pixel, read by ``readers.angles`` when a step wants them.
        reader: Name of the reader that made this scene (``landsat``, ``sentinel2``, ``stac``).
        source_href: What the user named: folder, archive, item.
        metadata_href: The main metadata file.
        digest: Hex sha256 over the digests of all files of the scene: the version of the delivery.
        level: Processing level (``L1``, ``L1TP``, ``L1C``); empty when the delivery does not say, see ``readers.gate``.
        processed: When the delivery was processed, ISO 8601 in UTC to the second; empty when unknown. Of two deliveries with
            one id the later one is the newer version.
        baseline: Processing baseline or software version as delivered; empty when unknown.
        cloud_cover_percent: As delivered; None when unknown.
        atmosphere: Atmospheric state that came with the scene, by SMAC parameter name (``aot550``,
            ``ozone_atm_cm``, ``water_vapour_g_cm2``, ``pressure_hpa``); usually empty.
        properties: STAC properties of the delivery worth keeping (``landsat:wrs_path``, ``grid:code`` ...).
        left_out: What the delivery lacks or what was passed over, in words, by name.
        footprint: Ring of (longitude, latitude) [deg] around the data as the delivery tells it; empty when it does not.
        license: Licence that the delivery states, for a sensor that is not in ``swath.sensors``; empty if it states none.
        providers: Providers that the delivery states, for such a sensor.
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
        told: As deliveries write them; a time without a zone is UTC.
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


def asset_of(plain: dict[str, Any]) -> Asset:
    """An asset of what ``plain_of`` made of it; its parts are taken out of ``plain``."""
    calibration, mask, stored = plain.pop("calibration"), plain.pop("mask", None), plain.pop("stored", None)
    return Asset(
        mask=None if mask is None else Mask(**mask),
        stored=None if stored is None else Stored(**stored),
        **{**plain, "band": Band(**plain["band"]), "grid": Grid(**plain["grid"])},
        calibration=_CALIBRATIONS[calibration["kind"]](**calibration),
    )
