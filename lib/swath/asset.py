"""One raster of a delivery: its band, its grid, and how its numbers become physical values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from swath.grid import Grid

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
class Part:
    """One file of a band that is delivered in tiles.

    Args:
        href: A path or URI that GDAL can open.
        row: Row of its first pixel in the band.
        col: Column of that pixel.
        height: Rows of the file.
        width: Columns of the file.
    """

    href: str
    row: int
    col: int
    height: int
    width: int


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
        calibration: Conversion of DN to physical values.
        digest: Hex sha256 of the file's bytes.
        band_index: 1-based index of the band in the file.
        residue: The highest DN that lossy compression leaves where there is no data and that no ground can have: DN up to
            it are read as ``nodata``. None when only ``nodata`` itself means no data.
        mask: Internal mask that marks which pixels hold data beyond ``nodata``; None if the file has none.
        stored: Storage of the DN in the file; None if the file keeps them in their own type.
        parts: Files of a band that is delivered in tiles, with ``href`` the first; empty for one file.
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
    parts: tuple[Part, ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the files that its pixels come from, by what is added to the raster's name."""
        own = {"": self.digest}
        return {**own, ".msk": self.mask.digest} if self.mask is not None and self.mask.digest else own


def asset_of(plain: dict[str, Any]) -> Asset:
    """An asset of what ``plain_of`` made of it; its parts are taken out of ``plain``."""
    calibration, mask, stored = plain.pop("calibration"), plain.pop("mask", None), plain.pop("stored", None)
    return Asset(
        mask=None if mask is None else Mask(**mask),
        stored=None if stored is None else Stored(**stored),
        parts=tuple(Part(**p) for p in plain.pop("parts", ())),
        **{**plain, "band": Band(**plain["band"]), "grid": Grid(**plain["grid"])},
        calibration=_CALIBRATIONS[calibration["kind"]](**calibration),
    )
