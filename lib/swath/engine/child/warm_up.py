"""Machine code for everything that the shipped pipelines call, made before the first scene needs it.

A test runs those pipelines and sees that nothing was left to compile.
"""

from dataclasses import fields
from typing import Any, cast

import numpy as np

from swath.algo.classify import threshold_classes
from swath.algo.feature_counts import bins_of_table, count_codes, count_values
from swath.algo.filters import mean_of_valid
from swath.algo.ndvi import coded_ndvi, ndvi
from swath.algo.overviews import halved, reduce_rows
from swath.algo.qa import QA_BITS
from swath.algo.rpc import Rpc
from swath.algo.terrain_places import FIELDS, HeightRaster, ImagePlaces, extent, place_on_terrain
from swath.engine.preview import Preview
from swath.engine.warping import Want, moved
from swath.grid import Grid, Window
from swath.inference import calibration, forest_predictor
from swath.lookup import looked_up
from swath.pipeline import Layer, WarpKernel
from swath.product import PROBABILITY, REFLECTANCE, TEMPERATURE, Category, Encoding, Tally, bit_field, class_map
from swath.readers.elevation.bilinear import bilinear_at
from swath.readers.pixels.deflated import add_up
from swath.sinks.cog import literals
from swath.sinks.cog.blocks import encode_rows

#: What deliveries hold.
_CODES = ("uint8", "uint16")
#: What they become by a table: usable or not, and as the two encodings of measured values store them; floats see below.
_ENTRIES = ("bool", "int16", "uint16")


def warm_up() -> None:
    """Call each kernel with the types of the shipped pipelines: compiled where no machine code is kept, loaded otherwise."""
    for codes in _CODES:
        _reading(codes)
    bits, classes = bit_field(QA_BITS), class_map((Category(value=1, name="one", title="One", rgb=(0, 0, 0)),))
    for encoding in (REFLECTANCE, TEMPERATURE, PROBABILITY, bits, classes):
        _writing(encoding)
    noise = np.zeros((2, 2), dtype=np.int16)
    literals.encoded(noise, literals.counted(noise))
    _picture()
    _warping()
    _raw()
    # The clouds of the spectral rule, with holes and without.
    for value in (0.0, np.nan):
        mean_of_valid(np.full((3, 3), value), size=3)
    forest_predictor.warm_up()
    calibration.warm_up()
    _counting()
    _index()


def _reading(codes: str) -> None:
    pixels = np.zeros((2, 2), dtype=codes)
    entries = 1 << 8 * pixels.itemsize
    for kind in _ENTRIES:
        looked_up(np.zeros(entries, dtype=kind), pixels)
    # Tables of layers cannot be written: they are shared.
    table = np.zeros(entries)
    table.flags.writeable = False
    looked_up(table, pixels)
    add_up(pixels)


def _writing(encoding: Encoding) -> None:
    stored = np.zeros((2, 2), dtype=encoding.dtype)
    Tally(encoding).add(stored)
    encode_rows(stored, encoding)
    halved(stored, rule=encoding.overviews, nodata=encoding.nodata)
    odd = np.zeros((3, 3), dtype=encoding.dtype)
    reduce_rows(odd, first=0, start=0, stop=1, source=(3, 3), target=(1, 1), rule=encoding.overviews, nodata=encoding.nodata)


def _index() -> None:
    """NDVI and its classes, which no shipped pipeline makes and many of users do."""
    for codes in _CODES:
        pixels = np.zeros((2, 2), dtype=codes)
        table = np.zeros(1 << 8 * pixels.itemsize)
        # As in ``_reading``; corrected values have a table of their own.
        for writable in (True, False):
            table.flags.writeable = writable
            coded_ndvi(red=(pixels, table), nir=(pixels, table))
    threshold_classes(ndvi(red=np.zeros((2, 2)), nir=np.zeros((2, 2))), thresholds=(0.0,))


def _counting() -> None:
    """What models are fed."""
    edges = np.zeros(1)
    count_values(np.zeros((2, 2)), edges)
    for codes in _CODES:
        pixels = np.zeros((2, 2), dtype=codes)
        count_codes(pixels, bins_of_table(np.zeros(1 << 8 * pixels.itemsize), edges), size=2)


def _warping() -> None:
    """What comes to another grid: values, bits and classes."""
    source = Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=30.0, dy=30.0, width=2, height=2)
    coarser = Grid(crs=source.crs, left=0.0, top=0.0, dx=60.0, dy=60.0, width=1, height=1)
    kernels: tuple[WarpKernel, ...] = ("nearest", "bilinear", "cubic")
    for dtype, kernel in ((d, k) for d in ("float64", *_CODES) for k in kernels):
        layer = Layer(values=np.zeros((2, 2), dtype=dtype), grid=source, window=source.window)
        for grid in (source, coarser):
            moved(layer, Want(grid=grid, window=grid.window, kernel=kernel if dtype == "float64" else "nearest"))


def _raw() -> None:
    """The model of a raw image, and places over terrain."""
    ones, rest = (1.0, *[0.0] * 19), [0.0] * 18
    plain = {f.name: 1.0 for f in fields(Rpc)} | dict.fromkeys(("line_den", "samp_den"), ones)
    plain |= {"line_num": (0.0, 0.0, -1.0, *rest[1:]), "samp_num": (0.0, 1.0, *rest)}
    Rpc(**cast("Any", plain)).image_of(np.zeros(1), np.zeros(1), np.zeros(1))
    bilinear_at(np.zeros((1, 1)), np.zeros(1), np.zeros(1), np.zeros(1))
    places = ImagePlaces(columns=np.zeros((1, 1)), rows=np.zeros((1, 1)), done=np.zeros((1, 1), dtype=np.bool_))
    nodes, half = np.zeros((FIELDS, 2, 2)), np.full(1, 0.5)
    ground = HeightRaster(heights=np.zeros((1, 1)), part=(0, 0, 1, 1), middle=0.0, reach=1.0)
    place_on_terrain(nodes, half, half, ground, places)
    extent(places.columns)


def _picture() -> None:
    grid = Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=30.0, dy=30.0, width=2, height=2)
    layer = Layer(values=np.zeros((2, 2)), grid=grid, window=Window(0, 0, 2, 2))
    Preview.of(grid).add(layer)
