"""Content of a delivery of a raw image: from here on DIMAP and Maxar are read alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from swath.algo.radiometry import fold_esun
from swath.algo.raw_image import RawModel, raw_grid
from swath.algo.rpc import Rpc
from swath.algo.solar import earth_sun_distance_au
from swath.errors import GeometryError, ReadError
from swath.readers.files.digest import combined_digest, fingerprint
from swath.readers.pixels.delivered import dn_type, stored_of
from swath.readers.pixels.header import RasterHeader, inspect
from swath.scene import Angles, Asset, Band, Calibration, Part, Reflectance, Scene, Uncalibrated

READER = "rpc"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBand:
    """One band of the image.

    Args:
        band: The channel; its resolution is that of the model.
        index: 1-based, in each file.
        gain: Radiance of a count [W m-2 sr-1 um-1]; None where the delivery does not say.
        bias: Radiance at count 0 [W m-2 sr-1 um-1].
        irradiance: Mean solar irradiance of the band [W m-2 um-1]; None where nothing says.
    """

    band: Band
    index: int
    gain: float | None = None
    bias: float = 0.0
    irradiance: float | None = None

    def calibration(self, acquired: datetime) -> Calibration:
        """Counts to reflectance: ``rho = pi L d^2 / (ESUN sin(sun elevation))``; counts alone where a number is missing."""
        if self.gain is None or self.irradiance is None:
            return Uncalibrated()
        gain, offset = fold_esun(
            gain=self.gain, offset=self.bias, esun=self.irradiance, distance_au=earth_sun_distance_au(acquired)
        )
        return Reflectance(gain=gain, offset=offset, sun_normalised=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One file of the image.

    Args:
        href: Address in GDAL's notation.
        row: Ordinal of its row of tiles, from 1.
        col: Ordinal of its column of tiles.
    """

    href: str
    row: int = 1
    col: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery of one raw image.

    Args:
        scene_id: Id.
        platform: STAC platform.
        instrument: STAC instrument.
        acquired: Aware, UTC.
        angles: Angles of the scene's centre.
        bands: Bands.
        files: Files; several are tiles of one image.
        rpc: Model of the whole image.
        metadata: Files that were read beside the pixels: the main one first.
        nodata: The count that means no data; None if there is none.
        saturated: The count of saturation; None when unknown.
        processed: Processing time as written; empty if unknown.
        left_out: Parts that the delivery lacks, in words, by name.
    """

    scene_id: str
    platform: str
    instrument: str
    acquired: datetime
    angles: Angles
    bands: Sequence[RawBand]
    files: Sequence[RawFile]
    rpc: Rpc
    metadata: Sequence[str]
    nodata: int | None = 0
    saturated: int | None = None
    processed: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)

    def scene(self, source_href: str) -> Scene:
        """The scene; reads the headers and takes the digests of all files.

        Raises:
            ReadError: A raster cannot be used.
            GeometryError: Tiles do not make one image, or a raster is on a map already.
            MetadataError: The model does not fit the image.
        """
        parts, header, digest = self._parts()
        height, width = max(p.row + p.height for p in parts), max(p.col + p.width for p in parts)
        grid = raw_grid(RawModel(rpc=self.rpc), height=height, width=width)
        dtype = dn_type(header, nodata=self.nodata)
        if dtype is None or dtype.startswith("float"):
            raise ReadError("the image is not of integers", expected="uint8, uint16 or int16", got=header.dtype)
        several = len(parts) > 1
        first = Asset(
            band=Band(name="", native_id="", resolution_m=grid.dx),
            href=parts[0].href,
            grid=grid,
            dtype=dtype,
            nodata=self.nodata,
            saturated=self.saturated,
            calibration=Uncalibrated(),
            digest=digest,
            mask=None if several else header.mask,
            stored=stored_of(header, dtype=dtype, told=self.nodata),
            parts=tuple(parts) if several else (),
        )
        assets = {
            b.band.name: replace(
                first, band=replace(b.band, resolution_m=grid.dx), band_index=b.index, calibration=b.calibration(self.acquired)
            )
            for b in self.bands
        }
        _check_bands(self.bands, header=header, href=parts[0].href)
        digests = [("pixels", digest), *((h.rpartition("/")[2], fingerprint(h).sha256) for h in self.metadata)]
        return Scene(
            scene_id=self.scene_id, platform=self.platform, instrument=self.instrument, family=self.platform,
            acquired=self.acquired, assets=assets, angles=self.angles, reader=READER, source_href=source_href,
            metadata_href=self.metadata[0], digest=combined_digest(digests), level="L1", processed=self.processed,
            left_out=self.left_out,
        )  # fmt: skip

    def _parts(self) -> tuple[list[Part], RasterHeader, str]:
        """Where each file is in the image, the header of the first, and the digest of all."""
        known = {f.href: fingerprint(f.href) for f in self.files}
        headers = {f.href: inspect(f.href, known=known[f.href], rpc=self.rpc, tile=len(self.files) > 1) for f in self.files}
        heights = {f.row: headers[f.href].grid.height for f in self.files if f.col == 1}
        widths = {f.col: headers[f.href].grid.width for f in self.files if f.row == 1}
        parts: list[Part] = []
        for file in sorted(self.files, key=lambda f: (f.row, f.col)):
            grid = headers[file.href].grid
            if not grid.raw:
                raise GeometryError("the image is on a map already", expected="a raw image", got=file.href)
            if (grid.height, grid.width) != (heights.get(file.row), widths.get(file.col)):
                raise GeometryError(
                    "the tiles of the image do not fit together",
                    expected=f"{heights.get(file.row)} x {widths.get(file.col)} pixels, as the others of its row and column",
                    got=f"{grid.height} x {grid.width} of {file.href}",
                    remedy="Fetch the delivery again: a tile is missing or of another image.",
                )
            row, col = (sum(v for k, v in sizes.items() if k < at) for sizes, at in ((heights, file.row), (widths, file.col)))
            part = Part(href=file.href, row=row, col=col, height=grid.height, width=grid.width)
            parts.append(part)
        if len(parts) != len(heights) * len(widths):
            raise GeometryError(
                "tiles of the image are missing",
                expected=f"{len(heights)} rows of {len(widths)} tiles",
                got=f"{len(parts)} tiles",
                remedy="Fetch the delivery again.",
            )
        several = combined_digest([(f"{p.row}_{p.col}", known[p.href].sha256) for p in parts])
        first = parts[0].href
        return parts, headers[first], known[first].sha256 if len(parts) == 1 else several


def _check_bands(bands: Sequence[RawBand], *, header: RasterHeader, href: str) -> None:
    if max(b.index for b in bands) > header.count:
        raise ReadError(
            "the image has fewer bands than its metadata says",
            expected=f"{max(b.index for b in bands)} bands",
            got=f"{header.count} in {href}",
            remedy="Fetch the delivery again.",
        )
