"""Which polygons teach and which judge. Neighbouring pixels are alike, so pixels of one polygon never do both."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from swath.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Samples of disjoint polygons."""

    training: pd.DataFrame
    held_out: pd.DataFrame


def split_by_polygon(samples: pd.DataFrame, *, seed: int, held_out: float) -> Split:
    """Split samples by polygon, with the same share of each class's polygons held out.

    A polygon seen in several scenes is one polygon.

    Args:
        samples: Samples from ``samples_of``.
        seed: The same seed gives the same split, whatever the order of the rows.
        held_out: Share of polygons held out, in (0, 1); at least one of each class stays on either side.

    Raises:
        ConfigError: A class has fewer than two polygons with samples.
    """
    random = np.random.default_rng(seed)
    polygons = samples[["polygon_id", "label"]].drop_duplicates().sort_values(["label", "polygon_id"])
    chosen: list[str] = []
    for label, group in polygons.groupby("label", sort=True):
        ids = group["polygon_id"].to_numpy()
        if ids.size < 2:
            msg = f"class {label!r} has {ids.size} polygon with usable pixels; two are needed, one to learn, one to judge"
            raise ConfigError(msg)
        count = int(np.clip(round(ids.size * held_out), 1, ids.size - 1))
        chosen.extend(random.permutation(ids)[:count].tolist())
    judging = samples["polygon_id"].isin(chosen)
    return Split(training=samples[~judging], held_out=samples[judging])
