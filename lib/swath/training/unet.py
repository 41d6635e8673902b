"""A small fully convolutional U-Net, fitted by PyTorch: the same tiles and seed give the same weights on one machine.

Convolutions see zeros beyond a tile, as they do beyond a patch of a run; nothing normalises over a tile, so that no answer
depends on more than its halo.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from swath.inference.network import Normalise
from swath.inference.onnx_network import activated
from swath.training.tiles import LabelledTiles
from swath.training.unet_settings import FILL, UnetSettings

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, NDArray[np.float32]]
#: Weight decay of Adam: a few polygons are not learned by heart.
_DECAY = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unet:
    """A fitted network.

    Args:
        settings: Size of the network.
        weights: Kernels and biases by name, as ``shapes`` lists them.
        normalise: Mean and standard deviation by band.
    """

    settings: UnetSettings
    weights: Weights
    normalise: Normalise

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [1], (class, y, x), by PyTorch, of features, (band, y, x); pixels without a value are taken as 0."""
        import torch  # noqa: PLC0415  seconds: only where networks are trained

        fed = torch.from_numpy(normalised(features[np.newaxis], self.normalise))
        with torch.no_grad():
            scores = _forward(fed, {n: torch.from_numpy(w) for n, w in self.weights.items()}, depth=self.settings.depth)
        return activated(scores[0].numpy(), activation="softmax")


def shapes(settings: UnetSettings, *, bands: int, classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each kernel, in the order of the network; each has a bias of its outputs."""
    width, taken = settings.width, bands
    for level in range(settings.depth):
        yield from _two(f"down{level}", taken, width << level)
        taken = width << level
    yield from _two("bottom", taken, width << settings.depth)
    for level in reversed(range(settings.depth)):
        made = width << level
        yield f"up{level}", (made * 2, made, 2, 2)
        yield from _two(f"join{level}", made * 2, made)
    yield "head", (classes, width, 1, 1)


def _two(name: str, taken: int, made: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.a", (made, taken, 3, 3)
    yield f"{name}.b", (made, made, 3, 3)


def normalised(features: NDArray[np.float32], by: Normalise) -> NDArray[np.float32]:
    """``(feature - mean) / std`` as a run computes it, (tile, band, y, x); what has no value is taken as 0 first."""
    mean, std = (np.array(n)[:, np.newaxis, np.newaxis] for n in (by.mean, by.std))
    filled = np.where(np.isfinite(features), features, np.float32(FILL))
    centred = (filled - mean).astype(np.float32)
    made: NDArray[np.float32] = (centred / std).astype(np.float32)
    return made


def fit_unet(tiles: LabelledTiles, *, classes: int, settings: UnetSettings, seed: int) -> Unet:
    """Fit on the labelled pixels; each class weighs the same however many pixels were labelled.

    Args:
        tiles: Tiles; pixels without a label teach nothing.
        classes: Number of classes; each has a labelled pixel.
        settings: Size, and how long.
        seed: Seed of the first weights, of the order of tiles and of their turns.
    """
    import torch  # noqa: PLC0415  as above

    # One order of sums: more threads add in another.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    random = np.random.default_rng(seed)
    normalise = tiles.normalise()
    used = np.flatnonzero((tiles.truth >= 0).any(axis=(1, 2)))
    features = torch.from_numpy(normalised(tiles.features[used], normalise))
    truth = torch.from_numpy(tiles.truth[used].astype(np.int64))
    counts = np.bincount(tiles.truth[tiles.truth >= 0], minlength=classes)
    weight = torch.from_numpy((counts.sum() / (classes * counts)).astype(np.float32))
    weights = _first_weights(settings, bands=features.shape[1], classes=classes, random=random)
    parameters = {n: torch.from_numpy(w).requires_grad_() for n, w in weights.items()}
    adam = torch.optim.Adam(parameters.values(), lr=settings.learning_rate, weight_decay=_DECAY)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, settings.epochs)
    core = slice(tiles.margin_px, features.shape[2] - tiles.margin_px)
    for _ in range(settings.epochs):
        for chosen in _batches(len(used), random=random, size=settings.batch):
            turn, mirrored = int(random.integers(4)), bool(random.integers(2))
            fed, wanted = (_turned(t[chosen], turn=turn, mirrored=mirrored) for t in (features, truth))
            scores = _forward(fed, parameters, depth=settings.depth)[:, :, core, core]
            loss = torch.nn.functional.cross_entropy(scores, wanted, weight=weight, ignore_index=-1)
            adam.zero_grad()
            loss.backward()
            adam.step()
        falling.step()
    return Unet(settings=settings, weights={n: p.detach().numpy() for n, p in parameters.items()}, normalise=normalise)


def _first_weights(
    settings: UnetSettings, *, bands: int, classes: int, random: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Normal by the number of inputs (He et al. 2015, arXiv:1502.01852), zero biases; drawn by NumPy: PyTorch's may change."""
    weights = {}
    for name, shape in shapes(settings, bands=bands, classes=classes):
        up = name.startswith("up")
        inputs = shape[0] if up else int(np.prod(shape[1:]))
        weights[f"{name}.weight"] = random.normal(0.0, (2.0 / inputs) ** 0.5, shape).astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(shape[1] if up else shape[0], dtype=np.float32)
    return weights


def _batches(count: int, *, random: np.random.Generator, size: int) -> Iterator[NDArray[np.int64]]:
    order = random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def _turned(tiles: "Tensor", *, turn: int, mirrored: bool) -> "Tensor":
    import torch  # noqa: PLC0415  as above

    turned = torch.rot90(tiles, turn, dims=(-2, -1))
    return torch.flip(turned, dims=(-1,)) if mirrored else turned


def _forward(fed: "Tensor", weights: Mapping[str, "Tensor"], *, depth: int) -> "Tensor":
    """Scores, (tile, class, y, x), of normalised features, (tile, band, y, x)."""
    import torch  # noqa: PLC0415  as above
    from torch.nn import functional  # noqa: PLC0415

    def twice(given: "Tensor", name: str) -> "Tensor":
        for part in ("a", "b"):
            kernel, bias = (weights[f"{name}.{part}.{kind}"] for kind in ("weight", "bias"))
            given = functional.relu(functional.conv2d(given, kernel, bias, padding=1))
        return given

    kept: list[Any] = []
    for level in range(depth):
        kept.append(twice(fed, f"down{level}"))
        fed = functional.max_pool2d(kept[-1], 2)
    fed = twice(fed, "bottom")
    for level in reversed(range(depth)):
        fed = functional.conv_transpose2d(fed, weights[f"up{level}.weight"], weights[f"up{level}.bias"], stride=2)
        fed = twice(torch.cat([kept[level], fed], dim=1), f"join{level}")
    return functional.conv2d(fed, weights["head.weight"], weights["head.bias"])
