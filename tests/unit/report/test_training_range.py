"""Scenes beside the data that their model was trained on."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from swath.product import REFLECTANCE, Tally
from swath.report.product_summary import AssetSummary
from swath.report.training_range import unlike_training

LAND = np.random.default_rng(0).normal(0.08, 0.02, (200, 200)).clip(0.01, 0.3)
#: Percentiles 0.1, 50 and 99.9 of such land.
RANGES: Mapping[str, tuple[float, float, float]] = {"sr:red": (0.02, 0.08, 0.15), "sr:nir08": (0.02, 0.08, 0.15)}


def asset(layer: str, values: NDArray[np.float64]) -> AssetSummary:
    tally = Tally(REFLECTANCE)
    tally.add(np.round(values / REFLECTANCE.scale).astype(np.int16))
    return AssetSummary(
        name=layer, layer=layer, title=layer, href="", key="", bytes=0, digest="", encoding=REFLECTANCE,
        statistics=tally.statistics(), height=200, width=200, resolution_m=30.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (LAND, ""),
        # Half of the scene under cloud is a scene all the same.
        (np.concatenate([LAND, np.full_like(LAND, 0.7)[:190]]), ""),
        (LAND + 0.1, "the median is 0.18"),
        (LAND - 0.1, "the median is -0.02"),
        (LAND * 100.0 / 40.0, "the median is 0.2"),
        (LAND * 0 + 0.1, "99.9 % of the pixels are over 0.0992"),
        (LAND * 0 + 0.05, "99.9 % of the pixels are below 0.048"),
    ],
)
def test_an_offset_a_scale_or_another_place_are_told(seen: NDArray[np.float64], said: str) -> None:
    told = unlike_training([asset("sr:red", seen), asset("sr:nir08", LAND)], ranges=RANGES)
    assert told.startswith(f"unlike the training data: sr:red: {said}" if said else "")
    assert bool(told) is bool(said)


def test_a_product_without_the_features_says_so() -> None:
    assert unlike_training([asset("toa:red", LAND)], ranges=RANGES) == (
        "not compared with the training data: the product holds none of sr:red, sr:nir08"
    )
