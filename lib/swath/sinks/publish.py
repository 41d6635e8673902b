"""Publish one product: pictures first, the STAC item last. Until the item exists, the product is invisible."""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from swath.product import Product
from swath.sinks.cog.stored import stored_raster
from swath.sinks.quicklook import LONGEST_SIDE, Stretch, class_png, stretch_of, true_colour_png
from swath.sinks.stac.assets import PictureRecord
from swath.sinks.stac.item import TO_ROOT, encode, item_of, model_item_path, models_of
from swath.sinks.stac.renders import TRUE_COLOUR
from swath.stores.base import Store

_NODATA = -9999
_TITLES = {"thumbnail": "True colour", "before": "True colour before atmospheric correction"}
#: Ends the name of a picture of a class map.
_CLASSES = "_picture"


class PreviewPixels(Protocol):
    """A small picture of a layer."""

    @property
    def pixels(self) -> NDArray[np.int16]:
        """Mean reflectance counts, (y, x), nodata -9999."""
        ...


def publish_product(
    product: Product, *, folder: str, previews: Mapping[str, PreviewPixels], store: Store, kept: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Write quicklooks and the item.

    Args:
        product: Product with all its published assets.
        folder: Folder of the product, relative to the store's root.
        previews: Previews by layer name.
        store: Store that receives the product.
        kept: Pictures of an earlier version that show the same, by name: their paths.

    Returns:
        JSON-able: the item's path and bbox, the pictures by name.
    """
    before = _kept(product, kept or {}, store=store)
    fresh = _pictures(product, folder=folder, previews=previews, store=store, without={p.name for p in before})
    for picture, data in fresh:
        store.write(f"{folder}/{picture.href}", data)
    # An item that is written again has its pictures in the same order, independent of the writer.
    order = [*_TITLES, *(f"{a.name}{_CLASSES}" for a in product.assets)]
    pictures = sorted([*before, *(p for p, _ in fresh)], key=lambda p: order.index(p.name))
    models = {m.digest: f"{TO_ROOT}{model_item_path(m.digest)}" for m in models_of(product)}
    item = item_of(product, pictures=tuple(pictures), model_hrefs=models)
    path = f"{folder}/{product.product_id}.json"
    store.write(path, encode(item))
    return {"item": path, "bbox": item["bbox"], "pictures": {p.name: f"{folder}/{p.href}" for p in pictures}}


def _kept(product: Product, kept: Mapping[str, str], *, store: Store) -> list[PictureRecord]:
    found = ((name, store.read(path)) for name, path in kept.items())
    return [_record(product, data, name=name) for name, data in found if data is not None]


def _pictures(
    product: Product, *, folder: str, previews: Mapping[str, PreviewPixels], store: Store, without: AbstractSet[str]
) -> list[tuple[PictureRecord, bytes]]:
    made: list[tuple[PictureRecord, bytes]] = []
    kinds = [k for k in ("sr", "toa") if all(f"{k}:{b}" in previews for b in TRUE_COLOUR)]
    stretch: Stretch | None = None
    for kind in kinds:
        red, green, blue = (previews[f"{kind}:{band}"].pixels for band in TRUE_COLOUR)
        # Before and after share the corrected picture's stretch: only then can they be compared by eye.
        stretch = stretch or stretch_of(red, green, blue=blue, nodata=_NODATA)
        data = true_colour_png(red, green, blue=blue, nodata=_NODATA, stretch=stretch)
        first = kind == kinds[0]
        name = "thumbnail" if first else "before"
        made.append((_record(product, data, name=name), data))
    for record in product.assets:
        encoding = product.layers[record.name].encoding
        if encoding.categories and f"{record.name}{_CLASSES}" not in without:
            data = class_png(_small(f"{folder}/{record.href}", store=store), encoding.categories)
            made.append((_record(product, data, name=f"{record.name}{_CLASSES}"), data))
    return made


def _small(path: str, *, store: Store) -> NDArray[np.uint8]:
    """Class codes at picture size, from the overviews."""
    with stored_raster(path, store=store) as source:
        scale = max(max(source.width, source.height) / LONGEST_SIDE, 1.0)
        shape = (max(round(source.height / scale), 1), max(round(source.width / scale), 1))
        small: NDArray[np.uint8] = source.read(1, out_shape=shape, resampling=Resampling.nearest)
    return small


def _record(product: Product, data: bytes, *, name: str) -> PictureRecord:
    title = _TITLES.get(name) or product.layers[name.removesuffix(_CLASSES)].title
    digest = hashlib.sha256(data).hexdigest()
    href = f"{product.product_id}.{name}.{digest[:12]}.png"
    return PictureRecord(href=href, bytes=len(data), digest=digest, title=title, name=name)
