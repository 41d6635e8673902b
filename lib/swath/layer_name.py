"""Names of layers: written ``<kind>`` or ``<kind>:<band>``, taken apart in one place."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

#: ``dn:red`` as delivered, ``toa:red``, ``sr:red``, ``bt:lwir11``, ``qa``, ``landcover``.
LayerName = str
#: Begins the names of delivered layers.
DELIVERED = "dn:"
_ON_GRID = "@grid"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class LayerId:
    """What a layer's name says.

    Args:
        kind: ``sr`` of ``sr:red``; the whole name of a layer that is of no band.
        band: ``red`` of ``sr:red``; empty where there is none.
        gridded: Whether the layer came onto the product's own grid.
    """

    kind: str
    band: str = ""
    gridded: bool = False

    @classmethod
    def of(cls, name: LayerName) -> Self:
        """Take a name apart."""
        kind, band, gridded = _parts(name)
        return cls(kind=kind, band=band, gridded=gridded)

    def __str__(self) -> str:
        return f"{self.delivered}{_ON_GRID if self.gridded else ''}"

    @property
    def on_grid(self) -> LayerName:
        """Its name once it is on the product's grid."""
        return f"{self.delivered}{_ON_GRID}"

    @property
    def delivered(self) -> LayerName:
        """Its name as steps know it, whatever grid it came onto."""
        return f"{self.kind}:{self.band}" if self.band else self.kind

    def fits(self, wanted: LayerName) -> bool:
        """Whether a name or a kind means this layer."""
        return wanted in {self.delivered, self.kind}


@lru_cache(maxsize=4096)
def _parts(name: LayerName) -> tuple[str, str, bool]:
    kind, _, band = name.removesuffix(_ON_GRID).partition(":")
    return kind, band, name.endswith(_ON_GRID)
