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
from swath.inference.loader import load_predictor
from swath.inference.manifest import Manifest
from swath.inference.pinned import PinnedModel
from swath.training.recipe import TrainingRecipe
from swath.training.surroundings import Surroundings
from swath.training.tiles import LabelledTiles

#: Unpacked size of all arrays [bytes].
_MAX_BYTES = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenSamples:
    """Labelled pixels of polygons.

    Args:
        of: ``sr``, ``toa`` or ``dn``.
        bands: Common band names, in the order of ``physical``.
        physical: Values before a model's scale and offset, (pixel, band), float64.
        labels: Class names, (pixel,).
        polygons: Ids, (pixel,).
        around: What is around the pixels; None where the training read no more than them.
    """

    of: str
    bands: tuple[str, ...]
    physical: NDArray[np.float64]
    labels: NDArray[np.str_]
    polygons: NDArray[np.str_]
    around: Surroundings | None = None

    @classmethod
    def of_samples(cls, samples: pd.DataFrame, *, recipe: TrainingRecipe, tiles: LabelledTiles | None = None) -> Self:
        """Samples as ``samples_of`` gives them, with what is around them where the training read tiles.

        Raises:
            ConfigError: They are too large to be kept.
        """
        wanted = recipe.features
        features = samples[list(wanted.bands)].to_numpy(dtype=np.float64)
        around = None if tiles is None else Surroundings.of(samples, tiles, scale=wanted.scale, offset=wanted.offset)
        if around is not None and around.physical.nbytes > _MAX_BYTES:
            size, most = around.physical.nbytes >> 20, _MAX_BYTES >> 20
            msg = f"the tiles of {len(samples)} frozen samples take {size} MiB, at most {most} MiB are kept: lower `frozen`"
            raise ConfigError(msg)
        return cls(
            of=wanted.of,
            bands=wanted.bands,
            physical=(features - wanted.offset) / wanted.scale,
            labels=samples["label"].to_numpy(dtype=str),
            polygons=samples["polygon_id"].to_numpy(dtype=str),
            around=around,
        )

    def lack_for(self, manifest: Manifest) -> str:
        """Why a model that looks around cannot be judged on these samples, in words; empty when it can."""
        if not manifest.margin_px:
            return ""
        return self.around.lack_for(manifest) if self.around else "it looks around a pixel, and the frozen samples do not"

    def probabilities(self, model: PinnedModel) -> NDArray[np.float32]:
        """Class probabilities [1] that a model gives the samples, (class, pixel).

        Raises:
            ConfigError: The model takes what was not kept.
        """
        manifest = model.manifest
        lack = self.lack_for(manifest)
        if lack:
            msg = f"model {manifest.name} {model.version} cannot be judged: {lack}"
            raise ConfigError(msg)
        self._check_bands(manifest)
        predictor = load_predictor(model.path, model.digest)
        if self.around is None or not manifest.margin_px:
            return predictor.predict(self.features_for(manifest))
        return self.around.answers(predictor, manifest, bands=self.bands)

    def features_for(self, manifest: Manifest) -> NDArray[np.float32]:
        """Features of a model, (feature, pixel).

        Raises:
            ConfigError: The model takes bands or kinds of values that were not kept.
        """
        self._check_bands(manifest)
        order = [self.bands.index(b) for b in manifest.bands]
        features = manifest.scale * self.physical[:, order].T + manifest.offset
        return np.ascontiguousarray(features.astype(np.float32))

    def _check_bands(self, manifest: Manifest) -> None:
        absent = [b for b in manifest.bands if b not in self.bands]
        if absent or manifest.of != self.of:
            theirs = f"{manifest.of} of {', '.join(manifest.bands)}"
            msg = f"model {manifest.name} takes {theirs}, the frozen samples hold {self.of} of {', '.join(self.bands)}"
            raise ConfigError(msg)

    def to_bytes(self) -> bytes:
        """The samples as a compressed npz; the same samples give the same bytes."""
        own = {n: getattr(self, n) for n in self.__dataclass_fields__ if n != "around"}
        return array_bytes({**own, **(self.around.to_arrays() if self.around else {})})

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
                around=Surroundings.from_arrays(stored),
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
