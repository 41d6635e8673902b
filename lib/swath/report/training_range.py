"""Whether a scene looks like what a model was trained on: its own percentiles beside those of the training data."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from swath.encoding import Encoding
from swath.product import LayerName
from swath.report.product_summary import AssetSummary
from swath.statistics import Statistics

#: Percentiles 0.1, 50 and 99.9 of the training data by layer, physical values.
Ranges = Mapping[LayerName, tuple[float, float, float]]
_NAMED = 3


def unlike_training(assets: Iterable[AssetSummary], *, ranges: Ranges) -> str:
    """In what a scene differs from the training data; empty where it does not.

    A half of the pixels outside of the training data, or no pixel on one side of its median, is no scene like those: an
    offset that was missed or subtracted twice, percent for fractions, another sensor. Scenes that differ less say nothing.

    Args:
        assets: Files of the product; layers that the product does not hold are named.
        ranges: Ranges of the training data.
    """
    held = {a.layer: a for a in assets if a.layer in ranges and a.statistics.valid}
    if not held:
        return f"not compared with the training data: the product holds none of {', '.join(ranges)}"
    found = [f"{name}: {why}" for name, a in held.items() if (why := _differs(a.statistics, a.encoding, range_=ranges[name]))]
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"unlike the training data: {'; '.join(found[:_NAMED])}{more}" if found else ""


def _differs(statistics: Statistics, encoding: Encoding, *, range_: tuple[float, float, float]) -> str:
    low, middle, high = range_
    darkest, median, brightest = (_quantile(statistics, encoding, share=s) for s in (0.001, 0.5, 0.999))
    if not low <= median <= high:
        return f"the median is {median:.4g}, the training data are {low:.4g} to {high:.4g}"
    if darkest > middle:
        return f"99.9 % of the pixels are over {darkest:.4g}, half of the training data are below {middle:.4g}"
    if brightest < middle:
        return f"99.9 % of the pixels are below {brightest:.4g}, half of the training data are over {middle:.4g}"
    return ""


def _quantile(statistics: Statistics, encoding: Encoding, *, share: float) -> float:
    """Physical value below which a share of the valid pixels is, to half a bin of the histogram."""
    width, slots = 1 << encoding.histogram_shift, sorted(statistics.histogram)
    seen = accumulate(statistics.histogram[s] for s in slots)
    slot = next(s for s, n in zip(slots, seen, strict=True) if n >= share * statistics.valid)
    return (slot * width + width / 2) * encoding.scale
