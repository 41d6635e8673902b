"""What a recipe says of a U-Net: its size, and how it is fitted."""

from dataclasses import dataclass

from swath.errors import ConfigError
from swath.inference.network import Network, Normalise

#: Deeper ones look so far around that patches are mostly margin.
_MOST_DEPTH = 4
#: Feature of pixels without a value, in training as in a run.
FILL = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnetSettings:
    """Settings of a fully convolutional U-Net (Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28).

    Args:
        width: Channels of the first level; each level below has twice as many.
        depth: Number of levels below the first; each halves the resolution.
        epochs: Passes over all tiles.
        learning_rate: First step of Adam; it falls to 0 by a cosine.
        tile_px: Side of the tiles that polygons are cut into; a multiple of 2^depth.
        batch: Tiles of one step.
        patch_px: Side of the patches that a run feeds; a multiple of 2^depth.

    Raises:
        ConfigError: Settings that fit no network.
    """

    width: int = 8
    depth: int = 2
    epochs: int = 60
    learning_rate: float = 0.003
    tile_px: int = 64
    batch: int = 4
    patch_px: int = 256

    def __post_init__(self) -> None:
        """Refuse settings that fit no network."""
        if not 1 <= self.depth <= _MOST_DEPTH or min(self.width, self.epochs, self.batch) < 1 or not self.learning_rate > 0:
            msg = f"unet: depth in 1..{_MOST_DEPTH}, width, epochs and batch >= 1 and learning_rate > 0 are needed, got {self}"
            raise ConfigError(msg)
        sides = {"tile_px": self.tile_px, "patch_px": self.patch_px}
        for name, side in sides.items():
            if side < self.align_px or side % self.align_px:
                msg = f"unet: {name} must be a multiple of 2^depth = {self.align_px}, got {side}"
                raise ConfigError(msg)
        if self.patch_px <= 2 * self.margin_px:
            msg = f"unet: patch_px {self.patch_px} leaves nothing between two margins of {self.margin_px} px"
            raise ConfigError(msg)

    @property
    def align_px(self) -> int:
        """Distance of places at which the network is alike: the pixel size of the deepest level."""
        return int(1 << self.depth)

    @property
    def halo_px(self) -> int:
        """Longest distance, along rows or columns, that an answer depends on: followed through the layers to the input."""
        return max(max(p - low, high - p) for p in range(self.align_px) for low, high in [self._seen_from(p)])

    @property
    def margin_px(self) -> int:
        """The halo, up to whole steps of ``align_px``."""
        return -(-self.halo_px // self.align_px) * self.align_px

    def network(self, normalise: Normalise) -> Network:
        """What the manifest says of the network's input."""
        return Network(
            reach="convolutional", patch_px=self.patch_px, align_px=self.align_px, activation="softmax", normalise=normalise,
            fill=FILL,
        )  # fmt: skip

    def _seen_from(self, pixel: int) -> tuple[int, int]:
        """First and last input pixel of one answer: two 3 x 3 convolutions a level, 2 x 2 on the way down and up."""
        low = high = pixel
        for _ in range(self.depth):
            low, high = (low - 2) // 2, (high + 2) // 2
        low, high = low - 2, high + 2
        for _ in range(self.depth):
            low, high = 2 * low - 2, 2 * high + 1 + 2
        return low, high
