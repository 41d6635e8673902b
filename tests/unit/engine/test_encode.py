"""Physical values to stored integers: rounding, clamping, nodata, and the short cut over tables."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swath.engine.encode import encode_layer, encode_values
from swath.grid import Grid, Window
from swath.pipeline import Layer
from swath.product import PROBABILITY, REFLECTANCE, TEMPERATURE, Encoding, bit_field, class_map

#: Halves are exact in it.
COUNTS = replace(REFLECTANCE, scale=1.0)


def _layer(values: Any, **more: Any) -> Layer:
    array = np.asarray(values)
    grid = Grid(crs="EPSG:32633", left=0.0, top=0.0, dx=1.0, dy=1.0, width=array.shape[1], height=array.shape[0])
    return Layer(values=array, grid=grid, window=Window(0, 0, *array.shape), **more)


@pytest.mark.parametrize(
    ("encoding", "physical", "stored", "clamped"),
    [
        (COUNTS, [0.5, 1.5, 2.5, -0.5, -1.5], [0, 2, 2, 0, -2], 0),
        (REFLECTANCE, [-0.9998, -0.9999, -5.0, 3.2767, 3.2768], [-9998, -9998, -9998, 32767, 32767], 3),
        (REFLECTANCE, [np.nan, np.inf, -np.inf], [-9999, -9999, -9999], 0),
        (TEMPERATURE, [300.004, 0.0, 655.36, np.nan], [30000, 1, 65535, 0], 2),
        (PROBABILITY, [99.5, 100.4, 101.0, -1.0, np.nan], [100, 100, 100, 0, 255], 2),
    ],
)
def test_values_round_half_to_even_are_clamped_and_counted(
    encoding: Encoding, physical: list[float], stored: list[int], clamped: int
) -> None:
    got, outside = encode_values(np.array([physical]), encoding)
    assert got.dtype == encoding.dtype
    assert got.tolist() == [stored]
    assert outside.sum() == clamped
    layer = _layer([physical], valid=np.isfinite([physical]))
    assert encode_layer(layer, encoding).stored.tolist() == [stored]
    assert encode_layer(layer, encoding).clamped == clamped


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000), gain=st.floats(1e-6, 0.1), offset=st.floats(-2, 2),
    encoding=st.sampled_from([REFLECTANCE, TEMPERATURE, PROBABILITY]),
)  # fmt: skip
def test_a_coded_layer_is_encoded_like_its_pixels(seed: int, gain: float, offset: float, encoding: Encoding) -> None:
    codes = np.random.default_rng(seed).integers(0, 65536, (20, 30)).astype(np.uint16)
    table = np.arange(65536) * gain + offset
    table[0] = np.nan
    coded = _layer(codes, table=table)
    plain = _layer(coded.physical, valid=coded.usable)
    one, other = encode_layer(coded, encoding), encode_layer(plain, encoding)
    np.testing.assert_array_equal(one.stored, other.stored)
    assert one.clamped == other.clamped


def test_classes_and_bits_keep_their_values() -> None:
    valid = np.array([[True, False, True]])
    classes = encode_layer(_layer(np.array([[0, 3, 254]], dtype=np.uint8), valid=valid), class_map(()))
    assert (classes.stored.tolist(), classes.stored.dtype.name, classes.clamped) == ([[0, 255, 254]], "uint8", 0)
    bits = encode_layer(_layer(np.array([[0, 3, 65535]], dtype=np.uint16), valid=valid), bit_field(()))
    assert bits.stored.tolist() == [[0, 3, 65535]]
    assert encode_layer(_layer(np.array([[7]], dtype=np.uint8)), bit_field(())).stored.dtype.name == "uint16"
