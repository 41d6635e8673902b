"""Histograms as SVG paths: small multiples that share an axis, in physical units."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt

from swath.product import Encoding, Statistics
from swath.report.product_summary import AssetSummary

#: The drawing [SVG units]: plot area, and the baseline that the bars stand on.
WIDTH, TOP, BASE = 240.0, 6.0, 62.0
#: Share of the pixels at either end that may fall off the axis: a few clouds and glints would squeeze the rest.
TAIL = 0.005
BAND_COLOURS = {
    "coastal": "#5a67d8",
    "blue": "#2f74d0",
    "green": "#2f9e58",
    "red": "#d0483a",
    "nir": "#9054b0",
    "nir08": "#9054b0",
    "nir09": "#7d5fb2",
    "swir16": "#b0742c",
    "swir22": "#8f6232",
    "pan": "#7a7f87",
    "cirrus": "#6f8fa8",
    "lwir": "#c2572f",
    "lwir11": "#c2572f",
    "lwir12": "#b0503a",
}
OTHER_COLOUR = "#0f7a78"
Axis = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A number on the axis, at ``x``."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One histogram, ready to draw.

    Args:
        name: Asset key.
        title: Human-readable title.
        subtitle: Wavelength and the like.
        path: SVG path data of the filled steps.
        colour: Colour of the fill.
        ticks: Tick labels of the axis.
        mean_x: Position of the mean; None if nothing is valid or the mean is off the axis.
        mean: Mean as text, with unit.
        spread: Standard deviation as text.
        clamped: Pixels that were clamped.
    """

    name: str
    title: str
    subtitle: str
    path: str
    colour: str
    ticks: tuple[Tick, ...]
    mean_x: float | None
    mean: str
    spread: str
    clamped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotGroup:
    """Plots that share an axis."""

    title: str
    plots: tuple[Plot, ...]


def plot_groups(assets: Sequence[AssetSummary]) -> tuple[PlotGroup, ...]:
    """Histograms of the continuous assets, in their order, grouped by what they measure."""
    groups: dict[str, list[AssetSummary]] = {}
    for asset in assets:
        if not asset.encoding.categories and not asset.encoding.bits:
            groups.setdefault(_quantity(asset.encoding), []).append(asset)
    return tuple(_group(title, members) for title, members in groups.items())


def axis_of(members: Sequence[tuple[Encoding, Statistics]]) -> Axis:
    """The physical range that holds all but the tails of every member; reflectance beyond 1 is left off."""
    ends = [e for encoding, statistics in members if (e := _ends(encoding, statistics)) is not None]
    if not ends:
        return (0.0, 1.0)
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    if all(encoding.unit == "1" for encoding, _ in members) and low < 1.0:
        high = min(high, 1.0)
    return (low, high) if high > low else (low, low + 1.0)


def ticks_of(axis: Axis) -> tuple[Tick, ...]:
    """Three to six round numbers."""
    values, decimals = round_values(axis)
    return tuple(_tick(value, axis=axis, decimals=decimals) for value in values)


def round_values(axis: Axis) -> tuple[tuple[float, ...], int]:
    """Three to six round numbers on an axis, and the decimals that they need."""
    low, high = axis
    rough = (high - low) / 4.0
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * k >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    decimals = max(0, -floor(log10(step) + 1e-9) + (1 if step / unit == 2.5 else 0))
    return tuple(n * step for n in range(first, last + 1)), decimals


def _tick(value: float, *, axis: Axis, decimals: int) -> Tick:
    x = _x(value, axis)
    anchor = "start" if x < 12.0 else "end" if x > WIDTH - 12.0 else "middle"
    return Tick(x=round(x, 1), text=f"{value + 0.0:.{decimals}f}", anchor=anchor)


def _group(title: str, members: Sequence[AssetSummary]) -> PlotGroup:
    axis = axis_of([(m.encoding, m.statistics) for m in members])
    ticks = ticks_of(axis)
    return PlotGroup(title=title, plots=tuple(_plot(m, axis=axis, ticks=ticks) for m in members))


def _plot(asset: AssetSummary, *, axis: Axis, ticks: tuple[Tick, ...]) -> Plot:
    scale, statistics = asset.encoding.scale, asset.statistics
    mean, spread = statistics.mean, statistics.standard_deviation
    at = None if mean is None else _x(mean * scale, axis)
    wavelength = asset.band.centre_um if asset.band else None
    return Plot(
        name=asset.name,
        title=asset.name,
        subtitle=f"{wavelength:.3g} µm" if wavelength else "",
        path=_path(asset.encoding, statistics, axis=axis),
        colour=colour_of(asset.name),
        ticks=ticks,
        mean_x=round(at, 1) if at is not None and 0.0 <= at <= WIDTH else None,
        mean="nothing valid" if mean is None else _number(mean * scale, asset.encoding),
        spread="" if spread is None else _number(spread * scale, asset.encoding),
        clamped=statistics.clamped,
    )


def colour_of(name: str) -> str:
    """The colour of a band's plots."""
    return BAND_COLOURS.get(name, "#b3456f" if name.startswith("rededge") else OTHER_COLOUR)


def _path(encoding: Encoding, statistics: Statistics, *, axis: Axis) -> str:
    """Steps of the bins from the baseline and back to it.

    Heights are square roots of counts: a lake puts a third of a scene into one bin, and the land must still be seen.
    """
    width = (1 << encoding.histogram_shift) * encoding.scale
    bins = {k: n for k, n in statistics.histogram.items() if axis[0] - width < k * width < axis[1]}
    if not bins:
        return ""
    peak = sqrt(max(bins.values()))
    points: list[str] = []
    for key in range(min(bins), max(bins) + 1):
        left, right = (min(max(_x(v * width, axis), 0.0), WIDTH) for v in (key, key + 1))
        y = BASE - (BASE - TOP) * sqrt(bins.get(key, 0)) / peak
        points += [f"{left:.1f} {y:.1f}", f"{right:.1f} {y:.1f}"]
    first, last = points[0].split()[0], points[-1].split()[0]
    return f"M{first} {BASE:g}L" + "L".join(points) + f"L{last} {BASE:g}Z"


def _ends(encoding: Encoding, statistics: Statistics) -> Axis | None:
    if not statistics.valid:
        return None
    width = (1 << encoding.histogram_shift) * encoding.scale
    spare = TAIL * statistics.valid
    keys = sorted(statistics.histogram)
    low = _first_past(keys, statistics, spare=spare)
    high = _first_past(keys[::-1], statistics, spare=spare)
    return (low * width, (high + 1) * width)


def _first_past(keys: Sequence[int], statistics: Statistics, *, spare: float) -> int:
    seen = 0
    for key in keys:
        seen += statistics.histogram[key]
        if seen > spare:
            return key
    return keys[-1]


def _x(value: float, axis: Axis) -> float:
    return (value - axis[0]) / (axis[1] - axis[0]) * WIDTH


def _quantity(encoding: Encoding) -> str:
    names = {"K": "Brightness temperature [K]", "percent": "Probability [%]"}
    return names.get(encoding.unit, "Reflectance" if encoding.unit == "1" else f"[{encoding.unit}]")


def _number(value: float, encoding: Encoding) -> str:
    unit = {"1": "", "percent": " %"}.get(encoding.unit, f" {encoding.unit}")
    return f"{value:.{4 if encoding.scale <= 1e-3 else 1}f}{unit}"
