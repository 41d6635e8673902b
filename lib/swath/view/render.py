"""Tiles as PNG: stored values to colours."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from swath.sinks.quicklook import Stretch, stretch_of
from swath.view.layers import LegendEntry, ViewLayer
from swath.view.rasters import TILE_PX, load, read_picture_tile, read_small, read_tile

#: Colour ramps that numbers may be drawn with, as rio-tiler names them.
RAMPS = ("gray", "viridis", "magma", "ylgnbu", "rdylgn")
#: Side of what a stretch is taken from [px], and the shares of pixels that become its ends [percent].
_SMALL_PX, _ENDS = 512, (2.0, 98.0)
_BINS = 48
_FASTEST = 1
_BANDS_AT_ONCE = ThreadPoolExecutor(3 * 4)
Pixels = NDArray[np.uint8]
#: A tile without anything: one transparent pixel.
NOTHING = bytes(imagecodecs.png_encode(np.zeros((1, 1, 4), dtype=np.uint8)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Values of a layer, in its unit.

    Args:
        low: Value that is drawn darkest when nothing else is asked for.
        high: Value that is drawn brightest.
        minimum: Lowest value of the overview.
        maximum: Highest value of the overview.
        bins: Number of overview pixels in equal steps from the 0.5th to the 99.5th percentile.
        first: Value where the bins begin.
        last: Value where they end.
    """

    low: float
    high: float
    minimum: float
    maximum: float
    bins: tuple[int, ...]
    first: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTile:
    """A web-map tile.

    Args:
        z: Zoom level.
        x: Column.
        y: Row.
    """

    z: int
    x: int
    y: int


def colour_tile(names: tuple[str, str, str], place: MapTile) -> bytes | None:
    """True colour of three rasters in the stretch of the product's quicklook; None where there is nothing."""
    bands = list(_BANDS_AT_ONCE.map(lambda name: read_tile(name, z=place.z, x=place.x, y=place.y, smooth=True), names))
    there = [b for b in bands if b is not None]
    if len(there) < len(bands):
        return None
    stretch = _colour_stretch(names)
    low, high = (np.array(v, dtype=np.float32).reshape(3, 1, 1) for v in (stretch.low, stretch.high))
    linear = np.clip((np.stack([values for values, _ in there]) - low) / (high - low), 0.0, 1.0)
    valid = np.logical_and.reduce([v for _, v in there])
    return _png([*(linear**stretch.exponent * 255.0), valid * 255])


def number_tile(name: str, place: MapTile, *, layer: ViewLayer, low: float, high: float, ramp: str) -> bytes | None:
    """Numbers between two values of the layer's unit, by a colour ramp; None where there is nothing."""
    found = read_tile(name, z=place.z, x=place.x, y=place.y, smooth=True)
    if found is None:
        return None
    values = found[0] * np.float32(layer.scale) + np.float32(layer.offset)
    share = np.clip((values - low) / max(high - low, 1e-12), 0.0, 1.0)
    colours = _ramp(ramp)[np.nan_to_num(share * 255.0).astype(np.uint8)]
    return _png([*np.moveaxis(colours, -1, 0), found[1] * 255])


def class_tile(name: str, place: MapTile, *, legend: Collection[LegendEntry]) -> bytes | None:
    """The classes of a legend in their colours, all others transparent; None where there is nothing."""
    found = read_tile(name, z=place.z, x=place.x, y=place.y, smooth=False)
    if found is None:
        return None
    table = np.zeros((256, 4), dtype=np.uint8)
    for entry in legend:
        table[entry.value] = (*bytes.fromhex(entry.colour), 255)
    pixels = table[found[0].astype(np.uint8)]
    return _png([*np.moveaxis(pixels[..., :3], -1, 0), pixels[..., 3] * found[1]])


def bit_tile(name: str, place: MapTile, *, legend: Collection[LegendEntry]) -> bytes | None:
    """The bits of a legend in their colours, where several are set the last; None where there is nothing."""
    found = read_tile(name, z=place.z, x=place.x, y=place.y, smooth=False)
    if found is None:
        return None
    pixels = np.zeros((TILE_PX, TILE_PX, 4), dtype=np.uint8)
    for entry in legend:
        pixels[(found[0].astype(np.uint32) >> entry.value) & 1 == 1] = (*bytes.fromhex(entry.colour), 255)
    return _png([*np.moveaxis(pixels, -1, 0)])


def picture_tile(png: bytes, place: MapTile, *, item: dict[str, Any]) -> bytes | None:
    """A picture of a product that its run drew, on the product's grid; None where there is nothing."""
    pixels = imagecodecs.png_decode(png)
    fields = item["properties"]
    # A pixel of the picture is a whole number of pixels of the grid.
    cell = ceil(fields["proj:shape"][0] / pixels.shape[0])
    a, b, west, d, e, north = fields["proj:transform"][:6]
    grid = (a * cell, b * cell, west, d * cell, e * cell, north)
    crs = fields.get("proj:code") or fields["proj:wkt2"]
    drawn = read_picture_tile(pixels, z=place.z, x=place.x, y=place.y, transform=grid, crs=crs)
    return None if drawn is None else _png(list(drawn))


@lru_cache(maxsize=256)
def range_of(name: str, *, scale: float, offset: float) -> Range:
    """The values of a raster's overview, in the unit that scale and offset give."""
    stored, valid = read_small(name, side=_SMALL_PX)
    values = stored[valid].astype(np.float64) * scale + offset
    if not values.size:
        return Range(low=0.0, high=1.0, minimum=0.0, maximum=1.0, bins=(), first=0.0, last=1.0)
    low, high = np.percentile(values, _ENDS)
    first, last = np.percentile(values, (0.5, 99.5))
    last = max(last, first + abs(scale))
    bins, _ = np.histogram(values, bins=_BINS, range=(first, last))
    return Range(
        low=float(low),
        high=float(max(high, low + abs(scale))),
        minimum=float(values.min()),
        maximum=float(values.max()),
        bins=tuple(int(n) for n in bins),
        first=float(first),
        last=float(last),
    )


@lru_cache(maxsize=64)
def _colour_stretch(names: tuple[str, str, str]) -> Stretch:
    found = [read_small(name, side=_SMALL_PX) for name in names]
    nodata = -32768
    red, green, blue = (np.where(valid, values, nodata).astype(np.int32) for values, valid in found)
    return stretch_of(red, green, blue=blue, nodata=nodata)  # type: ignore[arg-type]  # wider than int16: uint16 counts fit too


@lru_cache(maxsize=len(RAMPS))
def _ramp(name: str) -> Pixels:
    """The 256 colours of a ramp, (256, 3)."""
    load()
    from rio_tiler.colormap import cmap  # noqa: PLC0415  see ``rasters``

    found = cmap.get(name)
    return np.array([found[n][:3] for n in range(256)], dtype=np.uint8)


def _png(bands: list[Any]) -> bytes:
    pixels = np.stack([np.asarray(b).astype(np.uint8) for b in bands], axis=-1)
    return bytes(imagecodecs.png_encode(pixels, level=_FASTEST))
