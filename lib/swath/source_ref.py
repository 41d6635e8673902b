"""What a product says of each of its sources, and how a product is named by them."""

from dataclasses import dataclass
from datetime import datetime

from swath.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRef:
    """One of the 1..n sources of a product.

    Args:
        scene_id: Id of the scene, or of the Level-2 item.
        href: Metadata file or STAC item.
        acquired: Aware.
        title: Title of the link to it.
        item: Whether ``href`` is a STAC item.
        left_out: Why none of its pixels went in; empty when they did.
    """

    scene_id: str
    href: str
    acquired: datetime
    title: str
    item: bool
    left_out: str = ""

    @property
    def used(self) -> bool:
        """Whether its pixels went into the product."""
        return not self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What names a product for good: its pipeline, and the scene, or the tile and the period, or the scene and the tile.

    Args:
        pipeline: Name of the pipeline.
        scene_id: Id of the scene that it is made of; empty for a product of many.
        tile: Name of the tile that it covers; empty for a product on the scene's whole grid.
        period: Name of the period; empty for a product of one scene.
    """

    pipeline: str
    scene_id: str = ""
    tile: str = ""
    period: str = ""

    def __post_init__(self) -> None:
        """Refuse what names no product.

        Raises:
            ConfigError: There is neither a scene nor a tile with a period, or both a scene and a period.
        """
        if bool(self.scene_id) == bool(self.period) or (self.period and not self.tile):
            msg = (
                f"a product of {self.pipeline} is named by a scene, by a scene and a tile, or by a tile and a period; got {self}"
            )
            raise ConfigError(msg)

    @property
    def subject(self) -> str:
        """What the product shows: ``<scene_id>``, ``<scene_id>_<tile>`` or ``<tile>_<period>``."""
        return "_".join(part for part in (self.scene_id, self.tile, self.period) if part)

    @property
    def product_id(self) -> str:
        """``<subject>.<pipeline>``."""
        return f"{self.subject}.{self.pipeline}"
