"""How an item wants to be drawn: STAC's render extension, which titiler, stac-browser and others read.

Numbers are stored counts, as map clients read them: what is stored is not unscaled first.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
RENDER_EXTENSION = "https://stac-extensions.github.io/render/v2.0.0/schema.json"
TRUE_COLOUR = ("red", "green", "blue")
#: Reflectance that is drawn black and white: land is between them, and items of all days compare.
_DARK, _BRIGHT = 0.0, 0.3


def renders_of(assets: Mapping[str, Json]) -> Json:
    """The ``renders`` property of an item's assets: true colour, and each map of classes; empty without any of them."""
    renders: Json = {}
    bands = [assets[name] for name in TRUE_COLOUR if name in assets]
    if len(bands) == len(TRUE_COLOUR) and all("raster:scale" in b for b in bands):
        renders["true-colour"] = {
            "title": "True colour",
            "assets": list(TRUE_COLOUR),
            "rescale": [_ends(b) for b in bands],
            "resampling": "bilinear",
        } | ({"nodata": bands[0]["nodata"]} if "nodata" in bands[0] else {})
    maps = {name: a for name, a in assets.items() if "classification:classes" in a}
    return {"renders": renders | {name: _map(name, a) for name, a in maps.items()}} if renders or maps else {}


def _ends(asset: Json) -> list[float]:
    """The counts of the darkest and the brightest reflectance."""
    return [round((end - asset["raster:offset"]) / asset["raster:scale"], 6) for end in (_DARK, _BRIGHT)]


def _map(name: str, asset: Json) -> Json:
    colours = {
        str(c["value"]): [*bytes.fromhex(c["color_hint"]), 255] for c in asset["classification:classes"] if "color_hint" in c
    }
    render: Json = {"title": asset["title"], "assets": [name], "resampling": "nearest"}
    if "nodata" in asset:
        render["nodata"] = asset["nodata"]
    return render | ({"colormap": colours} if colours else {})
