"""What is around frozen pixels: a network that looks around is judged on them as a run would answer there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from swath.grid import Window
from swath.inference.manifest import Manifest
from swath.inputs import Predictor
from swath.place import Place
from swath.training.tiles import LabelledTiles

#: What the arrays of a file begin with.
_PREFIX: Final = "around_"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Squares of scenes that hold frozen pixels, with a margin around each, and where in them the pixels are.

    Args:
        physical: Values before a model's scale and offset, (tile, band, margin + side + margin, the same), float64; NaN where
            the scene has no value, or ends.
        origins: Row and column of each square on its scene's grid, (tile, 2), margin apart.
        extents: Height and width of that grid [px], (tile, 2).
        places: Tile, and row and column on its scene's grid, of each pixel, (pixel, 3).
        margin_px: Pixels around each square.
    """

    physical: NDArray[np.float64]
    origins: NDArray[np.int64]
    extents: NDArray[np.int64]
    places: NDArray[np.int64]
    margin_px: int

    @classmethod
    def of(cls, samples: pd.DataFrame, tiles: LabelledTiles, *, scale: float, offset: float) -> Self:
        """The tiles that hold the samples.

        Args:
            samples: Frozen samples, from ``samples_of``.
            tiles: Tiles of all samples.
            scale: Scale of the tiles' features.
            offset: Offset of them.
        """
        numbers = tiles.numbers_of(samples)
        kept, place = np.unique(numbers, return_inverse=True)
        at = samples[["row", "col"]].to_numpy(dtype=np.int64)
        return cls(
            physical=(tiles.features[kept].astype(np.float64) - offset) / scale,
            origins=tiles.origins[kept],
            extents=tiles.extents[kept],
            places=np.column_stack([place, at]),
            margin_px=tiles.margin_px,
        )

    def lack_for(self, manifest: Manifest) -> str:
        """Why a model cannot be judged within the margin, in words; empty when it can."""
        network = manifest.network
        needed = manifest.halo_px if network is None or network.reach == "convolutional" else manifest.margin_px
        if needed <= self.margin_px:
            return ""
        return f"it looks {needed} px around a pixel, and the frozen samples hold {self.margin_px} px"

    def answers(self, predictor: Predictor, manifest: Manifest, *, bands: tuple[str, ...]) -> NDArray[np.float32]:
        """Class probabilities [1] of the pixels, (class, pixel), each as a run would give it at its place.

        Args:
            predictor: The model.
            manifest: Its manifest.
            bands: Common band names, in the order of ``physical``.
        """
        order = [bands.index(b) for b in manifest.bands]
        made: NDArray[np.float32] | None = None
        for number, physical in enumerate(self.physical):
            place = self._place(number)
            around = self._square(number).pad(self.margin_px)
            features = (manifest.scale * physical[order] + manifest.offset).astype(np.float32)
            answer = predictor.predict(np.ascontiguousarray(features[:, *around.slices_of(place.given)]), place=place)
            if made is None:
                made = np.empty((answer.shape[0], len(self.places)), dtype=np.float32)
            here = self.places[:, 0] == number
            rows, cols = (self.places[here, n + 1] - first for n, first in enumerate((place.wanted.row, place.wanted.col)))
            made[:, here] = answer[:, rows, cols]
        return made if made is not None else np.empty((len(manifest.classes), 0), dtype=np.float32)

    def _square(self, number: int) -> Window:
        (row, col), (height, width) = self.origins[number].tolist(), self.physical.shape[2:]
        return Window(row, col, height - 2 * self.margin_px, width - 2 * self.margin_px)

    def _place(self, number: int) -> Place:
        (height, width), square = self.extents[number].tolist(), self._square(number)
        grid = Window(0, 0, height, width)
        return Place(given=square.pad(self.margin_px).clip(grid), wanted=square.clip(grid), grid=grid)

    def to_arrays(self) -> dict[str, Any]:
        """The arrays of a file."""
        return {f"{_PREFIX}{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, stored: Mapping[str, Any]) -> Self | None:
        """The inverse of ``to_arrays``; None where a file has none of them.

        Raises:
            KeyError: One of the arrays is missing.
            TypeError: One is of another kind.
            ValueError: They do not fit each other.
        """
        if not any(name.startswith(_PREFIX) for name in stored):
            return None
        arrays = {n: stored[f"{_PREFIX}{n}"] for n in ("origins", "extents", "places")}
        whole = {name: array.astype(np.int64, casting="safe") for name, array in arrays.items()}
        physical = stored[f"{_PREFIX}physical"].astype(np.float64, casting="no")
        tiles, places = physical.shape[0], whole["places"]
        squares = physical.ndim == 4 and whole["origins"].shape == whole["extents"].shape == (tiles, 2)
        if not squares or places.ndim != 2 or places.shape[1] != 3 or not ((places[:, 0] >= 0) & (places[:, 0] < tiles)).all():
            msg = "the surroundings of the frozen samples do not fit each other"
            raise ValueError(msg)
        return cls(physical=physical, margin_px=int(stored[f"{_PREFIX}margin_px"]), **whole)
