"""Headers of rasters: grid, type and nodata, without reading a pixel; and whether the file is all there."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.rpc import RPC

from swath.algo.raw_image import RawModel, raw_grid
from swath.algo.rpc import Rpc
from swath.errors import GeometryError, ReadError
from swath.grid import Grid
from swath.readers.files.digest import EDGE_BYTES, Fingerprint
from swath.readers.files.gdal_env import gdal_env, openable
from swath.readers.files.href import gdal_href, open_bytes
from swath.readers.files.patient import patiently
from swath.readers.pixels.complete import check_complete
from swath.readers.pixels.control_points import Control, fitted
from swath.readers.pixels.masks import alpha_of, find_mask, mask_beside
from swath.readers.pixels.tiff_tags import Said, said_by
from swath.scene import Mask

__all__ = ["RasterHeader", "gdal_href", "inspect"]

MAX_SIDE_PX = 100_000
#: Landsat's pan band has 2.5e8, Sentinel-2's 10 m band 1.2e8.
MAX_PIXELS = 4_000_000_000
#: One compressed block must fit into a worker; deliveries have blocks under 10 MB.
MAX_BLOCK_BYTES = 1 << 29

_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JP2_MAGICS = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_NITF_MAGICS = (b"NITF02.10", b"NSIF01.00")
#: Headers by what files say of themselves; a process meets few kinds of them at a time.
_SEEN: dict[tuple[Said, int], "RasterHeader"] = {}
_MOST_SEEN = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterHeader:
    """What a raster says of itself.

    Args:
        grid: Grid of the pixels.
        dtype: NumPy name of the stored type of its first band.
        count: Bands in the file, an alpha band among them.
        nodata: Nodata value of the first band; None if the file has none.
        tags: The dataset's own tags.
        mask: Internal mask that marks which pixels hold data beyond ``nodata``.
        alpha: Whether one of the bands is an alpha band.
        scalings: Scale and offset of each band, as the file says.
        descriptions: Name of each band, as the file says; empty where it says none.
        control: What is said of the control points that the map was fitted to: their number, what they are off [px]; empty
            for rasters that have a map or a model.
        file_bytes: Length of the file.
    """

    grid: Grid
    dtype: str
    count: int
    nodata: float | None
    tags: Mapping[str, str] = field(default_factory=dict)
    mask: Mask | None = None
    alpha: bool = False
    scalings: tuple[tuple[float, float], ...] = ()
    descriptions: tuple[str, ...] = ()
    control: Control = field(default_factory=dict)
    file_bytes: int = 0

    def scaling(self, band_index: int) -> tuple[float, float]:
        """Scale and offset of a band, from 1; 1 and 0 where the file says none."""
        return self.scalings[band_index - 1] if band_index <= len(self.scalings) else (1.0, 0.0)


def inspect(
    href: str, *, known: Fingerprint | None = None, max_pixels: int = MAX_PIXELS, rpc: Rpc | None = None, tile: bool = False
) -> RasterHeader:
    """Read a raster's header.

    Args:
        href: Address as ``gdal_href`` spells it.
        known: The file's fingerprint when it was taken already: spares a second look at its size and end.
        max_pixels: More than that is not believed.
        rpc: Model of a raw image that is in a file of its own; rasters with a coordinate system do not need it.
        tile: Whether the raster is a part of the image that the model is of.

    Raises:
        ReadError: Missing, empty, not a GeoTIFF, JPEG 2000 or NITF, cut short, or absurdly large.
        GeometryError: No CRS or one that is of no map, or pixels without an area.
        MetadataError: The model of a raw image cannot be used.
    """
    size, head, tail = (known.size, known.head, known.tail) if known else _edges(href)
    driver = _driver(href, size=size, head=head)
    check_complete(href, driver=driver, size=size, tail=tail)
    said = _said(href, driver=driver) if rpc is None and not tile else None
    if said is not None and (seen := _SEEN.get((said, max_pixels))) is not None:
        return replace(seen, file_bytes=size)  # files that say the same are of different lengths

    def look() -> RasterHeader:
        with gdal_env(href), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the grid says it better
            # rasterio.open would enter an environment of its own: a sixth of what it costs to look at a small file.
            with DatasetReader(openable(href), driver=driver) as source:
                _check_size(href, source=source, max_pixels=max_pixels)
                return replace(_header(href, source=source, rpc=rpc, tile=tile), file_bytes=size)

    try:
        header = patiently(look, href=href)
    except RasterioError as error:
        raise ReadError(
            "a raster cannot be opened",
            expected="an intact GeoTIFF, JPEG 2000 or NITF",
            got=f"{href}: {error}",
            remedy="Fetch the file again.",
        ) from error
    # A model may be in a file beside the raster.
    if said is not None and not header.grid.raw:
        if len(_SEEN) >= _MOST_SEEN:
            _SEEN.clear()
        _SEEN[said, max_pixels] = header
    return header


def _said(href: str, *, driver: str) -> Said | None:
    """What a TIFF of this machine says of itself; None where its header depends on more than that, or reading it would cost."""
    if driver != "GTiff" or href.startswith("/vsi") or mask_beside(href):
        return None
    try:
        with open_bytes(href) as file:
            return said_by(file)
    except (ReadError, ValueError):
        return None  # GDAL has its own word on such a file


def rpc_of_gdal(rpcs: RPC) -> Rpc:
    """The model in the tags of a raster as GDAL reads them.

    Raises:
        MetadataError: The model cannot be used.
    """
    found: dict[str, Any] = {n: tuple(getattr(rpcs, f"{n}_coeff")) for n in ("line_num", "line_den", "samp_num", "samp_den")}
    found |= {f.name: float(getattr(rpcs, f.name)) for f in fields(Rpc) if f.name not in found}
    return Rpc(**found)


def crs_name(crs: CRS | None) -> str:
    """``EPSG:<code>`` where PROJ knows one, otherwise WKT; ``''`` without a CRS."""
    if not crs:
        return ""
    try:
        code = crs.to_epsg()
    except CRSError:
        code = None
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def _on_a_map(crs: CRS | None, *, href: str) -> str:
    """The name of a system in which a raster has a place: projected, or of longitude and latitude; ``''`` without one.

    Raises:
        GeometryError: The system is of another kind: geocentric, of a building or an engine, of heights alone.
    """
    if crs and not (crs.is_projected or crs.is_geographic):
        raise GeometryError(
            "the coordinate system of the raster is not one of a map",
            expected="a projected system, or one of longitude and latitude",
            got=f"{crs_name(crs)[:80]} of {href}",
            remedy="Warp it (gdalwarp -t_srs EPSG:CODE), or write the right system into it (gdal_edit.py -a_srs EPSG:CODE).",
        )
    return crs_name(crs)


def _edges(href: str) -> tuple[int, bytes, bytes]:
    with open_bytes(href) as file:
        head = file.read(EDGE_BYTES)
        size = file.seek(0, 2)
        file.seek(max(size - EDGE_BYTES, 0))
        return size, head, file.read(EDGE_BYTES)


def _driver(href: str, *, size: int, head: bytes) -> str:
    """The one driver that may open the file: chosen by its first bytes, never by its name."""
    if head.startswith(_TIFF_MAGICS):
        return "GTiff"
    if head.startswith(_JP2_MAGICS):
        return "JP2OpenJPEG"
    if head.startswith(_NITF_MAGICS):
        return "NITF"
    raise ReadError(
        "a raster is empty" if not size else "a file is not a raster that swath opens",
        expected="a GeoTIFF, JPEG 2000 or NITF 2.1",
        got=f"{href} of {size} bytes" + (f" that begins with {head[:8]!r}" if size else ""),
        remedy="Fetch the file again.",
    )


def _header(href: str, *, source: rasterio.DatasetReader, rpc: Rpc | None, tile: bool) -> RasterHeader:
    affine = source.transform
    crs = _on_a_map(source.crs, href=href)
    if source.driver == "NITF":
        _check_nitf(href, source=source, rpc=rpc)
        crs = ""  # its corners are those of a search, to a second of arc: the model says where its pixels are
    if not crs and (rpc is not None or source.rpcs is not None):
        model = RawModel(rpc=rpc or rpc_of_gdal(source.rpcs))
        grid = raw_grid(model, height=source.height, width=source.width, check=not tile)
        return _of(href, source=source, grid=grid)
    if not crs and source.gcps[0]:
        grid, control = fitted(href, source=source, crs=_on_a_map(source.gcps[1], href=href))
        return replace(_of(href, source=source, grid=grid), control=control)
    if not crs:
        raise GeometryError(
            "the raster has no coordinate reference system",
            expected="a georeferenced raster",
            got=href,
            remedy="Georeference it, or fetch the delivery again.",
        )
    try:
        grid = Grid.from_transform(
            (affine.a, affine.b, affine.c, affine.d, affine.e, affine.f),
            crs=crs,
            width=source.width,
            height=source.height,
        )
    except GeometryError as error:
        error.got = f"{href}: {error.got}"
        raise
    return _of(href, source=source, grid=grid)


def _check_nitf(href: str, *, source: rasterio.DatasetReader, rpc: Rpc | None) -> None:
    if source.subdatasets:
        raise ReadError(
            "a NITF holds several images",
            expected="one image",
            got=f"{len(source.subdatasets)} in {href}",
            remedy="Take each out: `gdal_translate -co TILED=YES NITF_IM:0:IN.NTF OUT.TIF` keeps its pixels and its RPC.",
        )
    if source.rpcs is None and rpc is None:
        raise GeometryError(
            "the NITF has no model of its image",
            expected="RPC00B, or a file with the role rpc: corners are to a second of arc",
            got=href,
            remedy="Fetch the delivery with its RPC, or convert an image on a map to a GeoTIFF where its place is known.",
        )


def _of(href: str, *, source: rasterio.DatasetReader, grid: Grid) -> RasterHeader:
    return RasterHeader(
        grid=grid,
        dtype=str(source.dtypes[0]),
        count=source.count,
        nodata=source.nodata,
        tags=dict(source.tags()),
        mask=find_mask(href, source=source),
        alpha=alpha_of(source) > 0,
        scalings=tuple(zip(source.scales, source.offsets, strict=True)),
        descriptions=tuple(name or "" for name in source.descriptions),
    )


def _check_size(href: str, *, source: rasterio.DatasetReader, max_pixels: int) -> None:
    height, width = source.height, source.width
    block = source.block_shapes[0]
    block_bytes = block[0] * block[1] * _bytes_per_pixel(source)
    if max(height, width) > MAX_SIDE_PX or height * width > max_pixels or block_bytes > MAX_BLOCK_BYTES:
        raise ReadError(
            "a raster claims an absurd size",
            expected=f"at most {MAX_SIDE_PX} pixels a side, {max_pixels} in all, blocks up to {MAX_BLOCK_BYTES} bytes",
            got=f"{href}: {width} x {height} in blocks of {block[1]} x {block[0]}",
            remedy="Fetch the file again; rewrite huge blocks as a tiled GeoTIFF.",
        )


def _bytes_per_pixel(source: rasterio.DatasetReader) -> int:
    name = str(source.dtypes[0])
    bits = int("".join(c for c in name if c.isdigit()) or 8)
    return max(bits // 8, 1)
