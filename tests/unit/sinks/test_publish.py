"""Publishing: what the pictures show, how they are named, and that the item comes last."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image

from swath.product import Product
from swath.sinks.publish import publish_product
from swath.stores.local import LocalStore

FOLDER = "products/ard-landsat-oli/2014/07/12/p"
COVER = f"{FOLDER}/p.landcover.0123456789ab.tif"
BANDS = ("red", "green", "blue")


@dataclass(frozen=True)
class Pixels:
    """A preview."""

    pixels: NDArray[np.int16]


@dataclass(frozen=True)
class Store(LocalStore):
    """A folder that notes what is written, and fails at names that hold one of these words."""

    written: list[str] = field(default_factory=list)
    fails_at: list[str] = field(default_factory=list)

    def write(self, path: str, data: bytes) -> None:
        if any(word in path for word in self.fails_at):
            raise OSError("no space left on device")
        self.written.append(path)
        super().write(path, data)


def previews(*, hazy: bool = True) -> dict[str, Pixels]:
    """Surface reflectance, and the same with haze in its left half, (y, x) of 40 x 60."""
    rng = np.random.default_rng(5)
    made: dict[str, Pixels] = {}
    for band in BANDS:
        ground = rng.integers(200, 3000, (40, 60)).astype(np.int16)
        ground[0] = -9999
        haze = ground.copy()
        haze[1:, :30] += 900
        made[f"sr:{band}"] = Pixels(ground)
        if hazy:
            made[f"toa:{band}"] = Pixels(haze)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """With the file of the class map: water above, forest below, a column of nodata."""
    made = Store(tmp_path)
    codes = np.repeat(np.array([[0], [1]], dtype=np.uint8), 40, axis=0).repeat(100, axis=1)
    codes[:, :10] = 255
    path = tmp_path / COVER
    path.parent.mkdir(parents=True)
    profile = {"driver": "GTiff", "height": 80, "width": 100, "count": 1, "dtype": "uint8", "crs": "EPSG:32612"}
    with rasterio.open(path, "w", **profile, transform=rasterio.Affine(30, 0, 0, 0, -30, 0)) as target:
        target.write(codes, 1)
    return made


def decoded(store: Store, path: str) -> NDArray[np.uint8]:
    """Pillow is the second implementation."""
    return np.asarray(Image.open(io.BytesIO(store.read(path) or b"")))


def item(store: Store, published: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(store.read(published["item"]) or b"")
    return loaded


def test_pictures_come_first_and_the_item_last(product: Product, store: Store) -> None:
    done = publish_product(product, folder=FOLDER, previews=previews(), store=store)
    assert list(done["pictures"]) == ["thumbnail", "before", "landcover_picture"]
    assert store.written == [*done["pictures"].values(), f"{FOLDER}/{product.product_id}.json"]
    assert (done["item"], done["bbox"]) == (store.written[-1], item(store, done)["bbox"])


def test_a_picture_is_named_by_its_bytes_and_the_item_says_the_same(product: Product, store: Store) -> None:
    done = publish_product(product, folder=FOLDER, previews=previews(), store=store)
    assets = item(store, done)["assets"]
    for name, path in done["pictures"].items():
        data = store.read(path) or b""
        digest = hashlib.sha256(data).hexdigest()
        assert path == f"{FOLDER}/{product.product_id}.{name}.{digest[:12]}.png"
        assert (assets[name]["href"], assets[name]["file:size"]) == (f"./{path.removeprefix(FOLDER + '/')}", len(data))
        assert assets[name]["file:checksum"] == f"1220{digest}"


def test_the_class_picture_has_the_colours_of_the_legend(product: Product, store: Store) -> None:
    done = publish_product(product, folder=FOLDER, previews={}, store=store)
    assert list(done["pictures"]) == ["landcover_picture"]
    picture = decoded(store, done["pictures"]["landcover_picture"])
    assert picture.shape == (80, 100, 4)
    assert (picture[:, :10] == 0).all()
    assert (picture[:40, 10:] == (30, 90, 180, 255)).all()
    assert (picture[40:, 10:] == (20, 110, 50, 255)).all()


def test_before_and_after_share_a_stretch(product: Product, store: Store) -> None:
    done = publish_product(product, folder=FOLDER, previews=previews(), store=store)
    after, before = (decoded(store, done["pictures"][name]) for name in ("thumbnail", "before"))
    np.testing.assert_array_equal(before[:, 30:], after[:, 30:])
    assert (before[1:, :30, :3] >= after[1:, :30, :3]).all()
    assert before[1:, :30, :3].mean() > after[1:, :30, :3].mean() + 20
    assert (after[0] == 0).all()


@pytest.mark.parametrize("missing", ["sr:green", "toa:blue"])
def test_a_picture_needs_all_its_bands(product: Product, store: Store, missing: str) -> None:
    given = previews()
    del given[missing]
    done = publish_product(product, folder=FOLDER, previews=given, store=store)
    # What is left is what people see first, corrected or not.
    assert list(done["pictures"]) == ["thumbnail", "landcover_picture"]
    alone = publish_product(product, folder=FOLDER, previews=previews(hazy=False), store=store)
    assert (done["pictures"]["thumbnail"] == alone["pictures"]["thumbnail"]) == (missing == "toa:blue")


def test_pictures_that_are_kept_are_not_made_again_and_the_item_is_the_same(product: Product, store: Store) -> None:
    first = publish_product(product, folder=FOLDER, previews=previews(), store=store)
    told = store.read(first["item"])
    store.written.clear()
    # Nobody can draw the class map again.
    store.delete(COVER)
    again = publish_product(product, folder=FOLDER, previews={}, store=store, kept=first["pictures"])
    assert again == first
    assert (store.written, store.read(first["item"])) == ([first["item"]], told)


def test_a_kept_picture_that_is_gone_is_left_out_or_drawn_again(product: Product, store: Store) -> None:
    first = publish_product(product, folder=FOLDER, previews=previews(), store=store)
    for name in ("before", "landcover_picture"):
        store.delete(first["pictures"][name])
    again = publish_product(product, folder=FOLDER, previews={}, store=store, kept=first["pictures"])
    assert again["pictures"] == {n: first["pictures"][n] for n in ("thumbnail", "landcover_picture")}


@pytest.mark.parametrize("fails_at", [".thumbnail.", ".landcover_picture.", ".json"])
def test_a_crash_anywhere_leaves_no_item(make_product: Callable[..., Product], store: Store, fails_at: str) -> None:
    product = make_product()
    store.fails_at.append(fails_at)
    with pytest.raises(OSError, match="no space left"):
        publish_product(product, folder=FOLDER, previews=previews(), store=store)
    assert list(store.folder.rglob("*.json")) == []
