"""The server's answers: the page and its files, products by day, tiles, pixels, reports."""

import mimetypes
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from swath import __version__
from swath.view.guard import Guard
from swath.view.layers import LegendEntry, ViewLayer, layers_of
from swath.view.listing import PAGE, Query
from swath.view.pixel import readings
from swath.view.render import (
    NOTHING,
    RAMPS,
    MapTile,
    bit_tile,
    class_tile,
    colour_tile,
    number_tile,
    picture_tile,
    range_of,
)
from swath.view.source import Located, ViewSource

#: A product's files never change under their names, so a browser may keep what it got for a while [s].
_KEEP = {"cache-control": "private, max-age=3600"}
_DEEPEST = 24
#: Products in one answer at most.
_MOST = 2000


class View:
    """The answers about one source.

    Args:
        source: Source of the products.
        base_map: Address of a site's map tiles with ``{z}``, ``{x}`` and ``{y}``; empty without one.
    """

    def __init__(self, source: ViewSource, *, base_map: str = "") -> None:
        self._source = source
        self._base_map = base_map
        self.located = lru_cache(maxsize=64)(self._located)

    def app(self) -> Starlette:
        """The application."""
        parts = urlsplit(self._base_map)
        tiles = f"{parts.scheme}://{parts.netloc}" if self._base_map else ""
        product = "/api/products/{product}"
        return Starlette(
            routes=[
                Route("/", lambda _: _page("index.html")),
                Route("/page/{name:path}", lambda request: _page(request.path_params["name"])),
                Route("/api/output", self.output),
                Route("/api/products", self.products),
                Route("/api/quarantine", self.quarantine),
                Route(product, self.product),
                Route(f"{product}/point", self.point),
                Route(f"{product}/range/{{layer}}", self.range),
                Route(f"{product}/tiles/{{layer}}/{{z:int}}/{{x:int}}/{{y:int}}.png", self.tile),
                Route("/out/{path:path}", self.file),
            ],
            middleware=[Middleware(Guard, tiles=tiles)],
        )

    def output(self, request: Request) -> Response:
        """What the page opens with."""
        del request
        told = {"version": __version__, "base_map": self._base_map, "ramps": RAMPS}
        return JSONResponse({**self._source.summary(), **told})

    def products(self, request: Request) -> Response:
        """Products that fit, newest first."""
        asked = request.query_params
        query = Query(
            first=asked.get("first", ""),
            last=asked.get("last", ""),
            collection=asked.get("collection", ""),
            words=asked.get("words", ""),
            state=asked.get("state", ""),
            offset=_whole(asked.get("offset", "0")),
            limit=min(_whole(asked.get("limit", str(PAGE))), _MOST),
        )
        return JSONResponse(self._source.products(query).plain())

    def quarantine(self, request: Request) -> Response:
        """Scenes in quarantine."""
        del request
        return JSONResponse([asdict(r) for r in self._source.refused()])

    def product(self, request: Request) -> Response:
        """A product, its layers and where its record, report and log are."""
        found = self._product(request)
        fields = found.item["properties"]
        links = {"item": found.path, "report": found.report, "log": found.log}
        return JSONResponse(
            {
                "id": found.item["id"],
                "collection": found.item.get("collection", ""),
                "geometry": found.item["geometry"],
                "bbox": found.item["bbox"],
                "datetime": fields.get("datetime") or fields.get("start_datetime"),
                "platform": fields.get("platform", ""),
                "title": fields.get("title", found.item["id"]),
                "pipeline": fields.get("swath:pipeline", ""),
                "cloud_percent": fields.get("eo:cloud_cover"),
                "left_out": fields.get("swath:left_out", {}),
                "models": fields.get("swath:models", []),
                "layers": [layer.plain() for layer in self._layers(found)],
                "links": {name: f"/out/{path}" for name, path in links.items() if path},
                "trace": found.trace,
            }
        )

    def point(self, request: Request) -> Response:
        """Every asset at a place."""
        lon_deg, lat_deg = (_number(request.query_params.get(name, "")) for name in ("lon", "lat"))
        return JSONResponse(readings(self._product(request), lon_deg=lon_deg, lat_deg=lat_deg))

    def range(self, request: Request) -> Response:
        """The values of a layer's overview."""
        found = self._product(request)
        layer = self._layer(found, request.path_params["layer"])
        if layer.kind != "numbers":
            raise HTTPException(404, f"{layer.name} has no range")
        return JSONResponse(asdict(range_of(found.files[layer.name], scale=layer.scale, offset=layer.offset)), headers=_KEEP)

    def tile(self, request: Request) -> Response:
        """A tile of a layer; one transparent pixel where there is nothing."""
        found = self._product(request)
        layer = self._layer(found, request.path_params["layer"])
        place = MapTile(**{name: request.path_params[name] for name in "zxy"})
        if place.z > _DEEPEST or max(place.x, place.y) >= 1 << place.z:
            raise HTTPException(404, "there is no such tile")
        png = self._drawn(found, layer, place=place, request=request)
        return Response(png or NOTHING, media_type="image/png", headers=_KEEP)

    def file(self, request: Request) -> Response:
        """A report, log, item or picture of the output."""
        path = request.path_params["path"]
        data = self._source.file(path)
        if data is None:
            raise HTTPException(404, "there is no such file")
        kind = "text/plain" if path.endswith(".log") else mimetypes.guess_type(path)[0] or "application/octet-stream"
        return Response(data, media_type=kind)

    def _drawn(self, found: Located, layer: ViewLayer, *, place: MapTile, request: Request) -> bytes | None:
        asked = request.query_params
        names = [found.files[name] for name in layer.assets]
        if layer.kind == "picture":
            png = self._source.file(
                f"{found.path.rpartition('/')[0]}/{found.item['assets'][layer.name]['href'].removeprefix('./')}"
            )
            return None if png is None else picture_tile(png, place, item=found.item)
        if layer.kind == "colour":
            red, green, blue = names
            return colour_tile((red, green, blue), place)
        if layer.kind == "numbers":
            own = range_of(names[0], scale=layer.scale, offset=layer.offset)
            low, high = (_number(asked.get(n, str(getattr(own, n)))) for n in ("low", "high"))
            ramp = asked.get("ramp", RAMPS[0])
            if ramp not in RAMPS:
                raise HTTPException(400, f"ramp is {ramp!r}; expected one of {', '.join(RAMPS)}")
            return number_tile(names[0], place, layer=layer, low=low, high=high, ramp=ramp)
        shown = _shown(layer, asked.get("show"))
        return (class_tile if layer.kind == "classes" else bit_tile)(names[0], place, legend=shown)

    def _product(self, request: Request) -> Located:
        found: Located | None = self.located(request.path_params["product"])
        if found is None:
            raise HTTPException(404, f"there is no product {request.path_params['product']!r}")
        return found

    def _located(self, product_id: str) -> Located | None:
        return self._source.located(product_id)

    def _layers(self, found: Located) -> Sequence[ViewLayer]:
        """Layers whose files can be reached; pictures only where the source hands out files."""
        there = [layer for layer in layers_of(found.item) if set(layer.assets) <= found.files.keys()]
        return [layer for layer in there if layer.kind != "picture" or found.path]

    def _layer(self, found: Located, name: str) -> ViewLayer:
        layer = next((layer for layer in self._layers(found) if layer.name == name), None)
        if layer is None:
            raise HTTPException(404, f"{found.item['id']} has no layer {name!r}")
        return layer


def _shown(layer: ViewLayer, asked: str | None) -> Sequence[LegendEntry]:
    """The entries of a legend that are to be drawn; without a choice those that the layer shows by itself."""
    wanted = None if asked is None else {_whole(v) for v in asked.split(",") if v}
    return [e for e in layer.legend if (e.shown if wanted is None else e.value in wanted)]


def _page(name: str) -> Response:
    """A file of the page; nothing else of the package can be asked for."""
    data = _page_files().get(name)
    if data is None:
        raise HTTPException(404, "there is no such file")
    kind = "text/javascript" if name.endswith(("js", "mjs")) else mimetypes.guess_type(name)[0] or "text/plain"
    return Response(data, media_type=kind, headers={"cache-control": "no-cache"})


@lru_cache(maxsize=1)
def _page_files() -> dict[str, bytes]:
    page = files("swath.view").joinpath("page")
    found = {entry.name: entry for entry in page.iterdir() if entry.is_file()}
    found |= {f"vendor/{entry.name}": entry for entry in page.joinpath("vendor").iterdir() if entry.is_file()}
    return {name: entry.read_bytes() for name, entry in found.items()}


def _whole(text: str) -> int:
    if not text.isdigit() or len(text) > 9:
        raise HTTPException(400, f"{text!r} is not a whole number")
    return int(text)


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not abs(found) < 1e12:
        raise HTTPException(400, f"{text!r} is not a number") from None
    return found
