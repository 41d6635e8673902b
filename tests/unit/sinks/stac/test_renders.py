"""How items want to be drawn: pystac reads it, and rio-tiler draws by it."""

from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from pystac.extensions.render import RenderExtension
from rio_tiler.io import STACReader

from swath.product import Product
from swath.sinks.stac.item import item_of
from swath.sinks.stac.renders import RENDER_EXTENSION, renders_of

Json = dict[str, Any]
SIDE = 64


def _band() -> Json:
    return {"title": "b", "raster:scale": 1e-4, "raster:offset": 0.0, "nodata": -9999}


def _classes() -> Json:
    found = [{"value": 1, "name": "water", "color_hint": "2659a6"}, {"value": 2, "name": "forest", "color_hint": "185c2c"}]
    return {"title": "Land cover", "nodata": 255, "classification:classes": found}


def test_true_colour_is_drawn_between_the_same_reflectances() -> None:
    (render,) = renders_of({n: _band() for n in ("blue", "green", "red")})["renders"].values()
    assert render["assets"] == ["red", "green", "blue"]
    assert render["rescale"] == [[0.0, 3000.0]] * 3
    shifted = {n: {**_band(), "raster:offset": -0.1} for n in ("blue", "green", "red")}
    assert renders_of(shifted)["renders"]["true-colour"]["rescale"] == [[1000.0, 4000.0]] * 3


def test_what_cannot_be_drawn_has_no_render() -> None:
    assert renders_of({"red": _band(), "green": _band()}) == {}
    assert renders_of({"thumbnail": {"title": "Quicklook"}}) == {}


def test_an_item_says_that_it_has_renders(product: Product) -> None:
    item = pystac.Item.from_dict({**item_of(product), "links": []})
    assert RENDER_EXTENSION in item.stac_extensions
    renders = RenderExtension.ext(item).renders
    assert all(set(render.assets) <= set(item.assets) for render in renders.values())


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
def test_rio_tiler_draws_an_item_by_its_renders(tmp_path: Any) -> None:
    """The pixels of the map have the colours of the legend, those of true colour the stretch of the reflectance."""
    assets = {n: _band() for n in ("blue", "green", "red")} | {"landcover": _classes()}
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 1, "crs": "EPSG:4326"}
    for number, (name, asset) in enumerate(assets.items()):
        kind = "uint8" if name == "landcover" else "int16"
        values = np.full((SIDE, SIDE), 2 if name == "landcover" else 1000 * (number + 1), dtype=kind)
        values[:8] = asset["nodata"]
        asset["href"], asset["type"] = str(tmp_path / f"{name}.tif"), "image/tiff; application=geotiff; profile=cloud-optimized"
        transform = rasterio.transform.from_origin(10.0, 50.0, 1e-3, 1e-3)
        with rasterio.open(asset["href"], "w", **profile, dtype=kind, nodata=asset["nodata"], transform=transform) as file:
            file.write(values, 1)
    geometry = {"type": "Polygon", "coordinates": [[[10, 49], [11, 49], [11, 50], [10, 50], [10, 49]]]}
    renders = renders_of(assets)["renders"]
    item: Json = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [RENDER_EXTENSION],
        "id": "x",
        "geometry": geometry,
        "bbox": [10.0, 49.936, 10.064, 50.0],
        "properties": {"datetime": "2024-08-05T00:00:00Z", "renders": renders},
        "links": [],
        "assets": assets,
    }
    with STACReader(None, item=pystac.Item.from_dict(item)) as reader:
        colour, classes = renders["true-colour"], renders["landcover"]
        drawn = reader.preview(assets=colour["assets"], max_size=SIDE)
        drawn.rescale([tuple(r) for r in colour["rescale"]])
        assert drawn.array[:, 40, 40].tolist() == [255, 170, 85]
        assert drawn.array.mask[:, 2, 2].all()
        mapped = reader.preview(assets=classes["assets"], max_size=SIDE)
        table = {int(value): tuple(colour) for value, colour in classes["colormap"].items()}
        assert mapped.apply_colormap(table).array[:3, 40, 40].tolist() == list(bytes.fromhex("185c2c"))
