"""The report as one HTML file that needs nothing else: no network, no script, no second file."""

from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined

from swath.report.footprint_map import WIDTH as MAP_WIDTH
from swath.report.footprint_map import FileReader, footprint_map
from swath.report.histogram import BASE, TOP, WIDTH
from swath.report.summary import RunSummary
from swath.report.text import duration, place, plain, retry_command, size
from swath.report.view import MOST_PRODUCTS, ProductView, product_views, segments

TEMPLATE = "report.html"


def render(summary: RunSummary, *, read: FileReader, to_root: str = "../") -> str:
    """Draw the report.

    Args:
        summary: The run.
        read: Gives the bytes of a picture or an item by its path relative to the output's root, or None.
        to_root: Relative path from the report's folder to the output's root, for links to items and files.

    Returns:
        The page. Ids and messages come from strangers: everything is escaped, and the page forbids itself to load or
        run anything.
    """
    products = product_views(summary, read=read, to_root=to_root)
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            run=summary,
            products=products,
            map=footprint_map([_place(p) for p in products], read=read),
            map_width=MAP_WIDTH,
            log="./" + quote(f"{summary.run_id}.log"),
            retry=retry_command(summary),
            more=max(summary.whole.products - MOST_PRODUCTS, 0),
            scene_segments=segments(summary.scenes),
            asset_segments=segments(summary.assets),
            longest_s=max((max(s.wall_s, s.cpu_s) for s in summary.stages), default=1.0) or 1.0,
            plot={"width": WIDTH, "top": TOP, "base": BASE},
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "plain": plain,
        "duration": duration,
        "size": size,
        "percent": percent,
        "place": place,
        "short": short,
    }
    return environment


def _place(product: ProductView) -> tuple[str, str, str]:
    """Anchor, title and item of a product."""
    told = product.summary
    return product.anchor, f"{plain(told.scene_id)}, {told.acquired:%Y-%m-%d}", told.item


def percent(share: float | None) -> str:
    """``12.3 %``; a dash where it is unknown; never 0 or 100 for what is not exactly that."""
    if share is None:
        return "–"
    if 0.0 < share < 0.05:
        return "< 0.1 %"
    if 99.95 <= share < 100.0:
        return "> 99.9 %"
    return f"{share:.1f} %"


def short(digest: str) -> str:
    """The first 12 characters of a digest."""
    return digest[:12]


def _source(name: str) -> str:
    return files("swath.report").joinpath(name).read_text(encoding="utf-8")
