"""What the page shows of a summary: pictures as data, figures as paths, shares as bars."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from urllib.parse import quote

from swath.account import Count
from swath.class_area import ClassArea
from swath.product import AppliedStep, Category
from swath.report.footprint_map import FileReader
from swath.report.histogram import PlotGroup, plot_groups
from swath.report.product_summary import AssetSummary, ProductSummary
from swath.report.summary import RunSummary
from swath.shares import class_shares
from swath.sinks.quicklook import shrunk_png
from swath.truth import BandTruth

_PNG = b"\x89PNG\r\n\x1a\n"
#: More products than this are counted, not drawn: the catalogue has them all.
MOST_PRODUCTS = 40
#: Bytes of pictures that one page carries.
MOST_PICTURE_BYTES = 24 << 20
#: Longest side of a picture in the overview [px].
THUMBNAIL_SIDE = 128
#: Roles of true-colour pictures; the best for a thumbnail first.
TRUE_COLOUR = ("after", "true_colour", "before")
#: Bits of ``qa`` worth a bar of their own, by name.
SHOWN_BITS = ("cloud", "shadow", "cirrus", "snow", "water", "saturated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture on the page."""

    source: str
    caption: str
    note: str = ""
    sharp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A bar with a name: percent of pixels."""

    title: str
    percent: float
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMap:
    """A class map with its legend."""

    title: str
    figure: Figure | None
    legend: tuple[Share, ...]
    model: str
    areas: tuple[ClassArea, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """A step and its parameters as JSON."""

    title: str
    parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """One product on the page."""

    summary: ProductSummary
    anchor: str
    item_href: str
    thumbnail: str
    figures: tuple[Figure, ...]
    class_maps: tuple[ClassMap, ...]
    assets: tuple[AssetSummary, ...]
    truths: tuple[BandTruth, ...]
    plots: tuple[PlotGroup, ...]
    bits: tuple[Share, ...]
    steps: tuple[StepLine, ...]
    asset_hrefs: Mapping[str, str]
    pictures_left_out: bool = False

    @property
    def bytes(self) -> int:
        """Size of all assets [bytes]."""
        return sum(a.bytes for a in self.summary.assets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of an account's bar."""

    kind: str
    number: int
    percent: float


def product_views(summary: RunSummary, *, read: FileReader, to_root: str = "../") -> tuple[ProductView, ...]:
    """The first ``MOST_PRODUCTS`` products, with pictures (as many as one page carries) and figures."""
    spent = 0
    views = []
    for number, product in enumerate(summary.products[:MOST_PRODUCTS], start=1):
        loaded = _pictures(product, read=read)
        spent += sum(len(data) for data in loaded.values())
        carried = loaded if spent <= MOST_PICTURE_BYTES else {}
        view = _product(product, number=number, pictures=carried, to_root=to_root)
        views.append(replace(view, thumbnail=_thumbnail(loaded), pictures_left_out=len(carried) < len(loaded)))
    return tuple(views)


def segments(account: Count) -> tuple[Segment, ...]:
    """The account as parts of a bar; an unexplained remainder is a part of its own."""
    parts = {
        "made": account.made,
        "skipped": account.skipped,
        "quarantined": account.quarantined,
        "unexplained": abs(account.remainder),
    }
    whole = max(sum(parts.values()), 1)
    return tuple(Segment(kind=k, number=n, percent=100.0 * n / whole) for k, n in parts.items() if n)


def data_uri(png: bytes) -> str:
    """A PNG as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def link(path: str, *, to_root: str) -> str:
    """A relative link to a file below the output's root, whatever its name contains."""
    return to_root + quote(path.lstrip("/"))


def _picture(path: str, *, read: FileReader) -> bytes:
    """The picture, or nothing when it is gone or no PNG."""
    data = read(path) or b""
    return data if data.startswith(_PNG) else b""


def _pictures(product: ProductSummary, *, read: FileReader) -> dict[str, bytes]:
    """The product's pictures by role; the true-colour picture only once when it is the corrected one."""
    paths = dict(product.pictures)
    if {"before", "after"} <= paths.keys() and paths.get("true_colour") == paths["after"]:
        del paths["true_colour"]
    return {role: data for role, path in paths.items() if (data := _picture(path, read=read))}


def _thumbnail(loaded: Mapping[str, bytes]) -> str:
    best = next((loaded[role] for role in TRUE_COLOUR if role in loaded), None)
    return "" if best is None else data_uri(shrunk_png(best, side=THUMBNAIL_SIDE))


def _product(summary: ProductSummary, *, number: int, pictures: Mapping[str, bytes], to_root: str) -> ProductView:
    drawn = {name: data_uri(png) for name, png in pictures.items()}
    folder = summary.item.rpartition("/")[0]
    assets = tuple(sorted(summary.assets, key=_wavelength_um))
    places = {a.name: place for place, a in enumerate(assets)}
    return ProductView(
        summary=summary,
        anchor=f"product-{number}",
        item_href=link(summary.item, to_root=to_root),
        thumbnail="",
        figures=_figures(drawn, others=drawn.keys() - {*TRUE_COLOUR, *(a.name for a in summary.assets)}),
        class_maps=tuple(
            _class_map(a, drawn=drawn, areas=summary.areas.get(a.name, ())) for a in summary.assets if a.encoding.categories
        ),
        assets=assets,
        truths=tuple(sorted(summary.truth.bands, key=lambda b: places.get(b.band, 0))) if summary.truth else (),
        plots=plot_groups(assets),
        bits=_bits(summary),
        steps=tuple(_step(s) for s in summary.steps),
        asset_hrefs={a.name: link(f"{folder}/{a.href}", to_root=to_root) for a in summary.assets},
    )


def _wavelength_um(asset: AssetSummary) -> float:
    """Bands come first, from blue to thermal."""
    return inf if asset.band is None or asset.band.centre_um is None else asset.band.centre_um


def _figures(drawn: Mapping[str, str], *, others: set[str]) -> tuple[Figure, ...]:
    """Before and after side by side, or the one picture there is; then ``others``, whatever else was drawn."""
    found = []
    if "before" in drawn and "after" in drawn:
        found.append(Figure(source=drawn["before"], caption="Before", note="true colour, top of atmosphere"))
        found.append(Figure(source=drawn["after"], caption="After", note="true colour, at the surface; same stretch"))
    if "true_colour" in drawn:
        found.append(Figure(source=drawn["true_colour"], caption="True colour", note="2–98 % stretch"))
    return (*found, *(Figure(source=drawn[n], caption=n.replace("_", " ").capitalize()) for n in sorted(others)))


def _class_map(asset: AssetSummary, *, drawn: Mapping[str, str], areas: tuple[ClassArea, ...]) -> ClassMap:
    source = drawn.get(asset.name, "")
    model = f"{asset.model.name} {asset.model.version}" if asset.model is not None else ""
    return ClassMap(
        title=asset.title,
        figure=Figure(source=source, caption=asset.title, sharp=True) if source else None,
        legend=tuple(
            Share(title=c.title, percent=p, colour=_colour(c)) for c, p in class_shares(asset.encoding, asset.statistics)
        ),
        model=model,
        areas=areas,
    )


def _bits(summary: ProductSummary) -> tuple[Share, ...]:
    found = dict(summary.shares.bits)
    # Where clouds were not judged, an unset bit says nothing: only what was found is shown.
    shown = [n for n in SHOWN_BITS if summary.shares.cloud is not None or n == "saturated" or n in found]
    bits = {b.name: b for a in summary.assets if a.name == "qa" for b in a.encoding.bits}
    return tuple(Share(title=bits[n].title, percent=found.get(n, 0.0), colour=_colour(bits[n])) for n in shown if n in bits)


def _step(step: AppliedStep) -> StepLine:
    # What was not set took the scene's value or the default; the table of the atmosphere tells which.
    given = {name: value for name, value in step.parameters.items() if value is not None}
    parameters = json.dumps(given, sort_keys=True, ensure_ascii=False)
    return StepLine(title=f"{step.name} {step.version}", parameters=_readable(parameters[1:-1]))


def _readable(text: str) -> str:
    """Parameters as people write them: no quotes around plain names, digests cut short."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", re.sub(r'"([a-z][a-z0-9_]*)": ', r"\1: ", text))


def _colour(category: Category) -> str:
    return "#" + "".join(f"{v:02x}" for v in category.rgb)
