"""Samples that no model of a recipe is ever fitted on: challengers and champions are judged on them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.array_file import array_bytes, stored_arrays
from swath.inference.manifest import Manifest
from swath.training.recipe import TrainingRecipe

#: Unpacked size of all arrays [bytes].
_MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenSamples:
    """Labelled pixels of polygons.

    Args:
        of: ``sr``, ``toa`` or ``dn``.
        bands: Common band names, in the order of ``physical``.
        physical: Values before a model's scale and offset, (pixel, band), float64.
        labels: Class names, (pixel,).
        polygons: Ids, (pixel,).
    """

    of: str
    bands: tuple[str, ...]
    physical: NDArray[np.float64]
    labels: NDArray[np.str_]
    polygons: NDArray[np.str_]

    @classmethod
    def of_samples(cls, samples: pd.DataFrame, *, recipe: TrainingRecipe) -> Self:
        """Samples as ``samples_of`` gives them."""
        wanted = recipe.features
        features = samples[list(wanted.bands)].to_numpy(dtype=np.float64)
        return cls(
            of=wanted.of,
            bands=wanted.bands,
            physical=(features - wanted.offset) / wanted.scale,
            labels=samples["label"].to_numpy(dtype=str),
            polygons=samples["polygon_id"].to_numpy(dtype=str),
        )

    def features_for(self, manifest: Manifest) -> NDArray[np.float32]:
        """Features of a model, (feature, pixel).

        Raises:
            ConfigError: The model takes bands or kinds of values that were not kept.
        """
        absent = [b for b in manifest.bands if b not in self.bands]
        if absent or manifest.of != self.of:
            theirs = f"{manifest.of} of {', '.join(manifest.bands)}"
            msg = f"model {manifest.name} takes {theirs}, the frozen samples hold {self.of} of {', '.join(self.bands)}"
            raise ConfigError(msg)
        order = [self.bands.index(b) for b in manifest.bands]
        features = manifest.scale * self.physical[:, order].T + manifest.offset
        return np.ascontiguousarray(features.astype(np.float32))

    def to_bytes(self) -> bytes:
        """The samples as a compressed npz; the same samples give the same bytes."""
        return array_bytes({n: getattr(self, n) for n in self.__dataclass_fields__})

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read what ``to_bytes`` wrote; data only.

        Raises:
            ConfigError: Not such a file, or too large when unpacked.
        """
        with stored_arrays(path, most_bytes=_MAX_BYTES, content="frozen samples") as stored:
            return cls(
                of=str(stored["of"]),
                bands=tuple(map(str, stored["bands"].tolist())),
                physical=stored["physical"].astype(np.float64, casting="no"),
                labels=stored["labels"].astype(str),
                polygons=stored["polygons"].astype(str),
            )


def split_frozen(samples: pd.DataFrame, *, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Samples to learn from, and frozen ones.

    A polygon is frozen by the digest of its id alone: it stays so whatever polygons come and go, and no later model learns it.

    Args:
        samples: Samples from ``samples_of``.
        share: Share of the polygons that is frozen, in [0, 1).
    """
    ids = samples["polygon_id"].unique().tolist()
    frozen = [i for i in ids if int.from_bytes(hashlib.sha256(str(i).encode()).digest()[:8], "big") < share * 2.0**64]
    chosen = samples["polygon_id"].isin(frozen)
    return samples[~chosen], samples[chosen]
