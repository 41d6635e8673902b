"""Quicklooks: colours, transparency, sizes."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from swath.product import Category
from swath.sinks.quicklook import LONGEST_SIDE, Stretch, class_png, shrunk_png, stretch_of, true_colour_png

NODATA = -9999


def decoded(png: bytes) -> NDArray[np.uint8]:
    """Pillow is the second implementation."""
    return np.asarray(Image.open(io.BytesIO(png)))


def ramp(height: int = 40, width: int = 50) -> NDArray[np.int16]:
    return np.linspace(200, 3000, height * width).reshape(height, width).astype(np.int16)


def test_nodata_is_transparent_and_hides_nothing() -> None:
    red = ramp()
    red[:5] = NODATA
    image = decoded(true_colour_png(red, ramp(), blue=ramp(), nodata=NODATA))
    assert image.shape == (40, 50, 4)
    assert (image[:5] == 0).all()
    assert (image[5:, :, 3] == 255).all()


def test_two_percent_are_black_and_two_white() -> None:
    image = decoded(true_colour_png(ramp(), ramp(), blue=ramp(), nodata=NODATA))
    assert np.mean(image[..., 0] == 0) == pytest.approx(0.02, abs=0.005)
    assert np.mean(image[..., 0] == 255) == pytest.approx(0.02, abs=0.005)


def test_a_shared_stretch_makes_pictures_comparable() -> None:
    shared = Stretch(low=(0.0, 0.0, 0.0), high=(10_000.0, 10_000.0, 10_000.0))
    dark, light = (np.full((4, 4), v, dtype=np.int16) for v in (1000, 5000))
    pictures = [decoded(true_colour_png(v, v, blue=v, nodata=NODATA, stretch=shared)) for v in (dark, light)]
    assert pictures[0][0, 0, 0] < pictures[1][0, 0, 0] < 255


def test_haze_goes_and_white_stays_white() -> None:
    ground = ramp()
    found = stretch_of(ground, ground, blue=(ground + 700).astype(np.int16), nodata=NODATA)
    assert found.low[2] - found.low[0] == pytest.approx(700, abs=1)
    assert found.high[2] - found.high[0] == pytest.approx(700, abs=1)


def test_land_between_clouds_is_not_black() -> None:
    red = (ramp() // 4).astype(np.int16)
    red[30:] = 9000
    image = decoded(true_colour_png(red, red, blue=red, nodata=NODATA))
    assert 60 < np.median(image[:30, :, 0]) < 130
    assert image[35, 5, 0] == 255


def test_clouds_can_be_left_out_of_the_stretch() -> None:
    red = ramp()
    red[20:] = 9000
    clear = red < 9000
    assert stretch_of(red, red, blue=red, nodata=NODATA, usable=clear).high[0] < 2000
    assert stretch_of(red, red, blue=red, nodata=NODATA, usable=np.zeros_like(clear)).high[0] == 9000


def test_a_scene_of_nothing_is_wholly_transparent() -> None:
    empty = np.full((6, 6), NODATA, dtype=np.int16)
    assert (decoded(true_colour_png(empty, empty, blue=empty, nodata=NODATA)) == 0).all()


@pytest.mark.parametrize("shape", [(1300, 700), (513, 512), (100, 2000)])
def test_no_side_is_longer_than_allowed(shape: tuple[int, int]) -> None:
    values = np.full(shape, 1000, dtype=np.int16)
    values[1, 1] = NODATA
    image = decoded(true_colour_png(values, values, blue=values, nodata=NODATA))
    assert max(image.shape[:2]) <= LONGEST_SIDE
    assert (image[..., 3] == 255).all()
    classes = decoded(class_png(np.zeros(shape, dtype=np.uint8), [Category(value=0, name="a", title="A")]))
    assert max(classes.shape[:2]) <= LONGEST_SIDE


def test_class_maps_wear_the_colours_of_their_legend() -> None:
    legend = [
        Category(value=1, name="water", title="Water", rgb=(10, 20, 230)),
        Category(value=4, name="town", title="Town", rgb=(200, 0, 0)),
    ]
    image = decoded(class_png(np.array([[1, 4], [255, 7]], dtype=np.uint8), legend))
    assert image[0, 0].tolist() == [10, 20, 230, 255]
    assert image[0, 1].tolist() == [200, 0, 0, 255]
    assert image[1].tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_the_same_pixels_give_the_same_bytes() -> None:
    pictures = {true_colour_png(ramp(), ramp(), blue=ramp(), nodata=NODATA) for _ in range(2)}
    assert len(pictures) == 1


def test_thumbnails_of_thumbnails_are_small_and_of_the_same_colours() -> None:
    legend = [Category(value=v, name=str(v), title=str(v), rgb=(v * 60, 0, 9)) for v in range(4)]
    classes = np.repeat(np.repeat(np.array([[0, 1], [2, 3]], dtype=np.uint8), 100, axis=0), 150, axis=1)
    image = decoded(shrunk_png(class_png(classes, legend), side=64))
    assert max(image.shape[:2]) <= 64
    assert [image[0, 0, 0], image[0, -1, 0], image[-1, 0, 0], image[-1, -1, 0]] == [0, 60, 120, 180]
