"""Shares of pixels, from the exact counts that statistics keep."""

from collections.abc import Mapping
from dataclasses import dataclass

from swath.product import Category, Encoding, Statistics

#: Bits of ``qa`` that say that clouds were judged at all; without them an unset cloud bit means nothing.
JUDGES = ("cloud_from_quality", "cloud_from_model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Percent of pixels; None where nothing in the product says.

    Args:
        valid: Share of valid pixels among all.
        saturated: Share of saturated pixels among the valid ones.
        cloud: Share of cloudy pixels among the valid ones.
        bits: Share of the valid pixels with each ``qa`` bit set, by name of the bit.
    """

    valid: float | None = None
    saturated: float | None = None
    cloud: float | None = None
    bits: tuple[tuple[str, float], ...] = ()


def shares_of(assets: Mapping[str, tuple[Encoding, Statistics]]) -> Shares:
    """The shares in a product's statistics: from ``qa`` when it is there, otherwise from the first data asset."""
    if "qa" in assets and assets["qa"][0].bits:
        return _from_bits(*assets["qa"])
    for encoding, statistics in assets.values():
        if not encoding.bits and not encoding.categories and statistics.count:
            return Shares(valid=100.0 * statistics.valid / statistics.count)
    return Shares()


def class_shares(encoding: Encoding, statistics: Statistics) -> tuple[tuple[Category, float], ...]:
    """Percent of the valid pixels by class, in the order of the legend."""
    whole = max(statistics.valid, 1)
    return tuple((c, 100.0 * statistics.histogram.get(c.value, 0) / whole) for c in encoding.categories)


def _from_bits(encoding: Encoding, statistics: Statistics) -> Shares:
    positions = {bit.name: bit.value for bit in encoding.bits}
    everything = sum(statistics.histogram.values())
    nodata = _count(statistics, bit=positions.get("nodata"), among=None)
    valid = everything - nodata
    percent = {
        name: 100.0 * _count(statistics, bit=bit, among=positions.get("nodata")) / max(valid, 1)
        for name, bit in positions.items()
        if name != "nodata"
    }
    judged = any(_count(statistics, bit=positions.get(name), among=None) for name in JUDGES)
    return Shares(
        valid=100.0 * valid / everything if everything else None,
        saturated=percent.get("saturated"),
        cloud=percent.get("cloud") if judged else None,
        bits=tuple((name, share) for name, share in percent.items() if share),
    )


def _count(statistics: Statistics, *, bit: int | None, among: int | None) -> int:
    """Pixels with ``bit`` set, and the bit ``among`` not set."""
    if bit is None:
        return 0
    refused = 0 if among is None else 1 << among
    return sum(n for value, n in statistics.histogram.items() if value & (1 << bit) and not value & refused)
