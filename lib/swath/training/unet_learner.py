"""U-Nets as models of swath: fitted on tiles, judged on the pixels of held-out polygons, written as ONNX."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swath.errors import ConfigError
from swath.inference.manifest import Manifest
from swath.training.calibrate import HeldOut
from swath.training.fit import class_numbers, feature_matrix
from swath.training.learner import Learned
from swath.training.recipe import TrainingRecipe
from swath.training.reference import reference_of
from swath.training.split import Split
from swath.training.tiles import LabelledTiles
from swath.training.unet import Unet, fit_unet
from swath.training.unet_onnx import onnx_of
from swath.training.unet_settings import FILL, UnetSettings

#: Side of the square of real pixels whose answers are kept for admission.
_REFERENCE_PX: Final = 48


def need_torch() -> None:
    """Refuse to begin a training that cannot end.

    Raises:
        ConfigError: PyTorch is not installed.
    """
    if find_spec("torch") is None:
        msg = "a recipe with unet needs PyTorch, which is not installed: pip install 'swath[unet]'"
        raise ConfigError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnetLearner:
    """Fully convolutional U-Nets, by PyTorch.

    Args:
        recipe: The recipe.
        settings: Its settings of the network.
        tiles: Tiles of all samples.
    """

    recipe: TrainingRecipe
    settings: UnetSettings
    tiles: LabelledTiles

    @property
    def stated(self) -> Mapping[str, Any]:
        """The network's input; its halo is the recipe's."""
        return {"network": self.settings.network(self.tiles.normalise())}

    def held_out(self, split: Split) -> HeldOut:
        """Fit on the labels of one side of a split; answers at the labelled pixels of the other.

        What surrounds a polygon is seen without its label, as in a run.
        """
        unet = self._fitted(split.training)
        judging = self.tiles.of_polygons(split.held_out["polygon_id"].unique().tolist())
        margin, side = judging.margin_px, judging.truth.shape[1]
        core = slice(margin, margin + side)
        found = [(n, judging.truth[n] >= 0) for n in range(len(judging.truth))]
        answers = [unet.predict(judging.features[n])[:, core, core][:, there] for n, there in found if there.any()]
        truth = np.concatenate([judging.truth[n][there] for n, there in found])
        polygon = np.concatenate([judging.polygon[n][there] for n, there in found])
        return HeldOut(
            probabilities=np.concatenate(answers, axis=1),
            truth=truth.astype(np.int64),
            polygons=np.array(judging.polygons)[polygon],
        )

    def fit(self, samples: pd.DataFrame, *, manifest: Manifest) -> Learned:
        """Fit on all samples; the network's file, and a square of real pixels with PyTorch's own answers."""
        unet, bands, classes = self._fitted(samples), len(self.recipe.features.bands), len(self.recipe.classes)
        square = self._square()
        answer = _answers(unet, square)
        rows, kept = (a.reshape(a.shape[0], -1).T for a in (square, answer))
        matrix = feature_matrix(samples, recipe=self.recipe)
        reference = reference_of(
            manifest, features=np.ascontiguousarray(rows), answers=np.ascontiguousarray(kept), training=matrix
        )
        return Learned(weights=onnx_of(unet, bands=bands, classes=classes), reference=reference)

    def _fitted(self, samples: pd.DataFrame) -> Unet:
        counts = np.bincount(class_numbers(samples, recipe=self.recipe), minlength=len(self.recipe.classes))
        if not counts.all():
            absent = [c.name for c, n in zip(self.recipe.classes, counts, strict=True) if not n]
            msg = f"no usable samples of class {', '.join(absent)}: label polygons of it inside the scenes"
            raise ConfigError(msg)
        teaching = self.tiles.of_polygons(samples["polygon_id"].unique().tolist())
        return fit_unet(teaching, classes=len(self.recipe.classes), settings=self.settings, seed=self.recipe.seed)

    def _square(self) -> NDArray[np.float32]:
        """The middle of the tile with the most labelled pixels, (band, y, x)."""
        tile = self.tiles.features[int((self.tiles.truth >= 0).sum(axis=(1, 2)).argmax())]
        side = min(_REFERENCE_PX, tile.shape[1], self.settings.patch_px - 2 * self.settings.margin_px)
        start = (tile.shape[1] - side) // 2
        return np.ascontiguousarray(tile[:, start : start + side, start : start + side])


def _answers(unet: Unet, square: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities, (class, y, x), of a square that is a whole scene: in the one patch that a run would feed."""
    margin, side = unet.settings.margin_px, square.shape[1]
    patch = np.full((square.shape[0], unet.settings.patch_px, unet.settings.patch_px), FILL, dtype=np.float32)
    here = slice(margin, margin + side)
    patch[:, here, here] = square
    return unet.predict(patch)[:, here, here]
