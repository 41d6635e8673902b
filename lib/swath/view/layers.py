"""What the page offers to draw of an item: a layer for each asset, and true colour where the bands are there."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["colour", "picture", "numbers", "classes", "bits"]
TRUE_COLOUR = "true-colour"
_BANDS = ("red", "green", "blue")
#: Pictures of before and after the correction, drawn in one stretch by the run.
PICTURES = {"before": "Before correction, overview", "thumbnail": "After correction, overview"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """A line of a legend.

    Args:
        value: Class value, or number of the bit.
        name: Name.
        title: Human-readable meaning.
        colour: RRGGBB.
        percent: Share of pixels; None where the item does not say.
        shown: Whether it is drawn when nothing else is asked for.
        note: Whether it is a bit that says where others come from.
    """

    value: int
    name: str
    title: str
    colour: str
    percent: float | None = None
    shown: bool = True
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewLayer:
    """A layer that can be drawn.

    Args:
        name: Name in addresses.
        title: Title.
        kind: Kind of rendering.
        assets: Assets that are read.
        unit: UCUM unit of the values; empty for classes, bits and pictures.
        scale: Value of one count.
        offset: Value of count 0.
        nodata: Count of pixels without data.
        legend: Classes or bits.
        resolution_m: Size of a pixel [m]; None where the item does not say.
        centre_um: Centre of the band [um]; None for what is no band.
    """

    name: str
    title: str
    kind: Kind
    assets: tuple[str, ...]
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    legend: tuple[LegendEntry, ...] = ()
    resolution_m: float | None = None
    centre_um: float | None = None

    def plain(self) -> Json:
        """JSON-able."""
        return asdict(self)


def layers_of(item: Json) -> tuple[ViewLayer, ...]:
    """The layers of an item, in the order in which the page lists them: bands from blue to thermal."""
    assets: Json = item["assets"]
    rasters = [_raster(name, asset) for name, asset in assets.items() if "tiff" in asset.get("type", "")]
    pictures = [_picture(n, title=t) for n, t in PICTURES.items() if n in assets] if set(PICTURES) <= assets.keys() else []
    found = [*_true_colour(assets), *pictures, *rasters]
    order = {"colour": 0, "picture": 1, "classes": 2, "bits": 3, "numbers": 4}
    return tuple(sorted(found, key=lambda layer: (order[layer.kind], layer.centre_um or 0.0)))


def _true_colour(assets: Json) -> list[ViewLayer]:
    if not set(_BANDS) <= assets.keys():
        return []
    surface = assets["red"].get("swath:layer", "").startswith("sr")
    title = "True colour, at the surface" if surface else "True colour"
    return [ViewLayer(name=TRUE_COLOUR, title=title, kind="colour", assets=_BANDS, nodata=assets["red"].get("nodata"))]


def _picture(name: str, *, title: str) -> ViewLayer:
    return ViewLayer(name=name, title=title, kind="picture", assets=(name,))


def _raster(name: str, asset: Json) -> ViewLayer:
    classes, bits = asset.get("classification:classes", []), asset.get("classification:bitfields", [])
    kind: Kind = "classes" if classes else "bits" if bits else "numbers"
    band = (asset.get("bands") or asset.get("raster:bands") or [{}])[0]
    return ViewLayer(
        name=name,
        title=asset.get("title", name),
        kind=kind,
        assets=(name,),
        unit=asset.get("unit", ""),
        scale=float(asset.get("raster:scale", band.get("scale", 1.0))),
        offset=float(asset.get("raster:offset", band.get("offset", 0.0))),
        nodata=asset.get("nodata"),
        legend=_classes(asset) if classes else _bits(asset),
        resolution_m=asset.get("raster:spatial_resolution"),
        centre_um=band.get("eo:center_wavelength"),
    )


def _classes(asset: Json) -> tuple[LegendEntry, ...]:
    shares = asset.get("swath:class_percent", {})
    return tuple(
        LegendEntry(
            value=c["value"],
            name=c.get("name", str(c["value"])),
            title=c.get("description", c.get("name", str(c["value"]))),
            colour=c.get("color_hint", "888888"),
            percent=shares.get(c.get("name")),
        )
        for c in asset["classification:classes"]
    )


def _bits(asset: Json) -> tuple[LegendEntry, ...]:
    """One entry a bit; bits without a colour of their own say where others come from, and are drawn on demand."""
    shares = asset.get("swath:bit_percent", {})
    hints = {
        b["offset"]: next((c["color_hint"] for c in b.get("classes", []) if c["value"] and "color_hint" in c), "")
        for b in asset.get("classification:bitfields", [])
    }
    return tuple(
        LegendEntry(
            value=b["offset"],
            name=b["name"],
            title=b.get("description", b["name"]),
            colour=hints[b["offset"]] or "8f7fc0",
            percent=shares.get(b["name"]),
            shown=bool(hints[b["offset"]]) and b["name"] != "nodata",
            note=not hints[b["offset"]],
        )
        for b in asset.get("classification:bitfields", [])
    )
