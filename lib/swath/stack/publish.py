"""Publish one composite: its picture first, the STAC item last."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from swath.product import AssetRecord
from swath.sinks.cog.stored import stored_raster
from swath.sinks.quicklook import LONGEST_SIDE, true_colour_png
from swath.sinks.stac.assets import PictureRecord
from swath.sinks.stac.item import encode
from swath.stack.composite import Composite
from swath.stack.item import CompositeFiles, composite_item
from swath.stores.base import Store

#: Bands of the picture, the best first; one band alone makes a grey one.
_COLOURS: Final = (("red", "green", "blue"), ("nir08", "red", "green"), ("nir", "red", "green"))
_NODATA: Final = -9999


def publish_composite(composite: Composite, *, records: Sequence[Mapping[str, Any]], store: Store) -> dict[str, Any]:
    """Write the picture and the item.

    Args:
        composite: Whose.
        records: ``AssetRecord.to_plain()`` of its files.
        store: Store that receives the product.

    Returns:
        JSON-able: the item's path and bbox, the pictures by name.
    """
    order = list(composite.layers)
    files = tuple(sorted((AssetRecord.from_plain(r) for r in records), key=lambda a: order.index(a.name)))
    picture, data = _picture(composite, files, store=store)
    store.write(f"{composite.folder}/{picture.href}", data)
    item = composite_item(composite, CompositeFiles(records=files, pictures=(picture,)))
    path = f"{composite.folder}/{composite.product_id}.json"
    store.write(path, encode(item))
    return {"item": path, "bbox": item["bbox"], "pictures": {picture.name: f"{composite.folder}/{picture.href}"}}


def _picture(composite: Composite, files: Sequence[AssetRecord], *, store: Store) -> tuple[PictureRecord, bytes]:
    named = {a.layer.partition(":")[2].partition("_p")[0]: a for a in files if a.layer.startswith("sr:")}
    colours = next((c for c in _COLOURS if all(name in named for name in c)), (next(iter(named)),) * 3)
    red, green, blue = (_small(f"{composite.folder}/{named[name].href}", store=store) for name in colours)
    data = true_colour_png(red, green, blue=blue, nodata=_NODATA)
    digest = hashlib.sha256(data).hexdigest()
    title = "True colour" if colours == _COLOURS[0] else f"Picture of {', '.join(dict.fromkeys(colours))}"
    href = f"{composite.product_id}.thumbnail.{digest[:12]}.png"
    return PictureRecord(href=href, bytes=len(data), digest=digest, title=title), data


def _small(path: str, *, store: Store) -> NDArray[np.int16]:
    """Reflectance counts at picture size, from the overviews."""
    with stored_raster(path, store=store) as source:
        scale = max(max(source.width, source.height) / LONGEST_SIDE, 1.0)
        shape = (max(round(source.height / scale), 1), max(round(source.width / scale), 1))
        small: NDArray[np.int16] = source.read(1, out_shape=shape)
    return small
